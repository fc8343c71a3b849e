//! What a model is made of, as a tree: modules, ports, connections, parameters, and once it is built shapes and states.
//!
//! [`Blueprint::inspect`] shows what a configuration says; [`Model::inspect`](crate::model::Model::inspect) what became of it.
//! [`Inspection`]'s `Display` draws the tree.

mod draw;
mod text;

pub use text::{prose, summary};

use crate::config::{ConfigSpec, ConfigTree, ConfigValue, FieldSpec, FieldType};
use crate::controller::{Blueprint, ModuleSpecs, PortMap};
use crate::error::Result;
use crate::module::{Port, join};
use crate::payload::PayloadKind;
use crate::registry::Registry;
use crate::spec::Direction;
use spark_compiler::ir::DType;

/// A model or one of its modules.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection {
    /// Its name in the controller that holds it; empty for the whole model.
    pub name: String,
    /// Registered name of its type.
    pub type_name: String,
    /// What it models: a sentence.
    pub description: String,
    /// Its own parameters, given or by default.
    pub parameters: Vec<ParameterInfo>,
    /// Its ports.
    pub ports: Vec<PortInfo>,
    /// Its state variables, once it is built.
    pub states: Vec<StateInfo>,
    /// Properties that are set at the end of each step, and from what.
    pub effects: Vec<(String, Vec<PortMap>)>,
    /// A controller's outputs by name, and the ports that give them.
    pub exports: Vec<(String, String)>,
    /// The modules inside.
    pub modules: Vec<Inspection>,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterInfo {
    /// Its name.
    pub name: String,
    /// Its value; `None` if it is not given and has no default.
    pub value: Option<ConfigValue>,
    /// Its unit.
    pub units: Option<&'static str>,
    /// It is one of those that most modules have: seed, precision, time step, shape.
    pub common: bool,
    /// It is given, not the default.
    pub given: bool,
}

/// A port.
#[derive(Clone, Debug, PartialEq)]
pub struct PortInfo {
    /// Its name.
    pub name: String,
    /// Which way it points.
    pub direction: Direction,
    /// What travels through it.
    pub kind: &'static PayloadKind,
    /// An input that may be left unconnected.
    pub optional: bool,
    /// An input that takes any number of sources.
    pub variadic: bool,
    /// Dimensions of what travels through it, once the model is built.
    pub dims: Option<Vec<usize>>,
    /// What an input is connected to.
    pub sources: Vec<PortMap>,
}

/// A state variable, or the history of a delay line.
#[derive(Clone, Debug, PartialEq)]
pub struct StateInfo {
    /// Its name in the module.
    pub name: String,
    /// Its dimensions; those of a history begin with its number of rows.
    pub dims: Vec<usize>,
    /// What it is stored as.
    pub dtype: DType,
}

impl StateInfo {
    /// Size in bytes, without padding.
    pub fn bytes(&self) -> usize {
        (self.dims.iter().product::<usize>() * self.dtype.bits()).div_ceil(8)
    }
}

impl Inspection {
    /// The module at a dotted path: `pool.soma`; the model itself at the empty path.
    pub fn module(&self, path: &str) -> Option<&Inspection> {
        if path.is_empty() {
            return Some(self);
        }
        let (name, rest) = path.split_once('.').unwrap_or((path, ""));
        self.modules.iter().find(|module| module.name == name)?.module(rest)
    }

    /// A port by name and direction.
    pub fn port(&self, direction: Direction, name: &str) -> Option<&PortInfo> {
        self.ports.iter().find(|port| port.direction == direction && port.name == name)
    }

    /// Bytes of all states, here and inside.
    pub fn state_bytes(&self) -> usize {
        let inside: usize = self.modules.iter().map(Inspection::state_bytes).sum();
        inside + self.states.iter().map(StateInfo::bytes).sum::<usize>()
    }

    /// Shows every module to `visit`, with its path, those inside after their controller.
    pub(crate) fn each_mut(&mut self, path: &str, visit: &mut dyn FnMut(&str, &mut Inspection)) {
        visit(path, self);
        for module in &mut self.modules {
            module.each_mut(&join(path, &module.name.clone()), visit);
        }
    }
}

impl Blueprint {
    /// What the configuration says the model is made of.
    ///
    /// ```
    /// use spark::config::ConfigTree;
    /// use spark::model::Blueprint;
    ///
    /// let neuron = ConfigTree::new("LIFNeuronConfig").with("units", [10]).with("soma__potential_tau", 15.0);
    /// let tree = Blueprint::new(neuron)?.inspect()?;
    /// assert_eq!(tree.module("soma").unwrap().type_name, "LeakySoma");
    /// assert!(tree.to_string().contains("potential_tau = 15 ms"));
    /// # Ok::<(), spark::Error>(())
    /// ```
    ///
    /// # Errors
    /// If a module's type is not registered.
    pub fn inspect(&self) -> Result<Inspection> {
        let (description, parameters): (&str, Vec<ParameterInfo>) = match self {
            Blueprint::Component(spec, tree) => (spec.description, of_tree((spec.config)(), tree)),
            Blueprint::Neuron(name, config, _) => {
                let known = Registry::global()?.neurons.find(name).map(|spec| spec.description);
                let own = [
                    own_parameter("units", config.units.to_value(), None),
                    own_parameter("dt", config.dt.into(), Some("ms")),
                    own_parameter("inhibitory_rate", config.inhibitory_rate.into(), None),
                    own_parameter("seed", config.seed.into(), None),
                ];
                (known.unwrap_or("A population from parts."), own.into())
            }
            Blueprint::Brain(config, _) => {
                let description = "Neurons and interfaces that read each other's outputs of the previous step.";
                let own = [
                    own_parameter("dt", config.dt.into(), Some("ms")),
                    own_parameter("seed", config.seed.into(), None),
                ];
                (description, own.into())
            }
        };
        let exported = |m: &ModuleSpecs| -> Vec<(String, String)> {
            m.outputs.iter().map(|(name, port)| (name.clone(), format!("{}.{port}", m.name))).collect()
        };
        Ok(Inspection {
            name: String::new(),
            type_name: self.type_name().into(),
            description: summary(description),
            parameters,
            ports: self.ports().into_iter().map(port).collect(),
            states: Vec::new(),
            effects: Vec::new(),
            exports: self.modules().flat_map(|(specs, _)| exported(specs)).collect(),
            modules: self.modules().map(|(specs, blueprint)| module(specs, blueprint)).collect::<Result<_>>()?,
        })
    }
}

fn module(specs: &ModuleSpecs, blueprint: Result<&Blueprint>) -> Result<Inspection> {
    let mut inspection = blueprint.and_then(Blueprint::inspect).map_err(|error| error.prefixed(&specs.name))?;
    inspection.name.clone_from(&specs.name);
    inspection.effects = specs.effects.iter().map(|(property, sources)| (property.clone(), sources.clone())).collect();
    for port in inspection.ports.iter_mut().filter(|port| port.direction == Direction::Input) {
        port.sources = specs.inputs.get(&port.name).cloned().unwrap_or_default();
    }
    Ok(inspection)
}

fn port(Port { name, direction, spec }: Port) -> PortInfo {
    let (kind, optional, variadic) = (spec.payload, spec.optional, spec.variadic);
    PortInfo { name, direction, kind, optional, variadic, dims: None, sources: Vec::new() }
}

fn own_parameter(name: &str, value: ConfigValue, units: Option<&'static str>) -> ParameterInfo {
    ParameterInfo { name: name.into(), value: Some(value), units, common: false, given: true }
}

/// The parameters of a component.
fn of_tree(spec: &ConfigSpec, tree: &ConfigTree) -> Vec<ParameterInfo> {
    let python = tree.values.contains_key("__config_delimiter__");
    let one = |field: &FieldSpec| {
        let given = tree.get(field.name).or_else(|| field.alias.and_then(|alias| tree.get(alias))).cloned();
        let default = || field.python_default.filter(|_| python).or(field.default).map(|default| default());
        ParameterInfo {
            name: field.name.into(),
            given: given.is_some(),
            value: given.or_else(default),
            units: field.units,
            common: ["seed", "dt", "dtype", "units"].contains(&field.name),
        }
    };
    spec.fields.iter().map(one).collect()
}
