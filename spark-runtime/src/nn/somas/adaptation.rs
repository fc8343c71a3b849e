//! The adaptation current, a part that somas hold.

use crate::prelude::*;

/// Parameters of an [`Adaptation`] current.
#[spark::config(group)]
pub struct AdaptationConfig {
    /// Time constant of the adaptation current.
    #[param(default = 100.0, units = "ms", check = positive)]
    pub adaptation_tau: Param,
    /// Rise of the adaptation current after a spike.
    #[param(default = 7.0, units = "pA")]
    pub adaptation_delta: Param,
    /// Adaptation current per mV of potential above rest.
    #[param(default = 0.5, units = "nS")]
    pub adaptation_subthreshold: Param,
}

/// An adaptation current: τ_w dw/dt = a·v − w, and w ← w + b at a spike.
///
/// a is `adaptation_subthreshold`, b is `adaptation_delta`, v is relative to rest.
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct Adaptation {
    /// The current w, in pA.
    #[variable]
    adaptation: Real,
    /// Share of the way to a·v that a step covers.
    #[constant]
    scale: Real,
    #[constant]
    delta: Real,
    #[constant]
    subthreshold: Real,
}

#[spark::traced]
impl Adaptation {
    /// The current of each of `units` neurons, by the explicit Euler method: a step covers dt/τ_w of the way.
    ///
    /// # Errors
    /// If a parameter does not fit `units`.
    #[track_caller]
    pub fn euler(cx: &mut Build, config: &AdaptationConfig, units: &Shape) -> Result<Adaptation> {
        let dt = cx.dt();
        Adaptation::build(cx, config, units, |tau| dt / tau)
    }

    /// The same, exact where v is constant over a step: a step covers 1 − e^(−dt/τ_w) of the way.
    ///
    /// # Errors
    /// If a parameter does not fit `units`.
    #[track_caller]
    pub fn exact(cx: &mut Build, config: &AdaptationConfig, units: &Shape) -> Result<Adaptation> {
        let dt = cx.dt();
        Adaptation::build(cx, config, units, |tau| 1.0 - (-dt / tau).exp())
    }

    fn build(
        cx: &mut Build,
        config: &AdaptationConfig,
        units: &Shape,
        scale: impl Fn(Real) -> Real,
    ) -> Result<Adaptation> {
        let delta = cx.param("adaptation_delta", &config.adaptation_delta, units)?;
        let subthreshold = cx.param("adaptation_subthreshold", &config.adaptation_subthreshold, units)?;
        let tau = cx.param("adaptation_tau", &config.adaptation_tau, units)?;
        Ok(Adaptation { adaptation: cx.zeros(units), scale: scale(tau), delta, subthreshold })
    }

    /// The current w, in pA.
    pub fn current(&self) -> Real {
        self.adaptation
    }

    /// Takes one step, which the potential ended with at `potential`.
    #[track_caller]
    pub fn update(&mut self, potential: Real, fired: Bool) {
        let jump = if fired { self.delta } else { 0.0 };
        self.adaptation += self.scale * (self.subthreshold * potential - self.adaptation) + jump;
    }

    /// One step of a soma that adapts by this current: moves its potential, then the current; true where a spike is.
    #[track_caller]
    pub fn fire(&mut self, membrane: &impl Membrane, potential: &mut Real, current: Real) -> Bool {
        *potential = membrane.advance_against(*potential, self.adaptation, current);
        let fired = membrane.spike(potential);
        self.update(*potential, fired);
        fired
    }
}
