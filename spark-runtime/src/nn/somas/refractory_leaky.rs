//! Leaky soma that takes no input while it is refractory.

use super::refractory_membrane::RefractoryMembrane;
use crate::prelude::*;

/// Parameters of [`RefractoryLeakySoma`].
#[spark::config]
pub struct RefractoryLeakySomaConfig {
    #[flatten]
    pub membrane: LeakyMembraneConfig,
    #[flatten]
    pub refractory: RefractoryConfig,
}

/// Leaky integrate-and-fire soma that takes no input for `cooldown` after a spike: τ dv/dt = −v + R·I, where I counts as
/// zero while the neuron is refractory.
///
/// The potential, relative to rest, goes on decaying meanwhile. [`Refractory`] says when the neuron is ready again.
///
/// Gerstner, Kistler, Naud, Paninski, *Neuronal Dynamics*, chapter 1.3.
///
/// ```
/// use spark::prelude::*;
///
/// let config = RefractoryLeakySomaConfig::default().with_cooldown(3.0);
/// let mut model = Model::component(config).input("current", [1]).build()?;
/// // Driven hard, it spikes at its second step and every five from then on: three silent steps, one to count, one to spike.
/// let mut times = Vec::new();
/// for t in 0..12 {
///     if model.step(&[("current", vec![1e5f32].into())])?.spikes("spikes")?[0] {
///         times.push(t);
///     }
/// }
/// assert_eq!(times, [1, 6, 11]);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Somas")]
pub struct RefractoryLeakySoma {
    #[config]
    config: RefractoryLeakySomaConfig,
    /// Membrane potential relative to rest, in mV.
    #[variable(property = PotentialArray)]
    potential: Real,
    #[module(flatten)]
    membrane: RefractoryMembrane<LeakyMembrane>,
}

#[spark::module]
impl RefractoryLeakySoma {
    fn build(cx: &mut Build, config: RefractoryLeakySomaConfig) -> Result<Self> {
        let units = cx.shape("current")?;
        let membrane = RefractoryMembrane::build(cx, &config.membrane, &config.refractory, &units)?;
        Ok(Self { potential: cx.zeros(&units), membrane, config })
    }

    /// True where a neuron spikes.
    #[step(out = spikes)]
    fn step(&mut self, #[ports] inputs: SomaInputs) -> SpikeArray {
        let fired = self.membrane.fire(&mut self.potential, inputs.current.value());
        SpikeArray::new(fired, inputs.inhibition_mask)
    }
}
