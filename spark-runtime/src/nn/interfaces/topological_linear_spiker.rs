//! Points of a space as regular spikes.

use super::linear_units::{LinearUnits, LinearUnitsConfig};
use super::manifold::{Manifold, ManifoldConfig};
use crate::prelude::*;

/// Parameters of [`TopologicalLinearSpiker`].
#[spark::config]
pub struct TopologicalLinearSpikerConfig {
    #[flatten]
    pub units: LinearUnitsConfig,
    #[flatten]
    pub space: ManifoldConfig,
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
/// Spark's own code; that units with overlapping receptive fields tell a number is population coding:
///
/// Georgopoulos, Schwartz, Kettner, *Neuronal Population Coding of Movement Direction*, Science 233, 1986.
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
        let shape = config.space.units_of(cx, &inputs);
        Ok(Self {
            potential: cx.zeros(&shape),
            units: LinearUnits::new(cx, &shape, &config.units),
            space: Manifold::new(cx, &inputs, &config.space)?,
            shape,
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
        let drive = self.space.drive(signal.value(), &self.shape);
        let (potential, fired) = self.units.advance(self.potential, drive);
        self.potential = potential;
        SpikeArray::new(fired, None)
    }
}
