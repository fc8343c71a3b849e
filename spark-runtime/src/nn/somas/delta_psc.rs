//! Leaky soma with synapses that move the potential at once.

use super::drive::{drive, population};
use super::psc_membrane::PSCMembrane;
use crate::prelude::*;

/// Parameters of [`DeltaPSCSoma`].
#[spark::config]
pub struct DeltaPSCSomaConfig {
    #[flatten]
    pub neuron: PSCNeuronConfig,
}

/// Leaky integrate-and-fire soma whose potential jumps at arriving spikes, NEST's `iaf_psc_delta`:
///
/// τ dv/dt = −v + R·I, and v ← v + w at a spike of weight w, in mV; integrated exactly.
///
/// As in NEST, what comes in during a step arrives at its end: spikes move the potential then, before it is compared with
/// the threshold, and a current I acts from the next step on. When v reaches the threshold the neuron spikes and is held
/// at the reset potential for `cooldown`, rounded to whole steps; spikes that arrive meanwhile are lost
/// (`refractory_input` is false).
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
/// let mut model = Model::component(DeltaPSCSomaConfig::default()).input("weights", [2]).build()?;
/// // The threshold is 15 mV above rest.
/// let outputs = model.step(&[("weights", vec![14.0f32, 15.0].into())])?;
/// assert_eq!(outputs.spikes("spikes")?, [false, true]);
/// assert_eq!(model.state("potential")?.to_f32(), [14.0, 0.0]);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Somas")]
pub struct DeltaPSCSoma {
    #[config]
    config: DeltaPSCSomaConfig,
    /// Membrane potential relative to rest, in mV.
    #[variable(property = PotentialArray)]
    potential: Real,
    #[module(flatten)]
    membrane: PSCMembrane,
}

#[spark::module]
impl DeltaPSCSoma {
    fn build(cx: &mut Build, config: DeltaPSCSomaConfig) -> Result<Self> {
        let units = population(cx, &["weights", "current"])?;
        let (membrane, _) = PSCMembrane::build(cx, &config.neuron, &units)?;
        Ok(Self { potential: cx.zeros(&units), membrane, config })
    }

    /// True where a neuron spikes.
    #[step(out = spikes)]
    fn step(
        &mut self,
        /// Summed weights of the spikes that arrive, in mV; negative for inhibitory ones.
        weights: Option<PotentialArray>,
        /// Input current, in pA.
        current: Option<CurrentArray>,
        /// True for inhibitory neurons.
        inhibition_mask: Option<BooleanMask>,
    ) -> SpikeArray {
        let fired = self.membrane.fire(&mut self.potential, drive(weights), current);
        SpikeArray::new(fired, inhibition_mask)
    }
}
