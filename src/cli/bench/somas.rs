//! Neurons without synapses: the parameters and constant currents of the pure update benchmarks of NEST, Brian2 and GeNN.
//!
//! Each neuron has its own current and first potential, drawn uniformly, so that they do not spike together. Steps are 0.1 ms.

use super::networks::{Case, Population};
use spark::config::Config;
use spark::prelude::*;
use spark::rng::Key;

/// Somas with currents uniform in `currents`, in pA, and potentials that begin uniform in `potentials`, in mV above rest.
fn somas(config: &impl Config, neurons: Option<usize>, currents: [f32; 2], potentials: [f32; 2]) -> Case {
    let neurons = neurons.unwrap_or(100_000);
    let drawn = |seed, [low, high]: [f32; 2]| Key::new(seed).uniform_f32_in(neurons, low, high);
    Case {
        name: String::new(),
        tree: config.to_tree(),
        inputs: vec![("current", drawn(1, currents).into())],
        states: vec![("potential", per_neuron(drawn(2, potentials)))],
        populations: vec![Population { name: "somas".into(), output: "spikes".into(), out_degree: 0 }],
        neurons,
        synapses: 0,
        dt: 0.1,
        scale: None,
        input_rate: None,
        steps: 1000,
        registered: &[],
    }
}

fn per_neuron(values: Vec<f32>) -> Array {
    Array::new(Shape::units(&[values.len()]), Data::F32(values)).expect("as many values as units")
}

/// τ = 20 ms, threshold 20 mV above rest and reset, 2 ms refractory; R·I from 15 to 30 mV.
pub(super) fn lif(neurons: Option<usize>) -> Case {
    let config = StrictRefractoryLeakySomaConfig::default().with_dt(0.1).with_cooldown(2.0).with_potential_reset(-60.0);
    somas(&config, neurons, [150.0, 300.0], [0.0, 20.0])
}

/// C = 281 pF, g_L = 30 nS, Δ = 2 mV, τ_w = 144 ms, a = 4 nS, b = 80.5 pA; spikes at 0 mV; explicit Euler.
pub(super) fn adex(neurons: Option<usize>) -> Case {
    let config = AdaptiveExponentialSomaConfig::default()
        .with_dt(0.1)
        .with_potential_rest(-70.6)
        .with_potential_reset(-70.6)
        .with_potential_tau(281.0 / 30.0)
        .with_resistance(1.0 / 30.0)
        .with_threshold(0.0)
        .with_rheobase_threshold(-50.4)
        .with_spike_slope(2.0)
        .with_adaptation_tau(144.0)
        .with_adaptation_delta(80.5)
        .with_adaptation_subthreshold(4.0);
    somas(&config, neurons, [500.0, 1500.0], [0.0, 10.0])
}

/// The channels of Traub and Miles, E_L = −60 mV; exponential Euler. Gates begin closed, inactivation at 1.
pub(super) fn hh(neurons: Option<usize>) -> Case {
    let config = HodgkinHuxleySomaConfig::default().with_dt(0.1).with_potential_rest(-60.0);
    let mut case = somas(&config, neurons, [0.0, 1000.0], [-5.0, 5.0]);
    let begin = |name, value| (name, per_neuron(vec![value; case.neurons]));
    let gates =
        [begin("sodium_activation", 0.0), begin("sodium_inactivation", 1.0), begin("potassium_activation", 0.0)];
    case.states.extend(gates);
    Case { steps: 200, ..case }
}
