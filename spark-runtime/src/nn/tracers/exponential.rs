//! Exponential traces.

use crate::module::Build;
use spark_compiler::array::Real;
use spark_compiler::ir::Shape;

/// What describes one exponential: its time constant, its jump and where it rests.
#[derive(Clone, Copy, Debug)]
pub struct Exponential {
    /// Time constant, in ms.
    pub tau: Real,
    /// Increment per unit of input.
    pub scale: Real,
    /// Value at rest.
    pub base: Real,
}

/// An exponential trace: x ← base + decay·(x − base) + scale·input.
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct Tracer {
    /// The trace.
    #[variable]
    trace: Real,
    /// Decay per step.
    #[constant]
    decay: Real,
    /// Increment per unit of input.
    #[constant]
    scale: Real,
    /// Value at rest.
    #[constant]
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

    /// What the trace comes to after a step without input.
    #[track_caller]
    pub fn relaxed(&self) -> Real {
        self.base + self.decay * (self.trace - self.base)
    }

    /// Takes one step and gives the new value.
    #[track_caller]
    pub fn update(&mut self, input: Real) -> Real {
        self.trace = self.relaxed() + self.scale * input;
        self.trace
    }
}
