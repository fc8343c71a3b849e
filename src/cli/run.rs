//! `spark run`: a model over a file of inputs.
//!
//! In: a `.scfg` file or a checkpoint, and a tensor file ([`inputs`] says which tensor feeds what). Out: a tensor file with every output
//! port and every recorded path after each step, and a summary. Everything that can be wrong is checked before the first
//! step: names, shapes, NaN, the size of the results, and whether they can be written. A run that Ctrl-C ends writes what it
//! has.

use super::inputs::{self, Hints, Plan};
use super::record::{Recorded, Recording};
use super::register::Register;
use super::source::{Limit, Source};
use super::tensors::{self, TensorFile};
use super::{Progress, interrupt, print, remark};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use spark::config::FieldType;
use spark::error::{Error, Result, suggest};
use spark::model::{Model, ModelBuilder, Outputs};
use spark::module::DynModule;
use spark::spec::Direction;
use spark_compiler::ir::DType;
use spark_compiler::passes::CompileOptions;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The arguments of `spark run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The model, a .scfg file, or a .spark checkpoint to go on from
    #[arg(value_name = "MODEL.scfg|CHECKPOINT.spark")]
    model: PathBuf,
    /// One tensor per input port, called as the port; time is the leading dimension, or there is none (constant).
    /// A spike port may have a `PORT.inhibition_mask`
    ///
    /// Names may begin with `in/`. With a single spike port the mask may be called `inhibition_mask`. Recordings in the
    /// same file (`out/`, `state/`, `final/`, `init/`, `param/`) are ignored. Metadata `async_spikes` = `True` has the effect of
    /// --async for the spike ports. A model without input ports needs no file, only --steps.
    #[arg(long, short, value_name = "IN.safetensors")]
    input: Option<PathBuf>,
    /// Where the outputs and recorded values go
    #[arg(long, short, value_name = "OUT.safetensors")]
    output: Option<PathBuf>,
    /// Number of steps; by default as many as the series of the required ports (still) have
    #[arg(long, value_name = "N")]
    steps: Option<usize>,
    /// Leave out the first N steps of the series; by default those that a checkpoint has done
    #[arg(long, value_name = "N")]
    skip: Option<usize>,
    /// Write a checkpoint here at the end, also after Ctrl-C; `spark run CHECKPOINT.spark` goes on from it
    #[arg(long, value_name = "CHECKPOINT.spark")]
    save: Option<PathBuf>,
    /// Write the checkpoint whenever the number of steps done is a multiple of N, too
    #[arg(long, value_name = "N", requires = "save", value_parser = clap::value_parser!(u64).range(1..))]
    every: Option<u64>,
    /// State variables, ports or properties to record after each step: soma.potential,synapses.currents
    #[arg(long, value_name = "PATH,...", value_delimiter = ',', requires = "output")]
    record: Vec<String>,
    /// The tensor of this input port has no time axis
    #[arg(long, value_name = "PORT,...", value_delimiter = ',')]
    constant: Vec<String>,
    /// This input port takes spikes over synapses, of dimensions units then inputs
    #[arg(long = "async", value_name = "PORT,...", value_delimiter = ',')]
    asynchronous: Vec<String>,
    #[command(flatten)]
    register: Register,
    #[command(flatten)]
    limit: Limit,
    /// Evaluate operation by operation instead of compiling; slow, for debugging
    #[arg(long)]
    eager: bool,
    /// Round a·b + c after the product, too, instead of once (a fused multiply-add, as Spark on JAX)
    #[arg(long)]
    no_contract: bool,
    /// Leave out the passes that keep states in another form or add numbers in another order: slower, and every bit is that
    /// of an eager run
    #[arg(long)]
    exact: bool,
    /// Floating-point type of states and ports, instead of the file's
    #[arg(long, value_parser = PossibleValuesParser::new(["float32", "float16", "float64", "bfloat16"])
        .map(|name| DType::parse(&name).unwrap_or_default()))]
    dtype: Option<DType>,
}

/// Runs a model over a file of inputs.
///
/// # Errors
/// If a file cannot be read or written, or the model, its inputs or the recorded paths have a mistake.
pub(crate) fn run(args: &RunArgs) -> Result<()> {
    let target = args.output.as_deref().map(tensors::check_target).transpose()?;
    let save = args.save.as_deref().map(tensors::check_target).transpose()?;
    let source = Source::open(&args.model, &args.register)?;
    check_overwriting(args, &source, target.as_deref(), save.as_deref())?;
    let in_model = |e: Error| e.in_file(&args.model);
    let blueprint = source.builder().blueprint().map_err(in_model)?;
    let file = args.input.as_deref().map(TensorFile::open).transpose()?.unwrap_or_default();
    let skip = args.skip.unwrap_or(source.steps() as usize);
    let hints = Hints {
        steps: args.steps.map(|steps| steps.saturating_add(if steps == 0 { 0 } else { skip })),
        constant: args.constant.clone(),
        asynchronous: [args.asynchronous.clone(), source.asynchronous()].concat(),
    };
    let ports = blueprint.inputs();
    hints.check(&ports)?;
    if skip > 0 {
        remark("note", &format!("series are fed from step {skip} on (--skip says otherwise)"));
    }
    let plan = inputs::plan(&file, &ports, blueprint.units().as_deref(), &hints)
        .and_then(|plan| plan.check(&file).map(|()| plan))
        .map_err(|e| if let Some(input) = &args.input { e.in_file(input) } else { e })?;
    plan.notes.iter().for_each(|note| remark("note", note));
    let steps = skip..plan.steps;
    if steps.is_empty() {
        let message = format!("the series have {} steps, all of which are left out", plan.steps);
        return Err(Error::new(message).help("say how many to leave out with --skip, 0 for none"));
    }

    let start = || match &source {
        Source::Checkpoint(_) => args.limit.apply(source.builder()).eager(args.eager),
        Source::Config(_) => {
            let builder =
                plan.declare(args.limit.apply(source.builder())).eager(args.eager).contract(!args.no_contract);
            let builder = if args.exact { builder.options(CompileOptions::whole_states()) } else { builder };
            args.dtype.into_iter().fold(builder, ModelBuilder::dtype)
        }
    };
    if let Some(checkpoint) = source.checkpoint().filter(|_| args.eager) {
        let options = checkpoint.graphdef().options();
        if options.delay_filters || options.sum_filters || options.lazy_decay {
            let error =
                Error::new("its states are kept in the form of a compiled model").at("--eager").in_file(&args.model);
            return Err(error.help("go on without --eager, or begin the run with --exact"));
        }
    }
    let (mut model, paths) = build(start, &args.record, &in_model)?;
    source.restore(&mut model).map_err(in_model)?;
    let mut recording = Recording::new(&model, &paths, steps.len(), target.is_some())?;
    interrupt::watch();
    let patience = Duration::from_millis(300);
    let took = simulate(&mut model, &plan, steps.clone(), &file, patience, |model, outputs| {
        recording.push(model, outputs)?;
        match (&save, args.every) {
            (Some(path), Some(every)) if model.steps().is_multiple_of(every) => model.save(path),
            _ => Ok(()),
        }
    })?;
    if let Some(path) = &save {
        model.save(path)?;
    }
    let summary = recording.summary(&model, took);
    if let Some(target) = target {
        let notes = recording.notes(&model, args.eager, took);
        tensors::write(&target, &recording.into_columns(), &notes)?;
    }
    if interrupt::requested() {
        let done = model.steps() - source.steps();
        let next = args.save.as_ref().map(|path| format!("; `spark run {}` goes on", path.display()));
        let what = format!("interrupted after {done} of {} steps{}", steps.len(), next.unwrap_or_default());
        remark("note", &what);
    }
    print(&summary)
}

/// Refuses to write over what is read, except a checkpoint that the run goes on from, and two results to one file; and
/// options that would make another model of a checkpoint's.
fn check_overwriting(args: &RunArgs, source: &Source, target: Option<&Path>, save: Option<&Path>) -> Result<()> {
    let is_checkpoint = source.checkpoint().is_some();
    let same = |file: &PathBuf, result: Option<&Path>| {
        result.is_some_and(|result| file.canonicalize().is_ok_and(|file| file == result))
    };
    for file in [Some(&args.model), args.input.as_ref()].into_iter().flatten() {
        let resumed = is_checkpoint && *file == args.model;
        if same(file, target) || !resumed && same(file, save) {
            let error = Error::new("the output would overwrite what is read");
            return Err(error.in_file(file).help("give another name with -o or --save"));
        }
    }
    if target.is_some() && target == save {
        return Err(Error::new("-o and --save name the same file").help("give one of them another name"));
    }
    let changed = [("--dtype", args.dtype.is_some()), ("--no-contract", args.no_contract), ("--exact", args.exact)];
    match changed.iter().find(|(_, given)| is_checkpoint && *given) {
        Some((option, _)) => {
            let error = Error::new("a checkpoint goes on as it began").at(*option).in_file(&args.model);
            Err(error.help(format!("leave {option} out")))
        }
        None => Ok(()),
    }
}

/// Builds the model with outputs for the recorded paths that are not states.
///
/// Which states there are is known only after building, so paths that turn out to be ports are given to a second build.
fn build(
    start: impl Fn() -> ModelBuilder,
    record: &[String],
    in_model: &dyn Fn(Error) -> Error,
) -> Result<(Model, Vec<Recorded>)> {
    let model = start().build().map_err(in_model)?;
    let states = model.states();
    let mut ports = Vec::new();
    ports_within(model.root(), "", &mut ports);
    let mut recorded: Vec<Recorded> = Vec::new();
    let mut errors = Vec::new();
    for path in record.iter().collect::<BTreeSet<_>>() {
        if states.contains(path) {
            recorded.push(Recorded::State(path.clone()));
        } else if ports.contains(path) {
            recorded.push(Recorded::Port(path.clone()));
        } else {
            errors.push(unknown_path(path, states.iter().chain(&ports)));
        }
    }
    if !errors.is_empty() {
        return Err(Error::many(errors));
    }
    let inner = |r: &Recorded| match r {
        Recorded::Port(path) if !model.outputs().any(|name| name == path) => Some(path.clone()),
        Recorded::Port(_) | Recorded::State(_) => None,
    };
    let inner: Vec<String> = recorded.iter().filter_map(inner).collect();
    if inner.is_empty() {
        return Ok((model, recorded));
    }
    drop(model);
    let model = inner.into_iter().fold(start(), ModelBuilder::record).build().map_err(in_model)?;
    Ok((model, recorded))
}

/// Paths of the output ports and properties of a module and those within.
fn ports_within(module: &dyn DynModule, path: &str, out: &mut Vec<String>) {
    let full = |name: &str| if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
    out.extend(module.ports().iter().filter(|p| p.direction != Direction::Input).map(|p| full(&p.name)));
    for (name, child) in module.children() {
        ports_within(child, &full(name), out);
    }
}

/// The error of a path that names nothing, with all paths that do: the nearest first, each once.
fn unknown_path<'a>(path: &str, known: impl Iterator<Item = &'a String>) -> Error {
    let mut names: Vec<&str> = known.map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let mut ordered = Vec::new();
    while let Some(near) = suggest(path, names.iter().copied()) {
        names.retain(|name| *name != near);
        ordered.push(near);
    }
    ordered.extend(names.into_iter().map(str::to_string));
    Error::new(format!("there is no state, port or property `{path}`"))
        .at("--record")
        .help(format!("recordable: {}", ordered.join(", ")))
}

/// Runs these steps of `plan`, or as many as Ctrl-C allows; `each` sees the model and its outputs after every step. Gives
/// the time spent in the model.
///
/// # Errors
/// If a step fails, or `each` does.
pub(crate) fn simulate(
    model: &mut Model,
    plan: &Plan,
    steps: Range<usize>,
    file: &TensorFile,
    patience: Duration,
    mut each: impl FnMut(&Model, &Outputs) -> Result<()>,
) -> Result<Duration> {
    let mut progress = Progress::new(steps.len(), patience);
    let mut took = Duration::ZERO;
    for step in steps.clone() {
        let mut inputs = Vec::new();
        for feed in plan.feeds.iter().filter(|feed| step == steps.start || feed.changes()) {
            inputs.push((feed.port.as_str(), feed.at(file, step)?));
        }
        let start = Instant::now();
        let outputs = model.step(&inputs).map_err(|e| e.prefixed(&format!("step {step}")))?;
        took += start.elapsed();
        each(model, &outputs)?;
        progress.show(step + 1 - steps.start);
        if interrupt::requested() {
            break;
        }
    }
    progress.finish();
    Ok(took)
}

/// The time step of a model, in ms.
pub(crate) fn dt_of(model: &Model) -> f64 {
    model.config().get("dt").and_then(|dt| f64::from_value(dt).ok()).unwrap_or(1.0)
}
