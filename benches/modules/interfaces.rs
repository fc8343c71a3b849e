//! Interfaces: sources, spikers, what joins and samples, and the integrator.

use crate::case::{Case, Entry, SIDE, Scalar, Tolerance, UNITS, model, sparse_spikes, spread};
use crate::random::{Chain, threefry, uniform};
use crate::somas::soma;
use spark::config::Config;
use spark::prelude::*;
use std::f32::consts::{PI, TAU};
use std::hint::black_box;

pub(crate) const CASES: &[Entry] = &[
    Entry::per_unit("CurrentSource", current_source),
    Entry::per_unit("PoissonSource", poisson_source),
    Entry::per_unit("PoissonSpiker", poisson_spiker),
    Entry::per_unit("TopologicalPoissonSpiker", || topological_poisson_spiker(false)),
    Entry { variant: "(glued)", ..Entry::per_unit("TopologicalPoissonSpiker", || topological_poisson_spiker(true)) },
    Entry::per_unit("LinearSpiker", linear_spiker),
    Entry::per_unit("TopologicalLinearSpiker", || topological_linear_spiker(false)),
    Entry { variant: "(glued)", ..Entry::per_unit("TopologicalLinearSpiker", || topological_linear_spiker(true)) },
    Entry::per_unit("ExponentialIntegrator", exponential_integrator),
    Entry::per_unit("Concat", concat),
    Entry::per_unit("ConcatReshape", concat_reshape),
    Entry::per_unit("Sampler", sampler),
];

/// Units of a topological spiker for each number it codes.
const RESOLUTION: usize = 64;

/// Input, states and output of a loop.
struct Loop<S, F> {
    input: Vec<f32>,
    states: S,
    output: Vec<f32>,
    update: F,
}

impl<S, F: FnMut(&[f32], &mut S, &mut Vec<f32>)> Scalar for Loop<S, F> {
    #[inline(never)]
    fn step(&mut self) {
        let Loop { input, states, output, update } = black_box(self);
        update(input, states, output);
    }

    fn result(&self) -> Vec<f32> {
        self.output.clone()
    }
}

/// A module of [`UNITS`] units or inputs. `update` writes what is compared: an output, or a state that begins at 0.
fn interface<S: 'static>(
    model: Model,
    (compared, tolerance): (&'static str, Tolerance),
    input: Vec<f32>,
    states: S,
    update: impl FnMut(&[f32], &mut S, &mut Vec<f32>) + 'static,
) -> Case {
    let scalar = Box::new(Loop { input, states, output: vec![0.0; UNITS], update });
    Case { elements: UNITS, model, scalar, compared, tolerance }
}

const EXACT: Tolerance = Tolerance::Elements(0.0);

fn current_source() -> Result<Case> {
    let config = CurrentSourceConfig::new(UNITS).with_dc(100.0).with_noise_std(10.0);
    let model = model(config, vec![])?;
    let checked = ("currents", Tolerance::Mean(0.01));
    Ok(interface(model, checked, vec![], 0, |_, step: &mut u32, currents| {
        let key = threefry([0, 42], [0, *step]);
        *step += 1;
        let [radii, angles] = [threefry(key, [0, 0]), threefry(key, [0, 1])];
        for (i, current) in currents.iter_mut().enumerate() {
            let radius = (-2.0 * (1.0 - uniform(radii, i)).ln()).sqrt();
            *current = 100.0 + 10.0 * radius * (TAU * uniform(angles, i)).cos();
        }
    }))
}

/// What a Poisson source gives beside its currents.
struct Events {
    step: u32,
    counts: Vec<i32>,
    spikes: Vec<u32>,
}

fn poisson_source() -> Result<Case> {
    let model = model(PoissonSourceConfig::new(UNITS).with_weight(2.0), vec![])?;
    let events = Events { step: 0, counts: vec![0; UNITS], spikes: Vec::with_capacity(UNITS) };
    // 100 Hz are 0.1 events in a step.
    let none = (-0.1f32).exp();
    let checked = ("currents", Tolerance::Mean(0.1));
    Ok(interface(model, checked, vec![], events, move |_, events, currents| {
        let key = threefry([0, 42], [0, events.step]);
        events.step += 1;
        events.spikes.clear();
        for (i, (current, count)) in currents.iter_mut().zip(&mut events.counts).enumerate() {
            let draw = uniform(key, i);
            // Inversion: the first number whose cumulative probability exceeds the draw.
            let (mut k, mut probability, mut sum) = (0, none, none);
            while draw > sum && probability > 1e-12 {
                k += 1;
                probability *= 0.1 / k as f32;
                sum += probability;
            }
            *count = k;
            *current = 2.0 * k as f32;
            if k > 0 {
                events.spikes.push(i as u32);
            }
        }
    }))
}

fn poisson_spiker() -> Result<Case> {
    let signal = spread(UNITS, 0.0, 1.0);
    let model = model(PoissonSpikerConfig::default(), vec![("signal", signal.clone().into())])?;
    let chain = Chain::of(&model)?;
    Ok(interface(model, ("spikes", EXACT), signal, chain, |signal, chain, spikes| {
        let key = chain.next();
        for (i, (spike, signal)) in spikes.iter_mut().zip(signal).enumerate() {
            *spike = if uniform(key, i) < 0.1 * signal { 1.0 } else { 0.0 };
        }
    }))
}

/// What drives the units of a topological spiker, which stand at equal distances, on a line or on a ring.
fn tuned(signal: f32, unit: usize, glued: bool) -> f32 {
    let position = PI * unit as f32 / (RESOLUTION - 1) as f32;
    let distance = if glued { (position + PI * signal).sin() } else { (position - PI * signal).tanh() };
    (-16.0 * distance * distance).exp()
}

/// A topological spiker and its signal.
fn topological(config: impl Config) -> Result<(Model, Vec<f32>)> {
    let signal = spread(UNITS / RESOLUTION, 0.0, 1.0);
    Ok((model(config, vec![("signal", signal.clone().into())])?, signal))
}

fn topological_poisson_spiker(glued: bool) -> Result<Case> {
    let config = TopologicalPoissonSpikerConfig::default().with_glue(i32::from(glued));
    let (model, signal) = topological(config)?;
    let chain = Chain::of(&model)?;
    Ok(interface(model, ("spikes", EXACT_BUT_ROUNDING), signal, chain, move |signal, chain, spikes| {
        let key = chain.next();
        for (i, (signal, spikes)) in signal.iter().zip(spikes.chunks_exact_mut(RESOLUTION)).enumerate() {
            for (unit, spike) in spikes.iter_mut().enumerate() {
                let rate = 0.1 * tuned(*signal, unit, glued);
                *spike = if uniform(key, i * RESOLUTION + unit) < rate { 1.0 } else { 0.0 };
            }
        }
    }))
}

/// Spikes agree but for those that rounding moves.
const EXACT_BUT_ROUNDING: Tolerance = Tolerance::Elements(1e-3);

/// A unit of a linear spiker with its default parameters.
#[derive(Clone, Copy)]
struct Linear {
    decay: f32,
    gain: f32,
}

impl Linear {
    fn new() -> Linear {
        let decay = (-1.0f32 / 100.0).exp();
        // A signal of 1 reaches the threshold 8 ms after a refractory period of 2 ms.
        Linear { decay, gain: 100.0 * (1.0 - decay) * (1.0 / ((8.0f32 / 100.0).exp() - 1.0) + 1.0) }
    }

    /// One step; `refractory` is the time since the last spike. Whether it fires.
    fn advance(self, potential: &mut f32, refractory: &mut f32, signal: f32) -> bool {
        let drive = if *refractory >= 2.0 { self.gain * signal } else { 0.0 };
        *potential = (self.decay * *potential + drive).clamp(-1e30, 1e30);
        let fires = *potential > 100.0;
        *refractory += 1.0;
        if fires {
            (*potential, *refractory) = (0.0, 0.0);
        }
        fires
    }
}

fn linear_spiker() -> Result<Case> {
    let unit = Linear::new();
    soma(LinearSpikerConfig::default(), [("signal", 0.0, 1.0)], 2.0, move |potential, refractory, [signal]| {
        unit.advance(potential, refractory, signal)
    })
}

fn topological_linear_spiker(glued: bool) -> Result<Case> {
    let config = TopologicalLinearSpikerConfig::default().with_glue(i32::from(glued));
    let (model, signal) = topological(config)?;
    let (unit, states) = (Linear::new(), (vec![2.0; UNITS], Vec::with_capacity(UNITS)));
    let checked = ("potential", Tolerance::Elements(1e-3));
    Ok(interface(model, checked, signal, states, move |signal, (refractory, spikes), potentials| {
        spikes.clear();
        let rows = refractory.chunks_exact_mut(RESOLUTION).zip(potentials.chunks_exact_mut(RESOLUTION));
        for (row, (signal, (refractory, potentials))) in signal.iter().zip(rows).enumerate() {
            for (i, (refractory, potential)) in refractory.iter_mut().zip(potentials).enumerate() {
                if unit.advance(potential, refractory, tuned(*signal, i, glued)) {
                    spikes.push((row * RESOLUTION + i) as u32);
                }
            }
        }
    }))
}

fn exponential_integrator() -> Result<Case> {
    const OUTPUTS: usize = 16;
    let spikes = sparse_spikes(UNITS);
    // Without shuffling, each output integrates the spikes of as many neighbours.
    let map: Vec<usize> = (0..UNITS).map(|i| (i * 7) % OUTPUTS).collect();
    let given: Vec<f64> = map.iter().map(|&output| output as f64).collect();
    let given = Array::new(Shape::units(&[UNITS]), Data::F64(given)).map_err(|e| Error::new(e.to_string()))?;
    let config = ExponentialIntegratorConfig::new(OUTPUTS).with_output_map(given);
    let model = model(config, vec![("spikes", spikes.clone().into())])?;
    let [rise, slow] = [5.0f32 * 10.0 / 15.0, 10.0].map(|tau| (-1.0 / tau).exp());
    let scale = 1000.0 / 50.0 / (5.0 * (UNITS / OUTPUTS) as f32);
    let states = ([[0.0f32; 2]; OUTPUTS], spikes);
    Ok(interface(model, ("signal", Tolerance::Elements(1e-4)), vec![], states, move |_, (traces, spikes), signal| {
        let mut counts = [0.0; OUTPUTS];
        for (spike, output) in spikes.iter().zip(&map) {
            if *spike {
                counts[*output] += 1.0;
            }
        }
        signal.clear();
        for ([fast_trace, slow_trace], count) in traces.iter_mut().zip(counts) {
            *fast_trace = rise * *fast_trace + scale * count;
            *slow_trace = slow * *slow_trace + 0.1 * count;
            signal.push(*slow_trace - *fast_trace);
        }
    }))
}

/// Two sources of half the units each.
fn joined(config: impl Config) -> Result<Case> {
    let halves = [spread(UNITS / 2, 0.0, 1.0), spread(UNITS / 2, 2.0, 3.0)];
    let inputs = ["inputs[0]", "inputs[1]"].into_iter().zip(halves.iter().map(|half| half.clone().into()));
    let model = model(config, inputs.collect())?;
    Ok(interface(model, ("output", EXACT), vec![], halves, |_, halves, output| {
        output.clear();
        for half in halves {
            for value in half.iter() {
                output.push(*value);
            }
        }
    }))
}

fn concat() -> Result<Case> {
    joined(ConcatConfig::default())
}

fn concat_reshape() -> Result<Case> {
    joined(ConcatReshapeConfig::new(vec![SIDE / 2, UNITS / (SIDE / 2)]))
}

fn sampler() -> Result<Case> {
    let (config, input) = (SamplerConfig::new(UNITS), spread(UNITS, 0.0, 1.0));
    // The places it draws, from a model that is not timed.
    let mut drawn = Model::component(config.clone()).input("inputs", [UNITS]).record("indices").build()?;
    let drawn = drawn.step(&[("inputs", input.clone().into())])?.get("indices")?.value().to_i32();
    let model = model(config, vec![("inputs", input.clone().into())])?;
    Ok(interface(model, ("output", EXACT), input, drawn, |input, places, output| {
        for (value, place) in output.iter_mut().zip(places) {
            *value = input[*place as usize];
        }
    }))
}
