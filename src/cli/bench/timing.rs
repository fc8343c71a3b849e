//! Timing: models take turns, a run is so many steps with nothing read in between, and figures are medians over runs.
//!
//! Spikes are counted afterwards, in the same steps done again from the same state, so that counting disturbs no clock.

use super::networks::Case;
use spark::error::{Error, Result};
use spark::prelude::*;
use spark_compiler::passes::CompileOptions;
use std::time::Instant;

/// How much is run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// Steps of a run. As many are done before the first one, untimed.
    pub(super) steps: u32,
    pub(super) runs: u32,
}

/// A model to be timed.
pub(super) struct Timed<'a> {
    case: &'a Case,
    pub(super) model: Model,
    /// States to begin with, where these are not those of the configuration.
    first: Vec<(String, Array)>,
    pub(super) build_s: f64,
    pub(super) compile_s: f64,
    /// Wall and CPU time of each run, in s.
    wall: Vec<f64>,
    cpu: Vec<f64>,
}

/// What spiked in the runs that were timed.
#[derive(Clone, Debug, Default)]
pub(super) struct Activity {
    /// Rates in Hz, of each population, or of its excitatory and inhibitory neurons.
    pub(super) rates: Vec<(String, f64)>,
    /// Mean rate of all neurons, in Hz.
    pub(super) mean_rate: f64,
    /// Spikes of all runs.
    pub(super) spikes: u64,
    /// Synapses that they arrive at.
    pub(super) events: u64,
    /// Mean over neurons with at least five spikes of sd/mean of the intervals between them.
    pub(super) cv_isi: Option<f64>,
}

impl<'a> Timed<'a> {
    /// Builds and compiles the network.
    ///
    /// # Errors
    /// If it cannot be built.
    pub(super) fn new(case: &'a Case, dtype: DType, options: CompileOptions) -> Result<Timed<'a>> {
        let start = Instant::now();
        let model = case.builder().dtype(dtype).options(options).build()?;
        let (all, compile_s) = (start.elapsed().as_secs_f64(), model.timings().compile.as_secs_f64());
        let build_s = all - compile_s;
        let first = case.states.iter().map(|(path, values)| (path.to_string(), values.clone())).collect();
        let timed = Timed { case, model, first, build_s, compile_s, wall: Vec::new(), cpu: Vec::new() };
        Ok(timed)
    }

    /// Back to the first state.
    ///
    /// # Errors
    /// If the network has not the states and inputs of its case.
    pub(super) fn start(&mut self) -> Result<()> {
        self.model.reset();
        self.first.iter().try_for_each(|(path, values)| self.model.set_state(path, values))?;
        self.model.set_inputs(&self.case.inputs)
    }

    /// Has the state at `path` begin with `values`, from the next start on.
    pub(super) fn begin_with(&mut self, path: &str, values: Array) {
        self.first.retain(|(known, _)| known != path);
        self.first.push((path.to_string(), values));
    }

    /// The states to begin with that are not those of the configuration.
    pub(super) fn first(&self) -> &[(String, Array)] {
        &self.first
    }

    /// Runs `steps` steps.
    fn run(&mut self, steps: u32) -> Result<()> {
        let kernel = self.model.instance_mut().ok_or_else(|| Error::new("only compiled models are timed"))?;
        (0..steps).for_each(|_| kernel.step());
        Ok(())
    }

    fn timed_run(&mut self, steps: u32) -> Result<()> {
        let (start, before) = (Instant::now(), cpu_seconds());
        self.run(steps)?;
        self.wall.push(start.elapsed().as_secs_f64());
        self.cpu.push(cpu_seconds() - before);
        Ok(())
    }

    /// Medians of wall and CPU time of a run, in s.
    pub(super) fn medians(&self) -> (f64, f64) {
        (median(&self.wall), median(&self.cpu))
    }

    /// Wall time of each run, in s.
    pub(super) fn wall(&self) -> &[f64] {
        &self.wall
    }

    /// Bytes of the model's arrays.
    pub(super) fn memory_bytes(&self) -> usize {
        self.model.instance().map_or(0, |instance| instance.kernel().stats().memory_bytes)
    }

    /// Counts the spikes of the runs: does them again from the first state.
    ///
    /// # Errors
    /// If an output is not there.
    pub(super) fn count(&mut self, plan: Plan) -> Result<Activity> {
        self.start()?;
        self.run(plan.steps)?;
        let steps = plan.steps * plan.runs;
        let mut trains: Vec<Vec<Train>> = vec![Vec::new(); self.case.populations.len()];
        let mut masks: Vec<Vec<bool>> = vec![Vec::new(); trains.len()];
        for step in 0..steps {
            let outputs = self.model.advance()?;
            for ((population, trains), mask) in self.case.populations.iter().zip(&mut trains).zip(&mut masks) {
                let payload = outputs.get(&population.output)?;
                let fired = payload.value().to_bool();
                trains.resize_with(fired.len(), Train::default);
                trains.iter_mut().zip(&fired).filter(|(_, fired)| **fired).for_each(|(train, _)| train.spike(step));
                if step == 0 {
                    *mask = payload.inhibition_mask().map_or_else(Vec::new, |mask| mask.to_bool());
                }
            }
        }
        let seconds = f64::from(steps) * self.case.dt / 1e3;
        Ok(self.activity(&trains, &masks, seconds))
    }

    fn activity(&self, trains: &[Vec<Train>], masks: &[Vec<bool>], seconds: f64) -> Activity {
        let mut activity = Activity::default();
        for ((population, trains), mask) in self.case.populations.iter().zip(trains).zip(masks) {
            let of = |inhibitory: Option<bool>| -> (u64, f64) {
                let counts = |i: usize| inhibitory.is_none_or(|only| mask.get(i) == Some(&only));
                let spikes = trains.iter().enumerate().filter(|(i, _)| counts(*i)).map(|(_, t)| u64::from(t.spikes));
                let (n, spikes) = spikes.fold((0u32, 0), |(n, sum), spikes| (n + 1, sum + spikes));
                (spikes, spikes as f64 / (f64::from(n.max(1)) * seconds))
            };
            let (spikes, rate) = of(None);
            if mask.contains(&true) && mask.contains(&false) {
                activity.rates.push((format!("{}, excitatory", population.name), of(Some(false)).1));
                activity.rates.push((format!("{}, inhibitory", population.name), of(Some(true)).1));
            } else {
                activity.rates.push((population.name.clone(), rate));
            }
            activity.spikes += spikes;
            activity.events += spikes * population.out_degree as u64;
        }
        let neurons = trains.iter().flatten().count().max(1);
        activity.mean_rate = activity.spikes as f64 / (neurons as f64 * seconds);
        let cvs: Vec<f64> = trains.iter().flatten().filter_map(Train::cv).collect();
        activity.cv_isi = (!cvs.is_empty()).then(|| cvs.iter().sum::<f64>() / cvs.len() as f64);
        activity
    }
}

/// Times models in turn, from their first states: all do a first run untimed, then each does one at a time.
///
/// # Errors
/// If a model cannot be run.
pub(super) fn time(models: &mut [Timed<'_>], plan: Plan) -> Result<()> {
    for model in &mut *models {
        model.start()?;
        model.run(plan.steps)?;
    }
    for _ in 0..plan.runs {
        models.iter_mut().try_for_each(|model| model.timed_run(plan.steps))?;
    }
    Ok(())
}

/// The spikes of a neuron.
#[derive(Clone, Copy, Debug, Default)]
struct Train {
    spikes: u32,
    last: u32,
    /// Sum of the intervals, and of their squares.
    sum: f64,
    squares: f64,
}

impl Train {
    fn spike(&mut self, step: u32) {
        if self.spikes > 0 {
            let interval = f64::from(step - self.last);
            self.sum += interval;
            self.squares += interval * interval;
        }
        self.last = step;
        self.spikes += 1;
    }

    fn cv(&self) -> Option<f64> {
        let intervals = f64::from(self.spikes.checked_sub(1).filter(|&n| n >= 4)?);
        let mean = self.sum / intervals;
        Some((self.squares / intervals - mean * mean).max(0.0).sqrt() / mean)
    }
}

/// The value in the middle; 0 if there is none.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

fn cpu_seconds() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9
}
