//! The leaky integrate-and-fire neuron with an adaptive threshold.

use super::population::{hebbian_population, register_neuron};
use crate::controller::ModuleSpecs;

/// The modules of an `ALIFNeuron`: neuron-to-neuron delays, exponential synapses, a leaky soma whose threshold adapts, and
/// Hebbian plasticity.
///
/// The registered name is `ALIFNeuron`, and that of its configuration `ALIFNeuronConfig`; a configuration without modules of its
/// own has these.
///
/// ```
/// use spark::config::{ConfigTree, ConfigValue};
/// use spark::prelude::*;
///
/// let config = ConfigTree::new("ALIFNeuronConfig").with("units", ConfigValue::Int(10));
/// let mut model = Model::from_tree(config).input("in_spikes", [20]).build()?;
/// // Stronger synapses than the default ones make it spike.
/// let kernel = Array::full(Shape::units(&[10, 20]), DType::F32, 100.0);
/// model.set_state("synapses.kernel", &kernel)?;
/// let outputs = model.run(20, &[("in_spikes", vec![true; 20].into())])?;
/// assert_eq!(outputs.get("out_spikes")?.dims(), [10]);
/// assert_ne!(model.state("synapses.kernel")?.to_f64(), kernel.to_f64());
/// # Ok::<(), spark::Error>(())
/// ```
pub fn alif_modules() -> Vec<ModuleSpecs> {
    hebbian_population("TracedSynapses", "AdaptiveLeakySoma")
}

register_neuron!(
    "ALIFNeuron",
    alif_modules,
    "Leaky integrate-and-fire neurons whose threshold adapts, with delayed exponential synapses and Hebbian plasticity."
);
