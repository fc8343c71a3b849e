//! Points of a space as regular spikes.

use super::linear_units::LinearUnits;
use super::manifold::{Manifold, Space, units_of};
use crate::prelude::*;

/// Parameters of [`TopologicalLinearSpiker`].
#[spark::config]
pub struct TopologicalLinearSpikerConfig {
    /// Decay time constant of the potential.
    #[param(default = 100.0, units = "ms", check = positive)]
    pub tau: f64,
    /// Refractory period (cooldown); shorter than an interval at `max_freq`.
    #[param(default = 2.0, units = "ms", check = positive)]
    pub cd: f64,
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

/// Turns each element of a signal, a position in a range, into regular spikes of units that tile the range
/// ([`Manifold`]) and integrate their drive ([`LinearUnits`]). Unit u is driven by
///
/// e^(−d²/2σ), with d = sin(φ_u + πx) if the ends are glued, d = tanh(φ_u − πx) if not,
///
/// x = (signal − min)/(max − min) and φ_u = π·u/(resolution − 1), as [`LinearSpiker`] is by its signal.
///
/// The output has the shape of the signal, with the units of an element as last dimension.
///
/// ```
/// use spark::prelude::*;
///
/// let config = TopologicalLinearSpikerConfig::default().with_resolution(5_usize);
/// let mut model = Model::component(config).input("signal", [1]).build()?;
/// let mut counts = [0; 5];
/// for _ in 0..100 {
///     let spikes = model.step(&[("signal", vec![0.5f32].into())])?.spikes("spikes")?;
///     counts.iter_mut().zip(spikes).for_each(|(count, spike)| *count += u32::from(spike));
/// }
/// // The middle of the range is the place of the middle unit; the others are too far from it.
/// assert!(counts[2] > 0 && counts.iter().sum::<u32>() == counts[2]);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Interfaces/Input")]
pub struct TopologicalLinearSpiker {
    #[config]
    config: TopologicalLinearSpikerConfig,
    /// Potential of the units, in ms: they fire at τ.
    #[variable]
    potential: Real,
    #[module]
    units: LinearUnits,
    #[module]
    space: Manifold,
    #[host]
    shape: Shape,
}

#[spark::module]
impl TopologicalLinearSpiker {
    fn build(cx: &mut Build, config: TopologicalLinearSpikerConfig) -> Result<Self> {
        let inputs = cx.shape("signal")?;
        let TopologicalLinearSpikerConfig { glue, mins, maxs, resolution, sigma, .. } = &config;
        let space = Space { glue, mins, maxs, resolution: *resolution, sigma: *sigma };
        let shape = units_of(&inputs, config.resolution);
        Ok(Self {
            potential: cx.zeros(&shape),
            units: LinearUnits::new(cx, &shape, config.tau, config.cd, config.max_freq)?,
            space: Manifold::new(cx, &inputs, &space)?,
            shape,
            config,
        })
    }

    #[step(out = spikes)]
    fn step(
        &mut self,
        /// Positions, from `mins` to `maxs`.
        signal: FloatArray,
    ) -> SpikeArray {
        let drive = self.space.drive(signal.value(), &self.shape);
        let (potential, fired) = self.units.advance(self.potential, drive);
        self.potential = potential;
        SpikeArray::new(fired, None)
    }
}
