//! Synapses whose current rises, then decays fast and slowly.

use super::exponentials::{RiseConfig, exponentials};
use crate::prelude::*;

/// Parameters of [`RFSTracedSynapses`].
#[spark::config]
pub struct RFSTracedSynapsesConfig {
    #[flatten]
    pub weights: KernelConfig,
    /// Weight of the fast decay against the slow one.
    #[param(default = 0.8, check = zero_one)]
    pub alpha: Param,
    #[flatten]
    pub rise: RiseConfig,
    /// Time constant of the fast decay.
    #[param(default = 5.0, units = "ms", check = positive)]
    pub tau_fast_decay: Param,
    /// Current per weight, of the exponential of the fast decay.
    #[param(default = 1.0, check = positive)]
    pub scale_fast_decay: Param,
    /// Value at rest of the exponential of the fast decay.
    #[param(default = 0.0, units = "pA")]
    pub base_fast_decay: Param,
    /// Time constant of the slow decay.
    #[param(default = 50.0, units = "ms", check = positive)]
    pub tau_slow_decay: Param,
    /// Current per weight, of the exponential of the slow decay.
    #[param(default = 1.0, check = positive)]
    pub scale_slow_decay: Param,
    /// Value at rest of the exponential of the slow decay.
    #[param(default = 0.0, units = "pA")]
    pub base_slow_decay: Param,
}

/// Synapses whose current rises, then decays fast and slowly. A spike at t = 0 gives
///
/// w·(1 − e^(−t/τ_rise))·(α·e^(−t/τ_fast) + (1 − α)·e^(−t/τ_slow))
///
/// (negative for an inhibitory neuron); a neuron receives the sum over its synapses. The scales and bases are those of
/// the exponentials this is a sum of, see [`RFSTracer`].
///
/// Gerstner, Kistler, Naud, Paninski, *Neuronal Dynamics*, chapter 3.1.
///
/// ```
/// use spark::prelude::*;
///
/// let config = RFSTracedSynapsesConfig::new([1]).with_kernel(10.0);
/// let mut model = Model::component(config).input("spikes", [1]).build()?;
/// model.step(&[("spikes", vec![true].into())])?;
/// // The current 3 ms after the spike.
/// let outputs = model.run(3, &[("spikes", vec![false].into())])?;
/// let current = outputs.get("currents")?.value().to_f32()[0];
/// let decay = 0.8 * f32::exp(-3.0 / 5.0) + 0.2 * f32::exp(-3.0 / 50.0);
/// assert!((current - 10.0 * (1.0 - f32::exp(-3.0)) * decay).abs() < 1e-5);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Synapses")]
pub struct RFSTracedSynapses {
    #[config]
    config: RFSTracedSynapsesConfig,
    /// Synaptic weights, in pA.
    #[variable(property = FloatArray, axis = (post, pre), set)]
    kernel: Real,
    /// Current of each synapse, in pA.
    #[module]
    current_tracer: RFSTracer,
}

#[spark::module]
impl RFSTracedSynapses {
    fn build(cx: &mut Build, config: RFSTracedSynapsesConfig) -> Result<Self> {
        let kernel = config.weights.build(cx)?;
        let shape = kernel.shape();
        let rise = ("rise", [&config.rise.tau_rise, &config.rise.scale_rise, &config.rise.base_rise]);
        let fast = ("fast_decay", [&config.tau_fast_decay, &config.scale_fast_decay, &config.base_fast_decay]);
        let slow = ("slow_decay", [&config.tau_slow_decay, &config.scale_slow_decay, &config.base_slow_decay]);
        let [rise, fast, slow] = exponentials(cx, &shape, [rise, fast, slow])?;
        let alpha = cx.param("alpha", &config.alpha, &shape)?;
        let current_tracer = RFSTracer::new(cx, &shape, alpha, rise, fast, slow);
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
