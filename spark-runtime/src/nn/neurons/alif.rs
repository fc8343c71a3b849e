//! The leaky integrate-and-fire neuron with an adaptive threshold.

use super::population::hebbian_population;
use crate::prelude::*;

/// Leaky integrate-and-fire neurons whose threshold adapts, with delayed exponential synapses and Hebbian
/// plasticity.
///
/// Its modules are `delays` (neuron to neuron), `synapses`, `soma` and `hebbian_rule`, in this order.
///
/// ```
/// use spark::prelude::*;
///
/// let mut model = Model::component(ALIFNeuronConfig::new([10])).input("in_spikes", [20]).build()?;
/// // Stronger synapses than the default ones make it spike.
/// let kernel = Array::full(Shape::units(&[10, 20]), DType::F32, 100.0);
/// model.set_state("synapses.kernel", &kernel)?;
/// let outputs = model.run(20, &[("in_spikes", vec![true; 20].into())])?;
/// assert_eq!(outputs.get("out_spikes")?.dims(), [10]);
/// assert_ne!(model.state("synapses.kernel")?.to_f64(), kernel.to_f64());
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::neuron]
pub struct ALIFNeuron;

impl NeuronModel for ALIFNeuron {
    fn modules() -> Vec<ModuleSpecs> {
        hebbian_population("TracedSynapses", "AdaptiveLeakySoma")
    }
}
