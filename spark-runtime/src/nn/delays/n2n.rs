//! Neuron-to-neuron delays.

use super::steps::build_delays;
use crate::prelude::*;

/// Parameters of [`N2NDelays`].
#[spark::config]
pub struct N2NDelaysConfig {
    /// Longest delay.
    #[param(default = 8.0, units = "ms", check = positive)]
    pub max_delay: f64,
    /// Delays in time steps, of shape (units, inputs); 0 is no delay. The default draws 1 to B uniformly, where
    /// B = ⌈max_delay / dt⌉ is the longest delay in steps. Of another initializer its own `scale` and `min_value` count, in
    /// steps, if they are given; else they are B + 1 and 1.
    #[param(default = Uniform::default())]
    pub delays: Param,
    /// Shape of the postsynaptic population.
    #[param]
    pub units: Units,
    /// Count as Spark on JAX does, where a delay of B steps is no delay at all (its ring has B rows). Files written by
    /// Spark on JAX mean that.
    #[param(default = false, python_default = true)]
    pub wrap: bool,
}

/// Neuron-to-neuron delays: every synapse has its own conduction delay.
///
/// out\[post, pre\] = in\[pre\], delays\[post, pre\] steps ago. The output is spikes over synapses.
///
/// Spikes wait in a ring: Morrison, Mehring, Geisel, Aertsen, Diesmann, *Advancing the Boundaries of High-Connectivity
/// Network Simulation with Distributed Computing*, Neural Computation 17(8), 2005.
///
/// ```
/// use spark::prelude::*;
///
/// // Two neurons listen to two inputs, which both spike in the first step.
/// let config = N2NDelaysConfig::new([2]).with_delays(vec![0.0, 1.0, 2.0, 1.0]);
/// let mut model = Model::component(config).input("in_spikes", [2]).build()?;
/// let mut arrived = Vec::new();
/// for t in 0..3 {
///     let outputs = model.step(&[("in_spikes", vec![t == 0; 2].into())])?;
///     arrived.push(outputs.spikes("out_spikes")?);
/// }
/// assert_eq!(arrived[0], [true, false, false, false]);
/// assert_eq!(arrived[1], [false, true, false, true]);
/// assert_eq!(arrived[2], [false, false, true, false]);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Delays")]
pub struct N2NDelays {
    #[config]
    config: N2NDelaysConfig,
    #[module]
    line: DelayLine,
    #[host]
    delays: Array,
}

#[spark::module]
impl N2NDelays {
    fn build(cx: &mut Build, config: N2NDelaysConfig) -> Result<Self> {
        let inputs = cx.pre("in_spikes")?;
        let shape = Shape::units(&config.units).with(Axis::PRE, &inputs.dims());
        let given = flat_delays(&config.delays, &config.units, &inputs);
        let (line, delays) = build_delays(cx, config.max_delay, &given, config.wrap, &shape)?;
        Ok(Self { line, delays, config })
    }

    /// Delays in time steps.
    #[property(axis = (post, pre))]
    fn kernel(&self) -> IntegerArray {
        IntegerArray::new(Int::from_array("delays", &self.delays))
    }

    /// Spikes that arrive at each synapse now.
    #[step(out = out_spikes, axis = (post, pre))]
    fn step(
        &mut self,
        /// Presynaptic spikes.
        #[axis(pre)]
        in_spikes: SpikeArray,
    ) -> SpikeArray {
        let delayed = self.line.delay(in_spikes.spikes());
        SpikeArray::new(delayed, BooleanMask::new(in_spikes.inhibition_mask())).into_async()
    }
}

/// Spark on JAX gives delays as a matrix (all units, all inputs); that is the same order of elements.
fn flat_delays(param: &Param, units: &Units, inputs: &Shape) -> Param {
    match param {
        Param::Array(array) if array.dims() == [units.size(), inputs.size()] => {
            let dims: Vec<usize> = units.iter().copied().chain(inputs.dims()).collect();
            let shape = Shape::of(Axis::anonymous(0), &dims);
            array.clone().reshaped(shape).map_or_else(|_| param.clone(), Param::Array)
        }
        _ => param.clone(),
    }
}
