//! The leaky integrate-and-fire neuron.

use crate::config::ConfigSpec;
use crate::controller::{ModuleSpecs, PortMap};
use crate::registry::Registered;
use crate::spec::NeuronType;

/// The modules of a `LIFNeuron`: neuron-to-neuron delays, linear synapses, a leaky soma and Hebbian plasticity.
pub fn lif_modules() -> Vec<ModuleSpecs> {
    vec![
        ModuleSpecs::new("delays", "N2NDelays").input("in_spikes", PortMap::output(PortMap::CALL, "in_spikes")),
        ModuleSpecs::new("synapses", "LinearSynapses")
            .input("spikes", PortMap::output("delays", "out_spikes"))
            .effect("kernel", PortMap::output("hebbian_rule", "kernel")),
        ModuleSpecs::new("soma", "LeakySoma")
            .input("current", PortMap::output("synapses", "currents"))
            .input("inhibition_mask", PortMap::property(PortMap::SELF, "inhibition_mask"))
            .output("out_spikes", "spikes"),
        ModuleSpecs::new("hebbian_rule", "HebbianRule")
            .input("pre_spikes", PortMap::output("delays", "out_spikes"))
            .input("post_spikes", PortMap::output("soma", "spikes"))
            .input("kernel", PortMap::property("synapses", "kernel")),
    ]
}

fn config() -> &'static ConfigSpec {
    static SPEC: ConfigSpec = ConfigSpec {
        name: "LIFNeuronConfig",
        description: "Parameters of a LIFNeuron.",
        fields: &crate::controller::NEURON_FIELDS,
    };
    &SPEC
}

fn spec() -> &'static NeuronType {
    static SPEC: NeuronType = NeuronType {
        name: "LIFNeuron",
        description: "Leaky integrate-and-fire neurons with delayed linear synapses and Hebbian plasticity.",
        config,
        modules: lif_modules,
    };
    &SPEC
}

inventory::submit! { Registered::Neuron(spec, file!(), line!()) }
inventory::submit! { Registered::Config(config, file!(), line!()) }
