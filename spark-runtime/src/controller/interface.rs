//! What a controller sees of a module: the ports of its type, found once.

use super::blueprint::Blueprint;
use crate::error::{Error, unknown_name_help};
use crate::module::Port;
use crate::spec::{Direction, PortSpecs};

/// The type of a module and its ports.
#[derive(Clone, Debug)]
pub(super) struct Interface {
    pub(super) type_name: String,
    ports: Vec<Port>,
}

impl Interface {
    pub(super) fn new(blueprint: &Blueprint) -> Interface {
        Interface { type_name: blueprint.type_name().into(), ports: blueprint.ports() }
    }

    /// Names of the ports of one kind.
    pub(super) fn names(&self, direction: Direction) -> impl Iterator<Item = &str> + Clone {
        self.ports.iter().filter(move |port| port.direction == direction).map(|port| port.name.as_str())
    }

    /// The port of a kind and name.
    pub(super) fn find(&self, direction: Direction, name: &str) -> Option<&PortSpecs> {
        self.ports.iter().find(|port| port.direction == direction && port.name == name).map(|port| &port.spec)
    }

    /// The output or property called `name`, and whether it is a property.
    pub(super) fn readable(&self, name: &str) -> Option<(&PortSpecs, bool)> {
        let output = self.find(Direction::Output, name).map(|spec| (spec, false));
        output.or_else(|| self.find(Direction::Property, name).map(|spec| (spec, true)))
    }

    /// The error of a name that is no port of this kind.
    pub(super) fn unknown(&self, kind: &str, name: &str, directions: &[Direction]) -> Error {
        let known: Vec<&str> = directions.iter().flat_map(|direction| self.names(*direction)).collect();
        let message = format!("{} has no {kind} `{name}`", self.type_name);
        Error::new(message).help(unknown_name_help(name, known.iter().copied()))
    }

    /// The error of setting a property that has no setter.
    pub(super) fn no_setter(&self, property: &str) -> Error {
        let settable = |port: &&Port| port.direction == Direction::Property && port.spec.settable;
        let names: Vec<&str> = self.ports.iter().filter(settable).map(|port| port.name.as_str()).collect();
        Error::new(format!("{} has no property `{property}` that can be set", self.type_name))
            .help(unknown_name_help(property, names.iter().copied()))
    }
}
