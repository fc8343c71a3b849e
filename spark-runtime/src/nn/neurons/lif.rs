//! The leaky integrate-and-fire neuron.

use super::population::{hebbian_population, register_neuron};
use crate::controller::ModuleSpecs;

/// The modules of a `LIFNeuron`: neuron-to-neuron delays, linear synapses, a leaky soma and Hebbian plasticity.
///
/// The registered name is `LIFNeuron`, and that of its configuration `LIFNeuronConfig`; a configuration without modules of its
/// own has these.
///
/// ```
/// use spark::config::{ConfigTree, ConfigValue};
/// use spark::prelude::*;
///
/// let config = ConfigTree::new("LIFNeuronConfig").with("units", ConfigValue::Int(10));
/// let mut model = Model::from_tree(config).input("in_spikes", [20]).build()?;
/// // Stronger synapses than the default ones make it spike.
/// let kernel = Array::full(Shape::units(&[10, 20]), DType::F32, 100.0);
/// model.set_state("synapses.kernel", &kernel)?;
/// let outputs = model.run(20, &[("in_spikes", vec![true; 20].into())])?;
/// assert_eq!(outputs.get("out_spikes")?.dims(), [10]);
/// assert_ne!(model.state("synapses.kernel")?.to_f64(), kernel.to_f64());
/// # Ok::<(), spark::Error>(())
/// ```
pub fn lif_modules() -> Vec<ModuleSpecs> {
    hebbian_population("LinearSynapses", "LeakySoma")
}

register_neuron!(
    "LIFNeuron",
    lif_modules,
    "Leaky integrate-and-fire neurons with delayed linear synapses and Hebbian plasticity."
);
