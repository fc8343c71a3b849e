//! Leaky soma whose threshold adapts.

use super::adaptive_threshold::AdaptiveThreshold;
use crate::prelude::*;

/// Parameters of [`AdaptiveLeakySoma`].
#[spark::config]
pub struct AdaptiveLeakySomaConfig {
    #[flatten]
    pub membrane: LeakyMembraneConfig,
    #[flatten]
    pub refractory: RefractoryConfig,
    #[flatten]
    pub adaptive_threshold: AdaptiveThresholdConfig,
}

/// Leaky integrate-and-fire soma with a refractory period and a threshold that rises with every spike:
///
/// τ dv/dt = −v + R·I, τ_ϑ dϑ/dt = ϑ₀ − ϑ, and ϑ ← ϑ + `threshold_delta` at a spike.
///
/// The potential is relative to rest, and so is the threshold. While the neuron is refractory I counts as zero. A spike
/// raises the threshold from the next step on.
///
/// Gerstner, Kistler, Naud, Paninski, *Neuronal Dynamics*, chapter 5.1.
///
/// ```
/// use spark::prelude::*;
///
/// let mut model = Model::component(AdaptiveLeakySomaConfig::default().with_threshold_delta(5.0))
///     .input("current", [1])
///     .build()?;
/// let mut times = Vec::new();
/// for t in 0..400 {
///     if model.step(&[("current", vec![400.0f32].into())])?.spikes("spikes")?[0] {
///         times.push(t);
///     }
/// }
/// // Intervals grow as the threshold does.
/// let intervals: Vec<i32> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
/// assert!(intervals.last() > intervals.first());
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Somas")]
pub struct AdaptiveLeakySoma {
    #[config]
    config: AdaptiveLeakySomaConfig,
    /// Membrane potential relative to rest, in mV.
    #[variable(property = PotentialArray)]
    potential: Real,
    #[module(flatten)]
    membrane: AdaptiveThreshold<LeakyMembrane>,
}

#[spark::module]
impl AdaptiveLeakySoma {
    fn build(cx: &mut Build, config: AdaptiveLeakySomaConfig) -> Result<Self> {
        let units = cx.shape("current")?;
        let AdaptiveLeakySomaConfig { membrane, refractory, adaptive_threshold, .. } = &config;
        let membrane = AdaptiveThreshold::build(cx, membrane, refractory, adaptive_threshold, &units)?;
        Ok(Self { potential: cx.zeros(&units), membrane, config })
    }

    /// True where a neuron spikes.
    #[step(out = spikes)]
    fn step(&mut self, #[ports] inputs: SomaInputs) -> SpikeArray {
        let fired = self.membrane.fire(&mut self.potential, inputs.current.value());
        SpikeArray::new(fired, inputs.inhibition_mask)
    }
}
