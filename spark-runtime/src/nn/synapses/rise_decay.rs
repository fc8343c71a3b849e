//! Synapses whose current rises and decays.

use super::exponentials::{RiseConfig, exponentials};
use crate::prelude::*;

/// Parameters of [`RDTracedSynapses`].
#[spark::config]
pub struct RDTracedSynapsesConfig {
    #[flatten]
    pub weights: KernelConfig,
    #[flatten]
    pub rise: RiseConfig,
    /// Time constant of the decay.
    #[param(default = 5.0, units = "ms", check = positive)]
    pub tau_decay: Param,
    /// Current per weight, of the exponential of the decay.
    #[param(default = 1.0, check = positive)]
    pub scale_decay: Param,
    /// Value at rest of the exponential of the decay.
    #[param(default = 0.0, units = "pA")]
    pub base_decay: Param,
}

/// Synapses whose current rises and decays. A spike at t = 0 gives
///
/// w·(1 − e^(−t/τ_rise))·e^(−t/τ_decay)
///
/// (negative for an inhibitory neuron); a neuron receives the sum over its synapses. The scales and bases are those of
/// the two exponentials this is the difference of, see [`RDTracer`].
///
/// Gerstner, Kistler, Naud, Paninski, *Neuronal Dynamics*, chapter 3.1.
///
/// ```
/// use spark::prelude::*;
///
/// let config = RDTracedSynapsesConfig::new([1]).with_kernel(10.0);
/// let mut model = Model::component(config).input("spikes", [1]).build()?;
/// model.step(&[("spikes", vec![true].into())])?;
/// // The current 3 ms after the spike.
/// let outputs = model.run(3, &[("spikes", vec![false].into())])?;
/// let current = outputs.get("currents")?.value().to_f32()[0];
/// assert!((current - 10.0 * (1.0 - f32::exp(-3.0)) * f32::exp(-3.0 / 5.0)).abs() < 1e-5);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Synapses")]
pub struct RDTracedSynapses {
    #[config]
    config: RDTracedSynapsesConfig,
    /// Synaptic weights, in pA.
    #[variable(property = FloatArray, axis = (post, pre), set)]
    kernel: Real,
    /// Current of each synapse, in pA.
    #[module]
    current_tracer: RDTracer,
}

#[spark::module]
impl RDTracedSynapses {
    fn build(cx: &mut Build, config: RDTracedSynapsesConfig) -> Result<Self> {
        let kernel = config.weights.build(cx)?;
        let shape = kernel.shape();
        let RDTracedSynapsesConfig { rise, tau_decay, scale_decay, base_decay, .. } = &config;
        let rise = ("rise", [&rise.tau_rise, &rise.scale_rise, &rise.base_rise]);
        let decay = ("decay", [tau_decay, scale_decay, base_decay]);
        let [rise, decay] = exponentials(cx, &shape, [rise, decay])?;
        let current_tracer = RDTracer::new(cx, &shape, rise, decay);
        Ok(Self { kernel, current_tracer, config })
    }

    /// Current of each neuron, in pA.
    #[step(out = currents, axis = post)]
    fn step(
        &mut self,
        /// Presynaptic spikes.
        #[axis(pre)]
        spikes: SpikeArray,
    ) -> CurrentArray {
        self.current_tracer.update(self.kernel * spikes.value()).sum(Axis::PRE).into()
    }
}
