//! `spark bench`: how fast networks run on this machine, on one core.
//!
//! [`networks`] and [`somas`] say what is run, [`timing`] how it is timed and its spikes are counted, [`report`] what is printed.
//! [`every_pass`] compares choices of the compiler's passes; [`tune`] finds weights for a firing rate; [`sweep`] measures over rates
//! or sizes and draws that with [`chart`], beside the machine's bounds from [`roofline`].

mod chart;
mod every_pass;
mod networks;
mod report;
mod roofline;
mod somas;
mod sweep;
mod timing;
mod tune;

use super::tensors::{self, Column};
use super::{print, remark};
use clap::Args;
use networks::{Case, Network, Settings, Subject};
use report::Report;
use spark::error::{Error, Result, unknown_name_help};
use spark::prelude::*;
use spark::scfg;
use spark_compiler::passes::CompileOptions;
use std::path::{Path, PathBuf};
use sweep::{Axis as SweepAxis, Sweep};
use timing::{Plan, Timed};

/// Arguments of `spark bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// What to run
    #[arg(value_enum, value_name = "NETWORK")]
    subject: Subject,
    /// Neurons of the pool (512 unless given; 100000 for somas alone); `ab` has its own
    neurons: Option<usize>,
    /// Steps of a run; by default those of the peers' scripts, few for large pools because plasticity moves the rate
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    steps: Option<u32>,
    /// Runs after an untimed one; figures are medians
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..100))]
    runs: u32,
    /// Storage type: float32, float16, bfloat16 or float64
    #[arg(long, default_value = "float32")]
    dtype: String,
    /// Scale of a pool's initial weights; by default such that pools of 128 to 8192 neurons fire at about 10 Hz
    #[arg(long)]
    scale: Option<f64>,
    /// Find the scale with which the pool fires at about this rate in the steps that are timed, by bisection
    #[arg(long, value_name = "HZ", conflicts_with = "scale")]
    rate: Option<f64>,
    /// Rate of the Poisson spiker that drives a pool [default: 20]
    #[arg(long, value_name = "HZ")]
    input_rate: Option<f64>,
    /// Passes of the compiler to leave out
    #[arg(long, value_name = "PASS", value_delimiter = ',')]
    without: Vec<String>,
    /// Time every choice of passes: all, none, each left out, each alone
    #[arg(long, conflicts_with_all = ["without", "write", "sweep"])]
    every_pass: bool,
    /// Do not run the network but write it to a file, with its inputs in a .safetensors file beside it
    #[arg(long, value_name = "FILE.scfg", conflicts_with_all = ["sweep", "json"])]
    write: Option<PathBuf>,
    /// Measure over firing rates or numbers of neurons and draw the times
    #[arg(long, value_enum, requires = "output", conflicts_with_all = ["without", "rate", "json"])]
    sweep: Option<SweepAxis>,
    /// The rates or numbers of neurons of a sweep
    #[arg(long, value_name = "VALUE,...", value_delimiter = ',', requires = "sweep")]
    at: Vec<f64>,
    /// Times of other simulators to draw beside a sweep over neurons: lines of JSON, as benches/peers/compare.py writes
    #[arg(long, value_name = "FILE.jsonl", requires = "sweep")]
    peers: Option<PathBuf>,
    /// The folder of a sweep's picture and points
    #[arg(long, short, value_name = "FOLDER", requires = "sweep")]
    output: Option<PathBuf>,
    /// One line of JSON
    #[arg(long)]
    json: bool,
}

/// Runs a benchmark.
///
/// # Errors
/// If an argument has a mistake, or the network cannot be built.
pub(crate) fn bench(args: &BenchArgs) -> Result<()> {
    // Compile times are those of a first start.
    spark::cache::switch_off();
    let options = args.without.iter().try_fold(CompileOptions::default(), |options, name| {
        let unknown = || {
            let help = unknown_name_help(name, CompileOptions::names());
            Error::new(format!("there is no pass called `{name}`")).at("--without").help(help)
        };
        options.with(name, false).ok_or_else(unknown)
    })?;
    let dtype = DType::parse(&args.dtype).filter(|dtype| dtype.is_float());
    let dtype = dtype.ok_or_else(|| {
        let help = "float32, float16, bfloat16 or float64";
        Error::new(format!("`{}` is not a floating-point type", args.dtype)).at("--dtype").help(help)
    })?;
    let network = match args.subject {
        Subject::Network(network) => network,
        Subject::Roofline => return roofline_alone(args),
    };
    if !network.is_pool() && (args.rate.is_some() || args.sweep.is_some()) {
        let option = if args.sweep.is_some() { "--sweep" } else { "--rate" };
        let help = "choose spark-lif, spark-alif or spark-adex";
        return Err(Error::new(format!("`{}` has no weights to tune", network.name())).at(option).help(help));
    }
    let settings = Settings { neurons: args.neurons, scale: args.scale, input_rate: args.input_rate };
    if let (Some(axis), Some(folder)) = (args.sweep, args.output.as_deref()) {
        let (peers, at) = (args.peers.as_deref(), &args.at);
        return Sweep { network, settings, axis, at, folder, peers, dtype, steps: args.steps, runs: args.runs }.run();
    }
    let (case, plan) = chosen(args, network, settings, dtype)?;
    if let Some(path) = &args.write {
        return write(&case, dtype, path);
    }
    if args.every_pass {
        return every_pass::every_pass(&case, dtype, plan, args.json);
    }
    let mut timed = Timed::new(&case, dtype, options)?;
    timing::time(std::slice::from_mut(&mut timed), plan)?;
    let activity = timed.count(plan)?;
    let report = Report { case: &case, timed: &timed, activity: &activity, plan, dtype, options };
    print(&if args.json { format!("{}\n", report.json()) } else { report.text() })
}

/// The network, with weights for the rate that is asked for.
fn chosen(args: &BenchArgs, network: Network, settings: Settings, dtype: DType) -> Result<(Case, Plan)> {
    let case = network.case(&settings)?;
    let plan = Plan { steps: args.steps.unwrap_or(case.steps), runs: args.runs };
    match args.rate {
        None => Ok((case, plan)),
        Some(rate) if rate > 0.0 && rate <= 1000.0 => {
            let mut timed = Timed::new(&case, dtype, CompileOptions::default())?;
            let found = tune::tune(&mut timed, tune::Part::All, rate, 1.0, plan)?.check(rate)?;
            let scale = case.scale.map(|scale| scale * found.factor);
            Ok((network.case(&Settings { scale, ..settings })?, plan))
        }
        Some(rate) => Err(Error::new(format!("must be above 0 and at most 1000 Hz, found {rate}")).at("--rate")),
    }
}

/// The roofline; it takes no other argument than `--json`.
fn roofline_alone(args: &BenchArgs) -> Result<()> {
    let given = [
        ("NEURONS", args.neurons.is_some()),
        ("--steps", args.steps.is_some()),
        ("--scale", args.scale.is_some()),
        ("--rate", args.rate.is_some()),
        ("--input-rate", args.input_rate.is_some()),
        ("--without", !args.without.is_empty()),
        ("--every-pass", args.every_pass),
        ("--write", args.write.is_some()),
        ("--sweep", args.sweep.is_some()),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(Error::new("`roofline` is no network").at(*option).help("leave it out")),
        None => roofline::roofline(args.json),
    }
}

/// Writes the network, its inputs, and the neurons that the file refers to.
fn write(case: &Case, dtype: DType, path: &Path) -> Result<()> {
    // Built as it will be from the file: with the storage type asked for.
    let model = case.builder().dtype(dtype).build()?;
    let inputs = path.with_extension("safetensors");
    if inputs == *path {
        return Err(Error::new("the network's inputs go to this file").in_file(path).help("choose a name in .scfg"));
    }
    scfg::write_path(path, &model.config(), scfg::Format::of(path))?;
    let column = |(name, payload): &(&'static str, HostPayload)| {
        Column::constant(*name, payload.value().dims(), payload.value().data())
    };
    let columns: Vec<Column> = case.inputs.iter().map(column).collect();
    tensors::write(&tensors::check_target(&inputs)?, &columns, &[])?;
    let names: Vec<&str> = case.inputs.iter().map(|(name, _)| *name).collect();
    let mut registered = String::new();
    for (name, file, bytes) in case.registered {
        let beside = path.with_file_name(file);
        spark::atomic::write(&beside, |out| out.write_all(bytes))?;
        registered += &format!(" --register {name}={}", beside.display());
    }
    if !case.states.is_empty() {
        remark("note", "the benchmark begins with other states than those of the file");
    }
    print(&format!(
        "spark run {}{registered} --input {} --constant {} --steps {}\n",
        path.display(),
        inputs.display(),
        names.join(","),
        case.steps
    ))
}
