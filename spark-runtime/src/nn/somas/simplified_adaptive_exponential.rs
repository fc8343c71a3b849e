//! Exponential soma whose threshold adapts.

use super::adaptive_threshold::AdaptiveThreshold;
use crate::prelude::*;

/// Parameters of [`SimplifiedAdaptiveExponentialSoma`].
#[spark::config]
pub struct SimplifiedAdaptiveExponentialSomaConfig {
    #[flatten]
    pub membrane: ExponentialMembraneConfig,
    #[flatten]
    pub refractory: RefractoryConfig,
    #[flatten]
    pub adaptive_threshold: AdaptiveThresholdConfig,
}

/// Exponential integrate-and-fire soma with a refractory period and a threshold that rises with every spike, in place of
/// the adaptation current of [`AdaptiveExponentialSoma`]; by the explicit Euler method:
///
/// τ dv/dt = −v + Δ·exp((v − ϑ)/Δ) + R·I, τ_s ds/dt = s₀ − s, and s ← s + `threshold_delta` at a spike.
///
/// The potential is stored relative to rest, and so is the threshold s; ϑ is `rheobase_threshold` and Δ is
/// `spike_slope`. While the neuron is refractory I counts as zero. A raised threshold lets the potential run away without
/// a spike; [`ExponentialMembrane`] keeps it finite.
///
/// Brette, Gerstner, *Adaptive Exponential Integrate-and-Fire Model as an Effective Description of Neuronal Activity*,
/// Journal of Neurophysiology 94(5), 2005; Gerstner, Kistler, Naud, Paninski, *Neuronal Dynamics*, chapter 6.1.
///
/// ```
/// use spark::prelude::*;
///
/// let mut model = Model::component(SimplifiedAdaptiveExponentialSomaConfig::default())
///     .input("current", [1])
///     .build()?;
/// let mut count = 0;
/// for _ in 0..200 {
///     count += usize::from(model.step(&[("current", vec![100.0f32].into())])?.spikes("spikes")?[0]);
/// }
/// assert!(count > 2);
/// assert!(model.state("threshold.trace")?.to_f32()[0] > 40.0);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Somas")]
pub struct SimplifiedAdaptiveExponentialSoma {
    #[config]
    config: SimplifiedAdaptiveExponentialSomaConfig,
    /// Membrane potential relative to rest, in mV.
    #[variable(property = PotentialArray)]
    potential: Real,
    #[module(flatten)]
    membrane: AdaptiveThreshold<ExponentialMembrane>,
}

#[spark::module]
impl SimplifiedAdaptiveExponentialSoma {
    fn build(cx: &mut Build, config: SimplifiedAdaptiveExponentialSomaConfig) -> Result<Self> {
        let units = cx.shape("current")?;
        let SimplifiedAdaptiveExponentialSomaConfig { membrane, refractory, adaptive_threshold, .. } = &config;
        let membrane = AdaptiveThreshold::build(cx, membrane, refractory, adaptive_threshold, &units)?;
        Ok(Self { potential: cx.zeros(&units), membrane, config })
    }

    /// True where a neuron spikes.
    #[step(out = spikes)]
    fn step(&mut self, #[ports] inputs: SomaInputs) -> SpikeArray {
        let fired = self.membrane.fire(&mut self.potential, bounded(inputs.current.value()));
        SpikeArray::new(fired, inputs.inhibition_mask)
    }
}
