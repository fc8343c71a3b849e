//! Ports of modules inside, between steps.

use super::{Model, readable};
use crate::error::{Error, Result, unknown_name_help};
use crate::module::{DynModule, trace_errors};
use crate::payload::HostPayload;
use indexmap::IndexMap;
use spark_compiler::array::{Mode, Session, tape};
use spark_compiler::ir::Array;

impl Model {
    /// What ports of modules inside hold now, by path: properties of any module (`pool.soma.potential`), and the outputs of
    /// the last step that modules of a brain read in the next one (`pool.out_spikes`).
    ///
    /// ```
    /// use spark::config::ConfigTree;
    /// use spark::prelude::*;
    ///
    /// let neuron = ConfigTree::new("LIFNeuronConfig").with("units", [4]);
    /// let mut model = Model::from_tree(neuron).input("in_spikes", [6]).build()?;
    /// model.step(&[("in_spikes", vec![true; 6].into())])?;
    /// let now = model.read_state(&["soma.potential", "inhibition_mask"])?;
    /// assert_eq!(now["soma.potential"].dims(), [4]);
    /// assert!(model.read_state(&["soma.spikes"]).is_err());
    /// # Ok::<(), spark::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there is no such port, or it is an output that nobody keeps: record it when the model is built
    /// ([`ModelBuilder::record`](super::ModelBuilder::record)).
    pub fn read_state(&mut self, paths: &[&str]) -> Result<IndexMap<String, HostPayload>> {
        let mut memory = tape::Memory::default();
        for name in self.states() {
            let value = self.state(&name)?;
            memory.states.insert(name, value);
        }
        let kept = memory.states.clone();
        let float = self.root.dtype().elem();
        let session = Session::begin("read_state", Mode::Eager, float, memory);
        self.root.bind("");
        let mut found = IndexMap::new();
        let mut errors = Vec::new();
        for &path in paths {
            match property(self.root.as_ref(), path).or_else(|| previous(&kept, path)) {
                Some(payload) => {
                    found.insert(path.to_string(), payload);
                }
                None => errors.push(self.unreadable(path)),
            }
        }
        session.finish().map_err(trace_errors)?;
        if errors.is_empty() { Ok(found) } else { Err(Error::many(errors)) }
    }

    fn unreadable(&self, path: &str) -> Error {
        let known = readable(self.root.as_ref(), "");
        if known.iter().any(|known| known == path) {
            let error = Error::new("this output is not kept after the step").at(path);
            return error.help("record it when the model is built, with `record`");
        }
        let help = unknown_name_help(path, known.iter().map(String::as_str));
        Error::new(format!("there is no port or property `{path}`")).help(help)
    }
}

/// The value of a property, in a session that the modules are bound to.
fn property(module: &dyn DynModule, path: &str) -> Option<HostPayload> {
    if let Some((name, rest)) = path.split_once('.') {
        let children = module.children();
        let (_, child) = children.iter().find(|(child, _)| *child == name)?;
        return property(*child, rest);
    }
    let payload = module.get(path)?;
    let mut parts = payload.parts.iter().map(|&part| tape::known(part));
    let value = parts.next()??;
    Some(HostPayload::spikes(value, parts.next().flatten()))
}

/// An output that a brain keeps for its modules.
fn previous(states: &std::collections::HashMap<String, Array>, path: &str) -> Option<HostPayload> {
    let (module, port) = path.rsplit_once('.')?;
    let (brain, module) = module.rsplit_once('.').map_or(("", module), |(brain, module)| (brain, module));
    let prefix = crate::module::join(brain, &format!("#previous.{module}.{port}."));
    let part = |wanted: &dyn Fn(&str) -> bool| {
        let kept = states.iter().find(|(name, _)| name.strip_prefix(&prefix).is_some_and(wanted));
        kept.map(|(_, value)| value.clone())
    };
    let mask = |name: &str| name == "inhibition_mask";
    Some(HostPayload::spikes(part(&|name| !mask(name))?, part(&mask)))
}
