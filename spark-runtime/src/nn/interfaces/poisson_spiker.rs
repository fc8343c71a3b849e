//! Signals as Poisson spikes.

use crate::prelude::*;

/// Parameters of [`PoissonSpiker`].
#[spark::config]
pub struct PoissonSpikerConfig {
    /// Firing rate at a signal of 1.
    #[param(default = 100.0, units = "Hz", check = positive)]
    pub max_freq: f64,
}

/// Turns signals into random spikes. A unit spikes in a step with probability
///
/// P = max_freq·dt·signal,
///
/// independently of all other units and steps (a Bernoulli process, which for P ≪ 1 is a Poisson process). Signals are
/// meant to lie between 0 and 1: below 0 there are no spikes, and where P ≥ 1 there is one in every step.
///
/// The output has the shape of the signal. The same seed gives the spikes of Spark on JAX.
///
/// Gerstner, Kistler, Naud, Paninski, *Neuronal Dynamics*, chapter 7.2.
///
/// ```
/// use spark::prelude::*;
///
/// let mut model = Model::component(PoissonSpikerConfig::default().with_max_freq(200.0))
///     .input("signal", [3])
///     .build()?;
/// let mut counts = [0; 3];
/// for _ in 0..1000 {
///     let spikes = model.step(&[("signal", vec![0.0f32, 0.5, 1.0].into())])?.spikes("spikes")?;
///     counts.iter_mut().zip(spikes).for_each(|(count, spike)| *count += u32::from(spike));
/// }
/// // 0, 100 and 200 spikes are expected in the second that has passed.
/// assert!(counts[0] == 0 && counts[1] < counts[2]);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Interfaces/Input")]
pub struct PoissonSpiker {
    #[config]
    config: PoissonSpikerConfig,
    #[module]
    rng: KeyChain,
    #[host]
    units: Shape,
    /// Probability of a spike at a signal of 1.
    #[constant]
    scale: Real,
}

#[spark::module]
impl PoissonSpiker {
    fn build(cx: &mut Build, config: PoissonSpikerConfig) -> Result<Self> {
        Ok(Self {
            rng: cx.key_chain(),
            units: cx.shape("signal")?,
            scale: cx.number(cx.dt() * (config.max_freq / 1000.0)),
            config,
        })
    }

    /// True where a unit spikes.
    #[step(out = spikes)]
    fn step(
        &mut self,
        /// Firing rate as a share of `max_freq`, from 0 to 1.
        signal: FloatArray,
    ) -> SpikeArray {
        let fired = self.rng.uniform(&self.units) < self.scale * signal;
        SpikeArray::new(fired, None)
    }
}
