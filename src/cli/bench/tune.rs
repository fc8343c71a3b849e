//! Weights with which a pool fires at a given rate.
//!
//! The rate of the steps that a benchmark times rises with the weights, so they are found by bisection on a logarithmic axis: a
//! factor is doubled or halved until the rate is on either side, then the interval is halved. Each try is a whole set of
//! runs from the first state, because plasticity and the first milliseconds move the rate.

use super::networks::WEIGHTS;
use super::timing::{Plan, Timed};
use crate::cli::remark;
use spark::error::{Error, Result};
use spark::prelude::*;

/// How far a rate may be from the one asked for, as a share of it.
const TOLERANCE: f64 = 0.1;
/// Tries before the nearest one is taken.
const TRIES: usize = 24;

/// Which weights of a pool are multiplied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// All.
    All,
    /// Those of the spiker's spikes; the pool's own stay.
    Inputs,
}

/// A factor and the rate it gives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) factor: f64,
    pub(super) rate: f64,
}

impl Found {
    /// How far the rate is from the one asked for.
    fn off(self, target: f64) -> f64 {
        (self.rate / target).ln().abs()
    }

    /// Refuses a rate that is off by more than a factor of two.
    ///
    /// # Errors
    /// If it is.
    pub(super) fn check(self, target: f64) -> Result<Found> {
        if self.off(target) <= f64::ln(2.0) {
            return Ok(self);
        }
        let message = format!("no weights make the pool fire at about {target} Hz; nearest: {:.2} Hz", self.rate);
        let help = "give another --rate or --input-rate, or more --steps";
        Err(Error::new(message).at("--rate").help(help))
    }
}

/// Multiplies weights of a pool so that it fires at about `target` Hz, beginning with `factor`; the model has them afterwards as
/// its first state.
///
/// # Errors
/// If the network cannot be run.
pub(super) fn tune(timed: &mut Timed<'_>, part: Part, target: f64, factor: f64, plan: Plan) -> Result<Found> {
    timed.start()?;
    let weights = timed.model.state(WEIGHTS)?;
    let set = |timed: &mut Timed<'_>, factor: f64| scaled(&weights, part, factor).map(|w| timed.begin_with(WEIGHTS, w));
    let mut rate_at = |factor: f64| -> Result<Found> {
        set(timed, factor)?;
        let rate = timed.count(plan)?.mean_rate;
        let neurons = weights.dims()[0];
        remark("note", &format!("{neurons} neurons, for {target} Hz: weights times {factor:.4} give {rate:.2} Hz"));
        Ok(Found { factor, rate })
    };
    let mut best = rate_at(factor)?;
    let (mut low, mut high) = (None, None);
    let mut last = best;
    for _ in 0..TRIES {
        if best.off(target) <= TOLERANCE {
            break;
        }
        if last.rate < target {
            low = Some(last.factor)
        } else {
            high = Some(last.factor)
        }
        let next = match (low, high) {
            (Some(low), Some(high)) if high / low < 1.001 => break,
            (Some(low), Some(high)) => f64::sqrt(low * high),
            (Some(low), None) => 2.0 * low,
            (None, Some(high)) => high / 2.0,
            (None, None) => break,
        };
        last = rate_at(next)?;
        if last.off(target) < best.off(target) {
            best = last;
        }
    }
    set(timed, best.factor)?;
    Ok(best)
}

/// Weights of dimensions neurons, then inputs (the spiker's first), multiplied.
fn scaled(weights: &Array, part: Part, factor: f64) -> Result<Array> {
    let row = weights.dims().last().copied().unwrap_or(1);
    let of = if part == Part::All { row } else { row / 2 };
    let scaled = |(i, w): (usize, f32)| if i % row < of { (f64::from(w) * factor) as f32 } else { w };
    let values = weights.to_f32().into_iter().enumerate().map(scaled).collect();
    Array::new(weights.shape().clone(), Data::F32(values)).map_err(|e| Error::new(e.to_string()))
}
