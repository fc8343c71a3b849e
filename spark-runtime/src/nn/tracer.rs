//! Exponential traces, a part other modules hold.

use crate::module::{Build, FieldVisitor, Nested};
use spark_compiler::array::Real;
use spark_compiler::ir::Shape;

/// An exponential trace: x ← base + decay·(x − base) + scale·input.
#[derive(Clone, Copy, Debug)]
pub struct Tracer {
    trace: Real,
    decay: Real,
    scale: Real,
    base: Real,
}

impl Tracer {
    /// A trace that starts at `base`, with decay e^(−dt/τ); τ in ms.
    #[track_caller]
    pub fn new(cx: &Build<'_>, shape: &Shape, tau: Real, scale: Real, base: Real) -> Tracer {
        Tracer { trace: cx.full(shape, base), decay: (-cx.dt() / tau).exp(), scale, base }
    }

    /// A trace of unit area: scale 1/τ, base 0.
    #[track_caller]
    pub fn normalized(cx: &Build<'_>, shape: &Shape, tau: Real) -> Tracer {
        Tracer::new(cx, shape, tau, 1.0 / tau, cx.number(0.0))
    }

    /// The trace now.
    pub fn value(&self) -> Real {
        self.trace
    }

    /// Takes one step and gives the new value.
    #[track_caller]
    pub fn update(&mut self, input: Real) -> Real {
        self.trace = self.base + self.decay * (self.trace - self.base) + self.scale * input;
        self.trace
    }
}

impl Nested for Tracer {
    fn visit_nested(&mut self, visitor: &mut dyn FieldVisitor, name: &'static str) {
        visitor.enter(name);
        visitor.variable("trace", "The trace.", &mut self.trace);
        visitor.constant("decay", "Decay per step.", &mut self.decay);
        visitor.constant("scale", "Increment per unit of input.", &mut self.scale);
        visitor.constant("base", "Value at rest.", &mut self.base);
        visitor.leave();
    }
}
