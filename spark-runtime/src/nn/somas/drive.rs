//! Inputs of somas: those that need not be connected, and those too large for what is done with them.

use crate::prelude::*;

/// The shape of a population whose inputs are all optional: that of the first of `ports` that is connected.
///
/// # Errors
/// If none is, or another has another shape.
pub(super) fn population(cx: &Build, ports: &[&str]) -> Result<Shape> {
    match ports.iter().find(|port| cx.is_connected(port)) {
        Some(port) => {
            let shape = cx.shape(port)?;
            for other in ports.iter().filter(|other| cx.is_connected(other)) {
                let found = cx.shape(other)?;
                if found != shape {
                    let message = format!("the inputs `{port}` of shape {shape} and `{other}` of shape {found} differ");
                    return Err(Error::new(message).help("both have one element for each neuron"));
                }
            }
            Ok(shape)
        }
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

/// Takes a current into a membrane whose potential never leaves the range of R·I by much, so that the current is [`bounded`]
/// only where a resistance above 0.5 GΩ could make of it a potential that overflows: others need not pay for it.
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct Inlet {
    #[host]
    amplifies: bool,
}

impl Inlet {
    /// For a membrane of this resistance, in GΩ.
    pub fn new(resistance: Real) -> Inlet {
        let amplifies = resistance.known().is_none_or(|array| array.to_f64().iter().any(|r| *r > 0.5));
        Inlet { amplifies }
    }

    #[track_caller]
    /// The current that counts, in pA.
    pub fn take(self, current: Real) -> Real {
        if self.amplifies { bounded(current) } else { current }
    }
}
