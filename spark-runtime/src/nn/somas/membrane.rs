//! Membranes: how a potential follows its input current over one step, shared by the somas.
//!
//! A soma keeps the potential, relative to rest, as its own variable; a membrane holds the constants and gives the next
//! value. Spikes, resets and refractory periods are the soma's.

use crate::prelude::*;

/// A leaky membrane: τ dv/dt = −v + R·I, integrated exactly for a current that is constant over a step.
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct LeakyMembrane {
    /// Share of the potential that is left after a step, e^(−dt/τ).
    #[constant]
    decay: Real,
    /// What a step adds per unit of current.
    #[constant]
    gain: Real,
}

impl LeakyMembrane {
    /// A membrane of time constant `tau`, in ms, and `resistance`, in GΩ.
    #[track_caller]
    pub fn new(cx: &Build<'_>, tau: Real, resistance: Real) -> LeakyMembrane {
        let decay = (-cx.dt() / tau).exp();
        LeakyMembrane { decay, gain: (1.0 - decay) * resistance }
    }

    /// The potential after a step with `current`, in pA.
    #[track_caller]
    pub fn advance(&self, potential: Real, current: Real) -> Real {
        self.decay * potential + self.gain * current
    }
}

/// An exponential membrane: τ dv/dt = −v + Δ·exp((v − ϑ)/Δ) + R·I, by the explicit Euler method.
///
/// Above the rheobase threshold ϑ the potential runs away, which is the upstroke of a spike. Where nothing resets it the
/// exponential would overflow: it is bounded so that the upstroke stays a quarter of the largest number the storage type
/// holds.
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct ExponentialMembrane {
    /// dt/τ.
    #[constant]
    scale: Real,
    /// Membrane resistance.
    #[constant]
    resistance: Real,
    /// Rheobase threshold ϑ, relative to rest.
    #[constant]
    rheobase: Real,
    /// Sharpness Δ of the upstroke.
    #[constant]
    slope: Real,
    /// Largest argument of the exponential.
    #[constant]
    limit: Real,
}

impl ExponentialMembrane {
    /// A membrane of time constant `tau`, in ms, and `resistance`, in GΩ; `rheobase` (relative to rest) and `slope` in mV.
    #[track_caller]
    pub fn new(cx: &Build<'_>, tau: Real, resistance: Real, rheobase: Real, slope: Real) -> ExponentialMembrane {
        let limit = (cx.number(largest(cx.dtype()) / 4.0) / slope).ln();
        ExponentialMembrane { scale: cx.dt() / tau, resistance, rheobase, slope, limit }
    }

    /// The potential after a step with `current`, in pA.
    #[track_caller]
    pub fn advance(&self, potential: Real, current: Real) -> Real {
        let upstroke = self.slope * ((potential - self.rheobase) / self.slope).min(self.limit).exp();
        potential + self.scale * (upstroke - potential + self.resistance * current)
    }
}

/// The largest finite number of a floating-point type.
pub(super) fn largest(dtype: DType) -> f64 {
    if dtype == DType::F16 {
        65_504.0
    } else if dtype == DType::F64 {
        f64::MAX
    } else {
        f64::from(f32::MAX)
    }
}
