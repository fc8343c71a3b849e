//! Blueprints: configurations whose type has been found.
//!
//! A name from a file or a program and a tree of values go in; out comes what can be asked for its ports and built. All
//! kinds of modules (components, neurons, brains) are alike from here on, so a controller may hold any of them.

use super::brain::{Brain, BrainConfig};
use super::children;
use super::class::{Class, unknown_type_help};
use super::neuron::{Neuron, NeuronConfig};
use super::parts::{Part, Parts};
use super::wiring::ModuleSpecs;
use crate::build::Holder;
use crate::config::{ConfigErrors, ConfigTree, ConfigValue, FieldType, Units};
use crate::error::{Error, Result};
use crate::module::{Build, DynModule, InputInfo, Port};
use crate::payload::{Payload, PayloadType};
use crate::port::ports_of;
use crate::registry::Registry;
use crate::spec::{Direction, ModuleType, PortSpecs};
use indexmap::IndexMap;
use spark_compiler::ir::{Axis, DType, Shape};

/// The field of a controller's modules.
const MODULES: &str = "modules_specs";

/// A configuration whose type has been found: what a model will be built from.
#[derive(Clone, Debug)]
pub enum Blueprint {
    /// A single module.
    Component(&'static ModuleType, ConfigTree),
    /// A population from parts: its type's name, its configuration, its modules resolved.
    Neuron(String, NeuronConfig, Parts),
    /// Neurons and interfaces, and these resolved.
    Brain(BrainConfig, Parts),
}

impl Blueprint {
    /// A neuron whose type is called `name`.
    pub(super) fn neuron(name: String, config: NeuronConfig) -> Blueprint {
        let parts = Parts::of(&config.modules_specs, &config.inherited());
        Blueprint::Neuron(name, config, parts)
    }

    /// A brain.
    pub(super) fn brain(config: BrainConfig) -> Blueprint {
        let parts = Parts::of(&config.modules_specs, &config.inherited());
        Blueprint::Brain(config, parts)
    }

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

    /// The modules of a controller, with what it hands down to their configurations, and what they are.
    ///
    /// # Errors
    /// Of a module whose type is not registered, or a controller's whose own fields are ill-formed.
    pub fn modules(&self) -> impl Iterator<Item = (&ModuleSpecs, Result<&Blueprint>)> {
        let parts = match self {
            Blueprint::Component(..) => None,
            Blueprint::Neuron(_, _, parts) | Blueprint::Brain(_, parts) => Some(parts),
        };
        let parts = parts.into_iter().flat_map(|parts| parts.as_slice());
        parts.map(|part| (&part.specs, part.readable().map(|(blueprint, _)| blueprint)))
    }

    /// The blueprint of one module of a controller, as far as it can be read: mistakes are recorded, with defaults in place of
    /// what is wrong.
    pub(super) fn read_module(specs: &ModuleSpecs, errors: &mut ConfigErrors) -> Option<Blueprint> {
        let known = Registry::global().and_then(|registry| {
            Class::find(&specs.module_cls)?.ok_or_else(|| {
                let names: Vec<&str> =
                    registry.modules.iter().map(|m| m.name).chain(Class::controllers(registry)).collect();
                let message = format!("there is no module or neuron called `{}`", specs.module_cls);
                let help = unknown_type_help(&specs.module_cls, names.iter().copied());
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
            Blueprint::Neuron(_, _, parts) => Neuron::execution_order(parts).map(drop),
            Blueprint::Brain(_, parts) => Brain::check_wiring(parts),
        }
    }

    /// The mistakes of its parameters and of those of the modules inside, as far as they show without building.
    pub fn parameter_errors(&self) -> Vec<Error> {
        match self {
            Blueprint::Component(spec, tree) => (spec.validate)(tree).err().into_iter().collect(),
            Blueprint::Neuron(_, _, parts) | Blueprint::Brain(_, parts) => parts.parameter_errors(),
        }
    }

    /// Registered name of the type.
    pub fn type_name(&self) -> &str {
        match self {
            Blueprint::Component(spec, _) => spec.name,
            Blueprint::Neuron(name, ..) => name,
            Blueprint::Brain(..) => "Brain",
        }
    }

    /// Input, output and property ports.
    pub fn ports(&self) -> Vec<Port> {
        match self {
            Blueprint::Component(spec, _) => ports_of(spec),
            Blueprint::Neuron(_, _, parts) => children::ports(parts, &Neuron::PROPERTIES),
            Blueprint::Brain(_, parts) => children::ports(parts, &[]),
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
            Blueprint::Neuron(_, config, _) => Some(config.units.clone()),
            Blueprint::Brain(..) => None,
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
        let parts = match self {
            Blueprint::Component(component, tree) => {
                let shape = (component.output_shape)(tree)?;
                return Some(InputInfo { kind: spec.payload, shape, async_spikes: false });
            }
            Blueprint::Neuron(_, config, _) => {
                let shape = Shape::units(&config.units);
                let per_unit = matches!(spec.axes, [Axis::UNITS]);
                return per_unit.then_some(InputInfo { kind: spec.payload, shape, async_spikes: false });
            }
            Blueprint::Brain(_, parts) => parts,
        };
        let (part, port) = parts.iter().find_map(|part| Some((part, part.specs.outputs.get(output)?)))?;
        part.blueprint()?.contract(port)
    }

    /// Sets the storage type of every module's floating-point values.
    pub fn set_dtype(&mut self, dtype: DType) {
        match self {
            Blueprint::Component(_, tree) => set_dtype(tree, dtype),
            Blueprint::Neuron(_, config, parts) => {
                config.modules_specs.iter_mut().for_each(|m| retype(m, dtype));
                *parts = Parts::of(&config.modules_specs, &config.inherited());
            }
            Blueprint::Brain(config, parts) => {
                config.modules_specs.iter_mut().for_each(|m| retype(m, dtype));
                *parts = Parts::of(&config.modules_specs, &config.inherited());
            }
        }
    }

    /// Storage type of floating-point values: a controller has that of its first module.
    pub(crate) fn dtype(&self) -> DType {
        match self {
            Blueprint::Component(_, tree) => {
                tree.get("dtype").and_then(|v| DType::from_value(v).ok()).unwrap_or_default()
            }
            Blueprint::Neuron(_, _, parts) | Blueprint::Brain(_, parts) => {
                parts.iter().next().and_then(Part::blueprint).map_or(DType::F32, Blueprint::dtype)
            }
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
            Blueprint::Neuron(..) => Some(Box::new(Neuron::attempt(self, inputs, errors)?)),
            Blueprint::Brain(..) => Some(Box::new(Brain::attempt(self, inputs, errors)?)),
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
    let class = Class::find(&specs.module_cls).ok().flatten();
    let Some(class) = class.filter(|class| !matches!(class, Class::Component(_))) else {
        return set_dtype(&mut specs.config, dtype);
    };
    let given = specs.config.get(MODULES).cloned();
    let modules = given.or_else(|| class.layout().defaults.shift_remove(MODULES));
    // A list that cannot be read is reported where it is.
    if let Some(Ok(mut modules)) = modules.map(|list| Vec::<ModuleSpecs>::from_value(&list)) {
        modules.iter_mut().for_each(|module| retype(module, dtype));
        specs.config.values.insert(MODULES.into(), modules.to_value());
    }
}
