//! Theta neurons behind plastic synapses, driven by a Poisson source.

use super::theta::ThetaSomaConfig;
use spark::controller::{BrainConfig, register_neuron};
use spark::prelude::*;

const INPUTS: usize = 200;
const UNITS: usize = 50;

/// Synapses, theta somas and Hebbian plasticity.
fn neuron() -> NeuronConfig {
    let kernel = SparseUniform::default().with_scale(90.0).with_density(0.3);
    let modules = vec![
        ModuleSpecs::new("synapses", "TracedSynapses")
            .config(&TracedSynapsesConfig::new([UNITS]).with_kernel(kernel))
            .input("spikes", PortMap::output(PortMap::CALL, "in_spikes"))
            .effect("kernel", PortMap::output("rule", "kernel")),
        ModuleSpecs::new("soma", "ThetaSoma")
            .config(&ThetaSomaConfig::default().with_rheobase(150.0))
            .input("current", PortMap::output("synapses", "currents"))
            .input("inhibition_mask", PortMap::property(PortMap::SELF, "inhibition_mask"))
            .output("out_spikes", "spikes"),
        ModuleSpecs::new("rule", "HebbianRule")
            .input("pre_spikes", PortMap::output(PortMap::CALL, "in_spikes"))
            .input("post_spikes", PortMap::output("soma", "spikes"))
            .input("kernel", PortMap::property("synapses", "kernel")),
    ];
    NeuronConfig { seed: 7, ..NeuronConfig::new([UNITS], modules) }
}

/// Runs the neurons in a brain for a second and prints their rate.
///
/// # Errors
/// If the model has a mistake.
pub fn run() -> Result<()> {
    register_neuron("ThetaNeuron", neuron())?;
    let brain = BrainConfig::new(vec![
        ModuleSpecs::new("source", "PoissonSource").config(&PoissonSourceConfig::new([INPUTS]).with_rate(20.0)),
        ModuleSpecs::new("pool", "ThetaNeuron")
            .input("in_spikes", PortMap::output("source", "spikes"))
            .output("spikes", "out_spikes"),
    ]);
    let mut model = Model::component(brain).record("pool.soma.phase").build()?;
    let mut spikes = 0;
    for _ in 0..1000 {
        let outputs = model.step(&[])?;
        spikes += outputs.spikes("spikes")?.iter().filter(|spike| **spike).count();
        assert_eq!(outputs.get("pool.soma.phase")?.dims(), [UNITS]);
    }
    println!("{UNITS} theta neurons in a brain fire at {:.1} Hz", spikes as f64 / UNITS as f64);
    assert!(spikes > 0);
    Ok(())
}
