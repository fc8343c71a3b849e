//! `spark inspect`: a model's structure, or a stage of its compilation.
//!
//! The tree needs the configuration only; shapes of ports and sizes of states, which it shows as well if inputs are given, and
//! the stages need the shapes of the inputs: those given, else a guess from the
//! configuration (the shape of the population, the dimensions of parameter arrays), which is said on standard error.

use super::register::Register;
use super::shapes::{self, InputArgs};
use super::source::{self, Limit, Source};
use super::{passes, print, tree};
use clap::Args;
use spark::error::{Error, Result};
use spark_compiler::ir::print as ir;
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
        if args.inputs.has_dims() && source.checkpoint().is_none() {
            let (builder, assumed) = shapes::assumed(builder, &blueprint, &args.inputs);
            let mut model = builder.eager(true).build().map_err(|e| shapes::named(e, &assumed))?;
            return print(&model.inspect()?.to_string());
        }
        let tree = tree::text(&blueprint)?;
        print(&match source.checkpoint().filter(|_| !view.tree) {
            Some(checkpoint) => format!("{}{tree}{}\n", source::about(checkpoint), checkpoint.state()),
            None => tree,
        })?;
        let errors = blueprint.parameter_errors();
        return if errors.is_empty() { Ok(()) } else { Err(Error::many(errors).in_file(&args.model)) };
    }
    let (builder, assumed) = match source.checkpoint() {
        Some(_) => (builder, Vec::new()),
        None => shapes::assumed(builder, &blueprint, &args.inputs),
    };
    // Eager, because machine code is not needed.
    let model = builder.eager(true).build().map_err(|e| shapes::named(e, &assumed))?;
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
