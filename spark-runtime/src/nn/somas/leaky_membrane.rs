//! The leaky membrane, a part that somas hold, and the parameters every membrane has.
//!
//! A soma keeps the potential, relative to rest, as its own variable; a membrane holds the constants and gives the next
//! value. Spikes and refractory periods are the soma's.

use crate::prelude::*;

/// Parameters of a [`LeakyMembrane`].
#[spark::config(group)]
pub struct LeakyMembraneConfig {
    /// Membrane rest potential.
    #[param(default = -60.0, units = "mV")]
    pub potential_rest: Param,
    /// Membrane potential right after a spike.
    #[param(default = -50.0, units = "mV")]
    pub potential_reset: Param,
    /// Membrane time constant.
    #[param(default = 20.0, units = "ms", check = positive)]
    pub potential_tau: Param,
    /// Membrane resistance.
    #[param(default = 0.1, units = "GΩ")]
    pub resistance: Param,
    /// Potential above which the neuron spikes.
    #[param(default = -40.0, units = "mV")]
    pub threshold: Param,
}

/// The values of a [`LeakyMembraneConfig`].
pub(super) struct LeakyParameters {
    pub(super) rest: Real,
    pub(super) reset: Real,
    pub(super) tau: Real,
    pub(super) resistance: Real,
    pub(super) threshold: Real,
}

impl LeakyMembraneConfig {
    /// Draws one key per parameter.
    #[track_caller]
    pub(super) fn values(&self, cx: &mut Build, units: &Shape) -> Result<LeakyParameters> {
        Ok(LeakyParameters {
            rest: cx.param("potential_rest", &self.potential_rest, units)?,
            reset: cx.param("potential_reset", &self.potential_reset, units)?,
            tau: cx.param("potential_tau", &self.potential_tau, units)?,
            resistance: cx.param("resistance", &self.resistance, units)?,
            threshold: cx.param("threshold", &self.threshold, units)?,
        })
    }
}

/// A leaky membrane: τ dv/dt = −v + R·I, integrated exactly for a current that is constant over a step.
///
/// Potentials are relative to rest.
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct LeakyMembrane {
    /// Share of the potential that is left after a step, e^(−dt/τ).
    #[constant]
    decay: Real,
    /// What a step adds per unit of current.
    #[constant]
    gain: Real,
    /// Potential right after a spike.
    #[constant]
    pub reset: Real,
    /// Potential above which the neuron spikes.
    #[constant]
    pub threshold: Real,
}

impl LeakyMembrane {
    /// The membrane of each of `units` neurons.
    ///
    /// # Errors
    /// If a parameter does not fit `units`.
    #[track_caller]
    pub fn build(cx: &mut Build, config: &LeakyMembraneConfig, units: &Shape) -> Result<LeakyMembrane> {
        let LeakyParameters { rest, reset, tau, resistance, threshold } = config.values(cx, units)?;
        let decay = (-cx.dt() / tau).exp();
        Ok(LeakyMembrane { decay, gain: (1.0 - decay) * resistance, reset: reset - rest, threshold: threshold - rest })
    }

    /// The potential after a step with `current`, in pA.
    #[track_caller]
    pub fn advance(&self, potential: Real, current: Real) -> Real {
        self.decay * potential + self.gain * current
    }
}
