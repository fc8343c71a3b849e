//! Points of a space as Poisson spikes.

use super::manifold::{Manifold, Space, units_of};
use crate::prelude::*;

/// Parameters of [`TopologicalPoissonSpiker`].
#[spark::config]
pub struct TopologicalPoissonSpikerConfig {
    /// Firing rate of a unit whose position the signal meets.
    #[param(default = 100.0, units = "Hz", check = positive)]
    pub max_freq: f64,
    /// 1 where the ends of a dimension are glued together, 0 where not: one for all, or one per element of the signal.
    #[param(default = 0, check = binary)]
    pub glue: Param,
    /// Signal at the start of a dimension: one for all, or one per element of the signal.
    #[param(default = 0, check = finite)]
    pub mins: Param,
    /// Signal at the end of a dimension; differs from `mins`.
    #[param(default = 1, check = finite)]
    pub maxs: Param,
    /// Units per dimension.
    #[param(default = 64, check = positive)]
    pub resolution: usize,
    /// Spread of the drive over the units: the variance of a Gaussian.
    #[param(default = 0.03125, check = positive)]
    pub sigma: f64,
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
        let TopologicalPoissonSpikerConfig { glue, mins, maxs, resolution, sigma, .. } = &config;
        let space = Space { glue, mins, maxs, resolution: *resolution, sigma: *sigma };
        Ok(Self {
            rng: cx.key_chain(),
            units: units_of(&inputs, config.resolution),
            space: Manifold::new(cx, &inputs, &space)?,
            scale: cx.number(cx.dt() * (config.max_freq / 1000.0)),
            config,
        })
    }

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
