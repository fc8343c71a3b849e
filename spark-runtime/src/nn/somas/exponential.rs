//! Exponential integrate-and-fire soma.

use crate::prelude::*;

/// Parameters of [`ExponentialSoma`].
#[spark::config]
pub struct ExponentialSomaConfig {
    #[flatten]
    pub membrane: ExponentialMembraneConfig,
}

/// Exponential integrate-and-fire soma: τ dv/dt = −v + Δ·exp((v − ϑ)/Δ) + R·I, by the explicit Euler method.
///
/// The potential is stored relative to rest, ϑ is `rheobase_threshold` and Δ is `spike_slope`. When v exceeds
/// `threshold` the neuron spikes and v is set to the reset potential.
///
/// Fourcaud-Trocmé, Hansel, van Vreeswijk, Brunel, *How Spike Generation Mechanisms Determine the Neuronal Response to
/// Fluctuating Inputs*, Journal of Neuroscience 23(37), 2003; Gerstner, Kistler, Naud, Paninski, *Neuronal Dynamics*,
/// chapter 5.2.
///
/// ```
/// use spark::prelude::*;
///
/// let mut model = Model::component(ExponentialSomaConfig::default().with_dt(0.1))
///     .input("current", [2])
///     .build()?;
/// let mut counts = [0, 0];
/// for _ in 0..1000 {
///     let spikes = model.step(&[("current", vec![30.0f32, 60.0].into())])?.spikes("spikes")?;
///     (0..2).for_each(|i| counts[i] += usize::from(spikes[i]));
/// }
/// // Its rheobase is (ϑ − rest − Δ)/R = 36 pA.
/// assert!(counts[0] == 0 && counts[1] > 0);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Somas")]
pub struct ExponentialSoma {
    #[config]
    config: ExponentialSomaConfig,
    /// Membrane potential relative to rest, in mV.
    #[variable(property = PotentialArray)]
    potential: Real,
    #[module]
    membrane: ExponentialMembrane,
}

#[spark::module]
impl ExponentialSoma {
    fn build(cx: &mut Build, config: ExponentialSomaConfig) -> Result<Self> {
        let units = cx.shape("current")?;
        let membrane = ExponentialMembrane::build(cx, &config.membrane, &units)?;
        Ok(Self { potential: cx.zeros(&units), membrane, config })
    }

    /// True where a neuron spikes.
    #[step(out = spikes)]
    fn step(&mut self, #[ports] inputs: SomaInputs) -> SpikeArray {
        let fired = self.membrane.fire(&mut self.potential, bounded(inputs.current.value()));
        SpikeArray::new(fired, inputs.inhibition_mask)
    }
}
