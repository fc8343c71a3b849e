//! Units that fire regularly, at a rate their signal sets: what the linear spikers share.

use crate::prelude::*;

/// Parameters of [`LinearUnits`].
#[spark::config(group)]
pub struct LinearUnitsConfig {
    /// Decay time constant of the potential.
    #[param(default = 100.0, units = "ms", check = positive)]
    pub tau: f64,
    /// Refractory period (cooldown); shorter than an interval at `max_freq`.
    #[param(default = 2.0, units = "ms", check = positive)]
    pub cd: f64,
    /// Firing rate at a signal of 1, or where a signal meets the unit's position.
    #[param(default = 100.0, units = "Hz", check = positive)]
    pub max_freq: f64,
}

/// Leaky units with a refractory period that at a signal of 1 fire every 1000/f ms, for a maximal frequency f:
///
/// v ← e^(−dt/τ)·v + (1 − e^(−dt/τ))·τ·S·signal, a spike and v = 0 where v > τ, with S = 1/(1 − e^(−(1000/f − c)/τ)).
///
/// For c ms after a spike the signal is not taken. A signal of 1 brings v from 0 to τ in 1000/f − c ms, whatever the time
/// step; intervals are whole steps, and one step longer where v meets τ exactly.
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct LinearUnits {
    /// Time since the last spike, in ms.
    #[variable]
    refractory: Real,
    #[constant]
    decay: Real,
    /// What a signal of 1 adds to the potential per step.
    #[constant]
    gain: Real,
    #[constant]
    threshold: Real,
    #[constant]
    cooldown: Real,
    #[constant]
    dt: Real,
}

impl LinearUnits {
    /// Units at rest. A refractory period that does not leave time to fire at that rate is reported.
    pub fn new(cx: &mut Build<'_>, units: &Shape, config: &LinearUnitsConfig) -> LinearUnits {
        let LinearUnitsConfig { tau, cd: cooldown, max_freq } = *config;
        let rise = (1000.0 - cooldown * max_freq) / max_freq;
        let decay = cx.number(-cx.dt() / tau).exp();
        let scale = 1.0 / (cx.number((1.0 / tau) * rise).exp() - 1.0) + 1.0;
        let gain = cx.number(tau) * (1.0 - decay) * scale;
        // A time to rise that is a rounding error makes the scale infinite.
        let infinite = gain.known().is_none_or(|gain| !gain.convert(cx.dtype()).to_f64()[0].is_finite());
        if (rise <= 0.0 || infinite) && ["tau", "cd", "max_freq"].iter().all(|name| cx.is_right(name)) {
            let interval = 1000.0 / max_freq;
            // Only a time to rise that is lost in its own rounding is the refractory period's fault.
            if rise <= 1e-6 * interval {
                let message =
                    format!("must be shorter than an interval at max_freq, {interval} ms, found {cooldown} ms");
                cx.report(Error::new(message).at("cd").help("a unit fires at most once per refractory period"));
            } else {
                let message = format!("must not be so long that {rise} ms are none of it, found {tau} ms");
                cx.report(Error::new(message).at("tau").help("an interval at max_freq less the refractory period"));
            }
        }
        LinearUnits {
            refractory: cx.full(units, cx.number(cooldown)),
            decay,
            gain,
            threshold: cx.number(tau),
            cooldown: cx.number(cooldown),
            dt: cx.number(cx.dt()),
        }
    }
}

#[spark::traced]
impl LinearUnits {
    /// Takes one step: gives the new potential, and true where a spike is.
    pub fn advance(&mut self, potential: Real, signal: Real) -> (Real, Bool) {
        let drive = if self.refractory >= self.cooldown { self.gain * bounded(signal) } else { 0.0 };
        let potential = self.decay * potential + drive;
        let fired = potential > self.threshold;
        self.refractory = if fired { 0.0 } else { self.refractory + self.dt };
        let potential = if fired { 0.0 } else { potential };
        (potential, fired)
    }
}
