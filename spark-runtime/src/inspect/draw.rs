//! An inspection drawn as an indented tree.

use super::{Inspection, ParameterInfo, PortInfo, StateInfo};
use crate::config::{ConfigValue, with_unit};
use crate::controller::PortMap;
use crate::spec::Direction;
use std::fmt;

/// A line of the tree and the lines below it.
struct Branch {
    text: String,
    below: Vec<Branch>,
}

impl Branch {
    fn new(text: impl Into<String>, below: Vec<Branch>) -> Branch {
        Branch { text: text.into(), below }
    }

    fn leaf(text: impl Into<String>) -> Branch {
        Branch::new(text, Vec::new())
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, indent: &str) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for (i, branch) in self.below.iter().enumerate() {
            let last = i + 1 == self.below.len();
            write!(f, "{indent}{}", if last { "└─ " } else { "├─ " })?;
            branch.write(f, &format!("{indent}{}", if last { "   " } else { "│  " }))?;
        }
        Ok(())
    }
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = format!("{} - {}", self.type_name, self.description);
        let mut below = vec![parameters(&self.parameters)];
        let faces = [("inputs", Direction::Input), ("outputs", Direction::Output), ("properties", Direction::Property)];
        below.extend(faces.map(|(title, direction)| Branch::new(title, faces_of(&self.ports, direction))));
        below.extend(inside(self));
        Branch::new(title, shown(below)).write(f, "")
    }
}

/// Branches with something below them.
fn shown(branches: Vec<Branch>) -> Vec<Branch> {
    branches.into_iter().filter(|branch| !branch.below.is_empty()).collect()
}

/// What is below a model and a module alike.
fn inside(inspection: &Inspection) -> Vec<Branch> {
    let exports = inspection.exports.iter().map(|(name, port)| Branch::leaf(format!("{name} = {port}"))).collect();
    vec![
        Branch::new("states", inspection.states.iter().map(state).collect()),
        Branch::new("outputs come from", exports),
        Branch::new("modules", inspection.modules.iter().map(module).collect()),
    ]
}

/// A module of a controller: what its ports are connected to, its parameters, and what is inside.
fn module(module: &Inspection) -> Branch {
    let connection = |port: &PortInfo| match port.sources.as_slice() {
        [] => Branch::leaf(format!("{}: {}, not connected", port.name, port.kind.name)),
        list => Branch::leaf(format!("{} <- {}", face(port), sources(list))),
    };
    let inputs = module.ports.iter().filter(|port| port.direction == Direction::Input).map(connection).collect();
    let effect = |(property, list): &(String, Vec<PortMap>)| Branch::leaf(format!("{property} <- {}", sources(list)));
    let mut below = vec![
        parameters(&module.parameters),
        Branch::new("inputs", inputs),
        Branch::new("outputs", faces_of(&module.ports, Direction::Output)),
        Branch::new("set at the end of a step", module.effects.iter().map(effect).collect()),
    ];
    below.extend(inside(module));
    Branch::new(format!("{}: {}", module.name, module.type_name), shown(below))
}

fn faces_of(ports: &[PortInfo], direction: Direction) -> Vec<Branch> {
    let needed = |port: &PortInfo| match port {
        PortInfo { optional: true, .. } => " (optional)",
        PortInfo { variadic: true, .. } => " (any number)",
        _ => "",
    };
    let of_kind = ports.iter().filter(|port| port.direction == direction);
    of_kind.map(|port| Branch::leaf(format!("{}{}", face(port), needed(port)))).collect()
}

/// Name, kind and, where they are known, dimensions of a port.
fn face(port: &PortInfo) -> String {
    let dims = port.dims.as_deref().map(|dims| format!(" of {}", dims_text(dims))).unwrap_or_default();
    format!("{}: {}{dims}", port.name, port.kind.name)
}

fn state(state: &StateInfo) -> Branch {
    let (dims, dtype) = (dims_text(&state.dims), state.dtype.long_name());
    Branch::leaf(format!("{}: {dtype} of {dims}, {}", state.name, size_text(state.bytes())))
}

fn sources(list: &[PortMap]) -> String {
    let source = |source: &PortMap| match source.origin.as_str() {
        PortMap::CALL => format!("input {}", source.port),
        PortMap::SELF => format!("{} of the neuron", source.port),
        origin => format!("{origin}.{}", source.port),
    };
    list.iter().map(source).collect::<Vec<_>>().join(" + ")
}

/// Dimensions as `4x5`; a single value has none.
fn dims_text(dims: &[usize]) -> String {
    if dims.is_empty() { "1".into() } else { dims.iter().map(ToString::to_string).collect::<Vec<_>>().join("x") }
}

fn size_text(bytes: usize) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

/// A module's parameters; those that most modules have, if given, on one line.
fn parameters(list: &[ParameterInfo]) -> Branch {
    let (common, main): (Vec<_>, Vec<_>) = list.iter().partition(|parameter| parameter.common);
    let text = |parameter: &ParameterInfo| {
        parameter.value.as_ref().map_or_else(|| "not given".into(), |value| with_unit(value, parameter.units))
    };
    let mut leaves: Vec<Branch> =
        main.iter().map(|parameter| Branch::leaf(format!("{} = {}", parameter.name, text(parameter)))).collect();
    let value = |parameter: &ParameterInfo| parameter.value.clone().unwrap_or(ConfigValue::Null);
    let given = common.iter().filter(|parameter| parameter.given);
    let common: Vec<String> = given.map(|parameter| format!("{} {}", parameter.name, value(parameter))).collect();
    if !common.is_empty() {
        leaves.push(Branch::leaf(common.join(", ")));
    }
    Branch::new("parameters", leaves)
}
