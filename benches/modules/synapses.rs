//! Synapses: a loop over postsynaptic neurons around one over presynaptic ones, every synapse in every step.

use crate::case::{
    Case, Entry, SIDE, Scalar, Tolerance, inhibitory, model, numbers, signed, sparse_spikes, spike_payload,
};
use spark::config::Config;
use spark::prelude::*;
use std::hint::black_box;

pub(crate) const CASES: &[Entry] = &[
    Entry::per_synapse("LinearSynapses", linear),
    Entry::per_synapse("TracedSynapses", traced),
    Entry::per_synapse("RDTracedSynapses", rise_decay),
    Entry::per_synapse("RFSTracedSynapses", rise_fast_slow),
    Entry::per_synapse("ExponentialConductanceSynapses", exponential_conductance),
    Entry::per_synapse("AlphaConductanceSynapses", alpha_conductance),
    Entry::per_synapse("TsodyksMarkramSynapses", tsodyks_markram),
];

/// Synapses, and what they are given and give.
struct Synapses<S, F> {
    kernel: Vec<f32>,
    spikes: Vec<f32>,
    inhibitory: Vec<bool>,
    states: S,
    output: Vec<f32>,
    update: F,
}

/// What a step reads.
struct Given<'a> {
    kernel: &'a [f32],
    spikes: &'a [f32],
    inhibitory: &'a [bool],
}

impl Given<'_> {
    /// Presynaptic weights, one slice for each postsynaptic neuron.
    fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.kernel.chunks_exact(SIDE)
    }
}

impl<S, F: FnMut(Given<'_>, &mut S, &mut [f32])> Scalar for Synapses<S, F> {
    #[inline(never)]
    fn step(&mut self) {
        let Synapses { kernel, spikes, inhibitory, states, output, update } = black_box(self);
        update(Given { kernel, spikes, inhibitory }, states, output);
    }

    fn result(&self) -> Vec<f32> {
        self.output.clone()
    }
}

/// Synapses of the given kind between [`SIDE`] neurons on either side.
fn synapses<S: 'static>(
    config: impl Config,
    compared: &'static str,
    states: S,
    update: impl FnMut(Given<'_>, &mut S, &mut [f32]) + 'static,
) -> Result<Case> {
    let (spikes, inhibitory) = (sparse_spikes(SIDE), inhibitory(SIDE));
    let model = model(config, vec![("spikes", spike_payload(&spikes, &inhibitory))])?;
    let scalar = Synapses {
        kernel: model.state("kernel")?.to_f32(),
        spikes: signed(&spikes, &inhibitory),
        inhibitory,
        states,
        output: vec![0.0; SIDE],
        update,
    };
    Ok(Case { elements: SIDE * SIDE, model, scalar: Box::new(scalar), compared, tolerance: Tolerance::Elements(1e-4) })
}

fn units() -> Units {
    SIDE.into()
}

fn zeros<const N: usize>() -> Vec<[f32; N]> {
    vec![[0.0; N]; SIDE * SIDE]
}

fn decays<const N: usize>(taus: [f32; N]) -> [f32; N] {
    taus.map(|tau| (-1.0 / tau).exp())
}

fn linear() -> Result<Case> {
    synapses(LinearSynapsesConfig::new(units()), "currents", (), |given, _, currents| {
        for (current, row) in currents.iter_mut().zip(given.rows()) {
            *current = row.iter().zip(given.spikes).map(|(weight, spike)| weight * spike).sum();
        }
    })
}

/// Synapses with `N` exponential traces each, which `current` makes a current of.
fn filtered<const N: usize>(
    config: impl Config,
    taus: [f32; N],
    current: impl Fn([f32; N]) -> f32 + 'static,
) -> Result<Case> {
    let decays = decays(taus);
    synapses(config, "currents", zeros::<N>(), move |given, traces, currents| {
        for ((current_of, row), traces) in currents.iter_mut().zip(given.rows()).zip(traces.chunks_exact_mut(SIDE)) {
            let mut sum = 0.0;
            for ((weight, spike), traces) in row.iter().zip(given.spikes).zip(traces) {
                let arriving = weight * spike;
                for (trace, decay) in traces.iter_mut().zip(decays) {
                    *trace = decay * *trace + arriving;
                }
                sum += current(*traces);
            }
            *current_of = sum;
        }
    })
}

fn traced() -> Result<Case> {
    filtered(TracedSynapsesConfig::new(units()), [5.0], |[trace]| trace)
}

fn rise_decay() -> Result<Case> {
    filtered(RDTracedSynapsesConfig::new(units()), [5.0 / 6.0, 5.0], |[rise, decay]| decay - rise)
}

fn rise_fast_slow() -> Result<Case> {
    let taus = [5.0 / 6.0, 5.0, 50.0 / 51.0, 50.0];
    filtered(RFSTracedSynapsesConfig::new(units()), taus, |[rise_fast, fast, rise_slow, slow]| {
        0.8 * (fast - rise_fast) + 0.2 * (slow - rise_slow)
    })
}

/// What opens at each postsynaptic neuron, by the sign of the presynaptic ones; `update` makes conductances of it.
fn conductances<S: 'static>(
    config: impl Config,
    states: S,
    mut update: impl FnMut(usize, &mut S, [f32; 2]) -> f32 + 'static,
) -> Result<Case> {
    synapses(config, "excitatory", states, move |given, states, output| {
        for (post, (output, row)) in output.iter_mut().zip(given.rows()).enumerate() {
            let (mut excitatory, mut inhibitory) = (0.0, 0.0);
            for ((weight, spike), is_inhibitory) in row.iter().zip(given.spikes).zip(given.inhibitory) {
                if *is_inhibitory {
                    inhibitory += weight * spike.abs();
                } else {
                    excitatory += weight * spike;
                }
            }
            *output = update(post, states, [excitatory, inhibitory]);
        }
    })
}

fn exponential_conductance() -> Result<Case> {
    let decays = decays([5.0, 10.0]);
    let config = ExponentialConductanceSynapsesConfig::new(units());
    conductances(config, vec![[0.0; 2]; SIDE], move |post, traces, opened| {
        for ((trace, decay), opened) in traces[post].iter_mut().zip(decays).zip(opened) {
            *trace = decay * *trace + opened;
        }
        traces[post][0]
    })
}

fn alpha_conductance() -> Result<Case> {
    let taus = [5.0f32, 10.0];
    let (decays, scales) = (decays(taus), taus.map(|tau| std::f32::consts::E / tau));
    let config = AlphaConductanceSynapsesConfig::new(units());
    conductances(config, vec![[(0.0, 0.0); 2]; SIDE], move |post, traces, opened| {
        for (kind, (trace, rise)) in traces[post].iter_mut().enumerate() {
            *trace = decays[kind] * (*trace + *rise);
            *rise = decays[kind] * *rise + scales[kind] * opened[kind];
        }
        traces[post][0].0
    })
}

/// Resources and utilisation of each presynaptic neuron, what it releases, and the current of each postsynaptic one.
struct Depressing {
    resources: Vec<f32>,
    utilisation: Vec<f32>,
    released: Vec<f32>,
    currents: Vec<f32>,
}

fn tsodyks_markram() -> Result<Case> {
    let full = |value| vec![value; SIDE];
    let states = Depressing { resources: full(1.0), utilisation: full(0.0), released: full(0.0), currents: full(0.0) };
    // Without facilitation, the default, utilisation is gone after a step.
    let (recovery, kept, decay) = (1.0 - (-1.0f32 / 800.0).exp(), 0.0, (-1.0f32 / 3.0).exp());
    let arrived = numbers(&sparse_spikes(SIDE));
    synapses(TsodyksMarkramSynapsesConfig::new(units()), "currents", states, move |given, states, currents| {
        for (pre, arrived) in arrived.iter().enumerate() {
            let faded = kept * states.utilisation[pre];
            let recovered = states.resources[pre] + recovery * (1.0 - states.resources[pre]);
            states.utilisation[pre] = faded + 0.5 * (1.0 - faded) * arrived;
            states.released[pre] = states.utilisation[pre] * recovered * arrived;
            states.resources[pre] = recovered - states.released[pre];
        }
        for (post, row) in given.rows().enumerate() {
            let mut sum = 0.0;
            for ((weight, spike), released) in row.iter().zip(given.spikes).zip(&states.released) {
                sum += weight * spike * released;
            }
            states.currents[post] = decay * states.currents[post] + sum;
            currents[post] = states.currents[post];
        }
    })
}
