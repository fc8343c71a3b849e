//! Exponential traces.

use crate::prelude::*;

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
///
/// ```
/// use spark::prelude::*;
///
/// // An input of 2 in the first of four steps.
/// let trace = spark::eager(|| {
///     let inputs = Default::default();
///     let cx = Build::new("Example", &inputs);
///     let [tau, scale, base] = [10.0, 1.0, 0.0].map(|x| cx.number(x));
///     let mut tracer = Tracer::new(&cx, &Shape::units(&[1]), tau, scale, base);
///     [2.0, 0.0, 0.0, 0.0].map(|input| tracer.update(cx.number(input)).known().unwrap().to_f32()[0])
/// })?;
/// assert!((trace[3] - 2.0 * f32::exp(-3.0 / 10.0)).abs() < 1e-6);
/// # Ok::<(), spark::Error>(())
/// ```
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

    /// A trace that jumps by its input: scale 1, base 0.
    #[track_caller]
    pub fn unscaled(cx: &Build<'_>, shape: &Shape, tau: Real) -> Tracer {
        Tracer::new(cx, shape, tau, cx.number(1.0), cx.number(0.0))
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
