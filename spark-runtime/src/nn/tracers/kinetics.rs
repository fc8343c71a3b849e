//! What synapses ask of a trace.

use crate::prelude::*;

/// A trace that one time constant describes: how what a spike opens at a synapse comes and goes.
pub trait Kinetics: Nested + Sized {
    /// A trace at rest, at 0, with time constant `tau` in ms.
    fn at_rest(cx: &Build, shape: &Shape, tau: Real) -> Self;

    /// Takes one step and gives the new value.
    fn advance(&mut self, input: Real) -> Real;
}

impl Kinetics for Tracer {
    #[track_caller]
    fn at_rest(cx: &Build, shape: &Shape, tau: Real) -> Tracer {
        Tracer::unscaled(cx, shape, tau)
    }

    #[track_caller]
    fn advance(&mut self, input: Real) -> Real {
        self.update(input)
    }
}

impl Kinetics for AlphaTracer {
    #[track_caller]
    fn at_rest(cx: &Build, shape: &Shape, tau: Real) -> AlphaTracer {
        AlphaTracer::new(cx, shape, tau)
    }

    #[track_caller]
    fn advance(&mut self, input: Real) -> Real {
        self.update(input)
    }
}
