//! Blueprints: configurations whose type has been found.
//!
//! A name from a file or a program and a tree of values go in; out comes what can be asked for its ports and built. All
//! kinds of modules (components, neurons, brains) are alike from here on, so a controller may hold any of them.

use super::brain::{Brain, BrainConfig};
use super::neuron::{Neuron, NeuronConfig};
use super::user;
use super::wiring::ModuleSpecs;
use crate::config::{Config, ConfigTree, ConfigValue, FieldSpec, FieldType, Units};
use crate::error::{Error, Result, unknown_name_help};
use crate::module::{Build, DynModule, InputInfo, Port};
use crate::payload::{Payload, PayloadType};
use crate::port::ports_of;
use crate::registry::{Registry, snake_case};
use crate::spec::{Direction, ModuleType, PortSpecs};
use indexmap::IndexMap;
use spark_compiler::ir::{Axis, DType, Shape};

/// A configuration whose type has been found: what a model will be built from.
#[derive(Clone, Debug)]
pub enum Blueprint {
    /// A single module.
    Component(&'static ModuleType, ConfigTree),
    /// A population from parts.
    Neuron(String, NeuronConfig),
    /// Neurons and interfaces.
    Brain(BrainConfig),
}

impl Blueprint {
    /// Finds the type of a configuration.
    ///
    /// # Errors
    /// If it is not registered, or a controller's configuration is ill-formed.
    pub fn new(tree: ConfigTree) -> Result<Blueprint> {
        let registry = Registry::global()?;
        let wanted = snake_case(&tree.type_name);
        let class = wanted.strip_suffix("_config").unwrap_or(&wanted);
        let found = match registry.modules.iter().find(|m| snake_case((m.config)().name) == wanted) {
            Some(spec) => Some(Blueprint::Component(spec, tree.clone())),
            None => Blueprint::controller(class, &tree)?,
        };
        let blueprint = found.ok_or_else(|| {
            let modules = registry.modules.iter().map(|m| (m.config)().name.to_string());
            let names: Vec<String> = modules.chain(controllers(registry).map(|name| format!("{name}Config"))).collect();
            let message = format!("`{}` is not the configuration of a known module, neuron or brain", tree.type_name);
            Error::new(message).help(unknown_name_help(&tree.type_name, names.iter().map(String::as_str)))
        })?;
        blueprint.check()?;
        Ok(blueprint)
    }

    /// The blueprint of one module of a controller.
    ///
    /// # Errors
    /// If its type is not registered, or its configuration is ill-formed. The wiring inside is not checked.
    pub fn of_module(specs: &ModuleSpecs) -> Result<Blueprint> {
        let registry = Registry::global()?;
        if let Some(spec) = registry.modules.find(&specs.module_cls) {
            return Ok(Blueprint::Component(spec, specs.config.clone()));
        }
        let found = Blueprint::controller(&snake_case(&specs.module_cls), &specs.config);
        found.map_err(|e| e.prefixed("config"))?.ok_or_else(|| {
            let names: Vec<&str> = registry.modules.iter().map(|m| m.name).chain(controllers(registry)).collect();
            let message = format!("there is no module or neuron called `{}`", specs.module_cls);
            let help = unknown_name_help(&specs.module_cls, names.iter().copied());
            Error::new(message).at("module_cls").help(help)
        })
    }

    /// A neuron or brain by the name of its type, in snake case.
    fn controller(class: &str, tree: &ConfigTree) -> Result<Option<Blueprint>> {
        let tree = || ConfigTree { type_name: String::new(), values: tree.values.clone() };
        if class == "neuron" {
            return NeuronConfig::from_tree(&tree()).map(|config| Some(Blueprint::Neuron("Neuron".into(), config)));
        }
        if class == "brain" {
            return BrainConfig::from_tree(&tree()).map(|config| Some(Blueprint::Brain(config)));
        }
        if let Some(spec) = Registry::global()?.neurons.find(class) {
            let config = NeuronConfig::of_type(spec, &tree())?;
            return Ok(Some(Blueprint::Neuron(spec.name.into(), config)));
        }
        match user::neuron(class) {
            Some((name, defaults)) => {
                let config = NeuronConfig::based_on(&defaults, tree())?;
                Ok(Some(Blueprint::Neuron(name, config)))
            }
            None => Ok(None),
        }
    }

    /// Fields of the configuration of a type of module; none if the type is not known.
    pub(super) fn fields(class: &str) -> Result<&'static [FieldSpec]> {
        let registry = Registry::global()?;
        let key = snake_case(class);
        Ok(match registry.modules.find(class) {
            Some(spec) => (spec.config)().fields,
            None if key == "brain" => &super::brain::FIELDS,
            None if key == "neuron" || registry.neurons.find(class).is_some() || user::neuron(class).is_some() => {
                &super::NEURON_FIELDS
            }
            None => &[],
        })
    }

    /// Checks the wiring, if it is a controller.
    ///
    /// # Errors
    /// Every mistake at once.
    pub fn check(&self) -> Result<()> {
        match self {
            Blueprint::Component(..) => Ok(()),
            Blueprint::Neuron(_, config) => config.check_wiring(),
            Blueprint::Brain(config) => config.check_wiring(),
        }
    }

    /// Registered name of the type.
    pub fn type_name(&self) -> &str {
        match self {
            Blueprint::Component(spec, _) => spec.name,
            Blueprint::Neuron(name, _) => name,
            Blueprint::Brain(_) => "Brain",
        }
    }

    /// Input, output and property ports.
    pub fn ports(&self) -> Vec<Port> {
        match self {
            Blueprint::Component(spec, _) => ports_of(spec),
            Blueprint::Neuron(_, config) => config.ports(),
            Blueprint::Brain(config) => config.ports(),
        }
    }

    /// Input ports.
    pub fn inputs(&self) -> Vec<(String, PortSpecs)> {
        let inputs = self.ports().into_iter().filter(|port| port.direction == Direction::Input);
        inputs.map(|port| (port.name, port.spec)).collect()
    }

    /// Shape of the population, where the configuration gives it.
    pub fn units(&self) -> Option<Units> {
        match self {
            Blueprint::Component(_, tree) => tree.get("units").and_then(|v| Units::from_value(v).ok()),
            Blueprint::Neuron(_, config) => Some(config.units.clone()),
            Blueprint::Brain(_) => None,
        }
    }

    /// What an output will carry, as far as that is known before anything is built: a value per unit.
    ///
    /// It is what modules that read each other in a circle are built from.
    pub(super) fn contract(&self, output: &str) -> Option<InputInfo> {
        let ports = self.ports();
        let spec = ports.iter().find(|p| p.direction == Direction::Output && p.name == output)?.spec;
        if spec.payload == Payload::KIND {
            return None;
        }
        let modules = match self {
            Blueprint::Component(component, tree) => {
                let shape = (component.output_shape)(tree)?;
                return Some(InputInfo { kind: spec.payload, shape, async_spikes: false });
            }
            Blueprint::Neuron(_, config) => {
                let shape = Shape::units(&config.units);
                let per_unit = matches!(spec.axes, [Axis::UNITS]);
                return per_unit.then_some(InputInfo { kind: spec.payload, shape, async_spikes: false });
            }
            Blueprint::Brain(config) => &config.modules_specs,
        };
        let (module, port) = modules.iter().find_map(|m| Some((m, m.outputs.get(output)?)))?;
        Blueprint::of_module(module).ok()?.contract(port)
    }

    /// Sets the storage type of every module's floating-point values.
    pub fn set_dtype(&mut self, dtype: DType) {
        match self {
            Blueprint::Component(_, tree) => set_dtype(tree, dtype),
            Blueprint::Neuron(_, config) => config.modules_specs.iter_mut().for_each(|m| retype(m, dtype)),
            Blueprint::Brain(config) => config.modules_specs.iter_mut().for_each(|m| retype(m, dtype)),
        }
    }

    /// Storage type of floating-point values: a controller has that of its first module.
    pub(crate) fn dtype(&self) -> DType {
        let first = |modules: &[ModuleSpecs]| {
            modules.first().and_then(|m| Blueprint::of_module(m).ok()).map_or(DType::F32, |first| first.dtype())
        };
        match self {
            Blueprint::Component(_, tree) => {
                tree.get("dtype").and_then(|v| DType::from_value(v).ok()).unwrap_or_default()
            }
            Blueprint::Neuron(_, config) => first(&config.modules_specs),
            Blueprint::Brain(config) => first(&config.modules_specs),
        }
    }

    /// Builds it for inputs of these shapes.
    ///
    /// # Errors
    /// If the configuration does not fit the inputs.
    pub fn build(self, inputs: &IndexMap<String, InputInfo>) -> Result<Box<dyn DynModule>> {
        self.build_inside(false, 1, inputs)
    }

    /// Builds it for inputs of these shapes, inside a neuron or not, as a part of something that Spark on JAX calls `calls`
    /// times before the first step.
    pub(super) fn build_inside(
        self,
        neuron: bool,
        calls: usize,
        inputs: &IndexMap<String, InputInfo>,
    ) -> Result<Box<dyn DynModule>> {
        match self {
            Blueprint::Component(spec, tree) => {
                let mut cx = Build::new(spec.name, inputs).with_earlier_calls(calls).inside_neuron(neuron);
                (spec.construct)(&mut cx, &tree)
            }
            Blueprint::Neuron(name, config) => Ok(Box::new(Neuron::build(name, config, inputs)?)),
            Blueprint::Brain(config) => Ok(Box::new(Brain::build(config, inputs)?)),
        }
    }
}

/// Names of all types of controllers.
fn controllers(registry: &'static Registry) -> impl Iterator<Item = &'static str> {
    registry.neurons.iter().map(|n| n.name).chain(["Neuron", "Brain"])
}

fn set_dtype(tree: &mut ConfigTree, dtype: DType) {
    tree.values.insert("dtype".into(), ConfigValue::DType(dtype));
}

/// Sets the storage type of a controller's module and of the modules inside.
fn retype(specs: &mut ModuleSpecs, dtype: DType) {
    match Blueprint::of_module(specs) {
        Ok(Blueprint::Component(..)) | Err(_) => set_dtype(&mut specs.config, dtype),
        Ok(mut controller) => {
            controller.set_dtype(dtype);
            let (Blueprint::Neuron(_, NeuronConfig { modules_specs, .. })
            | Blueprint::Brain(BrainConfig { modules_specs, .. })) = controller
            else {
                return;
            };
            let modules = modules_specs.iter().map(FieldType::to_value).collect();
            specs.config.values.insert("modules_specs".into(), ConfigValue::List(modules));
        }
    }
}
