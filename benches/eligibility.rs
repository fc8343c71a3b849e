//! µs per step of a user's rule with a trace per synapse: every synapse in every step, and those with a spike, in turns.

#[path = "../tests/support/eligibility.rs"]
mod eligibility;

use spark::prelude::*;
use spark_compiler::passes::CompileOptions;
use std::time::Instant;

const UNITS: usize = 512;
const INPUTS: usize = 1024;
const STEPS: usize = 500;
const ROUNDS: usize = 7;

/// Spikes of `count` neurons in `STEPS` steps of 1 ms at `rate` Hz.
fn spikes(count: usize, rate: f64, mut seed: u64) -> Vec<Vec<bool>> {
    let mut unit = || {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (seed >> 40) as f64 / (1u64 << 24) as f64
    };
    (0..STEPS).map(|_| (0..count).map(|_| unit() < rate / 1000.0).collect()).collect()
}

/// µs per step of one round.
fn round(model: &mut Model, spikes: &(Vec<Vec<bool>>, Vec<Vec<bool>>)) -> f64 {
    let inputs = |t: usize| [("in_spikes", spikes.0[t].clone().into()), ("post_spikes", spikes.1[t].clone().into())];
    let inputs: Vec<[(&str, HostPayload); 2]> = (0..STEPS).map(inputs).collect();
    let start = Instant::now();
    for inputs in &inputs {
        model.step(inputs).expect("a step");
    }
    start.elapsed().as_secs_f64() * 1e6 / STEPS as f64
}

fn main() {
    println!("{} synapses, medians of {ROUNDS} paired rounds of {STEPS} steps, in µs per step", UNITS * INPUTS);
    println!("{:<10} {:>8} {:>10} {:>10} {:>8}", "delays", "Hz", "dense", "lazy", "ratio");
    for delayed in [false, true] {
        let build = |lazy_decay| {
            let options = CompileOptions { lazy_decay, ..CompileOptions::default() };
            let builder = Model::component(eligibility::synapses(UNITS, delayed)).options(options);
            builder.input("in_spikes", [INPUTS]).input("post_spikes", [UNITS]).build().expect("a model")
        };
        let (mut dense, mut lazy) = (build(false), build(true));
        for rate in [0.1, 1.0, 10.0, 40.0, 100.0, 200.0, 300.0, 1000.0] {
            let spikes = (spikes(INPUTS, rate, 1), spikes(UNITS, rate, 2));
            let mut pairs: Vec<(f64, f64)> =
                (0..=ROUNDS).map(|_| (round(&mut dense, &spikes), round(&mut lazy, &spikes))).skip(1).collect();
            pairs.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
            let (a, b) = pairs[ROUNDS / 2];
            println!("{:<10} {rate:>8} {a:>10.1} {b:>10.1} {:>8.2}", if delayed { "each" } else { "none" }, a / b);
        }
    }
}
