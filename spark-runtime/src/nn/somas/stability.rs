//! Which parameters an integration step is stable with.
//!
//! The explicit Euler method and steps of coupled equations diverge where a step overshoots by more than it began with. Such
//! parameters are refused when a module is built, so that the steps themselves need no bounds.

use crate::prelude::*;

/// Reports the time constant `name` where a step covers more than twice the way, `share`, to where it leads.
#[track_caller]
pub(super) fn longest_euler_step(cx: &mut Build, name: &str, tau: Real, share: Real) {
    if let Some(found) = unstable(cx, &[name], tau, 2.0 - share) {
        let message = format!("must be at least half a time step, {} ms, found {found} ms", cx.dt() / 2.0);
        cx.report(Error::new(message).at(name).help("the explicit Euler method diverges: use a shorter dt"));
    }
}

/// The first of the values `given` where `margin` is negative, if the parameters `involved` are right.
pub(super) fn unstable(cx: &Build, involved: &[&str], given: Real, margin: Real) -> Option<f64> {
    if !involved.iter().all(|name| cx.is_right(name)) {
        return None;
    }
    let (given, margin) = (given.known()?.to_f64(), margin.known()?.to_f64());
    let at = margin.iter().position(|margin| *margin < 0.0)?;
    given.get(at).or(given.first()).copied()
}
