//! Shapes of a model's inputs, without data: those given, those that the model fixes, and guesses for a look at it.
//!
//! A configuration rarely says how large an input is: synapses with a drawn kernel take any. It does where an array has to fit, as
//! the parameters of a soma or a kernel of (units, inputs). [`fixed`] relies on that alone, and only if the model cannot be built
//! with another size; [`assumed`] fills what is open with a likely size, for commands that show something.

use super::{remark, tree};
use clap::Args;
use spark::config::{ConfigTree, ConfigValue};
use spark::controller::PortMap;
use spark::error::{Error, Result};
use spark::model::{Blueprint, InputShape, Model, ModelBuilder};
use spark::spec::PortSpecs;
use spark_compiler::ir::Axis;
use std::path::Path;

/// What a model without data is told of its inputs.
#[derive(Debug, Args)]
pub(crate) struct InputArgs {
    /// Dimensions of an input port without time, as in_spikes=80 or in_spikes=4x5; PORT.inhibition_mask=DIMS adds a mask
    #[arg(long, value_name = "PORT=DIMS", value_parser = parse_input)]
    input: Vec<(String, Vec<usize>)>,
    /// This input port takes spikes over synapses, of dimensions units then inputs
    #[arg(long = "async", value_name = "PORT,...", value_delimiter = ',')]
    asynchronous: Vec<String>,
}

fn parse_input(text: &str) -> Result<(String, Vec<usize>), String> {
    let wrong = || format!("`{text}` is not PORT=DIMS, for example in_spikes=80 or in_spikes=4x5");
    let (port, dims) = text.split_once('=').ok_or_else(wrong)?;
    let dims: Option<Vec<usize>> = dims.split('x').map(|dim| dim.parse().ok()).collect();
    match dims {
        Some(dims) if !port.is_empty() => Ok((port.to_string(), dims)),
        _ => Err(wrong()),
    }
}

impl InputArgs {
    /// True if nothing was said.
    pub(crate) fn is_empty(&self) -> bool {
        self.input.is_empty() && self.asynchronous.is_empty()
    }

    /// True if dimensions of an input were given.
    pub(crate) fn has_dims(&self) -> bool {
        !self.input.is_empty()
    }

    fn dims(&self, name: &str) -> Option<&Vec<usize>> {
        self.input.iter().find(|(port, _)| port == name).map(|(_, dims)| dims)
    }

    fn is_async(&self, port: &str) -> bool {
        self.asynchronous.iter().any(|name| name == port)
    }

    /// What was said of names that are neither a port nor a mask: sources of a port that takes several, or the builder's error.
    fn unknown(&self, blueprint: &Blueprint) -> impl Iterator<Item = &(String, Vec<usize>)> {
        let ports = blueprint.inputs();
        let is_port = move |name: &str| ports.iter().any(|(port, _)| port == name);
        let is_known = move |name: &str| is_port(name) || name.strip_suffix(".inhibition_mask").is_some_and(&is_port);
        self.input.iter().filter(move |(name, _)| !is_known(name))
    }

    /// The required ports that nothing was said of.
    fn open(&self, blueprint: &Blueprint) -> Vec<(String, PortSpecs)> {
        let required =
            |(name, port): &(String, PortSpecs)| !port.optional && !port.variadic && self.dims(name).is_none();
        blueprint.inputs().into_iter().filter(required).collect()
    }

    /// Declares what was given, and `more`.
    fn declare(&self, mut builder: ModelBuilder, blueprint: &Blueprint, more: &Ports) -> ModelBuilder {
        for (name, dims) in self.unknown(blueprint) {
            builder = builder.input(name, dims.clone());
        }
        for (name, _) in &blueprint.inputs() {
            let found = more.iter().find(|(port, _)| port == name).map(|(_, dims)| dims);
            let Some(dims) = self.dims(name).or(found) else { continue };
            let mut shape = InputShape::new(dims.clone());
            if let Some(mask) = self.dims(&format!("{name}.inhibition_mask")) {
                shape = shape.with_mask(mask.clone());
            }
            builder = builder.input(name, if self.is_async(name) { shape.asynchronous() } else { shape });
        }
        builder
    }
}

/// Dimensions of input ports.
type Ports = Vec<(String, Vec<usize>)>;

/// As they are given on the command line.
fn options(ports: &[(String, Vec<usize>)]) -> String {
    let one = |(name, dims): &(String, Vec<usize>)| format!("--input {name}={}", tree::dims_text(dims));
    ports.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// Builds a model with the inputs that were given, and for others what the model fixes; `builder` makes builders without inputs.
///
/// # Errors
/// If the model leaves the dimensions of an input open, with what to say; or those of the build.
pub(crate) fn fixed(builder: impl Fn() -> ModelBuilder, args: &InputArgs, file: &Path) -> Result<Model> {
    let in_file = |e: Error| e.in_file(file);
    let blueprint = builder().blueprint().map_err(in_file)?;
    let (mut found, mut open) = (Ports::new(), Vec::new());
    for (name, port) in args.open(&blueprint) {
        match implied(&blueprint, (&name, &port), args.is_async(&name)) {
            Some(dims) => found.push((name, dims)),
            None => open.push(name),
        }
    }
    if open.is_empty() {
        let larger = |at: usize| {
            let mut ports = found.clone();
            // Of values over synapses, the last are those of the inputs.
            ports[at].1.last_mut().into_iter().for_each(|dim| *dim = dim.saturating_add(1));
            args.declare(builder(), &blueprint, &ports).eager(true).build()
        };
        open.extend((0..found.len()).filter(|&at| larger(at).is_ok()).map(|at| found[at].0.clone()));
    }
    // A name that no port has may be meant for one of them; the build says which.
    if !open.is_empty() && args.unknown(&blueprint).next().is_none() {
        let names = open.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let say = open.iter().map(|name| format!("--input {name}=DIMS")).collect::<Vec<_>>().join(" ");
        let error = Error::new(format!("the model does not say how large these inputs are: {names}"));
        return Err(error.in_file(file).help(format!("add {say}, with DIMS as 80 or 4x5")));
    }
    if open.is_empty() && !found.is_empty() {
        remark("note", &format!("{}, for nothing else fits the model", options(&found)));
    }
    args.declare(builder(), &blueprint, &found).build().map_err(|e| named(in_file(e), &found))
}

/// Declares the inputs that were given, and likely dimensions of required ones that were not. Gives these, too.
pub(crate) fn assumed(builder: ModelBuilder, blueprint: &Blueprint, args: &InputArgs) -> (ModelBuilder, Ports) {
    let guess = |(name, port): (String, PortSpecs)| {
        let over_synapses = args.is_async(&name);
        let dims = implied(blueprint, (&name, &port), over_synapses);
        (name, dims.unwrap_or_else(|| likely(blueprint, &port, over_synapses)))
    };
    let found: Ports = args.open(blueprint).into_iter().map(guess).collect();
    if !found.is_empty() {
        remark("note", &format!("assuming {} (say otherwise with --input)", options(&found)));
    }
    (args.declare(builder, blueprint, &found), found)
}

/// The errors of a build, and what may be at fault besides the model: dimensions that nobody gave.
pub(crate) fn named(error: Error, ports: &[(String, Vec<usize>)]) -> Error {
    if ports.is_empty() {
        return error;
    }
    let mistaken = Error::new(format!("these dimensions of inputs were not given: {}", options(ports)));
    Error::many(vec![error, mistaken.help("if they are wrong, say others with --input")])
}

/// Dimensions of an input port that an array of the configuration, or its population, implies; of a brain's, those of a module that
/// reads nothing else there.
fn implied(blueprint: &Blueprint, (name, port): (&str, &PortSpecs), over_synapses: bool) -> Option<Vec<usize>> {
    if let Blueprint::Brain(..) = blueprint {
        let source = [PortMap::output(PortMap::CALL, name)];
        return blueprint.modules().find_map(|(specs, inside)| {
            let (reader, _) = specs.inputs.iter().find(|(_, sources)| **sources == source)?;
            let inside = inside.ok()?;
            let ports = inside.inputs();
            let (_, port) = ports.iter().find(|(name, _)| name == reader)?;
            implied(inside, (reader, port), over_synapses)
        });
    }
    let units = population(blueprint)?;
    if matches!(blueprint, Blueprint::Component(..)) && port.axes == [Axis::UNITS] && !over_synapses {
        return Some(units);
    }
    let arrays = arrays(blueprint);
    let inputs = arrays.iter().find_map(|dims| dims.strip_prefix(&units[..]).filter(|rest| !rest.is_empty()))?;
    Some(if port.axes.len() > 1 || over_synapses { [&units, inputs].concat() } else { inputs.to_vec() })
}

/// Dimensions of an input port where nothing implies them.
fn likely(blueprint: &Blueprint, port: &PortSpecs, over_synapses: bool) -> Vec<usize> {
    let units = population(blueprint).unwrap_or_else(|| vec![10]);
    if port.axes.len() > 1 || over_synapses { units.repeat(2) } else { units }
}

/// Dimensions of the population: those configured, or of the smallest parameter array.
fn population(blueprint: &Blueprint) -> Option<Vec<usize>> {
    let units = blueprint.units().map(|units| units.to_vec());
    units.or_else(|| arrays(blueprint).into_iter().min_by_key(Vec::len))
}

/// Dimensions of the parameters that are arrays, also of modules inside.
fn arrays(blueprint: &Blueprint) -> Vec<Vec<usize>> {
    match blueprint {
        Blueprint::Component(_, tree) => array_dims(tree),
        Blueprint::Neuron(..) | Blueprint::Brain(..) => {
            blueprint.modules().filter_map(|(_, inside)| inside.ok()).flat_map(arrays).collect()
        }
    }
}

fn array_dims(tree: &ConfigTree) -> Vec<Vec<usize>> {
    let dims = |value: &ConfigValue| match value {
        ConfigValue::Array(array) if array.len() > 1 => Some(array.dims()),
        _ => None,
    };
    tree.values.values().filter_map(dims).collect()
}
