//! Neuron delays.

use super::steps::build_delays;
use crate::prelude::*;

/// Parameters of [`NDelays`].
#[spark::config]
pub struct NDelaysConfig {
    /// Longest delay.
    #[param(default = 8.0, units = "ms", check = positive)]
    pub max_delay: f64,
    /// Delays in time steps, one per neuron; 0 is no delay. The default draws 1 to B uniformly, where
    /// B = ⌈max_delay / dt⌉ is the longest delay in steps. Of another initializer its own `scale` and `min_value` count, in
    /// steps, if they are given; else they are B + 1 and 1.
    #[param(default = Uniform::default())]
    pub delays: Param,
    /// Count as Spark on JAX does, where a delay of B steps is no delay at all (its ring has B rows). Files written by
    /// Spark on JAX mean that.
    #[param(default = false, python_default = true)]
    pub wrap: bool,
}

/// Neuron delays: every neuron's spikes reach all who listen to it after the neuron's own conduction delay.
///
/// out\[i\] = in\[i\], delays\[i\] steps ago.
///
/// Spikes wait in a ring: Morrison, Mehring, Geisel, Aertsen, Diesmann, *Advancing the Boundaries of High-Connectivity
/// Network Simulation with Distributed Computing*, Neural Computation 17(8), 2005.
///
/// ```
/// use spark::prelude::*;
///
/// // The first neuron's spikes take no time, those of the second two steps.
/// let config = NDelaysConfig::default().with_delays(vec![0.0, 2.0]);
/// let mut model = Model::component(config).input("in_spikes", [2]).build()?;
/// let mut arrived = Vec::new();
/// for t in 0..3 {
///     let outputs = model.step(&[("in_spikes", vec![t == 0; 2].into())])?;
///     arrived.push(outputs.spikes("out_spikes")?);
/// }
/// assert_eq!(arrived, [[true, false], [false, false], [false, true]]);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Delays")]
pub struct NDelays {
    #[config]
    config: NDelaysConfig,
    #[module]
    line: DelayLine,
    #[host]
    delays: Array,
}

#[spark::module]
impl NDelays {
    fn build(cx: &mut Build, config: NDelaysConfig) -> Result<Self> {
        let shape = cx.shape("in_spikes")?;
        let (line, delays) = build_delays(cx, config.max_delay, &config.delays, config.wrap, &shape)?;
        Ok(Self { line, delays, config })
    }

    /// Delays in time steps.
    #[property]
    fn kernel(&self) -> IntegerArray {
        IntegerArray::new(Int::from_array("delays", &self.delays))
    }

    /// Spikes that arrive now.
    #[step(out = out_spikes)]
    fn step(
        &mut self,
        /// Spikes.
        in_spikes: SpikeArray,
    ) -> SpikeArray {
        let delayed = self.line.delay(in_spikes.spikes());
        SpikeArray::new(delayed, BooleanMask::new(in_spikes.inhibition_mask()))
    }
}
