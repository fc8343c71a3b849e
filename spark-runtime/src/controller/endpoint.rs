//! Ends of connections as programs name them: `"module.port"` strings, handles, ready-made [`PortMap`]s.

use super::class::Class;
use super::wiring::PortMap;
use crate::config::{Config, ConfigTree};
use crate::error::Result;

/// Where a connection begins: the name of an input (`"signal"`), a module's output or property (`"soma.spikes"`), or a
/// [`PortMap`], which says which of the two it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A name, to be looked up: outputs come before properties, inputs before the controller's own properties.
    Named(String),
    /// Exactly this.
    Port(PortMap),
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Named(name) => f.write_str(name),
            Source::Port(port) => write!(f, "{}.{}", port.origin, port.port),
        }
    }
}

impl From<&str> for Source {
    fn from(name: &str) -> Source {
        Source::Named(name.to_string())
    }
}

impl From<String> for Source {
    fn from(name: String) -> Source {
        Source::Named(name)
    }
}

impl From<PortMap> for Source {
    fn from(port: PortMap) -> Source {
        Source::Port(port)
    }
}

/// One source, or several that are joined in the order given.
pub trait IntoSources {
    /// The sources.
    fn into_sources(self) -> Vec<Source>;
}

macro_rules! one_source {
    ($($t:ty),*) => {$(
        impl IntoSources for $t {
            fn into_sources(self) -> Vec<Source> {
                vec![Source::from(self)]
            }
        }
    )*};
}
one_source!(&str, String, PortMap, Source);

impl<S: Into<Source>, const N: usize> IntoSources for [S; N] {
    fn into_sources(self) -> Vec<Source> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<S: Into<Source>> IntoSources for Vec<S> {
    fn into_sources(self) -> Vec<Source> {
        self.into_iter().map(Into::into).collect()
    }
}

/// Where a connection ends: a module's input, or for an effect its property, as `"module.port"` or from a [`ModuleHandle`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(pub(super) String);

impl From<&str> for Target {
    fn from(name: &str) -> Target {
        Target(name.to_string())
    }
}

impl From<String> for Target {
    fn from(name: String) -> Target {
        Target(name)
    }
}

/// A module that a builder has added: names its ports without repeating its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleHandle(pub(super) String);

impl ModuleHandle {
    /// The module's name.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// One of its outputs.
    pub fn output(&self, port: &str) -> PortMap {
        PortMap::output(&self.0, port)
    }

    /// One of its properties, as a source.
    pub fn property(&self, port: &str) -> PortMap {
        PortMap::property(&self.0, port)
    }

    /// One of its inputs, or, as the target of an effect, one of its properties.
    pub fn input(&self, port: &str) -> Target {
        Target(format!("{}.{port}", self.0))
    }
}

/// What a builder can make a module of: a typed configuration, an untyped one that names its type, the name of a type
/// whose defaults will do, or a type's name and a configuration.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what module to add",
    note = "give a configuration, a ConfigTree, a type's name, or a pair of a type's name and a configuration"
)]
pub trait IntoModule {
    /// Registered name of the type, and the configuration.
    ///
    /// # Errors
    /// If the configuration is of no known type.
    fn into_module(self) -> Result<(String, ConfigTree)>;
}

impl<C: Config> IntoModule for C {
    fn into_module(self) -> Result<(String, ConfigTree)> {
        unseeded(&self).into_module()
    }
}

impl IntoModule for ConfigTree {
    fn into_module(self) -> Result<(String, ConfigTree)> {
        Ok((Class::of_config(&self.type_name)?.name().to_string(), self))
    }
}

impl IntoModule for &str {
    fn into_module(self) -> Result<(String, ConfigTree)> {
        Ok((self.to_string(), ConfigTree::new("")))
    }
}

impl<C: Config> IntoModule for (&str, C) {
    fn into_module(self) -> Result<(String, ConfigTree)> {
        Ok((self.0.to_string(), unseeded(&self.1)))
    }
}

impl IntoModule for (&str, ConfigTree) {
    fn into_module(self) -> Result<(String, ConfigTree)> {
        Ok((self.0.to_string(), self.1))
    }
}

/// The tree of a typed configuration, without the seed that it has by default: modules from one configuration shall differ.
fn unseeded(config: &impl Config) -> ConfigTree {
    let mut tree = config.to_tree();
    if config.seed() == 0 {
        tree.values.shift_remove("seed");
    }
    tree
}
