//! Weights with which a pool fires at a given rate.
//!
//! The rate of the steps that a benchmark times is a rising function of the weights' scale, so its inverse is found by bisection on a logarithmic
//! axis: the scale is doubled or halved until the rate is on either side, then the interval is halved. Each try is a
//! whole set of runs from the first state, because plasticity and the first milliseconds move the rate.

use super::networks::{Case, WEIGHTS};
use super::timing::{Plan, Timed};
use crate::cli::remark;
use spark::error::{Error, Result};
use spark::prelude::*;
use spark_compiler::passes::CompileOptions;

/// How far a rate may be from the one asked for.
const TOLERANCE: f64 = 0.1;
/// Tries before the nearest one is taken.
const TRIES: usize = 24;

/// A scale and the rate it gives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) scale: f64,
    pub(super) rate: f64,
}

/// The scale with which the pool of `case` fires at about `target` Hz, looked for from the scale that `case` has.
///
/// # Errors
/// If the network cannot be run, or no weights come within a factor of two of the rate.
pub(super) fn scale_for(case: &Case, target: f64, dtype: DType, plan: Plan) -> Result<Found> {
    let base = case.scale.ok_or_else(|| Error::new(format!("`{}` has no scale of weights", case.name)).at("--rate"))?;
    let mut timed = Timed::new(case, dtype, CompileOptions::default())?;
    let weights = timed.model.state(WEIGHTS)?;
    let mut rate_at = |scale: f64| -> Result<Found> {
        let factor = scale / base;
        let scaled = weights.to_f64().into_iter().map(|w| (w * factor) as f32).collect();
        let scaled = Array::new(weights.shape().clone(), Data::F32(scaled)).map_err(|e| Error::new(e.to_string()))?;
        timed.start()?;
        timed.model.set_state(WEIGHTS, &scaled)?;
        let rate = timed.count_from_here(plan)?.mean_rate;
        remark("note", &format!("{} neurons: weights of scale {scale:.4}: {rate:.2} Hz", case.neurons));
        Ok(Found { scale, rate })
    };
    let off = |found: Found| (found.rate / target).ln().abs();
    let mut best = rate_at(base)?;
    let (mut low, mut high) = (None, None);
    let mut last = best;
    for _ in 0..TRIES {
        if off(best) <= TOLERANCE {
            break;
        }
        if last.rate < target {
            low = Some(last.scale)
        } else {
            high = Some(last.scale)
        }
        let next = match (low, high) {
            (Some(low), Some(high)) if high / low < 1.001 => break,
            (Some(low), Some(high)) => f64::sqrt(low * high),
            (Some(low), None) => 2.0 * low,
            (None, Some(high)) => high / 2.0,
            (None, None) => break,
        };
        last = rate_at(next)?;
        if off(last) < off(best) {
            best = last;
        }
    }
    if off(best) > f64::ln(2.0) {
        let message = format!("no weights make the pool fire at about {target} Hz; nearest: {:.2} Hz", best.rate);
        let help = "give another --rate or --input-rate, or more --steps";
        return Err(Error::new(message).at("--rate").help(help));
    }
    Ok(best)
}
