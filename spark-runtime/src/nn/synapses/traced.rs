//! Exponential synapses.

use crate::prelude::*;

/// Parameters of [`TracedSynapses`].
#[spark::config]
pub struct TracedSynapsesConfig {
    #[flatten]
    pub weights: KernelConfig,
    /// Time constant of the decay.
    #[param(default = 5.0, units = "ms", check = positive)]
    pub tau: Param,
    /// Current per weight.
    #[param(default = 1.0, check = positive)]
    pub scale: Param,
    /// Current of a synapse at rest.
    #[param(default = 0.0, units = "pA")]
    pub base: Param,
}

/// Exponential synapses. A spike adds scale·w to the current x of its synapse (subtracts, for an inhibitory neuron),
/// which decays with time constant τ; a neuron receives the sum over its synapses:
///
/// τ dx/dt = −(x − base), x ← x + scale·w·S, I = Σ x.
///
/// Gerstner, Kistler, Naud, Paninski, *Neuronal Dynamics*, chapter 3.1.
///
/// ```
/// use spark::prelude::*;
///
/// let config = TracedSynapsesConfig::new([1]).with_kernel(10.0);
/// let mut model = Model::component(config).input("spikes", [1]).build()?;
/// model.step(&[("spikes", vec![true].into())])?;
/// // The current 3 ms after the spike.
/// let outputs = model.run(3, &[("spikes", vec![false].into())])?;
/// let current = outputs.get("currents")?.value().to_f32()[0];
/// assert!((current - 10.0 * f32::exp(-3.0 / 5.0)).abs() < 1e-5);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Synapses")]
pub struct TracedSynapses {
    #[config]
    config: TracedSynapsesConfig,
    /// Synaptic weights, in pA.
    #[variable(property = FloatArray, axis = (post, pre), set)]
    kernel: Real,
    /// Current of each synapse, in pA.
    #[module]
    current_tracer: Tracer,
}

#[spark::module]
impl TracedSynapses {
    fn build(cx: &mut Build, config: TracedSynapsesConfig) -> Result<Self> {
        let kernel = config.weights.build(cx)?;
        let shape = kernel.shape();
        let tau = cx.param("tau", &config.tau, &shape)?;
        let scale = cx.param("scale", &config.scale, &shape)?;
        let base = cx.param("base", &config.base, &shape)?;
        let current_tracer = Tracer::new(cx, &shape, tau, scale, base);
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
