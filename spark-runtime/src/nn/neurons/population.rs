//! What the shipped neurons share: delays, synapses, a soma and Hebbian plasticity, wired alike.

use crate::prelude::*;

/// Neuron-to-neuron delays, then synapses of type `synapses`, a soma of type `soma`, and Hebbian plasticity of the
/// synapses' kernel.
pub(super) fn hebbian_population(synapses: &str, soma: &str) -> Vec<ModuleSpecs> {
    vec![
        ModuleSpecs::new("delays", "N2NDelays").input("in_spikes", PortMap::output(PortMap::CALL, "in_spikes")),
        ModuleSpecs::new("synapses", synapses)
            .input("spikes", PortMap::output("delays", "out_spikes"))
            .effect("kernel", PortMap::output("hebbian_rule", "kernel")),
        ModuleSpecs::new("soma", soma)
            .input("current", PortMap::output("synapses", "currents"))
            .input("inhibition_mask", PortMap::property(PortMap::SELF, "inhibition_mask"))
            .output("out_spikes", "spikes"),
        ModuleSpecs::new("hebbian_rule", "HebbianRule")
            .input("pre_spikes", PortMap::output("delays", "out_spikes"))
            .input("post_spikes", PortMap::output("soma", "spikes"))
            .input("kernel", PortMap::property("synapses", "kernel")),
    ]
}
