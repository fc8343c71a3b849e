//! `spark inspect`: a model's structure, or a stage of its compilation.
//!
//! The tree needs the configuration only. The stages need the shapes of the inputs: those given, else a guess from the
//! configuration (the shape of the population, the dimensions of parameter arrays), which is said on standard error.

use super::catalog::{show, show_value, summary};
use super::{print, remark};
use clap::Args;
use spark::config::{ConfigSpec, ConfigTree, ConfigValue};
use spark::controller::{ModuleSpecs, NeuronConfig, PortMap};
use spark::error::{Error, Result};
use spark::model::{Blueprint, InputShape, Model, ModelBuilder};
use spark::registry::Registry;
use spark::spec::{ModuleType, PortSpecs};
use spark_compiler::ir::{Axis, print as ir};
use spark_compiler::passes::{CompileOptions, optimize};
use spark_compiler::{emit, loops};
use std::path::PathBuf;

/// The arguments of `spark inspect`.
#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The model, a .scfg file
    #[arg(value_name = "MODEL.scfg")]
    model: PathBuf,
    #[command(flatten)]
    view: View,
    /// Dimensions of an input port without time, as in_spikes=80 or in_spikes=4x5; PORT.inhibition_mask=DIMS adds a mask
    #[arg(long, value_name = "PORT=DIMS", value_parser = parse_input)]
    input: Vec<(String, Vec<usize>)>,
    /// This input port takes spikes over synapses, of dimensions units then inputs
    #[arg(long = "async", value_name = "PORT,...", value_delimiter = ',')]
    asynchronous: Vec<String>,
}

/// What to show.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct View {
    /// Modules, ports, connections and parameters (the default)
    #[arg(long)]
    tree: bool,
    /// The recorded program of one step
    #[arg(long)]
    ir: bool,
    /// The program after the passes
    #[arg(long)]
    optimized: bool,
    /// The fused loop nests
    #[arg(long)]
    loops: bool,
    /// The code handed to Cranelift
    #[arg(long)]
    clif: bool,
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

/// Shows a model's structure, or a stage of its compilation.
///
/// # Errors
/// If the file cannot be read, or the model or the input shapes have a mistake.
pub(crate) fn inspect(args: &InspectArgs) -> Result<()> {
    let builder = Model::from_file(&args.model)?;
    let blueprint = builder.blueprint().map_err(|e| e.in_file(&args.model))?;
    let view = &args.view;
    if !(view.ir || view.optimized || view.loops || view.clif) {
        return print(&tree(&blueprint)?);
    }
    // Eager, because machine code is not needed.
    let model = with_inputs(builder, &blueprint, args)?.eager(true).build()?;
    if view.ir {
        return print(&ir::summary(model.program()));
    }
    let optimized = optimize(model.program().clone(), &CompileOptions::default());
    if view.optimized {
        return print(&ir::summary(optimized.program()));
    }
    let lowered = loops::lower(&optimized);
    if view.loops {
        return print(&lowered.to_string());
    }
    print(&emit::clif_text(&lowered).map_err(|e| Error::new(e.to_string()))?)
}

/// Declares the given inputs, and guesses the shapes of required ones that are not given.
fn with_inputs(mut builder: ModelBuilder, blueprint: &Blueprint, args: &InspectArgs) -> Result<ModelBuilder> {
    let ports = blueprint.inputs();
    let given = |name: &str| args.input.iter().find(|(port, _)| port == name).map(|(_, dims)| dims.clone());
    let is_async = |port: &str| args.asynchronous.iter().any(|name| name == port);
    for (name, dims) in args.input.iter().filter(|(name, _)| !ports.iter().any(|(port, _)| port == name)) {
        // A name that is not a port is a mask, or the builder's error.
        if name.strip_suffix(".inhibition_mask").is_none_or(|port| !ports.iter().any(|(p, _)| p == port)) {
            builder = builder.input(name, dims.clone());
        }
    }
    let mut guessed = Vec::new();
    for (name, port) in &ports {
        let dims = match given(name) {
            Some(dims) => dims,
            None if port.optional || port.variadic => continue,
            None => {
                let dims = guess(blueprint, port, is_async(name));
                guessed.push(format!("{name}={}", dims_text(&dims)));
                dims
            }
        };
        let mut shape = InputShape::new(dims);
        if let Some(mask) = given(&format!("{name}.inhibition_mask")) {
            shape = shape.with_mask(mask);
        }
        builder = builder.input(name, if is_async(name) { shape.asynchronous() } else { shape });
    }
    if !guessed.is_empty() {
        remark("note", &format!("assuming --input {} (say otherwise with --input)", guessed.join(" --input ")));
    }
    Ok(builder)
}

/// Likely dimensions of an input port.
fn guess(blueprint: &Blueprint, port: &PortSpecs, over_synapses: bool) -> Vec<usize> {
    let arrays = match blueprint {
        Blueprint::Component(_, tree) => array_dims(tree),
        Blueprint::Neuron(_, config) => config.modules_specs.iter().flat_map(|m| array_dims(&m.config)).collect(),
    };
    let units = blueprint.units().map(|units| units.to_vec());
    let units = units.or_else(|| arrays.iter().min_by_key(|dims| dims.len()).cloned()).unwrap_or_else(|| vec![10]);
    let longer = arrays.iter().find_map(|dims| dims.strip_prefix(&units[..]).filter(|rest| !rest.is_empty()));
    let inputs = longer.map_or_else(|| units.clone(), <[usize]>::to_vec);
    let population = matches!(blueprint, Blueprint::Component(..)) && port.axes == [Axis::UNITS];
    match (port.axes.len() > 1 || over_synapses, population) {
        (true, _) => [units, inputs].concat(),
        (false, true) => units,
        (false, false) => inputs,
    }
}

/// Dimensions of the parameters that are arrays.
fn array_dims(tree: &ConfigTree) -> Vec<Vec<usize>> {
    let dims = |value: &ConfigValue| match value {
        ConfigValue::Array(array) if array.len() > 1 => Some(array.dims()),
        _ => None,
    };
    tree.values.values().filter_map(dims).collect()
}

fn dims_text(dims: &[usize]) -> String {
    dims.iter().map(ToString::to_string).collect::<Vec<_>>().join("x")
}

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
fn tree(blueprint: &Blueprint) -> Result<String> {
    let root = match blueprint {
        Blueprint::Component(spec, tree) => component(spec, tree),
        Blueprint::Neuron(name, config) => neuron(name, config, blueprint)?,
    };
    let mut out = String::new();
    root.write(&mut out, "");
    Ok(out)
}

fn component(spec: &ModuleType, tree: &ConfigTree) -> Branch {
    let input = |p: &PortSpecs| Branch::leaf(format!("{}: {}{}", p.name, p.payload.name, needed(p)));
    let plain = |p: &PortSpecs| Branch::leaf(format!("{}: {}", p.name, p.payload.name));
    let mut below = parameters((spec.config)(), tree);
    below.push(Branch::new("inputs", spec.inputs.iter().map(input).collect()));
    below.push(Branch::new("outputs", spec.outputs.iter().map(plain).collect()));
    if !spec.properties.is_empty() {
        below.push(Branch::new("properties", spec.properties.iter().map(plain).collect()));
    }
    Branch::new(format!("{} - {}", spec.name, summary(spec.description)), below)
}

fn needed(port: &PortSpecs) -> &'static str {
    if port.optional {
        " (optional)"
    } else if port.variadic {
        " (any number)"
    } else {
        ""
    }
}

fn neuron(name: &str, config: &NeuronConfig, blueprint: &Blueprint) -> Result<Branch> {
    let registry = Registry::global()?;
    let description = registry.neurons.find(name).map_or("a population from parts.", |spec| spec.description);
    let own = [
        format!("units = {}", dims_text(&config.units)),
        format!("dt = {} ms", config.dt),
        format!("inhibitory_rate = {}", config.inhibitory_rate),
        format!("seed = {}", config.seed),
    ];
    let inputs = blueprint.inputs();
    let inputs = inputs.iter().map(|(name, p)| Branch::leaf(format!("{name}: {}{}", p.payload.name, needed(p))));
    let mut outputs = Vec::new();
    let mut modules = Vec::new();
    for module in &config.modules_specs {
        let spec = registry.modules.get(&module.module_cls).map_err(|e| e.prefixed(&module.name))?;
        for (output, port) in &module.outputs {
            let payload = spec.output(port).map_or("?", |p| p.payload.name);
            outputs.push(Branch::leaf(format!("{output}: {payload} = {}.{port}", module.name)));
        }
        modules.push(part(module, spec));
    }
    let below = vec![
        Branch::new("parameters", own.into_iter().map(Branch::leaf).collect()),
        Branch::new("inputs", inputs.collect()),
        Branch::new("outputs", outputs),
        Branch::new("modules", modules),
    ];
    Ok(Branch::new(format!("{name} - {}", summary(description)), below))
}

/// A module of a neuron: its parameters and what its ports are connected to.
fn part(module: &ModuleSpecs, spec: &ModuleType) -> Branch {
    let mut below = parameters((spec.config)(), &module.config);
    let sources = |list: &[PortMap]| list.iter().map(source).collect::<Vec<_>>().join(" + ");
    let connections = spec.inputs.iter().map(|port| match module.inputs.get(port.name) {
        Some(list) if !list.is_empty() => {
            Branch::leaf(format!("{}: {} <- {}", port.name, port.payload.name, sources(list)))
        }
        _ => Branch::leaf(format!("{}: {}, not connected", port.name, port.payload.name)),
    });
    below.push(Branch::new("inputs", connections.collect()));
    let output = |port: &PortSpecs| Branch::leaf(format!("{}: {}", port.name, port.payload.name));
    below.push(Branch::new("outputs", spec.outputs.iter().map(output).collect()));
    if !module.effects.is_empty() {
        let effects = module.effects.iter().map(|(p, list)| Branch::leaf(format!("{p} <- {}", sources(list))));
        below.push(Branch::new("set at the end of a step", effects.collect()));
    }
    Branch::new(format!("{}: {}", module.name, spec.name), below)
}

fn source(source: &PortMap) -> String {
    match source.origin.as_str() {
        PortMap::CALL => format!("input {}", source.port),
        PortMap::SELF => format!("{} of the neuron", source.port),
        origin => format!("{origin}.{}", source.port),
    }
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
