//! Leaky soma that is held at its reset potential while it is refractory.

use super::refractory_membrane::RefractoryMembrane;
use crate::prelude::*;

/// Parameters of [`StrictRefractoryLeakySoma`].
#[spark::config]
pub struct StrictRefractoryLeakySomaConfig {
    #[flatten]
    pub membrane: LeakyMembraneConfig,
    #[flatten]
    pub refractory: RefractoryConfig,
}

/// Leaky integrate-and-fire soma that is held at the reset potential for `cooldown` after a spike: τ dv/dt = −v + R·I
/// while the neuron is ready, v = `potential_reset` while it is refractory.
///
/// The potential is relative to rest. The neuron is ready one step earlier than a [`RefractoryLeakySoma`]; see
/// [`Refractory::is_over`].
///
/// Gerstner, Kistler, Naud, Paninski, *Neuronal Dynamics*, chapter 1.3.
///
/// ```
/// use spark::prelude::*;
///
/// let config = StrictRefractoryLeakySomaConfig::default().with_cooldown(3.0);
/// let mut model = Model::component(config).input("current", [1]).build()?;
/// model.step(&[("current", vec![1e5f32].into())])?;
/// // Held at −50 mV, 10 mV above rest, whatever comes in.
/// model.step(&[("current", vec![1e5f32].into())])?;
/// assert_eq!(model.state("potential")?.to_f32(), [10.0]);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Somas")]
pub struct StrictRefractoryLeakySoma {
    #[config]
    config: StrictRefractoryLeakySomaConfig,
    /// Membrane potential relative to rest, in mV.
    #[variable(property = PotentialArray)]
    potential: Real,
    #[module(flatten)]
    membrane: RefractoryMembrane<LeakyMembrane>,
}

#[spark::module]
impl StrictRefractoryLeakySoma {
    fn build(cx: &mut Build, config: StrictRefractoryLeakySomaConfig) -> Result<Self> {
        let units = cx.shape("current")?;
        let membrane = RefractoryMembrane::build(cx, &config.membrane, &config.refractory, &units)?;
        Ok(Self { potential: cx.zeros(&units), membrane, config })
    }

    /// True where a neuron spikes.
    #[step(out = spikes)]
    fn step(&mut self, #[ports] inputs: SomaInputs) -> SpikeArray {
        let fired = self.membrane.fire_clamped(&mut self.potential, inputs.current.value());
        SpikeArray::new(fired, inputs.inhibition_mask)
    }
}
