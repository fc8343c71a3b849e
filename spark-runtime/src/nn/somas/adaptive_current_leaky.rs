//! Leaky soma that adapts by a current.

use crate::prelude::*;

/// Parameters of [`AdaptiveCurrentLeakySoma`].
#[spark::config]
pub struct AdaptiveCurrentLeakySomaConfig {
    #[flatten]
    pub membrane: LeakyMembraneConfig,
    #[flatten(adaptation_delta = 20.0, adaptation_subthreshold = 0.0)]
    pub adaptation: AdaptationConfig,
}

/// Adaptive leaky integrate-and-fire soma with a spike-triggered adaptation current:
///
/// τ dv/dt = −v + R·(I − w), τ_w dw/dt = a·v − w, and w ← w + `adaptation_delta` at a spike.
///
/// a is `adaptation_subthreshold`, 0 unless given: then w counts the recent spikes. Both equations are integrated exactly
/// for a current, w (in the first) and v (in the second) that are constant over a step. When v, which is relative to rest,
/// exceeds the threshold the neuron spikes and v is set to the reset potential; w follows the potential after the reset.
/// This is [`LeakySoma`] with the adaptation of [`AdaptiveExponentialSoma`]; [`AdaptiveLeakySoma`] adapts by its threshold.
///
/// Treves, *Mean-field analysis of neuronal spike dynamics*, Network 4(3), 1993; Gerstner, Kistler, Naud, Paninski,
/// *Neuronal Dynamics*, chapter 6.1.
///
/// ```
/// use spark::prelude::*;
///
/// let mut model = Model::component(AdaptiveCurrentLeakySomaConfig::default())
///     .input("current", [1])
///     .build()?;
/// let mut times = Vec::new();
/// for t in 0..500 {
///     if model.step(&[("current", vec![300.0f32].into())])?.spikes("spikes")?[0] {
///         times.push(t);
///     }
/// }
/// // Every spike delays the next ones, until the current decays as much between two as one adds.
/// let intervals: Vec<i32> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
/// assert!(intervals[0] < *intervals.last().unwrap());
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Somas")]
pub struct AdaptiveCurrentLeakySoma {
    #[config]
    config: AdaptiveCurrentLeakySomaConfig,
    /// Membrane potential relative to rest, in mV.
    #[variable(property = PotentialArray)]
    potential: Real,
    #[module]
    membrane: LeakyMembrane,
    #[module(flatten)]
    adaptation: Adaptation,
}

#[spark::module]
impl AdaptiveCurrentLeakySoma {
    fn build(cx: &mut Build, config: AdaptiveCurrentLeakySomaConfig) -> Result<Self> {
        let units = cx.shape("current")?;
        let membrane = LeakyMembrane::build(cx, &config.membrane, &units)?;
        let adaptation = Adaptation::exact(cx, &config.adaptation, &membrane, &units)?;
        Ok(Self { potential: cx.zeros(&units), membrane, adaptation, config })
    }

    /// True where a neuron spikes.
    #[step(out = spikes)]
    fn step(&mut self, #[ports] inputs: SomaInputs) -> SpikeArray {
        let fired = self.adaptation.fire(&self.membrane, &mut self.potential, bounded(inputs.current.value()));
        SpikeArray::new(fired, inputs.inhibition_mask)
    }
}
