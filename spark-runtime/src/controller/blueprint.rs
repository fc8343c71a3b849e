//! Blueprints: configurations whose type has been found.
//!
//! A name from a file or a program and a tree of values go in; out comes what can be asked for its ports and built. All
//! kinds of modules (components, neurons, brains) are alike from here on, so a controller may hold any of them.

use super::brain::{Brain, BrainConfig};
use super::children;
use super::class::Class;
use super::neuron::{Neuron, NeuronConfig};
use super::wiring::ModuleSpecs;
use crate::build::Holder;
use crate::config::{ConfigErrors, ConfigTree, ConfigValue, FieldType, Units};
use crate::error::{Error, Result, unknown_name_help};
use crate::module::{Build, DynModule, InputInfo, Port};
use crate::payload::{Payload, PayloadType};
use crate::port::ports_of;
use crate::registry::Registry;
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
    /// If it is not registered, or a controller's configuration is ill-formed. Every mistake at once: of the controller's own
    /// fields and its wiring, also of controllers inside, and then also of its modules' parameters.
    pub fn new(tree: ConfigTree) -> Result<Blueprint> {
        let class = Class::of_config(&tree.type_name)?;
        Blueprint::checked(class, tree)
    }

    /// The blueprint of a configuration of this type.
    ///
    /// # Errors
    /// As [`Blueprint::new`].
    pub(super) fn checked(class: Class, tree: ConfigTree) -> Result<Blueprint> {
        let mut errors = ConfigErrors::new();
        let blueprint = class.read(tree, &mut errors);
        if let Some(Err(error)) = blueprint.as_ref().map(Blueprint::check) {
            errors.push(error);
        }
        match blueprint {
            Some(blueprint) if errors.is_empty() => Ok(blueprint),
            blueprint => {
                let inside = blueprint.iter().flat_map(Blueprint::parameter_errors);
                inside.for_each(|error| errors.push(error));
                Err(Error::many(errors.into_errors()))
            }
        }
    }

    /// The blueprint of one module of a controller.
    ///
    /// # Errors
    /// If its type is not registered, or a controller's own fields are ill-formed. The wiring inside is not checked, nor are
    /// parameters.
    pub fn of_module(specs: &ModuleSpecs) -> Result<Blueprint> {
        complete(|errors| {
            let mut recorded = ConfigErrors::new();
            let blueprint = Blueprint::read_module(specs, &mut recorded);
            errors.extend(recorded.into_errors());
            blueprint
        })
    }

    /// The blueprint of one module of a controller, as far as it can be read: mistakes are recorded, with defaults in place of
    /// what is wrong.
    pub(super) fn read_module(specs: &ModuleSpecs, errors: &mut ConfigErrors) -> Option<Blueprint> {
        let known = Registry::global().and_then(|registry| {
            Class::find(&specs.module_cls)?.ok_or_else(|| {
                let names: Vec<&str> =
                    registry.modules.iter().map(|m| m.name).chain(Class::controllers(registry)).collect();
                let message = format!("there is no module or neuron called `{}`", specs.module_cls);
                let help = unknown_name_help(&specs.module_cls, names.iter().copied());
                Error::new(message).at("module_cls").help(help)
            })
        });
        match known {
            Ok(class) => class.read(specs.config.clone(), errors),
            Err(error) => {
                errors.push(error);
                None
            }
        }
    }

    /// Checks the wiring, if it is a controller, and that of controllers inside.
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

    /// The mistakes of its parameters and of those of the modules inside, as far as they show without building.
    pub fn parameter_errors(&self) -> Vec<Error> {
        match self {
            Blueprint::Component(spec, tree) => (spec.validate)(tree).err().into_iter().collect(),
            Blueprint::Neuron(_, config) => children::parameter_errors(&config.modules_specs, &config.inherited()),
            Blueprint::Brain(config) => children::parameter_errors(&config.modules_specs, &config.inherited()),
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
    /// If the configuration does not fit the inputs; every mistake at once.
    pub fn build(self, inputs: &IndexMap<String, InputInfo>) -> Result<Box<dyn DynModule>> {
        complete(|errors| self.attempt(Holder::Nothing, inputs, errors))
    }

    /// Builds it for inputs of these shapes as far as that goes, inside `holder`. Mistakes are recorded; `None` if they leave nothing whose outputs have shapes.
    pub(super) fn attempt(
        self,
        holder: Holder,
        inputs: &IndexMap<String, InputInfo>,
        errors: &mut Vec<Error>,
    ) -> Option<Box<dyn DynModule>> {
        match self {
            Blueprint::Component(spec, tree) => {
                let mut cx = Build::new(spec.name, inputs).held_by(holder);
                let module = (spec.attempt)(&mut cx, &tree);
                errors.extend(cx.take_errors());
                recorded(module, errors)
            }
            Blueprint::Neuron(name, config) => Some(Box::new(Neuron::attempt(name, config, inputs, errors)?)),
            Blueprint::Brain(config) => Some(Box::new(Brain::attempt(config, inputs, errors)?)),
        }
    }
}

/// What `attempt` gives, if it records no mistakes.
pub(super) fn complete<T>(attempt: impl FnOnce(&mut Vec<Error>) -> Option<T>) -> Result<T> {
    let mut errors = Vec::new();
    match attempt(&mut errors) {
        Some(made) if errors.is_empty() => Ok(made),
        _ => Err(Error::many(errors)),
    }
}

/// What `result` holds; a mistake is recorded.
pub(super) fn recorded<T>(result: Result<T>, errors: &mut Vec<Error>) -> Option<T> {
    result.map_err(|error| errors.push(error)).ok()
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
