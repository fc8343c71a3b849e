//! What became of a model's configuration: shapes of ports, and states with their sizes.

use super::{Model, readable, record};
use crate::controller::{Blueprint, PortMap};
use crate::error::Result;
use crate::inspect::{Inspection, PortInfo, StateInfo};
use crate::module::join;
use crate::spec::Direction;
use indexmap::IndexMap;
use spark_compiler::array::{Mode, tape};

impl Model {
    /// What the model is made of: modules, ports with their shapes, states with their sizes, parameters and connections.
    ///
    /// ```
    /// use spark::config::ConfigTree;
    /// use spark::prelude::*;
    /// use spark::spec::Direction;
    ///
    /// let neuron = ConfigTree::new("LIFNeuronConfig").with("units", [4]);
    /// let mut model = Model::from_tree(neuron).input("in_spikes", [6]).build()?;
    /// let tree = model.inspect()?;
    /// let synapses = tree.module("synapses").unwrap();
    /// assert_eq!(synapses.port(Direction::Output, "currents").unwrap().dims, Some(vec![4]));
    /// assert_eq!(synapses.states[0].dims, [4, 6]);
    /// println!("{tree}");
    /// # Ok::<(), spark::Error>(())
    /// ```
    ///
    /// # Errors
    /// If a module's type is no longer registered.
    pub fn inspect(&mut self) -> Result<Inspection> {
        let mut tree = Blueprint::new(self.root.config().completed())?.inspect()?;
        let dims = self.dims()?;
        let inputs = |port: &str| -> Option<Vec<usize>> {
            let input = self.inputs.iter().find(|input| input.name == port)?;
            input.parts.first()?.as_ref().map(|part| part.shape.dims())
        };
        for port in &mut tree.ports {
            port.dims = match port.direction {
                Direction::Input => inputs(&port.name),
                Direction::Output | Direction::Property => dims.get(&port.name).cloned(),
            };
        }
        connected(&mut tree, "", &dims);
        let paths = {
            let mut paths = Vec::new();
            tree.each_mut("", &mut |path, _| paths.push(path.to_string()));
            paths
        };
        let states = self.stored();
        // A state belongs to the innermost module whose path it begins with.
        let owner = |name: &str| {
            let inside =
                |path: &&String| path.is_empty() || name.strip_prefix(*path).is_some_and(|rest| rest.starts_with('.'));
            paths.iter().filter(inside).max_by_key(|path| path.len()).cloned().unwrap_or_default()
        };
        tree.each_mut("", &mut |path, module| {
            let own = states.iter().filter(|state| owner(&state.name) == path);
            let named = |state: &StateInfo| {
                let name = state.name.strip_prefix(path).unwrap_or(&state.name).trim_start_matches('.');
                StateInfo { name: name.to_string(), ..state.clone() }
            };
            module.states = own.map(named).collect();
        });
        Ok(tree)
    }

    /// Dimensions of every output and property, by path.
    fn dims(&mut self) -> Result<IndexMap<String, Vec<usize>>> {
        let paths = readable(self.root.as_ref(), "");
        let (memory, held) = (tape::Memory::default(), IndexMap::new());
        let mode = (Mode::Traced, true);
        let (recorded, outputs) = record(self.root.as_mut(), &self.inputs, &paths, mode, memory, &held)?;
        let program = recorded.program;
        let of = |part: usize| program.node(program.outputs[part].value).shape.dims();
        Ok(outputs.into_iter().map(|output| (output.name, of(output.parts[0]))).collect())
    }

    /// State variables and histories, by path.
    fn stored(&self) -> Vec<StateInfo> {
        let program = self.program();
        let states = program.states.iter().map(|state| StateInfo {
            name: state.name.clone(),
            dims: state.init.dims(),
            dtype: state.init.dtype(),
        });
        let histories = program.histories.iter().map(|history| StateInfo {
            name: history.name.clone(),
            dims: [vec![history.rows], history.shape.dims()].concat(),
            dtype: history.elem.dtype(),
        });
        states.chain(histories).collect()
    }
}

/// Fills in the dimensions of the ports of the modules inside `controller`, those of inputs from what they are connected to.
fn connected(controller: &mut Inspection, path: &str, dims: &IndexMap<String, Vec<usize>>) {
    let call: Vec<PortInfo> = controller.ports.clone();
    for module in &mut controller.modules {
        let inner = join(path, &module.name);
        for port in &mut module.ports {
            let of = |source: &PortMap| match source.origin.as_str() {
                PortMap::CALL => {
                    let input = call.iter().find(|p| p.direction == Direction::Input && p.name == source.port);
                    input?.dims.clone()
                }
                PortMap::SELF => dims.get(&join(path, &source.port)).cloned(),
                origin => dims.get(&join(path, &join(origin, &source.port))).cloned(),
            };
            port.dims = match (port.direction, port.sources.as_slice()) {
                (Direction::Output | Direction::Property, _) => dims.get(&join(&inner, &port.name)).cloned(),
                (Direction::Input, [source]) => of(source),
                (Direction::Input, sources) => {
                    // Several sources are flattened and joined.
                    let sizes: Option<Vec<usize>> = sources.iter().map(|s| Some(of(s)?.iter().product())).collect();
                    sizes.filter(|sizes| !sizes.is_empty()).map(|sizes| vec![sizes.iter().sum()])
                }
            };
        }
        connected(module, &inner, dims);
    }
}
