//! Points of a space as Poisson spikes.

use super::manifold::{Manifold, ManifoldConfig};
use crate::prelude::*;

/// Parameters of [`TopologicalPoissonSpiker`].
#[spark::config]
pub struct TopologicalPoissonSpikerConfig {
    /// Firing rate of a unit whose position the signal meets.
    #[param(default = 100.0, units = "Hz", check = positive)]
    pub max_freq: f64,
    #[flatten]
    pub space: ManifoldConfig,
}

/// Turns each element of a signal, a position in a range, into random spikes of units that tile the range
/// ([`Manifold`]). Unit u spikes in a step with probability
///
/// P = max_freq·dt·e^(−d²/2σ), with d = sin(φ_u + πx) if the ends are glued, d = tanh(φ_u − πx) if not,
///
/// x = (signal − min)/(max − min) and φ_u = π·u/(resolution − 1).
///
/// The output has the shape of the signal, with the units of an element as last dimension. The same seed gives the spikes
/// of Spark on JAX.
///
/// Spark's own code; that units with overlapping receptive fields tell a number is population coding:
///
/// Georgopoulos, Schwartz, Kettner, *Neuronal Population Coding of Movement Direction*, Science 233, 1986.
///
/// ```
/// use spark::prelude::*;
///
/// let config = TopologicalPoissonSpikerConfig::default().with_max_freq(1000.0).with_resolution(5_usize);
/// let mut model = Model::component(config).input("signal", [1]).build()?;
/// // The middle of the range is the place of the middle unit, which now spikes in every step.
/// let spikes = model.step(&[("signal", vec![0.5f32].into())])?.spikes("spikes")?;
/// assert!(spikes[2]);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Interfaces/Input")]
pub struct TopologicalPoissonSpiker {
    #[config]
    config: TopologicalPoissonSpikerConfig,
    #[module]
    rng: KeyChain,
    #[module]
    space: Manifold,
    #[host]
    units: Shape,
    /// Probability of a spike at a drive of 1.
    #[constant]
    scale: Real,
}

#[spark::module]
impl TopologicalPoissonSpiker {
    fn build(cx: &mut Build, config: TopologicalPoissonSpikerConfig) -> Result<Self> {
        let inputs = cx.shape("signal")?;
        Ok(Self {
            rng: cx.key_chain(),
            units: config.space.units_of(cx, &inputs),
            space: Manifold::new(cx, &inputs, &config.space)?,
            scale: cx.number(cx.dt() * (config.max_freq / 1000.0)),
            config,
        })
    }

    /// True where a unit spikes.
    #[step(out = spikes)]
    fn step(
        &mut self,
        /// Positions, from `mins` to `maxs`.
        signal: FloatArray,
    ) -> SpikeArray {
        let drive = self.space.drive(signal.value(), &self.units);
        let fired = self.rng.uniform(&self.units) < self.scale * drive;
        SpikeArray::new(fired, None)
    }
}
