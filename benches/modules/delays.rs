//! Delays: a ring of past spikes, read at a place of its own for each neuron or synapse.

use crate::case::{
    Case, Entry, SIDE, Scalar, Tolerance, UNITS, inhibitory, model, numbers, sparse_spikes, spike_payload,
};
use spark::config::Config;
use spark::prelude::*;
use std::hint::black_box;

pub(crate) const CASES: &[Entry] =
    &[Entry::per_unit("NDelays", of_neurons), Entry::per_synapse("N2NDelays", between_neurons)];

struct Ring {
    /// One row of spikes per step, the latest at `position`.
    rows: Vec<Vec<bool>>,
    position: usize,
    spikes: Vec<bool>,
    /// Row-major over the presynaptic neurons, which are last.
    delays: Vec<usize>,
    delayed: Vec<bool>,
}

impl Scalar for Ring {
    #[inline(never)]
    fn step(&mut self) {
        let Ring { rows, position, spikes, delays, delayed } = black_box(self);
        *position = if *position + 1 == rows.len() { 0 } else { *position + 1 };
        rows[*position].copy_from_slice(spikes);
        let inputs = spikes.len();
        for (delays, delayed) in delays.chunks_exact(inputs).zip(delayed.chunks_exact_mut(inputs)) {
            for (i, (delay, delayed)) in delays.iter().zip(delayed).enumerate() {
                let row = if delay > position { *position + rows.len() - delay } else { *position - delay };
                *delayed = rows[row][i];
            }
        }
    }

    fn result(&self) -> Vec<f32> {
        numbers(&self.delayed)
    }
}

fn delays(config: impl Config, inputs: usize) -> Result<Case> {
    let (spikes, inhibitory) = (sparse_spikes(inputs), inhibitory(inputs));
    let given = || vec![("in_spikes", spike_payload(&spikes, &inhibitory))];
    // The delays it draws, from a model that is not timed.
    let shape = InputShape::new([inputs]).with_mask([inputs]);
    let mut drawn = Model::component(config.clone()).input("in_spikes", shape).record("kernel").build()?;
    let drawn = drawn.step(&given())?.get("kernel")?.value().to_i32();
    let delays: Vec<usize> = drawn.into_iter().map(|delay| delay as usize).collect();
    let longest = delays.iter().copied().max().unwrap_or(0);
    let delayed = vec![false; delays.len()];
    let rows = vec![vec![false; inputs]; longest + 1];
    Ok(Case {
        elements: delays.len(),
        model: model(config, given())?,
        scalar: Box::new(Ring { rows, position: 0, spikes, delays, delayed }),
        compared: "out_spikes",
        tolerance: Tolerance::Elements(0.0),
    })
}

fn of_neurons() -> Result<Case> {
    delays(NDelaysConfig::default(), UNITS)
}

fn between_neurons() -> Result<Case> {
    delays(N2NDelaysConfig::new(SIDE), SIDE)
}
