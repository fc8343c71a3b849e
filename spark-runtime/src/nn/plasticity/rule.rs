//! What the rules share: the third factor, the step of the kernel, powers of weights.

use crate::prelude::*;

/// How fast a kernel learns, a part that rules hold: dw/dt = η·change, with w ≥ 0.
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct Learning {
    /// η.
    #[constant]
    rate: Real,
    /// Time step, in ms.
    #[constant]
    dt: Real,
    /// Largest weight, for the arithmetic's sake.
    #[constant]
    limit: Real,
}

impl Learning {
    /// Learning at the rate η, one for all synapses or one for each.
    #[track_caller]
    pub fn new(cx: &Build, rate: Real) -> Learning {
        Learning { rate, dt: cx.number(cx.dt()), limit: cx.number(cx.limit()) }
    }

    /// The kernel after a step.
    #[track_caller]
    pub fn step(&self, kernel: FloatArray, change: Real) -> Real {
        self.stepped(kernel, self.rate * change)
    }

    /// The kernel after a step of a rule that `gate` turns up and down.
    #[track_caller]
    pub fn gated(&self, kernel: FloatArray, gate: Real, change: Real) -> Real {
        self.stepped(kernel, self.rate * gate * change)
    }

    #[track_caller]
    fn stepped(&self, kernel: FloatArray, change: Real) -> Real {
        (kernel.value() + self.dt * change).clip(0.0, self.limit)
    }
}

/// A third factor that gates plasticity: one number for all synapses, or one per postsynaptic neuron.
#[track_caller]
pub(super) fn third_factor(factor: FloatArray) -> Real {
    let factor = bounded(factor.value());
    // A single number must not be taken for a population of one neuron.
    if factor.shape().size() == 1 { factor.regroup(&Shape::scalar()) } else { factor }
}

/// x to the power of `exponent`, for x ≥ 0 and exponents ≥ 0; 0⁰ is 1.
#[track_caller]
pub(super) fn power(x: Real, exponent: f64) -> Real {
    if exponent == 0.0 {
        Real::scalar(1.0)
    } else if exponent == 1.0 {
        x
    } else {
        // ln 0 is −∞, and e^−∞ is 0.
        (exponent * x.ln()).exp()
    }
}
