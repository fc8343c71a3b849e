//! Inputs that need not be connected.

use crate::prelude::*;

/// The shape of a population whose inputs are all optional: that of the first of `ports` that is connected.
///
/// # Errors
/// If none is.
pub(super) fn population(cx: &Build, ports: &[&str]) -> Result<Shape> {
    match ports.iter().find(|port| cx.is_connected(port)) {
        Some(port) => cx.shape(port),
        None => {
            let message = "nothing is connected that says how many neurons there are";
            Err(Error::new(message).help(format!("connect one of the inputs {}", ports.join(", "))))
        }
    }
}

/// The value of an input, [`bounded`]; 0 if nothing is connected.
#[track_caller]
pub(super) fn drive<P: ValuePayload<Real>>(input: Option<P>) -> Real {
    input.map_or_else(|| Real::scalar(0.0), |input| bounded(input.into_handle()))
}
