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
/// a is `adaptation_subthreshold`, b is `adaptation_delta`, v is relative to rest. The current is a variable of the soma.
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct Adaptation {
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
        Ok(Adaptation { scale: scale(tau), delta, subthreshold })
    }

    /// The current w after a step, from what it was and the potential the step ended with.
    #[track_caller]
    pub fn advance(&self, adaptation: Real, potential: Real, fired: Bool) -> Real {
        let jump = if fired { self.delta } else { 0.0 };
        adaptation + (self.scale * (self.subthreshold * potential - adaptation) + jump)
    }
}
