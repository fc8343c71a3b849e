//! Static descriptions of modules and ports, made by the macros at compile time.

use crate::config::ConfigSpec;
use crate::error::Result;
use crate::module::{Build, DynModule};
use crate::payload::PayloadKind;
use spark_compiler::ir::{Axis, Shape};

/// Which way a port points.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Data enters the module.
    Input,
    /// Data leaves the module.
    Output,
    /// Data other modules may read (and write, if settable) where they need it.
    Property,
}

/// A port of a module.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PortSpecs {
    /// Its name.
    pub name: &'static str,
    /// What travels through it.
    pub payload: &'static PayloadKind,
    /// The axes its values have in the module's eyes.
    pub axes: &'static [Axis],
    /// An input that may be left unconnected.
    pub optional: bool,
    /// An input that takes any number of sources, one by one.
    pub variadic: bool,
    /// A property with a setter.
    pub settable: bool,
    /// What it means.
    pub description: &'static str,
}

/// A module type.
#[derive(Clone, Copy)]
pub struct ModuleType {
    /// Registered name, `LeakySoma`.
    pub name: &'static str,
    /// Where the editor lists it, `Components/Somas`.
    pub category: &'static str,
    /// What it models.
    pub description: &'static str,
    /// Its configuration.
    pub config: fn() -> &'static ConfigSpec,
    /// Input ports, in order of the step's arguments.
    pub inputs: &'static [PortSpecs],
    /// Output ports.
    pub outputs: &'static [PortSpecs],
    /// Properties.
    pub properties: &'static [PortSpecs],
    /// Checks a configuration without building anything.
    pub validate: fn(&crate::config::ConfigTree) -> Result<()>,
    /// Builds an instance from its configuration as far as that goes: mistakes are left in the [`Build`].
    pub attempt: fn(&mut Build<'_>, &crate::config::ConfigTree) -> Result<Box<dyn DynModule>>,
    /// Shape of the outputs, if the configuration alone tells it; see [`crate::module::Module::output_shape`].
    pub output_shape: fn(&crate::config::ConfigTree) -> Option<Shape>,
}

impl std::fmt::Debug for ModuleType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModuleType").field("name", &self.name).finish_non_exhaustive()
    }
}

impl ModuleType {
    /// The input port called `name`.
    pub fn input(&self, name: &str) -> Option<&'static PortSpecs> {
        self.inputs.iter().find(|p| p.name == name)
    }

    /// The output port called `name`.
    pub fn output(&self, name: &str) -> Option<&'static PortSpecs> {
        self.outputs.iter().find(|p| p.name == name)
    }

    /// The property called `name`.
    pub fn property(&self, name: &str) -> Option<&'static PortSpecs> {
        self.properties.iter().find(|p| p.name == name)
    }
}

/// A neuron type: a [`crate::controller::Neuron`] with a name and default modules.
#[derive(Clone, Copy)]
pub struct NeuronType {
    /// Registered name, `LIFNeuron`.
    pub name: &'static str,
    /// What it models.
    pub description: &'static str,
    /// Its configuration.
    pub config: fn() -> &'static ConfigSpec,
    /// The modules it has unless its configuration names others.
    pub modules: fn() -> Vec<crate::controller::ModuleSpecs>,
}

impl std::fmt::Debug for NeuronType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NeuronType").field("name", &self.name).finish_non_exhaustive()
    }
}
