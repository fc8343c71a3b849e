//! Synapses that open exponential conductances.

use crate::prelude::*;

/// Parameters of [`ExponentialConductanceSynapses`].
#[spark::config]
pub struct ExponentialConductanceSynapsesConfig {
    #[flatten]
    pub conductances: ConductanceConfig,
}

/// Synapses that open exponential conductances, for conductance-based somas. A spike of an excitatory neuron adds w to
/// the excitatory conductance g_e of its target, a spike of an inhibitory neuron adds w to the inhibitory one, g_i:
///
/// τ_e dg_e/dt = −g_e, g_e ← g_e + w; τ_i dg_i/dt = −g_i, g_i ← g_i + w.
///
/// Weights and conductances are in nS, and both conductances are positive: the soma's reversal potentials decide what
/// they do. Time constants are one number or one per unit. The defaults are those of the COBA benchmark.
///
/// Vogels, Abbott (2005), *Signal propagation and logic gating in networks of integrate-and-fire neurons*, Journal of
/// Neuroscience 25; Brette et al. (2007), *Simulation of networks of spiking neurons*, Journal of Computational
/// Neuroscience 23.
///
/// ```
/// use spark::prelude::*;
///
/// // An excitatory and an inhibitory input, 6 nS each.
/// let config = ExponentialConductanceSynapsesConfig::new([1]).with_kernel(6.0);
/// let inputs = InputShape::new([2]).with_mask([2]);
/// let mut model = Model::component(config).input("spikes", inputs).build()?;
/// let array = |values: Vec<bool>| Array::new(Shape::units(&[2]), Data::Bool(values));
/// let spikes = |spiking: bool| -> Result<HostPayload, Box<dyn std::error::Error>> {
///     Ok(HostPayload::spikes(array(vec![spiking; 2])?, Some(array(vec![false, true])?)))
/// };
/// model.step(&[("spikes", spikes(true)?)])?;
/// let outputs = model.step(&[("spikes", spikes(false)?)])?;
/// let [excitatory, inhibitory] = [outputs.get("excitatory")?, outputs.get("inhibitory")?].map(|g| g.value().to_f64()[0]);
/// assert!((excitatory - 6.0 * f64::exp(-1.0 / 5.0)).abs() < 1e-5);
/// assert!((inhibitory - 6.0 * f64::exp(-1.0 / 10.0)).abs() < 1e-5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[spark::module(category = "Components/Synapses")]
pub struct ExponentialConductanceSynapses {
    #[config]
    config: ExponentialConductanceSynapsesConfig,
    /// Synaptic weights, in nS.
    #[variable(property = FloatArray, axis = (post, pre), set)]
    kernel: Real,
    #[module(flatten)]
    conductances: Conductances<Tracer>,
}

#[spark::module]
impl ExponentialConductanceSynapses {
    fn build(cx: &mut Build, config: ExponentialConductanceSynapsesConfig) -> Result<Self> {
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
