//! The exponential membrane, a part that somas hold.

use super::stability::longest_euler_step;
use crate::prelude::*;

/// Parameters of an [`ExponentialMembrane`].
#[spark::config(group)]
pub struct ExponentialMembraneConfig {
    #[flatten(
        potential_rest = -70.0,
        potential_reset = -51.0,
        potential_tau = 5.0,
        resistance = 0.5,
        threshold = -30.0,
    )]
    pub leak: LeakyMembraneConfig,
    /// Rheobase threshold: above it the exponential term drives the potential upwards.
    #[param(default = -50.0, units = "mV")]
    pub rheobase_threshold: Param,
    /// Sharpness of the upstroke.
    #[param(default = 2.0, units = "mV", check = positive)]
    pub spike_slope: Param,
}

/// An exponential membrane: τ dv/dt = −v + Δ·exp((v − ϑ)/Δ) + R·I, by the explicit Euler method.
///
/// Potentials are relative to rest. Above the rheobase threshold ϑ the potential runs away, which is the upstroke of a
/// spike. Where nothing resets it the exponential would overflow: it is bounded so that the upstroke stays a quarter of
/// the largest number the storage type holds. A τ below dt/2, with which the method diverges, is refused.
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct ExponentialMembrane {
    /// dt/τ.
    #[constant]
    scale: Real,
    /// Membrane resistance.
    #[constant]
    resistance: Real,
    /// Rheobase threshold ϑ.
    #[constant]
    rheobase: Real,
    /// Sharpness Δ of the upstroke.
    #[constant]
    slope: Real,
    /// 1/Δ.
    #[constant]
    steepness: Real,
    /// Largest argument of the exponential.
    #[constant]
    limit: Real,
    /// Potential right after a spike.
    #[constant]
    reset: Real,
    /// Potential above which the neuron spikes.
    #[constant]
    threshold: Real,
}

impl ExponentialMembrane {
    /// τ dv/dt without currents.
    #[track_caller]
    fn drift(&self, potential: Real) -> Real {
        let upstroke = ((potential - self.rheobase) * self.steepness).min(self.limit).exp();
        self.slope * upstroke - potential
    }
}

impl Membrane for ExponentialMembrane {
    type Config = ExponentialMembraneConfig;

    #[track_caller]
    fn build(cx: &mut Build, config: &ExponentialMembraneConfig, units: &Shape) -> Result<ExponentialMembrane> {
        let LeakyParameters { rest, reset, tau, resistance, threshold } = config.leak.values(cx, units)?;
        let rheobase = cx.param("rheobase_threshold", &config.rheobase_threshold, units)?;
        let slope = cx.param("spike_slope", &config.spike_slope, units)?;
        let scale = cx.dt() / tau;
        longest_euler_step(cx, "potential_tau", tau, scale);
        Ok(ExponentialMembrane {
            scale,
            resistance,
            rheobase: rheobase - rest,
            slope,
            steepness: 1.0 / slope,
            // The exponential itself must not overflow either where the slope is below 1.
            limit: (cx.number(cx.largest() / 4.0) / slope.max(1.0)).ln(),
            reset,
            threshold,
        })
    }

    #[track_caller]
    fn advance(&self, potential: Real, current: Real) -> Real {
        potential + self.scale * (self.drift(potential) + self.resistance * current)
    }

    #[track_caller]
    fn advance_against(&self, potential: Real, adaptation: Real, current: Real) -> Real {
        let held = self.drift(potential) - self.resistance * adaptation;
        potential + self.scale * (held + self.resistance * current)
    }

    #[track_caller]
    fn linear(&self) -> (Real, Real) {
        (self.scale, self.scale * self.resistance)
    }

    fn reset(&self) -> Real {
        self.reset
    }

    fn threshold(&self) -> Real {
        self.threshold
    }
}
