//! Leaky soma with alpha-shaped postsynaptic currents.

use super::psc_membrane::PSCDynamics;
use crate::prelude::*;

/// Parameters of [`AlphaPSCSoma`].
#[spark::config]
pub struct AlphaPSCSomaConfig {
    #[flatten]
    pub neuron: PSCNeuronConfig,
    #[flatten]
    pub synapses: PostsynapticCurrentConfig,
}

/// Leaky integrate-and-fire soma with alpha-shaped postsynaptic currents, NEST's `iaf_psc_alpha`:
///
/// τ dv/dt = −v + R·(i_ex + i_in + I), with i(t) = Σ w·(t/τ_s)·e^(1 − t/τ_s) over the spikes that arrived a time t ago,
///
/// integrated exactly. A spike of weight w, in pA, gives a current whose peak is w, a time τ_s (τ_ex or τ_in) after it
/// arrives (an inhibitory weight is negative). As in NEST, what comes in during a step arrives at its end: spikes start
/// their currents then, and a current I acts from the next step on. When v reaches the threshold the neuron spikes and is
/// held at the reset potential for `cooldown`, rounded to whole steps; its currents go on meanwhile.
///
/// The potential is relative to rest. NEST's `C_m` is `potential_tau`/`resistance`, and `I_e` is a constant `current`.
///
/// Rotter, Diesmann, *Exact digital simulation of time-invariant linear systems with applications to neuronal modeling*,
/// Biological Cybernetics 81, 1999; Diesmann, Gewaltig, Rotter, Aertsen, *State space analysis of synchronous spiking in
/// cortical neural networks*, Neurocomputing 38–40, 2001.
///
/// ```
/// use spark::prelude::*;
///
/// let config = AlphaPSCSomaConfig::default().with_dt(0.1).with_excitatory_tau(1.5);
/// let mut model = Model::component(config).input("excitatory", [1]).build()?;
/// model.step(&[("excitatory", vec![100.0f32].into())])?;
/// // After τ_s the current is at its peak, the weight.
/// model.run(15, &[("excitatory", vec![0.0f32].into())])?;
/// assert!((model.state("excitatory.trace")?.to_f32()[0] - 100.0).abs() < 1e-3);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Somas")]
pub struct AlphaPSCSoma {
    #[config]
    config: AlphaPSCSomaConfig,
    /// Membrane potential relative to rest, in mV.
    #[variable(property = PotentialArray)]
    potential: Real,
    #[module(flatten)]
    dynamics: PSCDynamics<AlphaCurrent>,
}

#[spark::module]
impl AlphaPSCSoma {
    fn build(cx: &mut Build, config: AlphaPSCSomaConfig) -> Result<Self> {
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
