//! Synapses that open alpha-shaped conductances.

use crate::prelude::*;

/// Parameters of [`AlphaConductanceSynapses`].
#[spark::config]
pub struct AlphaConductanceSynapsesConfig {
    #[flatten]
    pub conductances: ConductanceConfig,
}

/// Synapses that open alpha-shaped conductances, for conductance-based somas. A spike of an excitatory neuron at t = 0
/// adds
///
/// w·(t/τ_e)·e^(1 − t/τ_e)
///
/// to the excitatory conductance of its target, a spike of an inhibitory neuron the same with τ_i to the inhibitory one.
/// The peak of a response is w, after a time τ.
///
/// Weights and conductances are in nS, and both conductances are positive: the soma's reversal potentials decide what
/// they do. Time constants are one number or one per unit. The synapses of NEST's `iaf_cond_alpha`.
///
/// Rall (1967), *Distinguishing theoretical synaptic potentials computed for different soma-dendritic distributions of
/// synaptic input*, Journal of Neurophysiology 30.
///
/// ```
/// use spark::prelude::*;
///
/// let config = AlphaConductanceSynapsesConfig::new([1]).with_kernel(6.0).with_tau_excitatory(2.0);
/// let mut model = Model::component(config).input("spikes", [1]).build()?;
/// model.step(&[("spikes", vec![true].into())])?;
/// // The peak is 2 ms after the spike.
/// let outputs = model.run(2, &[("spikes", vec![false].into())])?;
/// assert!((outputs.get("excitatory")?.value().to_f64()[0] - 6.0).abs() < 1e-5);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Synapses")]
pub struct AlphaConductanceSynapses {
    #[config]
    config: AlphaConductanceSynapsesConfig,
    /// Synaptic weights, in nS.
    #[variable(property = FloatArray, axis = (post, pre), set)]
    kernel: Real,
    #[module(flatten)]
    conductances: Conductances<AlphaTracer>,
}

#[spark::module]
impl AlphaConductanceSynapses {
    fn build(cx: &mut Build, config: AlphaConductanceSynapsesConfig) -> Result<Self> {
        let (kernel, conductances) = Conductances::build(cx, &config.conductances)?;
        Ok(Self { kernel, conductances, config })
    }

    /// * `excitatory`: Excitatory conductance of each neuron, in nS.
    /// * `inhibitory`: Inhibitory conductance of each neuron, in nS.
    #[step(out = (excitatory, inhibitory), axis = post)]
    fn step(
        &mut self,
        /// Presynaptic spikes.
        #[axis(pre)]
        spikes: SpikeArray,
    ) -> (ConductanceArray, ConductanceArray) {
        self.conductances.open(self.kernel, spikes)
    }
}
