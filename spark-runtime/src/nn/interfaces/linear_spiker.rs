//! Signals as regular spikes.

use super::linear_units::{LinearUnits, LinearUnitsConfig};
use crate::prelude::*;

/// Parameters of [`LinearSpiker`].
#[spark::config]
pub struct LinearSpikerConfig {
    #[flatten]
    pub units: LinearUnitsConfig,
}

/// Turns signals into regular spikes of leaky units ([`LinearUnits`]). A signal of 1 makes a unit fire at `max_freq`, less
/// of it more slowly, and a signal below 1 − e^(−(1000/max_freq − cd)/τ) not at all.
///
/// v ← e^(−dt/τ)·v + (1 − e^(−dt/τ))·τ·S·signal, a spike and v = 0 where v > τ, with
/// S = 1/(1 − e^(−(1000/max_freq − cd)/τ)).
///
/// For `cd` ms after a spike the signal is not taken. Signals are meant to lie between 0 and 1. The output has the shape
/// of the signal. The scale S is Spark's own; the units are leaky integrate-and-fire neurons with a refractory period:
///
/// Gerstner, Kistler, Naud, Paninski, *Neuronal Dynamics*, Cambridge University Press, 2014, chapter 1.3.
///
/// ```
/// use spark::prelude::*;
///
/// let mut model = Model::component(LinearSpikerConfig::default().with_max_freq(30.0))
///     .input("signal", [2])
///     .build()?;
/// let mut counts = [0; 2];
/// for _ in 0..1000 {
///     let spikes = model.step(&[("signal", vec![0.0f32, 1.0].into())])?.spikes("spikes")?;
///     counts.iter_mut().zip(spikes).for_each(|(count, spike)| *count += u32::from(spike));
/// }
/// // An interval is 33.3 ms, so 34 steps of 1 ms.
/// assert_eq!(counts, [0, 29]);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Interfaces/Input")]
pub struct LinearSpiker {
    #[config]
    config: LinearSpikerConfig,
    /// Potential of the units, in ms: they fire at τ.
    #[variable]
    potential: Real,
    #[module]
    units: LinearUnits,
}

#[spark::module]
impl LinearSpiker {
    fn build(cx: &mut Build, config: LinearSpikerConfig) -> Result<Self> {
        let units = cx.shape("signal")?;
        Ok(Self { potential: cx.zeros(&units), units: LinearUnits::new(cx, &units, &config.units), config })
    }

    /// True where a unit spikes.
    #[step(out = spikes)]
    fn step(
        &mut self,
        /// Drive, from 0 to 1.
        signal: FloatArray,
    ) -> SpikeArray {
        let (potential, fired) = self.units.advance(self.potential, signal.value());
        self.potential = potential;
        SpikeArray::new(fired, None)
    }
}
