//! The adaptation current, a part that somas hold.

use super::stability::{longest_euler_step, unstable};
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
/// a is `adaptation_subthreshold`, b is `adaptation_delta`, v is relative to rest. Refused are a with which potential and
/// current drive each other away from rest, those below −1/R in particular, and for the explicit Euler method τ_w < dt/2.
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
    pub fn euler(
        cx: &mut Build,
        config: &AdaptationConfig,
        membrane: &impl Membrane,
        units: &Shape,
    ) -> Result<Adaptation> {
        let dt = cx.dt();
        Adaptation::build(cx, config, membrane, units, |tau| dt / tau)
    }

    /// The same, exact where v is constant over a step: a step covers 1 − e^(−dt/τ_w) of the way.
    ///
    /// # Errors
    /// If a parameter does not fit `units`.
    #[track_caller]
    pub fn exact(
        cx: &mut Build,
        config: &AdaptationConfig,
        membrane: &impl Membrane,
        units: &Shape,
    ) -> Result<Adaptation> {
        let dt = cx.dt();
        Adaptation::build(cx, config, membrane, units, |tau| 1.0 - (-dt / tau).exp())
    }

    fn build(
        cx: &mut Build,
        config: &AdaptationConfig,
        membrane: &impl Membrane,
        units: &Shape,
        scale: impl Fn(Real) -> Real,
    ) -> Result<Adaptation> {
        let delta = cx.param("adaptation_delta", &config.adaptation_delta, units)?;
        let subthreshold = cx.param("adaptation_subthreshold", &config.adaptation_subthreshold, units)?;
        let tau = cx.param("adaptation_tau", &config.adaptation_tau, units)?;
        let scale = scale(tau);
        longest_euler_step(cx, "adaptation_tau", tau, scale);
        refuse_unstable(cx, membrane, scale, subthreshold);
        Ok(Adaptation { adaptation: cx.zeros(units), scale, delta, subthreshold })
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

/// Reports an a with which potential and current drive each other away from rest. For a step that loses the share s of the
/// potential and adds g per pA, and covers the share q of the way to a·v, the eigenvalues of the step are within the unit
/// circle if s + a·g ≥ 0 (the criteria of Jury), which is a ≥ −1/R, and a·g·q ≤ (2 − s)·(2 − q).
#[track_caller]
fn refuse_unstable(cx: &mut Build, membrane: &impl Membrane, share: Real, subthreshold: Real) {
    const INVOLVED: [&str; 4] = ["adaptation_subthreshold", "adaptation_tau", "potential_tau", "resistance"];
    let (loss, gain) = membrane.linear();
    let lowest = loss + subthreshold * gain;
    let highest = (2.0 - loss) * (2.0 - share) - subthreshold * gain * share;
    if let Some(found) = unstable(cx, &INVOLVED, subthreshold, lowest) {
        let message = format!("must be at least −1/resistance, found {found} nS");
        let error = Error::new(message).at("adaptation_subthreshold");
        cx.report(error.help("with less, the current drives the potential away from rest without end"));
    }
    if let Some(found) = unstable(cx, &INVOLVED, subthreshold, highest) {
        let message = format!("is too large for a time step of {} ms, found {found} nS", cx.dt());
        let error = Error::new(message).at("adaptation_subthreshold");
        cx.report(error.help("the steps would overshoot more and more: use a shorter dt, or longer time constants"));
    }
}
