//! The leaky membrane, a part that somas hold, and the parameters every membrane has.
//!
//! A soma keeps the potential, relative to rest, as its own variable; a membrane holds the constants and gives the next
//! value. Spikes and refractory periods are the soma's.

use super::drive::Inlet;
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
    #[param(default = 0.1, units = "GΩ", check = positive)]
    pub resistance: Param,
    /// Potential above which the neuron spikes.
    #[param(default = -40.0, units = "mV")]
    pub threshold: Param,
}

/// The values of a [`LeakyMembraneConfig`], one per neuron or one for all.
#[derive(Clone, Copy, Debug)]
pub struct LeakyParameters {
    /// Membrane rest potential, in mV.
    pub rest: Real,
    /// Potential right after a spike, relative to rest, in mV.
    pub reset: Real,
    /// Membrane time constant, in ms.
    pub tau: Real,
    /// Membrane resistance, in GΩ.
    pub resistance: Real,
    /// Potential above which the neuron spikes, relative to rest, in mV.
    pub threshold: Real,
}

impl LeakyMembraneConfig {
    /// The values for `units` neurons. Draws one key per parameter.
    ///
    /// # Errors
    /// If a parameter does not fit `units`.
    #[track_caller]
    pub fn values(&self, cx: &mut Build, units: &Shape) -> Result<LeakyParameters> {
        let rest = cx.param("potential_rest", &self.potential_rest, units)?;
        Ok(LeakyParameters {
            rest,
            reset: cx.param("potential_reset", &self.potential_reset, units)? - rest,
            tau: cx.param("potential_tau", &self.potential_tau, units)?,
            resistance: cx.param("resistance", &self.resistance, units)?,
            threshold: cx.param("threshold", &self.threshold, units)? - rest,
        })
    }
}

/// A leaky membrane: τ dv/dt = −v + R·I, integrated exactly for a current that is constant over a step.
///
/// Potentials are relative to rest.
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct LeakyMembrane {
    #[module]
    inlet: Inlet,
    /// Share of the potential that is left after a step, e^(−dt/τ).
    #[constant]
    decay: Real,
    /// What a step adds per unit of current.
    #[constant]
    gain: Real,
    /// Potential right after a spike.
    #[constant]
    reset: Real,
    /// Potential above which the neuron spikes.
    #[constant]
    threshold: Real,
}

impl LeakyMembrane {
    /// The membrane of these values.
    #[track_caller]
    pub fn new(cx: &Build, values: LeakyParameters) -> LeakyMembrane {
        let decay = (-cx.dt() / values.tau).exp();
        let gain = (1.0 - decay) * values.resistance;
        let inlet = Inlet::new(values.resistance);
        LeakyMembrane { inlet, decay, gain, reset: values.reset, threshold: values.threshold }
    }
}

impl Membrane for LeakyMembrane {
    type Config = LeakyMembraneConfig;

    #[track_caller]
    fn build(cx: &mut Build, config: &LeakyMembraneConfig, units: &Shape) -> Result<LeakyMembrane> {
        config.values(cx, units).map(|values| LeakyMembrane::new(cx, values))
    }

    #[track_caller]
    fn advance(&self, potential: Real, current: Real) -> Real {
        self.decay * potential + self.gain * self.inlet.take(current)
    }

    #[track_caller]
    fn linear(&self) -> (Real, Real) {
        (1.0 - self.decay, self.gain)
    }

    fn reset(&self) -> Real {
        self.reset
    }

    fn threshold(&self) -> Real {
        self.threshold
    }
}
