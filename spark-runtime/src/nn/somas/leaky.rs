//! Leaky integrate-and-fire soma.

use crate::prelude::*;

/// Parameters of [`LeakySoma`].
#[spark::config]
pub struct LeakySomaConfig {
    #[flatten]
    pub membrane: LeakyMembraneConfig,
}

/// Leaky integrate-and-fire soma: τ dv/dt = −v + R·I, integrated exactly for a current that is constant over a step.
///
/// The potential is stored relative to rest: v = 0 is `potential_rest`. When v exceeds the threshold the neuron spikes
/// and v is set to the reset potential.
///
/// Gerstner, Kistler, Naud, Paninski, *Neuronal Dynamics*, chapter 1.3.
///
/// ```
/// use spark::prelude::*;
///
/// let mut model = Model::component(LeakySomaConfig::default())
///     .input("current", [2])
///     .build()?;
/// // 200 pA through 0.1 GΩ reach the threshold, 20 mV above rest, but never exceed it; 400 pA do.
/// let spikes = model.run(14, &[("current", vec![200.0f32, 400.0].into())])?.spikes("spikes")?;
/// assert_eq!(spikes, [false, true]);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Somas")]
pub struct LeakySoma {
    #[config]
    config: LeakySomaConfig,
    /// Membrane potential relative to rest, in mV.
    #[variable(property = PotentialArray)]
    potential: Real,
    #[module]
    membrane: LeakyMembrane,
}

#[spark::module]
impl LeakySoma {
    fn build(cx: &mut Build, config: LeakySomaConfig) -> Result<Self> {
        let units = cx.shape("current")?;
        let membrane = LeakyMembrane::build(cx, &config.membrane, &units)?;
        Ok(Self { potential: cx.zeros(&units), membrane, config })
    }

    /// True where a neuron spikes.
    #[step(out = spikes)]
    fn step(&mut self, #[ports] inputs: SomaInputs) -> SpikeArray {
        let fired = self.membrane.fire(&mut self.potential, inputs.current.value());
        SpikeArray::new(fired, inputs.inhibition_mask)
    }
}
