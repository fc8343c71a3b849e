//! Leaky soma with exponential postsynaptic currents.

use super::psc_membrane::PSCDynamics;
use crate::prelude::*;

/// Parameters of [`ExponentialPSCSoma`].
#[spark::config]
pub struct ExponentialPSCSomaConfig {
    #[flatten]
    pub neuron: PSCNeuronConfig,
    #[flatten]
    pub synapses: PostsynapticCurrentConfig,
}

/// Leaky integrate-and-fire soma with exponential postsynaptic currents, NEST's `iaf_psc_exp`:
///
/// τ dv/dt = −v + R·(i_ex + i_in + I), τ_ex di_ex/dt = −i_ex, τ_in di_in/dt = −i_in,
///
/// integrated exactly. The weights of arriving spikes, in pA, add to i_ex and i_in (an inhibitory weight is negative). As
/// in NEST, what comes in during a step arrives at its end: spikes change i_ex and i_in then, and a current I acts from
/// the next step on. When v reaches the threshold the neuron spikes and is held at the reset potential for `cooldown`,
/// rounded to whole steps; its currents go on meanwhile.
///
/// The potential is relative to rest. NEST's `C_m` is `potential_tau`/`resistance`, and `I_e` is a constant `current`.
///
/// Tsodyks, Uziel, Markram, *Synchrony Generation in Recurrent Networks with Frequency-Dependent Synapses*, Journal of
/// Neuroscience 20, 2000; Rotter, Diesmann, *Exact digital simulation of time-invariant linear systems with applications
/// to neuronal modeling*, Biological Cybernetics 81, 1999.
///
/// ```
/// use spark::prelude::*;
///
/// let config = ExponentialPSCSomaConfig::default().with_dt(0.1);
/// let mut model = Model::component(config).input("excitatory", [1]).build()?;
/// // One spike of 1 nA. Its current decays from the step it arrives in.
/// model.step(&[("excitatory", vec![1000.0f32].into())])?;
/// assert_eq!(model.state("excitatory.trace")?.to_f32(), [1000.0]);
/// model.run(10, &[("excitatory", vec![0.0f32].into())])?;
/// assert!(model.state("potential")?.to_f32()[0] > 2.0);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Somas")]
pub struct ExponentialPSCSoma {
    #[config]
    config: ExponentialPSCSomaConfig,
    /// Membrane potential relative to rest, in mV.
    #[variable(property = PotentialArray)]
    potential: Real,
    #[module(flatten)]
    dynamics: PSCDynamics<ExponentialCurrent>,
}

#[spark::module]
impl ExponentialPSCSoma {
    fn build(cx: &mut Build, config: ExponentialPSCSomaConfig) -> Result<Self> {
        let (units, dynamics) = PSCDynamics::build(cx, &config.neuron, &config.synapses)?;
        Ok(Self { potential: cx.zeros(&units), dynamics, config })
    }

    /// True where a neuron spikes.
    #[step(out = spikes)]
    fn step(&mut self, #[ports] inputs: PSCInputs) -> SpikeArray {
        let fired = self.dynamics.fire(&mut self.potential, inputs);
        SpikeArray::new(fired, inputs.inhibition_mask)
    }
}
