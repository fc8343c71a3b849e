//! What a command is given as its model: a configuration, or a checkpoint to go on from.

use super::register::Register;
use super::tree::dims_text;
use clap::Args;
use spark::checkpoint::Checkpoint;
use spark::config::ConfigTree;
use spark::error::{Error, Result};
use spark::model::{FILE_MEMORY, InputShape, Model, ModelBuilder};
use spark::scfg;
use std::path::Path;

/// What building a model may take.
#[derive(Debug, Args)]
pub(crate) struct Limit {
    /// Memory that building the model may take, in GiB, every number counting 8 bytes [default: 1; of a checkpoint, by its
    /// state]
    #[arg(long, value_name = "GIB", value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    memory_limit: Option<u64>,
}

impl Limit {
    /// Sets it, if one is given.
    pub(crate) fn apply(&self, builder: ModelBuilder) -> ModelBuilder {
        self.memory_limit.into_iter().fold(builder, |builder, gib| builder.memory_limit(gib << 30))
    }
}

/// A model before it is built.
pub(crate) enum Source {
    /// Of a `.scfg` file.
    Config(ConfigTree),
    /// Of a `.spark` file.
    Checkpoint(Box<Checkpoint>),
}

impl Source {
    /// Reads a file of either kind; its content says which. Neurons it needs are registered.
    ///
    /// # Errors
    /// If it cannot be read, or a neuron cannot be registered.
    pub(crate) fn open(path: &Path, register: &Register) -> Result<Source> {
        if path.is_file() && Checkpoint::is_checkpoint(path)? {
            let checkpoint = Checkpoint::read(path)?;
            if !register.is_empty() {
                let error = Error::new("a checkpoint brings its neurons along").at("--register");
                return Err(error.in_file(path).help("leave --register out"));
            }
            checkpoint.graphdef().register_neurons().map_err(|e| e.in_file(path))?;
            return Ok(Source::Checkpoint(Box::new(checkpoint)));
        }
        register.apply()?;
        scfg::read_path(path).map(Source::Config)
    }

    /// The checkpoint, if it is one.
    pub(crate) fn checkpoint(&self) -> Option<&Checkpoint> {
        match self {
            Source::Config(_) => None,
            Source::Checkpoint(checkpoint) => Some(checkpoint),
        }
    }

    /// A builder of the model; for a configuration, one without inputs.
    pub(crate) fn builder(&self) -> ModelBuilder {
        match self {
            Source::Config(tree) => Model::from_tree(tree.clone()).memory_limit(FILE_MEMORY),
            Source::Checkpoint(checkpoint) => checkpoint.builder(),
        }
    }

    /// Number of steps that were done before.
    pub(crate) fn steps(&self) -> u64 {
        self.checkpoint().map_or(0, Checkpoint::steps)
    }

    /// Ports that take spikes over synapses.
    pub(crate) fn asynchronous(&self) -> Vec<String> {
        let inputs = self.checkpoint().into_iter().flat_map(|checkpoint| checkpoint.graphdef().inputs());
        inputs.filter(|(_, shape)| shape.async_spikes).map(|(name, _)| name.clone()).collect()
    }

    /// Brings a model to where the checkpoint was.
    ///
    /// # Errors
    /// If the checkpoint does not fit.
    pub(crate) fn restore(&self, model: &mut Model) -> Result<()> {
        self.checkpoint().map_or(Ok(()), |checkpoint| checkpoint.restore(model))
    }
}

/// What a checkpoint says of itself, apart from the model and its states.
pub(crate) fn about(checkpoint: &Checkpoint) -> String {
    let graphdef = checkpoint.graphdef();
    let input = |(name, shape): (&String, &InputShape)| {
        let mask = shape.mask.as_ref().map(|dims| format!(", inhibition mask {}", dims_text(dims))).unwrap_or_default();
        let over = if shape.async_spikes { ", over synapses" } else { "" };
        format!("  input {name}: {}{over}{mask}\n", dims_text(&shape.dims))
    };
    let mut text =
        format!("checkpoint after {} steps, written by Spark {}\n", checkpoint.steps(), checkpoint.version());
    text.extend(graphdef.inputs().iter().map(input));
    text.extend(graphdef.record().iter().map(|path| format!("  recorded: {path}\n")));
    text.extend(graphdef.neurons().iter().map(|(name, _)| format!("  brings the neuron {name}\n")));
    text.extend(graphdef.dtype().map(|dtype| format!("  dtype: {}\n", dtype.long_name())));
    if !graphdef.contract() {
        text += "  a\u{b7}b + c is rounded twice\n";
    }
    text
}
