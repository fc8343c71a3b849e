//! A population of leaky integrate-and-fire neurons from code: Poisson-like input, learning on, printed as it goes.
//!
//! `cargo run --release --example lif_neuron`

use spark::prelude::*;
use spark::rng::Key;

const INPUTS: usize = 200;
const UNITS: usize = 50;
const STEPS: usize = 1000;

fn main() -> Result<()> {
    let mut modules = LIFNeuron::modules();
    let kernel = SparseUniform::default().with_scale(2000.0).with_density(0.3);
    modules[1] = modules[1].clone().config(&LinearSynapsesConfig::new([UNITS]).with_kernel(kernel));
    let config = NeuronConfig { seed: 7, ..NeuronConfig::new([UNITS], modules) };

    let mut model = Model::component(config).input("in_spikes", [INPUTS]).build()?;
    let before = mean(&model.state("synapses.kernel")?);
    let mut spikes = 0;
    for step in 0..STEPS {
        // 20 Hz at a step of 1 ms.
        let drawn: Vec<bool> = Key::new(step as u32).uniform_f32(INPUTS).iter().map(|u| *u < 0.02).collect();
        let outputs = model.step(&[("in_spikes", drawn.into())])?;
        spikes += outputs.spikes("out_spikes")?.iter().filter(|s| **s).count();
    }
    let rate = spikes as f64 / UNITS as f64 / (STEPS as f64 * 1e-3);
    let after = mean(&model.state("synapses.kernel")?);
    println!("{UNITS} neurons fired at {rate:.1} Hz; the mean weight went from {before:.2} to {after:.2} pA");
    Ok(())
}

fn mean(array: &Array) -> f64 {
    array.to_f64().iter().sum::<f64>() / array.len() as f64
}
