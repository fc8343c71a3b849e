//! `spark bench NETWORK --sweep rate|neurons`: the step's time over the firing rate or the size of a pool, as a picture and a file
//! of its points.
//!
//! Beside the time with all passes stand that of the dense step, which visits every synapse, and the bound of [`super::roofline`]. In a
//! sweep over rates, spiker and pool fire at the same one: what a step costs depends on all spikes that arrive. Weights of the
//! spiker's spikes are tuned to that; those within the pool stay, because with larger ones a few spikes would ignite all neurons.

use super::chart::{AxisText, Curve, Stroke, chart};
use super::networks::{Case, Network, Settings};
use super::report::Report;
use super::roofline::{self, Bounds};
use super::timing::{self, Plan, Timed};
use super::tune::{Part, tune};
use crate::cli::plot::{EXCITATORY, INHIBITORY, INK};
use crate::cli::{print, remark};
use clap::ValueEnum;
use plotters::style::RGBColor;
use serde_json::{Value, json};
use spark::atomic;
use spark::error::{Error, Result};
use spark::prelude::DType;
use spark_compiler::passes::CompileOptions;
use std::path::Path;

/// What a sweep varies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Axis {
    /// The firing rate of spiker and pool, 0.1 to 100 Hz, for pools of 512 and 2048 neurons
    Rate,
    /// The number of neurons, 128 to 8192, at about 10 Hz
    Neurons,
}

/// A sweep.
pub(super) struct Sweep<'a> {
    pub(super) network: Network,
    pub(super) settings: Settings,
    pub(super) axis: Axis,
    /// Rates or numbers of neurons, if not the usual ones.
    pub(super) at: &'a [f64],
    pub(super) folder: &'a Path,
    /// What other simulators took: lines of JSON.
    pub(super) peers: Option<&'a Path>,
    pub(super) dtype: DType,
    pub(super) steps: Option<u32>,
    pub(super) runs: u32,
}

/// Passes without which every synapse is visited in every step.
const EVENTS: [&str; 6] = ["narrow", "delay_filters", "sum_filters", "events", "deferred", "layouts"];
/// Largest pool whose dense step is measured: one of 8192 neurons takes gigabytes.
const LARGEST_DENSE: usize = 4096;
/// Spikes of a pool that a run should have; at low rates it takes more steps.
const SPIKES: f64 = 50.0;
const PEERS: [RGBColor; 3] = [RGBColor(46, 125, 50), RGBColor(142, 68, 173), RGBColor(200, 140, 20)];

/// What was measured of one network.
struct Point {
    neurons: usize,
    rate: f64,
    /// µs per step.
    step: f64,
    dense: Option<f64>,
    bound: f64,
    line: Value,
}

impl Sweep<'_> {
    /// Runs it, draws it, prints a table and where the files are.
    ///
    /// # Errors
    /// If an argument has a mistake, a network cannot be run, or a file cannot be written.
    pub(super) fn run(&self) -> Result<()> {
        let peers = self.peers.map_or(Ok(Vec::new()), read_peers)?;
        std::fs::create_dir_all(self.folder)
            .map_err(|e| Error::new(format!("cannot make the folder: {e}")).in_file(self.folder))?;
        print(
            "| neurons | rate, Hz | step, µs | dense, µs | dense / step | bound, µs | step / bound |\n|---:|---:|---:|---:|---:|---:|---:|\n",
        )?;
        let points = match self.axis {
            Axis::Rate => self.rates()?,
            Axis::Neurons => self.sizes()?,
        };
        let name = self.network.name();
        let (stem, text) = match self.axis {
            Axis::Rate => (format!("{name}-rate"), self.rate_chart(&points)?),
            Axis::Neurons => (format!("{name}-neurons"), self.size_chart(&points, &peers)?),
        };
        let lines: String = points.iter().map(|point| format!("{}\n", point.line)).collect();
        for (ending, content) in [("svg", text), ("jsonl", lines)] {
            let path = self.folder.join(format!("{stem}.{ending}"));
            atomic::write(&path, |out| out.write_all(content.as_bytes()))?;
            remark("wrote", &path.display().to_string());
        }
        Ok(())
    }

    fn values(&self, usual: &[f64], most: f64, what: &str) -> Result<Vec<f64>> {
        let values = if self.at.is_empty() { usual } else { self.at };
        match values.iter().find(|v| !(**v > 0.0 && **v <= most)) {
            Some(wrong) => {
                Err(Error::new(format!("{what} must be above 0 and at most {most}, found {wrong}")).at("--at"))
            }
            None => Ok(values.to_vec()),
        }
    }

    fn rates(&self) -> Result<Vec<Point>> {
        let rates = self.values(&[0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0], 100.0, "rates")?;
        let sizes = self.settings.neurons.map_or(vec![512, 2048], |neurons| vec![neurons]);
        let mut points = Vec::new();
        for neurons in sizes {
            let bounds = roofline::bounds(neurons);
            let mut last: Option<(f64, f64)> = None;
            for &rate in &rates {
                let case =
                    self.network.case(&Settings { neurons: Some(neurons), input_rate: Some(rate), ..self.settings })?;
                let least = SPIKES / (rate * case.dt / 1e3 * neurons as f64);
                let steps = self.steps.unwrap_or_else(|| (least as u32).clamp(case.steps, 20 * case.steps));
                let plan = Plan { steps, runs: self.runs };
                let mut timed = Timed::new(&case, self.dtype, CompileOptions::default())?;
                // About how the weights go with the rate, as it turned out.
                let guess = last.map_or((20.0 / rate).clamp(0.2, 16.0), |(at, factor)| factor * (at / rate).sqrt());
                last = Some((rate, tune(&mut timed, Part::Inputs, rate, guess, plan)?.factor));
                points.push(self.point(&case, timed, plan, bounds)?);
            }
        }
        Ok(points)
    }

    fn sizes(&self) -> Result<Vec<Point>> {
        let usual = [128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0];
        let sizes = self.values(&usual, 65_536.0, "numbers of neurons")?;
        let point = |neurons: f64| {
            let case = self.network.case(&Settings { neurons: Some(neurons as usize), ..self.settings })?;
            let plan = Plan { steps: self.steps.unwrap_or(case.steps), runs: self.runs };
            let timed = Timed::new(&case, self.dtype, CompileOptions::default())?;
            self.point(&case, timed, plan, roofline::bounds(neurons as usize))
        };
        sizes.into_iter().map(point).collect()
    }

    /// Measures a network with all passes, dense, and bounds it.
    fn point<'c>(&self, case: &'c Case, timed: Timed<'c>, plan: Plan, bounds: Bounds) -> Result<Point> {
        let options = CompileOptions::default();
        let dense = EVENTS.iter().fold(options, |options, name| options.with(name, false).unwrap_or(options));
        let mut models = vec![timed];
        if case.neurons <= LARGEST_DENSE {
            let mut dense = Timed::new(case, self.dtype, dense)?;
            models[0].first().iter().for_each(|(path, values)| dense.begin_with(path, values.clone()));
            models.push(dense);
        }
        timing::time(&mut models, plan)?;
        let activity = models[0].count(plan)?;
        let micros = |timed: &Timed<'_>| timed.medians().1 / f64::from(plan.steps) * 1e6;
        let (step, dense) = (micros(&models[0]), models.get(1).map(micros));
        let per_step = |rate: f64| rate * case.dt / 1e3 * case.neurons as f64;
        let of_inputs = per_step(case.input_rate.unwrap_or_default());
        let bound = bounds.ms_per_step(per_step(activity.mean_rate), of_inputs) * 1e3;
        let report = Report { case, timed: &models[0], activity: &activity, plan, dtype: self.dtype, options };
        let mut line = report.json();
        line["dense_ms_per_step"] = json!(dense.map(|us| us / 1e3));
        line["bound_ms_per_step"] = json!(bound / 1e3);
        // Of all whose spikes arrive: half of them are inputs.
        let rate = f64::midpoint(activity.mean_rate, case.input_rate.unwrap_or_default());
        let (of_dense, ratio) = match dense {
            Some(dense) => (format!("{dense:.0}"), format!("{:.1}×", dense / step)),
            None => (String::new(), String::new()),
        };
        print(&format!(
            "| {} | {:.2} | {step:.1} | {of_dense} | {ratio} | {bound:.2} | {:.1}× |\n",
            case.neurons,
            activity.mean_rate,
            step / bound
        ))?;
        Ok(Point { neurons: case.neurons, rate, step, dense, bound, line })
    }

    fn rate_chart(&self, points: &[Point]) -> Result<String> {
        let mut sizes: Vec<usize> = points.iter().map(|point| point.neurons).collect();
        sizes.dedup();
        let mut curves = Vec::new();
        for (&neurons, color) in sizes.iter().zip([EXCITATORY, INHIBITORY]) {
            let of = |value: fn(&Point) -> Option<f64>| -> Vec<(f64, f64)> {
                let points = points.iter().filter(|point| point.neurons == neurons);
                points.filter_map(|point| Some((point.rate, value(point)?))).collect()
            };
            curves.extend(three(&format!("{neurons} neurons: "), color, of));
        }
        let title = format!("{}: time of a step over the firing rate", self.network.name());
        let x = AxisText { describe: "Firing rate of inputs and neurons (Hz)", base: 10.0 };
        chart(&title, &x, &MICROS, &curves)
    }

    fn size_chart(&self, points: &[Point], peers: &[Peer]) -> Result<String> {
        let of = |value: fn(&Point) -> Option<f64>| -> Vec<(f64, f64)> {
            points.iter().filter_map(|point| Some((point.neurons as f64, value(point)?))).collect()
        };
        let mut curves = three("", EXCITATORY, of);
        let mut names: Vec<&str> =
            peers.iter().filter(|peer| peer.benchmark == self.network.name()).map(|peer| peer.name.as_str()).collect();
        names.dedup();
        for (name, color) in names.into_iter().zip(PEERS) {
            let of_peer = peers.iter().filter(|p| p.name == name && p.benchmark == self.network.name());
            let points = of_peer.map(|p| (p.neurons, p.ms_per_step * 1e3)).collect();
            curves.push(Curve { name: name.to_string(), color, stroke: Stroke::Squares, points });
        }
        let title = format!("{}: time of a step over the number of neurons, at about 10 Hz", self.network.name());
        let x = AxisText { describe: "Neurons of the pool (two synapses per pair of neurons)", base: 2.0 };
        chart(&title, &x, &MICROS, &curves)
    }
}

const MICROS: AxisText = AxisText { describe: "Time of a step (µs)", base: 10.0 };

/// The curves of one network: as compiled, dense, and the bound.
fn three(name: &str, color: RGBColor, of: impl Fn(fn(&Point) -> Option<f64>) -> Vec<(f64, f64)>) -> Vec<Curve> {
    let curve = |what: &str, color, stroke, points| Curve { name: format!("{name}{what}"), color, stroke, points };
    let lighter = |part: u8| part + (255 - part) / 2;
    let light = RGBColor(lighter(color.0), lighter(color.1), lighter(color.2));
    let bound = if name.is_empty() { INK } else { color };
    vec![
        curve("Spark, one core", color, Stroke::Solid, of(|point| Some(point.step))),
        curve("dense, every synapse", light, Stroke::Dashed, of(|point| point.dense)),
        curve("roofline of this machine", bound, Stroke::Dotted, of(|point| Some(point.bound))),
    ]
}

/// What another simulator took.
struct Peer {
    name: String,
    benchmark: String,
    neurons: f64,
    ms_per_step: f64,
}

/// Reads lines of JSON with `peer`, `benchmark`, `N` and `ms_per_step`; those of Spark itself and those without a time are passed
/// over.
fn read_peers(path: &Path) -> Result<Vec<Peer>> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::new(format!("cannot read: {e}")).in_file(path))?;
    let mut peers = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = |what: &str| Error::new(format!("line {}: {what}", number + 1)).at("--peers").in_file(path);
        let value: Value = serde_json::from_str(line).map_err(|e| wrong(&e.to_string()))?;
        let word = |name: &str| value[name].as_str().map(str::to_string);
        let known = (word("peer"), word("benchmark"), value["N"].as_f64());
        let (Some(name), Some(benchmark), Some(neurons)) = known else {
            return Err(wrong("no `peer`, `benchmark` and `N`"));
        };
        if let Some(ms_per_step) = value["ms_per_step"].as_f64().filter(|_| !name.starts_with("spark ")) {
            peers.push(Peer { name, benchmark, neurons, ms_per_step });
        }
    }
    Ok(peers)
}
