//! The structure of a model as an indented tree: modules, ports, connections and parameters.

use super::catalog::{show, show_value, summary};
use spark::config::{ConfigSpec, ConfigTree};
use spark::controller::{ModuleSpecs, PortMap};
use spark::error::Result;
use spark::model::Blueprint;
use spark::module::Port;
use spark::registry::Registry;
use spark::spec::{Direction, PortSpecs};

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

    fn write(&self, out: &mut String, indent: &str) {
        *out += &format!("{}\n", self.text);
        for (i, branch) in self.below.iter().enumerate() {
            let last = i + 1 == self.below.len();
            *out += &format!("{indent}{}", if last { "└─ " } else { "├─ " });
            branch.write(out, &format!("{indent}{}", if last { "   " } else { "│  " }));
        }
    }
}

/// Structure and parameters of a model as an indented tree.
///
/// # Errors
/// If a module's type is not registered.
pub(super) fn text(blueprint: &Blueprint) -> Result<String> {
    let ports = blueprint.ports();
    let (description, mut below) = inside(blueprint)?;
    let at = usize::from(matches!(below.first(), Some(branch) if branch.text == "parameters"));
    let faces = [("inputs", Direction::Input), ("outputs", Direction::Output), ("properties", Direction::Property)];
    let faces = faces.into_iter().map(|(title, direction)| Branch::new(title, faces_of(&ports, direction)));
    below.splice(at..at, faces.filter(|branch| !branch.below.is_empty()));
    let mut out = String::new();
    Branch::new(format!("{} - {}", blueprint.type_name(), summary(&description)), below).write(&mut out, "");
    Ok(out)
}

fn faces_of(ports: &[Port], direction: Direction) -> Vec<Branch> {
    let of_kind = ports.iter().filter(|port| port.direction == direction);
    of_kind
        .map(|port| Branch::leaf(format!("{}: {}{}", port.name, port.spec.payload.name, needed(&port.spec))))
        .collect()
}

fn needed(port: &PortSpecs) -> &'static str {
    match port {
        PortSpecs { optional: true, .. } => " (optional)",
        PortSpecs { variadic: true, .. } => " (any number)",
        _ => "",
    }
}

/// What a model is for, its parameters and, if it is a controller, its modules.
fn inside(blueprint: &Blueprint) -> Result<(String, Vec<Branch>)> {
    let (description, own, modules) = match blueprint {
        Blueprint::Component(spec, tree) => return Ok((spec.description.into(), parameters((spec.config)(), tree))),
        Blueprint::Neuron(name, config) => {
            let known = Registry::global()?.neurons.find(name).map(|spec| spec.description);
            let own = vec![
                format!("units = {}", dims_text(&config.units)),
                format!("dt = {} ms", config.dt),
                format!("inhibitory_rate = {}", config.inhibitory_rate),
                format!("seed = {}", config.seed),
            ];
            (known.unwrap_or("a population from parts."), own, &config.modules_specs)
        }
        Blueprint::Brain(config) => {
            let own = vec![format!("dt = {} ms", config.dt), format!("seed = {}", config.seed)];
            ("neurons and interfaces that read each other's outputs of the previous step.", own, &config.modules_specs)
        }
    };
    let exported = |m: &ModuleSpecs| {
        let one = |(name, port): (&String, &String)| Branch::leaf(format!("{name} = {}.{port}", m.name));
        m.outputs.iter().map(one).collect::<Vec<_>>()
    };
    let exported: Vec<Branch> = modules.iter().flat_map(exported).collect();
    let mut below = vec![Branch::new("parameters", own.into_iter().map(Branch::leaf).collect())];
    if !exported.is_empty() {
        below.push(Branch::new("outputs come from", exported));
    }
    below.push(Branch::new("modules", modules.iter().map(part).collect::<Result<_>>()?));
    Ok((description.into(), below))
}

/// A module of a controller: its parameters, what its ports are connected to, and what is inside.
fn part(module: &ModuleSpecs) -> Result<Branch> {
    let blueprint = Blueprint::of_module(module).map_err(|e| e.prefixed(&module.name))?;
    let (_, mut below) = inside(&blueprint)?;
    let at = usize::from(matches!(below.first(), Some(branch) if branch.text == "parameters"));
    let sources = |list: &[PortMap]| list.iter().map(source).collect::<Vec<_>>().join(" + ");
    let ports = blueprint.ports();
    let connection = |port: &Port| match module.inputs.get(&port.name) {
        Some(list) if !list.is_empty() => {
            Branch::leaf(format!("{}: {} <- {}", port.name, port.spec.payload.name, sources(list)))
        }
        _ => Branch::leaf(format!("{}: {}, not connected", port.name, port.spec.payload.name)),
    };
    let inputs = ports.iter().filter(|port| port.direction == Direction::Input).map(connection).collect();
    let mut faces = vec![Branch::new("inputs", inputs), Branch::new("outputs", faces_of(&ports, Direction::Output))];
    if !module.effects.is_empty() {
        let effects = module.effects.iter().map(|(p, list)| Branch::leaf(format!("{p} <- {}", sources(list))));
        faces.push(Branch::new("set at the end of a step", effects.collect()));
    }
    below.splice(at..at, faces);
    Ok(Branch::new(format!("{}: {}", module.name, blueprint.type_name()), below))
}

fn source(source: &PortMap) -> String {
    match source.origin.as_str() {
        PortMap::CALL => format!("input {}", source.port),
        PortMap::SELF => format!("{} of the neuron", source.port),
        origin => format!("{origin}.{}", source.port),
    }
}

pub(super) fn dims_text(dims: &[usize]) -> String {
    dims.iter().map(ToString::to_string).collect::<Vec<_>>().join("x")
}

/// The parameters of a configuration, given or by default, with their units; a neuron's parts share some of its own.
fn parameters(spec: &ConfigSpec, tree: &ConfigTree) -> Vec<Branch> {
    let shared = ["seed", "dt", "dtype", "units"];
    let python = tree.values.contains_key("__config_delimiter__");
    let one = |field: &&spark::config::FieldSpec| {
        let given = tree.get(field.name).or_else(|| field.alias.and_then(|alias| tree.get(alias))).cloned();
        let value =
            given.or_else(|| field.python_default.filter(|_| python).or(field.default).map(|default| default()));
        let text = value.map_or_else(|| "not given".to_string(), |value| show(&value, field.units));
        format!("{} = {text}", field.name)
    };
    let (common, main): (Vec<_>, Vec<_>) = spec.fields.iter().partition(|field| shared.contains(&field.name));
    let mut leaves: Vec<Branch> = main.iter().map(one).map(Branch::leaf).collect();
    let common: Vec<String> = common
        .iter()
        .filter_map(|field| tree.get(field.name).map(|v| format!("{} {}", field.name, show_value(v))))
        .collect();
    if !common.is_empty() {
        leaves.push(Branch::leaf(common.join(", ")));
    }
    if leaves.is_empty() { Vec::new() } else { vec![Branch::new("parameters", leaves)] }
}
