//! Neuron-to-neuron delays.

use crate::delay::DelayLine;
use crate::init::{InitOverrides, Uniform};
use crate::prelude::*;

/// Parameters of [`N2NDelays`].
#[spark::config]
pub struct N2NDelaysConfig {
    /// Longest delay.
    #[param(default = 8.0, units = "ms", check = positive)]
    pub max_delay: f64,
    /// Delays in time steps, of shape (units, inputs); 0 is no delay. The default draws 1 to B uniformly, where
    /// B = ⌈max_delay / dt⌉ is the longest delay in steps.
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
        let steps = delay_steps(config.max_delay, cx.dt())?;
        let given = flat_delays(&config.delays, &config.units, &inputs);
        whole_steps(&given)?;
        let overrides = InitOverrides { scale: Some(steps as f64 + 1.0), min_value: Some(1.0), ..Default::default() };
        let drawn = cx.array("delays", &given, &shape, DType::I32, &overrides)?;
        // One delay for all is a scalar.
        let mut delays = if drawn.shape().is_scalar() { vec![drawn.to_i32()[0]; shape.size()] } else { drawn.to_i32() };
        if let Some(wrong) = delays.iter().find(|&&d| d < 0 || d as usize > steps) {
            let message = format!("a delay of {wrong} steps is outside 0..={steps}");
            let help = format!("max_delay is {} ms, which is {steps} steps of {} ms", config.max_delay, cx.dt());
            return Err(Error::new(message).at("delays").help(help));
        }
        if config.wrap {
            delays.iter_mut().for_each(|delay| *delay %= steps as i32);
        }
        // The ring is as long as the longest delay there is.
        let longest = delays.iter().copied().max().unwrap_or(0) as usize;
        let delays = Array::new(shape, Data::I32(delays)).map_err(|e| Error::new(e.to_string()).at("delays"))?;
        // Bytes where they suffice: a delay is read per synapse and step.
        let stored = delays.convert(if longest <= 255 { DType::U8 } else { DType::U16 });
        Ok(Self { line: DelayLine::new(stored, longest), delays, config })
    }

    /// Delays in time steps.
    #[property(axis = (post, pre))]
    fn kernel(&self) -> IntegerArray {
        IntegerArray::new(Int::from_array("delays", &self.delays))
    }

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

/// The longest delay in steps.
fn delay_steps(max_delay: f64, dt: f64) -> Result<usize> {
    const MOST: f64 = 65_535.0;
    let steps = (max_delay / dt).ceil();
    if steps > MOST {
        let message = format!("{max_delay} ms are {steps:.0} steps of {dt} ms; at most {MOST} are possible");
        return Err(Error::new(message).at("max_delay").help("use a shorter delay or a longer time step"));
    }
    Ok(steps as usize)
}

/// Given delays are whole steps.
fn whole_steps(delays: &Param) -> Result<()> {
    let numbers = match delays {
        Param::Scalar(value) => vec![*value],
        Param::Array(array) => array.to_f64(),
        Param::Initializer(_) => return Ok(()),
    };
    match numbers.iter().find(|d| d.fract() != 0.0) {
        Some(wrong) => {
            let error = Error::new(format!("a delay of {wrong} steps is not a whole number"));
            Err(error.at("delays").help("delays are given in time steps, not in ms"))
        }
        None => Ok(()),
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
