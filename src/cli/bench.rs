//! `spark bench`: how fast networks run on this machine, on one core.
//!
//! The networks are those of the peers' scripts: a Poisson spiker drives a pool that also reads itself, Spark's CartPole brain,
//! and somas alone. A *run* is so many steps with nothing read between them; figures are medians over runs.

use super::print;
use clap::{Args, ValueEnum};
use serde_json::json;
use spark::config::ConfigTree;
use spark::controller::register_neuron_from_file;
use spark::error::{Error, Result, unknown_name_help};
use spark::model::ModelBuilder;
use spark::prelude::*;
use spark_compiler::passes::CompileOptions;
use std::io::Write;
use std::time::Instant;

/// Arguments of `spark bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// What to run
    #[arg(value_enum)]
    network: Network,
    /// Neurons of the pool (512 unless given; 100000 for somas alone); `ab` has its own
    neurons: Option<usize>,
    /// Steps of a run; by default as many as take about half a second
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    steps: Option<u32>,
    /// Runs; figures are medians
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..1000))]
    runs: u32,
    /// Storage type: float32, float16, bfloat16 or float64
    #[arg(long, default_value = "float32")]
    dtype: String,
    /// Initial weights; by default such that pools of 128 to 4096 neurons fire at about 10 Hz
    #[arg(long)]
    scale: Option<f64>,
    /// Passes of the compiler to leave out
    #[arg(long, value_name = "PASS", value_delimiter = ',')]
    without: Vec<String>,
    /// One line of JSON
    #[arg(long)]
    json: bool,
}

/// The networks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Network {
    /// A Poisson spiker and a pool of LIF neurons that reads it and itself: delays, Hebbian plasticity.
    SparkLif,
    /// The same with ALIF neurons: exponential synapses, adaptive thresholds.
    SparkAlif,
    /// The same with AdEx neurons.
    SparkAdex,
    /// Spark's CartPole brain: four pools, three-factor quadruplet rule.
    Ab,
    /// Leaky somas alone.
    UpdateLif,
    /// Adaptive exponential somas alone.
    UpdateAdex,
    /// Hodgkin-Huxley somas alone.
    UpdateHh,
}

/// A network to run, and what its figures are counted by.
struct Case {
    builder: ModelBuilder,
    inputs: Vec<(&'static str, HostPayload)>,
    /// The output that says who fires.
    spikes: &'static str,
    neurons: usize,
    synapses: usize,
}

const AB: &[u8] = include_bytes!("../../tests/golden/models/ab_brain.scfg");
const ALIF_MOD: &[u8] = include_bytes!("../../tests/golden/models/alif_mod_neuron.scfg");

/// Weights that give about 10 Hz, by neurons of the pool: those of the peers' scripts.
const LIF_SCALES: [(f64, f64); 4] = [(128.0, 540.0), (512.0, 165.0), (2048.0, 46.0), (4096.0, 24.0)];
const ALIF_SCALES: [(f64, f64); 4] = [(128.0, 160.0), (512.0, 45.0), (2048.0, 9.0), (4096.0, 5.8)];

/// `scales` at `neurons`, on straight lines between the logarithms.
fn scale_at(scales: &[(f64, f64)], neurons: usize) -> f64 {
    let at = (neurons as f64).ln();
    let points: Vec<(f64, f64)> = scales.iter().map(|(n, scale)| (n.ln(), scale.ln())).collect();
    let pair = points.windows(2).find(|pair| at <= pair[1].0).unwrap_or(&points[points.len() - 2..]);
    let slope = (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0);
    (pair[0].1 + slope * (at - pair[0].0)).exp()
}

/// Runs a benchmark.
///
/// # Errors
/// If an argument has a mistake, or the network cannot be built.
pub(crate) fn bench(args: &BenchArgs) -> Result<()> {
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
    let case = case(args)?;
    let start = Instant::now();
    let mut model = case.builder.dtype(dtype).options(options).build()?;
    let (built, timings) = (start.elapsed(), model.timings());
    for (name, payload) in &case.inputs {
        model.set_input(name, payload)?;
    }
    let spikes_of = |model: &mut Model| -> Result<f64> {
        let outputs = model.step(&case.inputs)?;
        let fired = outputs.spikes(case.spikes)?;
        Ok(fired.iter().filter(|fired| **fired).count() as f64 / fired.len().max(1) as f64)
    };
    let probe = Instant::now();
    let warm_up = 20;
    for _ in 0..warm_up {
        spikes_of(&mut model)?;
    }
    let each = probe.elapsed().as_secs_f64() / f64::from(warm_up);
    let steps = args.steps.unwrap_or_else(|| (0.5 / each).clamp(5.0, 1e6) as u32);
    let (mut wall, mut cpu) = (Vec::new(), Vec::new());
    let (mut rate, mut rated) = (0.0, 0);
    for _ in 0..args.runs {
        let kernel = model.instance_mut().ok_or_else(|| Error::new("only compiled models are timed"))?;
        let (start, before) = (Instant::now(), cpu_seconds());
        for _ in 0..steps {
            kernel.step();
        }
        wall.push(start.elapsed().as_secs_f64());
        cpu.push(cpu_seconds() - before);
        for _ in 0..20 {
            rate += spikes_of(&mut model)? * 1000.0;
            rated += 1;
        }
    }
    let rate = rate / f64::from(rated);
    let middle = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let runs: Vec<f64> = wall.iter().map(|s| s / f64::from(steps) * 1e3).collect();
    let (sim, cpu) = (middle(wall), middle(cpu));
    let per_step = cpu / f64::from(steps) * 1e3;
    let name = args.network.to_possible_value().map_or_else(String::new, |v| v.get_name().to_string());
    let stats = model.instance().map(|instance| instance.kernel().stats().memory_bytes).unwrap_or_default();
    if args.json {
        let line = json!({
            "benchmark": name, "neurons": case.neurons, "synapses": case.synapses, "dtype": dtype.long_name(),
            "steps": steps, "sim_s": sim, "cpu_s": cpu, "ms_per_step": per_step, "runs_ms_per_step": runs,
            "build_s": (built - timings.compile).as_secs_f64(), "compile_s": timings.compile.as_secs_f64(),
            "rate_hz": rate, "memory_bytes": stats, "passes": options.on(),
        });
        return print(&format!("{line}\n"));
    }
    let unit = |count: usize| per_step * 1e6 / count.max(1) as f64;
    let mut text = Vec::new();
    let count = |n: usize, what: &str| if n > 0 { format!(", {n} {what}") } else { String::new() };
    let mut line = |text_line: String| writeln!(text, "{text_line}").map_err(|e| Error::new(e.to_string()));
    line(format!("{name}: {} neurons{}, {}", case.neurons, count(case.synapses, "synapses"), dtype.long_name()))?;
    line(format!(
        "  step       {:>10.1} µs of CPU time, {:.1} µs of wall time",
        per_step * 1e3,
        sim / f64::from(steps) * 1e6
    ))?;
    line(format!("  per neuron {:>10.2} ns", unit(case.neurons)))?;
    if case.synapses > 0 {
        line(format!("  per synapse{:>10.4} ns", unit(case.synapses)))?;
    }
    line(format!("  rate       {rate:>10.1} Hz"))?;
    line(format!("  build      {:>10.1} ms", (built - timings.compile).as_secs_f64() * 1e3))?;
    line(format!("  compile    {:>10.1} ms", timings.compile.as_secs_f64() * 1e3))?;
    line(format!("  memory     {:>10.1} MiB of arrays", stats as f64 / (1 << 20) as f64))?;
    line(format!("  {} runs of {steps} steps, medians; passes: {}", args.runs, options.on().join(", ")))?;
    print(&String::from_utf8_lossy(&text))
}

fn cpu_seconds() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9
}

fn case(args: &BenchArgs) -> Result<Case> {
    let of_pool = args.neurons.unwrap_or(512);
    let alone = args.neurons.unwrap_or(100_000);
    if args.neurons == Some(0) || args.neurons.is_some_and(|n| n > 1 << 24) {
        return Err(Error::new("must be from 1 to 16777216").at("NEURONS"));
    }
    match args.network {
        Network::SparkLif => pool(args, "LIFNeuronConfig", of_pool, scale_at(&LIF_SCALES, of_pool)),
        Network::SparkAlif => pool(args, "ALIFNeuronConfig", of_pool, scale_at(&ALIF_SCALES, of_pool)),
        Network::SparkAdex => pool(args, "AdExNeuronConfig", of_pool, scale_at(&ALIF_SCALES, of_pool)),
        Network::Ab => ab(),
        Network::UpdateLif => somas(LeakySomaConfig::default(), alone, 300.0),
        Network::UpdateAdex => somas(AdaptiveExponentialSomaConfig::default(), alone, 500.0),
        Network::UpdateHh => somas(HodgkinHuxleySomaConfig::default(), alone, 500.0),
    }
}

/// A Poisson spiker, and a pool that reads it and itself.
fn pool(args: &BenchArgs, neuron: &str, neurons: usize, scale: f64) -> Result<Case> {
    let mut pool = ConfigTree::new(neuron).with("units", [neurons]).with("inhibitory_rate", 0.5);
    pool.set("synapses.kernel.scale", args.scale.unwrap_or(scale))?;
    let brain = Brain::builder()
        .input("signal")
        .module("spiker", PoissonSpikerConfig::default().with_seed(1))
        .module("pool", pool.with_new_seeds(2))
        .connect("signal", "spiker.signal")
        .connect(["spiker.spikes", "pool.out_spikes"], "pool.in_spikes")
        .output("spikes", "pool.out_spikes")
        .build()?;
    let signal = vec![0.2f32; neurons];
    Ok(Case {
        builder: Model::component(brain).input("signal", [neurons]),
        inputs: vec![("signal", signal.into())],
        spikes: "spikes",
        neurons,
        synapses: 2 * neurons * neurons,
    })
}

/// Spark's CartPole brain, as its files say.
fn ab() -> Result<Case> {
    let folder = tempfile::tempdir().map_err(|e| Error::new(e.to_string()))?;
    let file = |name: &str, bytes: &[u8]| -> Result<std::path::PathBuf> {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).map_err(|e| Error::new(e.to_string()).in_file(&path))?;
        Ok(path)
    };
    register_neuron_from_file("ALIFModNeuron", file("alif_mod_neuron.scfg", ALIF_MOD)?)?;
    let modulations = ["mod_a_ex", "mod_b_ex", "mod_a_in", "mod_b_in"];
    let builder = Model::from_file(file("ab_brain.scfg", AB)?)?.input("signal", [4]).record("A_excitatory.out_spikes");
    let builder = modulations.iter().fold(builder, |builder, name| builder.input(*name, [1]));
    let signal = ("signal", vec![0.1f32, -0.2, 0.05, 0.3].into());
    let inputs = modulations.map(|name| (name, vec![-1e-4f32].into())).into_iter().chain([signal]).collect();
    Ok(Case { builder, inputs, spikes: "A_excitatory.out_spikes", neurons: 640, synapses: 524_288 })
}

/// Somas driven by a current of `current` pA.
fn somas(config: impl spark::config::Config, neurons: usize, current: f32) -> Result<Case> {
    Ok(Case {
        builder: Model::component(config).input("current", [neurons]),
        inputs: vec![("current", vec![current; neurons].into())],
        spikes: "spikes",
        neurons,
        synapses: 0,
    })
}
