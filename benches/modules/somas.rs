//! Somas: one struct per neuron, spikes in a list.

use crate::case::{Case, Entry, Scalar, Tolerance, UNITS, model, spread};
use spark::config::Config;
use spark::prelude::*;
use std::hint::black_box;

pub(crate) const CASES: &[Entry] = &[
    Entry::per_unit("LeakySoma", leaky),
    Entry::per_unit("RefractoryLeakySoma", refractory_leaky),
    Entry::per_unit("StrictRefractoryLeakySoma", strict_refractory_leaky),
    Entry::per_unit("AdaptiveLeakySoma", adaptive_leaky),
    Entry::per_unit("AdaptiveCurrentLeakySoma", adaptive_current_leaky),
    Entry::per_unit("ConductanceLeakySoma", conductance_leaky),
    Entry::per_unit("DeltaPSCSoma", delta_psc),
    Entry::per_unit("ExponentialPSCSoma", exponential_psc),
    Entry::per_unit("AlphaPSCSoma", alpha_psc),
    Entry::per_unit("ExponentialSoma", exponential),
    Entry::per_unit("RefractoryExponentialSoma", refractory_exponential),
    Entry::per_unit("SimplifiedAdaptiveExponentialSoma", simplified_adaptive_exponential),
    Entry::per_unit("AdaptiveExponentialSoma", adaptive_exponential),
    Entry::per_unit("IzhikevichSoma", izhikevich),
    Entry::per_unit("HodgkinHuxleySoma", hodgkin_huxley),
];

/// A neuron: its potential, relative to rest, and its other states.
struct Neuron<S> {
    potential: f32,
    states: S,
}

struct Population<S, F, const K: usize> {
    neurons: Vec<Neuron<S>>,
    inputs: [Vec<f32>; K],
    spikes: Vec<u32>,
    update: F,
}

impl<S, F: Fn(&mut f32, &mut S, [f32; K]) -> bool, const K: usize> Scalar for Population<S, F, K> {
    #[inline(never)]
    fn step(&mut self) {
        let Population { neurons, inputs, spikes, update } = black_box(self);
        spikes.clear();
        for (i, neuron) in neurons.iter_mut().enumerate() {
            let arriving = std::array::from_fn(|k| inputs[k][i]);
            if update(&mut neuron.potential, &mut neuron.states, arriving) {
                spikes.push(i as u32);
            }
        }
    }

    fn result(&self) -> Vec<f32> {
        self.neurons.iter().map(|neuron| neuron.potential).collect()
    }
}

/// A soma with inputs between bounds on its ports; `update` changes a neuron and tells whether it spikes.
pub(crate) fn soma<S: Clone + 'static, const K: usize>(
    config: impl Config,
    ports: [(&'static str, f32, f32); K],
    states: S,
    update: impl Fn(&mut f32, &mut S, [f32; K]) -> bool + 'static,
) -> Result<Case> {
    let inputs = ports.map(|(_, low, high)| spread(UNITS, low, high));
    let given = ports.iter().zip(&inputs).map(|((port, ..), values)| (*port, values.clone().into()));
    Ok(Case {
        elements: UNITS,
        model: model(config, given.collect())?,
        scalar: Box::new(Population {
            neurons: (0..UNITS).map(|_| Neuron { potential: 0.0, states: states.clone() }).collect(),
            inputs,
            spikes: Vec::with_capacity(UNITS),
            update,
        }),
        compared: "potential",
        tolerance: Tolerance::Elements(1e-3),
    })
}

/// A leaky membrane, integrated exactly.
#[derive(Clone, Copy)]
struct Leak {
    decay: f32,
    gain: f32,
    reset: f32,
    threshold: f32,
}

impl Leak {
    fn new(tau: f32, resistance: f32, reset: f32, threshold: f32) -> Leak {
        let decay = (-1.0 / tau).exp();
        Leak { decay, gain: (1.0 - decay) * resistance, reset, threshold }
    }

    fn advance(&self, v: &mut f32, current: f32) {
        *v = self.decay * *v + self.gain * current;
    }

    fn fires(&self, v: &mut f32) -> bool {
        let fires = *v > self.threshold;
        if fires {
            *v = self.reset;
        }
        fires
    }
}

/// Defaults of the leaky somas.
fn leak() -> Leak {
    Leak::new(20.0, 0.1, 10.0, 20.0)
}

/// Defaults of the somas with postsynaptic currents.
fn psc_leak() -> Leak {
    Leak::new(10.0, 0.04, 0.0, 15.0)
}

/// An exponential membrane, by the Euler method; defaults of the exponential somas.
fn upstroke(v: &mut f32, current: f32) {
    let exponential = 2.0 * ((*v - 20.0) / 2.0).min(87.0).exp();
    *v += 0.2 * (exponential - *v + 0.5 * current);
}

/// Defaults of the exponential somas: spike above 40 mV, back to 19 mV.
fn past_upstroke(v: &mut f32, threshold: f32) -> bool {
    let fires = *v > threshold;
    if fires {
        *v = 19.0;
    }
    fires
}

/// Steps since the last spike; two steps of refractoriness.
#[derive(Clone, Copy)]
struct Refractory(i32);

impl Refractory {
    fn count(&mut self, fires: bool) {
        self.0 = if fires { 0 } else { self.0 + 1 };
    }
}

const CURRENT: [(&str, f32, f32); 1] = [("current", 150.0, 500.0)];
const RESTED: Refractory = Refractory(2);

fn leaky() -> Result<Case> {
    let leak = leak();
    soma(LeakySomaConfig::default(), CURRENT, (), move |v, _, [current]| {
        leak.advance(v, current);
        leak.fires(v)
    })
}

fn refractory_leaky() -> Result<Case> {
    let leak = leak();
    soma(RefractoryLeakySomaConfig::default(), CURRENT, RESTED, move |v, refractory, [current]| {
        let ready = refractory.0 > 2;
        leak.advance(v, if ready { current } else { 0.0 });
        let fires = ready && leak.fires(v);
        refractory.count(fires);
        fires
    })
}

fn strict_refractory_leaky() -> Result<Case> {
    let leak = leak();
    soma(StrictRefractoryLeakySomaConfig::default(), CURRENT, RESTED, move |v, refractory, [current]| {
        let ready = refractory.0 >= 2;
        if ready {
            leak.advance(v, current);
        } else {
            *v = leak.reset;
        }
        let fires = ready && leak.fires(v);
        refractory.count(fires);
        fires
    })
}

fn adaptive_leaky() -> Result<Case> {
    let (leak, decay) = (leak(), (-1.0f32 / 20.0).exp());
    let states = (RESTED, leak.threshold);
    soma(AdaptiveLeakySomaConfig::default(), CURRENT, states, move |v, (refractory, threshold), [current]| {
        let ready = refractory.0 > 2;
        leak.advance(v, if ready { current } else { 0.0 });
        let fires = ready && *v > *threshold;
        *threshold = leak.threshold + decay * (*threshold - leak.threshold);
        if fires {
            *v = leak.reset;
            *threshold += 100.0;
        }
        refractory.count(fires);
        fires
    })
}

fn adaptive_current_leaky() -> Result<Case> {
    let (leak, scale) = (leak(), 1.0 - (-1.0f32 / 100.0).exp());
    soma(AdaptiveCurrentLeakySomaConfig::default(), CURRENT, 0.0, move |v, adaptation, [current]| {
        leak.advance(v, current - *adaptation);
        let fires = leak.fires(v);
        // Subthreshold adaptation is 0 by default.
        *adaptation += scale * (0.0 * *v - *adaptation);
        if fires {
            *adaptation += 20.0;
        }
        fires
    })
}

fn conductance_leaky() -> Result<Case> {
    let ports = [("excitatory", 5.0, 30.0), ("inhibitory", 0.0, 10.0), ("current", 0.0, 200.0)];
    soma(ConductanceLeakySomaConfig::default(), ports, RESTED, |v, refractory, [excitatory, inhibitory, current]| {
        let ready = refractory.0 >= 2;
        if ready {
            let total = 1.0 + 0.06 * (excitatory.abs() + inhibitory.abs());
            let target = 0.06 * (excitatory.abs() * 70.0 - inhibitory.abs() * 15.0 + current) / total;
            *v = target + (*v - target) * (-total / 15.0).exp();
        } else {
            *v = 10.0;
        }
        let fires = ready && *v > 15.0;
        if fires {
            *v = 10.0;
        }
        refractory.count(fires);
        fires
    })
}

/// What is common to somas with postsynaptic currents: `arriving` is added unless the neuron is refractory, and the
/// injected current acts from the next step on.
fn psc_step(
    leak: &Leak,
    v: &mut f32,
    refractory: &mut Refractory,
    held: &mut f32,
    arriving: f32,
    current: f32,
) -> bool {
    if refractory.0 >= 2 {
        leak.advance(v, *held);
        *v += arriving;
    }
    *held = current;
    let fires = *v >= leak.threshold;
    if fires {
        *v = leak.reset;
    }
    refractory.count(fires);
    fires
}

fn delta_psc() -> Result<Case> {
    let leak = psc_leak();
    let ports = [("weights", 0.0, 3.0), ("current", 0.0, 200.0)];
    soma(DeltaPSCSomaConfig::default(), ports, (RESTED, 0.0), move |v, (refractory, held), [weights, current]| {
        psc_step(&leak, v, refractory, held, weights, current)
    })
}

const PSC: [(&str, f32, f32); 3] = [("excitatory", 50.0, 400.0), ("inhibitory", -50.0, 0.0), ("current", 0.0, 200.0)];

fn exponential_psc() -> Result<Case> {
    let (leak, [fast, slow]) = (psc_leak(), [2.0f32, 10.0].map(|tau| (-1.0 / tau).exp()));
    // What a unit of synaptic current adds in a step: exact for time constants of 2 and 10 ms.
    let gain = 0.04 / 10.0 * (slow - fast) / (1.0 / 2.0 - 1.0 / 10.0);
    let states = (RESTED, 0.0, [0.0; 2]);
    soma(ExponentialPSCSomaConfig::default(), PSC, states, move |v, (refractory, held, currents), inputs| {
        let synaptic = gain * currents[0] + gain * currents[1];
        let fires = psc_step(&leak, v, refractory, held, synaptic, inputs[2]);
        for (current, input) in currents.iter_mut().zip(inputs) {
            *current = fast * *current + input;
        }
        fires
    })
}

fn alpha_psc() -> Result<Case> {
    let (leak, [fast, slow]) = (psc_leak(), [2.0f32, 10.0].map(|tau| (-1.0 / tau).exp()));
    let difference: f32 = 1.0 / 2.0 - 1.0 / 10.0;
    let gain = 0.04 / 10.0 * (slow - fast) / difference;
    let rise_gain = 0.04 / 10.0 * (slow - (1.0 + difference) * fast) / (difference * difference);
    let initial = std::f32::consts::E / 2.0;
    let states = (RESTED, 0.0, [(0.0, 0.0); 2]);
    soma(AlphaPSCSomaConfig::default(), PSC, states, move |v, (refractory, held, currents), inputs| {
        let charge = |(current, rise): (f32, f32)| gain * current + rise_gain * rise;
        let synaptic = charge(currents[0]) + charge(currents[1]);
        let fires = psc_step(&leak, v, refractory, held, synaptic, inputs[2]);
        for ((current, rise), input) in currents.iter_mut().zip(inputs) {
            *current = fast * (*current + *rise);
            *rise = fast * *rise + initial * input;
        }
        fires
    })
}

const EXPONENTIAL: [(&str, f32, f32); 1] = [("current", 30.0, 100.0)];

fn exponential() -> Result<Case> {
    soma(ExponentialSomaConfig::default(), EXPONENTIAL, (), |v, _, [current]| {
        upstroke(v, current);
        past_upstroke(v, 40.0)
    })
}

fn refractory_exponential() -> Result<Case> {
    soma(RefractoryExponentialSomaConfig::default(), EXPONENTIAL, RESTED, |v, refractory, [current]| {
        let ready = refractory.0 > 2;
        upstroke(v, if ready { current } else { 0.0 });
        let fires = ready && past_upstroke(v, 40.0);
        refractory.count(fires);
        fires
    })
}

fn simplified_adaptive_exponential() -> Result<Case> {
    let (config, decay) = (SimplifiedAdaptiveExponentialSomaConfig::default(), (-1.0f32 / 20.0).exp());
    soma(config, EXPONENTIAL, (RESTED, 40.0), move |v, (refractory, threshold), [current]| {
        let ready = refractory.0 > 2;
        upstroke(v, if ready { current } else { 0.0 });
        let fires = ready && past_upstroke(v, *threshold);
        *threshold = 40.0 + decay * (*threshold - 40.0);
        if fires {
            *threshold += 100.0;
        }
        refractory.count(fires);
        fires
    })
}

fn adaptive_exponential() -> Result<Case> {
    soma(AdaptiveExponentialSomaConfig::default(), EXPONENTIAL, 0.0, |v, adaptation, [current]| {
        upstroke(v, current - *adaptation);
        let fires = past_upstroke(v, 40.0);
        *adaptation += 0.01 * (0.5 * *v - *adaptation);
        if fires {
            *adaptation += 7.0;
        }
        fires
    })
}

fn izhikevich() -> Result<Case> {
    soma(IzhikevichSomaConfig::default(), [("current", 50.0, 150.0)], 0.0, |potential, recovery, [current]| {
        let v = *potential - 65.0;
        *potential += 0.04 * v * v + 5.0 * v + 140.0 + 0.1 * (current - *recovery);
        *recovery += 0.02 * (0.2 * (*potential - 65.0) - *recovery);
        let fires = *potential > 95.0;
        if fires {
            *potential = 0.0;
            *recovery += 2.0;
        }
        fires
    })
}

fn hodgkin_huxley() -> Result<Case> {
    /// Opening and closing rate of the gates m, h and n.
    fn rates(u: f32) -> [(f32, f32); 3] {
        // x/(eˣ − 1), whose value at 0 is 1.
        let quotient = |x: f32| if x.abs() < 1e-4 { 1.0 - 0.5 * x } else { x / (x.exp() - 1.0) };
        [
            (1.28 * quotient((13.0 - u) / 4.0), 1.4 * quotient((u - 40.0) / 5.0)),
            (0.128 * ((17.0 - u) / 18.0).exp(), 4.0 / (1.0 + ((40.0 - u) / 5.0).exp())),
            (0.16 * quotient((15.0 - u) / 5.0), 0.5 * ((10.0 - u) / 40.0).exp()),
        ]
    }
    // Rates count from −63 mV, 2 mV above rest.
    let gates = rates(-2.0).map(|(opening, closing)| opening / (opening + closing));
    soma(HodgkinHuxleySomaConfig::default(), [("current", 100.0, 1000.0)], gates, |v, gates, [current]| {
        for (gate, (opening, closing)) in gates.iter_mut().zip(rates(*v - 2.0)) {
            let steady = opening / (opening + closing);
            *gate = steady + (*gate - steady) * (-0.05 * (opening + closing)).exp();
        }
        let [m, h, n] = *gates;
        let (sodium, potassium) = (20_000.0 * m * m * m * h, 6_000.0 * n * n * n * n);
        let total = 10.0 + sodium + potassium;
        let target = (sodium * 115.0 - potassium * 25.0 + current) / total;
        let before = *v;
        *v = target + (before - target) * (-0.05 / 200.0 * total).exp();
        *v > 45.0 && before <= 45.0
    })
}
