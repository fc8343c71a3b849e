//! Exponential soma that takes no input while it is refractory.

use super::refractory_membrane::RefractoryMembrane;
use crate::prelude::*;

/// Parameters of [`RefractoryExponentialSoma`].
#[spark::config]
pub struct RefractoryExponentialSomaConfig {
    #[flatten]
    pub membrane: ExponentialMembraneConfig,
    #[flatten]
    pub refractory: RefractoryConfig,
}

/// Exponential integrate-and-fire soma that takes no input for `cooldown` after a spike:
/// τ dv/dt = −v + Δ·exp((v − ϑ)/Δ) + R·I, where I counts as zero while the neuron is refractory; by the explicit Euler
/// method.
///
/// The potential, relative to rest, goes on evolving meanwhile. [`Refractory`] says when the neuron is ready again.
///
/// Fourcaud-Trocmé, Hansel, van Vreeswijk, Brunel, *How Spike Generation Mechanisms Determine the Neuronal Response to
/// Fluctuating Inputs*, Journal of Neuroscience 23(37), 2003; Gerstner, Kistler, Naud, Paninski, *Neuronal Dynamics*,
/// chapter 5.2.
///
/// ```
/// use spark::prelude::*;
///
/// let config = RefractoryExponentialSomaConfig::default().with_cooldown(10.0);
/// let mut model = Model::component(config).input("current", [1]).build()?;
/// let mut count = 0;
/// for _ in 0..120 {
///     count += usize::from(model.step(&[("current", vec![1000.0f32].into())])?.spikes("spikes")?[0]);
/// }
/// // At most one spike in twelve steps: the period of ten, and two.
/// assert_eq!(count, 10);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Somas")]
pub struct RefractoryExponentialSoma {
    #[config]
    config: RefractoryExponentialSomaConfig,
    /// Membrane potential relative to rest, in mV.
    #[variable(property = PotentialArray)]
    potential: Real,
    #[module(flatten)]
    membrane: RefractoryMembrane<ExponentialMembrane>,
}

#[spark::module]
impl RefractoryExponentialSoma {
    fn build(cx: &mut Build, config: RefractoryExponentialSomaConfig) -> Result<Self> {
        let units = cx.shape("current")?;
        let membrane = RefractoryMembrane::build(cx, &config.membrane, &config.refractory, &units)?;
        Ok(Self { potential: cx.zeros(&units), membrane, config })
    }

    /// True where a neuron spikes.
    #[step(out = spikes)]
    fn step(&mut self, #[ports] inputs: SomaInputs) -> SpikeArray {
        let fired = self.membrane.fire(&mut self.potential, bounded(inputs.current.value()));
        SpikeArray::new(fired, inputs.inhibition_mask)
    }
}
