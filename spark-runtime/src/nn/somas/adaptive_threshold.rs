//! The adaptive threshold, a part that somas hold.

use super::refractory_membrane::RefractoryMembrane;
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

/// A refractory membrane whose threshold rises with every spike, by `threshold_delta`, and returns with `threshold_tau` to that
/// of the membrane. A spike raises the threshold from the next step on.
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct AdaptiveThreshold<M> {
    #[module(flatten)]
    membrane: RefractoryMembrane<M>,
    /// Trace of the spikes, relative to the rest potential.
    #[module]
    threshold: Tracer,
}

impl<M: Membrane> AdaptiveThreshold<M> {
    /// The membrane and the threshold of each of `units` neurons.
    ///
    /// # Errors
    /// If a parameter does not fit `units`.
    #[track_caller]
    pub fn build(
        cx: &mut Build,
        membrane: &M::Config,
        refractory: &RefractoryConfig,
        threshold: &AdaptiveThresholdConfig,
        units: &Shape,
    ) -> Result<AdaptiveThreshold<M>> {
        let membrane = RefractoryMembrane::<M>::build(cx, membrane, refractory, units)?;
        let tau = cx.param("threshold_tau", &threshold.threshold_tau, units)?;
        let delta = cx.param("threshold_delta", &threshold.threshold_delta, units)?;
        let threshold = Tracer::new(cx, units, tau, delta, membrane.membrane().threshold());
        Ok(AdaptiveThreshold { membrane, threshold })
    }

    /// One step of a soma that takes no input while it is refractory: moves the potential; true where a spike is.
    #[track_caller]
    pub fn fire(&mut self, potential: &mut Real, current: Real) -> Bool {
        let fired = self.membrane.fire_above(self.threshold.value(), potential, current);
        self.threshold.update(fired.to_real());
        fired
    }
}
