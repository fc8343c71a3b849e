//! `--register NAME=FILE`: neurons that a model's file uses by a name of their own.

use clap::Args;
use spark::controller::register_neuron_from_file;
use spark::error::Result;
use std::path::PathBuf;

/// Neurons to register before the model is read.
#[derive(Debug, Args)]
pub(crate) struct Register {
    /// A neuron the model uses under this name: its configuration, a .scfg file. May be given several times; a file may
    /// use the neurons registered before it
    #[arg(long, value_name = "NAME=FILE.scfg", value_parser = parse)]
    register: Vec<(String, PathBuf)>,
}

fn parse(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, file)) if !name.is_empty() && !file.is_empty() => Ok((name.into(), file.into())),
        _ => Err(format!("`{text}` is not NAME=FILE, for example MyNeuron=my_neuron.scfg")),
    }
}

impl Register {
    /// True if there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.register.is_empty()
    }

    /// Registers them, in the order given.
    ///
    /// # Errors
    /// If a file cannot be read, does not hold a neuron, or the name is taken.
    pub(crate) fn apply(&self) -> Result<()> {
        self.register.iter().try_for_each(|(name, file)| register_neuron_from_file(name, file))
    }
}
