//! A neuron put together from components: exponential synapses, a soma whose threshold adapts, and Hebbian plasticity.
//!
//! `cargo run --release --example neuron_from_parts`

use spark::prelude::*;
use spark::rng::Key;

const INPUTS: usize = 120;
const UNITS: usize = 40;
const STEPS: usize = 2000;

/// The population: what is in it, and what is connected to what.
fn neuron() -> Result<NeuronConfig> {
    let kernel = SparseUniform::default().with_scale(120.0).with_density(0.4);
    Neuron::builder([UNITS])
        .seed(3)
        .inhibitory_rate(0.0)
        .input("in_spikes")
        .module("delays", N2NDelaysConfig::new([UNITS]).with_max_delay(5.0))
        .module("synapses", TracedSynapsesConfig::new([UNITS]).with_kernel(kernel))
        .module("soma", AdaptiveLeakySomaConfig::default().with_potential_tau(15.0))
        .module("rule", HebbianRuleConfig::default().with_eta(0.5))
        .connect("in_spikes", "delays.in_spikes")
        .connect("delays.out_spikes", "synapses.spikes")
        .connect("synapses.currents", "soma.current")
        .connect("inhibition_mask", "soma.inhibition_mask")
        .connect("delays.out_spikes", "rule.pre_spikes")
        .connect("soma.spikes", "rule.post_spikes")
        .connect("synapses.kernel", "rule.kernel")
        .effect("rule.kernel", "synapses.kernel")
        .output("out_spikes", "soma.spikes")
        .build()
}

/// Runs it on Poisson input and prints what it does.
///
/// # Errors
/// If the model has a mistake.
pub(crate) fn main() -> Result<()> {
    let mut config = neuron()?;
    // Any parameter can be changed by its path.
    config.set("soma.threshold_tau", 80.0)?;
    let mut model = Model::component(config).input("in_spikes", [INPUTS]).build()?;
    println!("{}", model.inspect()?);

    let weight = |model: &Model| -> Result<f64> {
        let kernel = model.state("synapses.kernel")?.to_f64();
        Ok(kernel.iter().sum::<f64>() / kernel.len() as f64)
    };
    let before = weight(&model)?;
    let mut counts = [0; 4];
    for step in 0..STEPS {
        // 20 Hz at a step of 1 ms.
        let drawn: Vec<bool> = Key::new(step as u32).uniform_f32(INPUTS).iter().map(|u| *u < 0.02).collect();
        let outputs = model.step(&[("in_spikes", drawn.into())])?;
        counts[4 * step / STEPS] += outputs.spikes("out_spikes")?.iter().filter(|spike| **spike).count();
    }
    for (quarter, count) in counts.iter().enumerate() {
        let rate = *count as f64 / UNITS as f64 / (STEPS as f64 / 4.0 * 1e-3);
        println!("{:>4} ms: {rate:.1} Hz", quarter * STEPS / 4);
    }
    println!("the mean weight went from {before:.2} to {:.2} pA", weight(&model)?);
    Ok(())
}
