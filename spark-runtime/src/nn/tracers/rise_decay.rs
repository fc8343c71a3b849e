//! Traces that rise and decay.

use crate::prelude::*;

/// A trace that rises with τ_r and decays with τ_d: the response to an input of 1 at t = 0 is
///
/// (1 − e^(−t/τ_r))·e^(−t/τ_d) = e^(−t/τ_d) − e^(−t/τ), where 1/τ = 1/τ_r + 1/τ_d,
///
/// for scales of 1 and bases of 0. Kept as the two exponentials on the right.
///
/// Gerstner, Kistler, Naud, Paninski, *Neuronal Dynamics*, chapter 3.1.
///
/// ```
/// use spark::nn::tracers::Exponential;
/// use spark::prelude::*;
///
/// // An input of 1 in the first of four steps.
/// let trace = spark::eager(|| {
///     let inputs = Default::default();
///     let cx = Build::new("Example", &inputs);
///     let exponential = |tau| Exponential { tau: cx.number(tau), scale: cx.number(1.0), base: cx.number(0.0) };
///     let mut tracer = RDTracer::new(&cx, &Shape::units(&[1]), exponential(2.0), exponential(10.0));
///     [1.0, 0.0, 0.0, 0.0].map(|input| tracer.update(cx.number(input)).known().unwrap().to_f32()[0])
/// })?;
/// assert!((trace[3] - (1.0 - f32::exp(-3.0 / 2.0)) * f32::exp(-3.0 / 10.0)).abs() < 1e-6);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct RDTracer {
    /// What is subtracted: fast, gone once the trace has risen.
    #[module]
    tracer_rise: Tracer,
    /// What remains.
    #[module]
    tracer_decay: Tracer,
}

impl RDTracer {
    /// A trace at rest, with the time constants τ_r of `rise` and τ_d of `decay`.
    #[track_caller]
    pub fn new(cx: &Build<'_>, shape: &Shape, rise: Exponential, decay: Exponential) -> RDTracer {
        let tau = (rise.tau * decay.tau) / (rise.tau + decay.tau);
        RDTracer {
            tracer_rise: Tracer::new(cx, shape, tau, rise.scale, rise.base),
            tracer_decay: Tracer::new(cx, shape, decay.tau, decay.scale, decay.base),
        }
    }

    /// The trace now.
    #[track_caller]
    pub fn value(&self) -> Real {
        self.tracer_decay.value() - self.tracer_rise.value()
    }

    /// Takes one step and gives the new value.
    #[track_caller]
    pub fn update(&mut self, input: Real) -> Real {
        self.tracer_rise.update(input);
        self.tracer_decay.update(input);
        self.value()
    }
}
