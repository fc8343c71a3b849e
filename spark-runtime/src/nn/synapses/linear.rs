//! Linear synapses.

use crate::prelude::*;

/// Parameters of [`LinearSynapses`].
#[spark::config]
pub struct LinearSynapsesConfig {
    #[flatten]
    pub weights: KernelConfig,
}

/// Linear synapses: the current of a neuron is the sum of its weights over the spikes that arrive, negative for spikes of
/// inhibitory neurons.
///
/// Takes plain spikes (one per presynaptic neuron) and spikes over synapses (after per-synapse delays).
///
/// Gerstner, Kistler, Naud, Paninski, *Neuronal Dynamics*, chapter 1.3.
///
/// ```
/// use spark::prelude::*;
///
/// let config = LinearSynapsesConfig::new([1]).with_kernel(vec![10.0, 20.0, 40.0]);
/// let mut model = Model::component(config).input("spikes", [3]).build()?;
/// let outputs = model.step(&[("spikes", vec![true, false, true].into())])?;
/// assert_eq!(outputs.get("currents")?.value().to_f32(), [50.0]);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Synapses")]
pub struct LinearSynapses {
    #[config]
    config: LinearSynapsesConfig,
    /// Synaptic weights, in pA.
    #[variable(property = FloatArray, axis = (post, pre), set)]
    kernel: Real,
}

#[spark::module]
impl LinearSynapses {
    fn build(cx: &mut Build, config: LinearSynapsesConfig) -> Result<Self> {
        Ok(Self { kernel: config.weights.build(cx)?, config })
    }

    /// Current of each neuron, in pA.
    #[step(out = currents, axis = post)]
    fn step(
        &mut self,
        /// Presynaptic spikes.
        #[axis(pre)]
        spikes: SpikeArray,
    ) -> CurrentArray {
        (self.kernel * spikes.value()).sum(Axis::PRE).into()
    }
}
