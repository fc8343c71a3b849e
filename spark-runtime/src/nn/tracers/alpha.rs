//! Alpha-shaped traces.

use crate::prelude::*;

/// An alpha-shaped trace: the response to an input of 1 at t = 0 is
///
/// (t/τ)·e^(1 − t/τ),
///
/// which is 0 at t = 0 and has its peak, 1, at t = τ. Advanced exactly.
///
/// Rall (1967), *Distinguishing theoretical synaptic potentials computed for different soma-dendritic distributions of
/// synaptic input*, Journal of Neurophysiology 30.
///
/// ```
/// use spark::nn::tracers::AlphaTracer;
/// use spark::prelude::*;
///
/// // An input of 1 in the first of four steps.
/// let trace = spark::eager(|| {
///     let inputs = Default::default();
///     let cx = Build::new("Example", &inputs);
///     let mut tracer = AlphaTracer::new(&cx, &Shape::units(&[1]), cx.number(3.0));
///     [1.0, 0.0, 0.0, 0.0].map(|input| tracer.update(cx.number(input)).known().unwrap().to_f32()[0])
/// })?;
/// assert_eq!(trace[0], 0.0);
/// assert!((trace[3] - 1.0).abs() < 1e-6);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct AlphaTracer {
    /// The trace.
    #[variable]
    trace: Real,
    /// What the trace rises by, per ms.
    #[variable]
    rise: Real,
    /// Decay per step, of both.
    #[constant]
    decay: Real,
    /// Rise per unit of input.
    #[constant]
    scale: Real,
    /// Time step, in ms.
    #[constant]
    dt: Real,
}

impl AlphaTracer {
    /// A trace at rest, with time constant `tau` in ms.
    #[track_caller]
    pub fn new(cx: &Build, shape: &Shape, tau: Real) -> AlphaTracer {
        AlphaTracer {
            trace: cx.zeros(shape),
            rise: cx.zeros(shape),
            decay: (-cx.dt() / tau).exp(),
            scale: std::f64::consts::E / tau,
            dt: cx.number(cx.dt()),
        }
    }

    /// The trace now.
    pub fn value(&self) -> Real {
        self.trace
    }

    /// What the trace rises by now, per ms, on top of its decay.
    pub fn rise(&self) -> Real {
        self.rise
    }

    /// Takes one step and gives the new value.
    #[track_caller]
    pub fn update(&mut self, input: Real) -> Real {
        self.trace = self.decay * (self.trace + self.dt * self.rise);
        self.rise = self.decay * self.rise + self.scale * input;
        self.trace
    }
}
