//! Delays in time steps: what neuron and neuron-to-neuron delays share.

use crate::prelude::*;

/// The longest delay possible, in steps.
const MOST: usize = 65_535;

/// Delays of `shape` in time steps, 0 to B = ⌈max_delay / dt⌉, and a line that delays by them. With `wrap`, B is 0. Delays
/// that are wrong are reported, with none in their place.
///
/// Draws one key.
pub(super) fn build_delays(
    cx: &mut Build,
    max_delay: f64,
    delays: &Param,
    wrap: bool,
    shape: &Shape,
) -> Result<(DelayLine, Array)> {
    let steps = delay_steps(max_delay, cx.dt()).unwrap_or_else(|error| {
        cx.report(error);
        MOST
    });
    let wrong = whole_steps(delays).err();
    // Draws begin at 1 and reach the longest delay.
    let overrides = InitOverrides { scale: Some(steps as f64 + 1.0), min_value: Some(1.0), ..Default::default() };
    let overrides = overrides.unless_given(delays);
    let key = cx.key();
    let smaller = if steps <= 255 { DType::U8 } else { DType::U16 };
    let drawn = cx.array_of_any(key, "delays", delays, shape, &[smaller, DType::I32], &overrides)?;
    let outside = || within(&drawn, steps, max_delay, cx.dt()).err().filter(|_| cx.is_right("max_delay"));
    let delays = if let Some(error) = wrong.or_else(outside) {
        cx.report(error.at("delays"));
        Array::zeros(shape.clone(), DType::I32)
    } else if wrap {
        let wrapped = drawn.to_i32().into_iter().map(|delay| delay % steps as i32).collect();
        Array::new(drawn.shape().clone(), Data::I32(wrapped)).map_err(|e| Error::new(e.to_string()).at("delays"))?
    } else {
        drawn
    };
    // The ring is as long as the longest delay there is.
    let longest = delays.bounds().high.max(0.0) as usize;
    // Bytes where they suffice: a delay is read per element and step.
    let stored = delays.convert(if longest <= 255 { DType::U8 } else { DType::U16 });
    // One delay for all is a scalar.
    let stored = match stored.shape().is_scalar() {
        true => Array::full(shape.clone(), stored.dtype(), stored.bounds().low),
        false => stored,
    };
    Ok((DelayLine::new(stored.clone(), longest), stored))
}

/// The longest delay in steps.
fn delay_steps(max_delay: f64, dt: f64) -> Result<usize> {
    let steps = (max_delay / dt).ceil();
    if steps > MOST as f64 {
        let message = format!("{max_delay} ms are {steps:.0} steps of {dt} ms; at most {MOST} are possible");
        return Err(Error::new(message).at("max_delay").help("use a shorter delay or a longer time step"));
    }
    Ok(steps as usize)
}

/// Delays are at most `steps`.
fn within(delays: &Array, steps: usize, max_delay: f64, dt: f64) -> Result<()> {
    let found = delays.bounds();
    if delays.is_empty() || found.low >= 0.0 && found.high <= steps as f64 {
        return Ok(());
    }
    let Some(wrong) = delays.to_i32().into_iter().find(|&d| d < 0 || d as usize > steps) else { return Ok(()) };
    let message = format!("must lie between 0 and {steps} steps, found {wrong}");
    Err(Error::new(message).help(format!("max_delay is {max_delay} ms, which is {steps} steps of {dt} ms")))
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
            let error = Error::new(format!("must be whole steps, found {wrong}"));
            Err(error.help("delays are given in time steps, not in ms"))
        }
        None => Ok(()),
    }
}
