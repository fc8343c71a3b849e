//! The adaptive threshold, a part that somas hold.

use crate::prelude::*;

/// Parameters of an adaptive threshold.
#[spark::config(group)]
pub struct AdaptiveThresholdConfig {
    /// Time constant of the threshold's return.
    #[param(default = 20.0, units = "ms", check = positive)]
    pub threshold_tau: Param,
    /// Rise of the threshold after a spike.
    #[param(default = 100.0, units = "mV")]
    pub threshold_delta: Param,
}

impl AdaptiveThresholdConfig {
    /// The threshold of each of `units` neurons: a trace of their spikes that rests at `threshold`, relative to the rest
    /// potential.
    ///
    /// # Errors
    /// If a parameter does not fit `units`.
    #[track_caller]
    pub fn build(&self, cx: &mut Build, units: &Shape, threshold: Real) -> Result<Tracer> {
        let tau = cx.param("threshold_tau", &self.threshold_tau, units)?;
        let delta = cx.param("threshold_delta", &self.threshold_delta, units)?;
        Ok(Tracer::new(cx, units, tau, delta, threshold))
    }
}
