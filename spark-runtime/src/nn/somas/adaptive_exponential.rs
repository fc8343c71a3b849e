//! Adaptive exponential soma.

use crate::prelude::*;

/// Parameters of [`AdaptiveExponentialSoma`].
#[spark::config]
pub struct AdaptiveExponentialSomaConfig {
    #[flatten]
    pub membrane: ExponentialMembraneConfig,
    #[flatten]
    pub adaptation: AdaptationConfig,
}

/// Adaptive exponential integrate-and-fire soma, by the explicit Euler method:
///
/// τ dv/dt = −v + Δ·exp((v − ϑ)/Δ) + R·(I − w), τ_w dw/dt = a·v − w, and w ← w + `adaptation_delta` at a spike.
///
/// The potential is stored relative to rest, ϑ is `rheobase_threshold`, Δ is `spike_slope` and a is
/// `adaptation_subthreshold`. When v exceeds `threshold` the neuron spikes and v is set to the reset potential; w follows
/// the potential after the reset.
///
/// Brette, Gerstner, *Adaptive Exponential Integrate-and-Fire Model as an Effective Description of Neuronal Activity*,
/// Journal of Neurophysiology 94(5), 2005; Gerstner, Kistler, Naud, Paninski, *Neuronal Dynamics*, chapter 6.1.
///
/// ```
/// use spark::prelude::*;
///
/// let mut model = Model::component(AdaptiveExponentialSomaConfig::default().with_dt(0.1))
///     .input("current", [1])
///     .build()?;
/// let mut times = Vec::new();
/// for t in 0..4000 {
///     if model.step(&[("current", vec![65.0f32].into())])?.spikes("spikes")?[0] {
///         times.push(t);
///     }
/// }
/// // A burst, then tonic spikes: the adaptation current has built up.
/// let intervals: Vec<i32> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
/// assert!(intervals[0] < *intervals.last().unwrap());
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Somas")]
pub struct AdaptiveExponentialSoma {
    #[config]
    config: AdaptiveExponentialSomaConfig,
    /// Membrane potential relative to rest, in mV.
    #[variable(property = PotentialArray)]
    potential: Real,
    #[module]
    membrane: ExponentialMembrane,
    #[module(flatten)]
    adaptation: Adaptation,
}

#[spark::module]
impl AdaptiveExponentialSoma {
    fn build(cx: &mut Build, config: AdaptiveExponentialSomaConfig) -> Result<Self> {
        let units = cx.shape("current")?;
        let membrane = ExponentialMembrane::build(cx, &config.membrane, &units)?;
        let adaptation = Adaptation::euler(cx, &config.adaptation, &membrane, &units)?;
        Ok(Self { potential: cx.zeros(&units), membrane, adaptation, config })
    }

    /// True where a neuron spikes.
    #[step(out = spikes)]
    fn step(&mut self, #[ports] inputs: SomaInputs) -> SpikeArray {
        let fired = self.adaptation.fire(&self.membrane, &mut self.potential, bounded(inputs.current.value()));
        SpikeArray::new(fired, inputs.inhibition_mask)
    }
}
