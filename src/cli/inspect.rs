//! `spark inspect`: a model's structure, or a stage of its compilation.
//!
//! The tree needs the configuration only; shapes of ports and sizes of states, which it shows as well if inputs are given, and
//! the stages need the shapes of the inputs: those given, else a guess from the
//! configuration (the shape of the population, the dimensions of parameter arrays), which is said on standard error.

use super::register::Register;
use super::source::{self, Limit, Source};
use super::{passes, print, remark, tree};
use clap::Args;
use spark::config::{ConfigTree, ConfigValue};
use spark::error::{Error, Result};
use spark::model::{Blueprint, InputShape, ModelBuilder};
use spark::spec::PortSpecs;
use spark_compiler::ir::{Axis, print as ir};
use spark_compiler::passes::{CompileOptions, optimize};
use spark_compiler::{emit, loops};
use std::path::PathBuf;

/// The arguments of `spark inspect`.
#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The model, a .scfg file, or a .spark checkpoint
    #[arg(value_name = "MODEL.scfg|CHECKPOINT.spark")]
    model: PathBuf,
    #[command(flatten)]
    view: View,
    #[command(flatten)]
    register: Register,
    #[command(flatten)]
    limit: Limit,
    #[command(flatten)]
    inputs: InputArgs,
}

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

impl InputArgs {
    /// True if nothing was said.
    pub(crate) fn is_empty(&self) -> bool {
        self.input.is_empty() && self.asynchronous.is_empty()
    }
}

/// What to show.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct View {
    /// Modules, ports, connections and parameters (the default); of a checkpoint, what it remembers as well; with --input,
    /// shapes and states
    #[arg(long)]
    tree: bool,
    /// What a checkpoint remembers: names, types, dimensions and ranges
    #[arg(long)]
    state: bool,
    /// The recorded program of one step
    #[arg(long)]
    ir: bool,
    /// The program after the passes
    #[arg(long)]
    optimized: bool,
    /// What the passes did with which array, and what kept them from doing more
    #[arg(long)]
    passes: bool,
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
/// If the file cannot be read, or the model or the input shapes have a mistake. Of a model whose parameters alone have
/// mistakes, the tree is shown nevertheless.
pub(crate) fn inspect(args: &InspectArgs) -> Result<()> {
    let source = Source::open(&args.model, &args.register)?;
    let builder = args.limit.apply(source.builder());
    let blueprint = builder.blueprint().map_err(|e| e.in_file(&args.model))?;
    let view = &args.view;
    if view.state {
        let help = "`spark run MODEL.scfg --save CHECKPOINT.spark` writes one";
        let none = || Error::new("only a checkpoint has states").at("--state").in_file(&args.model).help(help);
        return print(&format!("{}\n", source.checkpoint().ok_or_else(none)?.state()));
    }
    if !(view.ir || view.optimized || view.passes || view.loops || view.clif) {
        if !args.inputs.input.is_empty() && source.checkpoint().is_none() {
            return print(&with_inputs(builder, &blueprint, &args.inputs)?.eager(true).build()?.inspect()?.to_string());
        }
        let tree = tree::text(&blueprint)?;
        print(&match source.checkpoint().filter(|_| !view.tree) {
            Some(checkpoint) => format!("{}{tree}{}\n", source::about(checkpoint), checkpoint.state()),
            None => tree,
        })?;
        let errors = blueprint.parameter_errors();
        return if errors.is_empty() { Ok(()) } else { Err(Error::many(errors).in_file(&args.model)) };
    }
    let builder = match source.checkpoint() {
        Some(_) => builder,
        None => with_inputs(builder, &blueprint, &args.inputs)?,
    };
    // Eager, because machine code is not needed.
    let model = builder.eager(true).build()?;
    if view.ir {
        return print(&ir::summary(model.program()));
    }
    let optimized = optimize(model.program().clone(), &CompileOptions::default());
    if view.optimized {
        return print(&ir::summary(optimized.program()));
    }
    if view.passes {
        return print(&passes::text(&optimized));
    }
    let lowered = loops::lower(&optimized);
    if view.loops {
        return print(&lowered.to_string());
    }
    print(&emit::clif_text(&lowered, &CompileOptions::default()).map_err(|e| Error::new(e.to_string()))?)
}

/// Declares the given inputs, and guesses the shapes of required ones that are not given.
///
/// # Errors
/// If a port's dimensions cannot be guessed or do not fit.
pub(crate) fn with_inputs(mut builder: ModelBuilder, blueprint: &Blueprint, args: &InputArgs) -> Result<ModelBuilder> {
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
                guessed.push(format!("{name}={}", tree::dims_text(&dims)));
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
        Blueprint::Neuron(_, config, _) => config.modules_specs.iter().flat_map(|m| array_dims(&m.config)).collect(),
        Blueprint::Brain(config, _) => config.modules_specs.iter().flat_map(|m| array_dims(&m.config)).collect(),
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
