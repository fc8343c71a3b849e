//! Traces that rise, then decay fast and slowly.

use crate::prelude::*;

/// A trace that rises with τ_r and decays with two time constants: the response to an input of 1 at t = 0 is
///
/// (1 − e^(−t/τ_r))·(α·e^(−t/τ_fast) + (1 − α)·e^(−t/τ_slow))
///
/// for scales of 1 and bases of 0. Kept as two [`RDTracer`]s, which share τ_r.
///
/// Gerstner, Kistler, Naud, Paninski, *Neuronal Dynamics*, chapter 3.1.
///
/// ```
/// use spark::nn::tracers::Exponential;
/// use spark::prelude::*;
///
/// // An input of 1 in the first of four steps; 60 % of it decays fast.
/// let trace = spark::eager(|| {
///     let inputs = Default::default();
///     let cx = Build::new("Example", &inputs);
///     let exponential = |tau| Exponential { tau: cx.number(tau), scale: cx.number(1.0), base: cx.number(0.0) };
///     let (rise, fast, slow) = (exponential(2.0), exponential(5.0), exponential(50.0));
///     let mut tracer = RFSTracer::new(&cx, &Shape::units(&[1]), cx.number(0.6), rise, fast, slow);
///     [1.0, 0.0, 0.0, 0.0].map(|input| tracer.update(cx.number(input)).known().unwrap().to_f32()[0])
/// })?;
/// let decay = 0.6 * f32::exp(-3.0 / 5.0) + 0.4 * f32::exp(-3.0 / 50.0);
/// assert!((trace[3] - (1.0 - f32::exp(-3.0 / 2.0)) * decay).abs() < 1e-6);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct RFSTracer {
    /// The fast part, before weighting.
    #[module]
    tracer_rise_fast: RDTracer,
    /// The slow part, before weighting.
    #[module]
    tracer_rise_slow: RDTracer,
    /// Weight of the fast part, from 0 to 1.
    #[constant]
    alpha: Real,
}

impl RFSTracer {
    /// A trace at rest; `alpha` is the weight of the fast part.
    #[track_caller]
    pub fn new(
        cx: &Build<'_>,
        shape: &Shape,
        alpha: Real,
        rise: Exponential,
        fast: Exponential,
        slow: Exponential,
    ) -> RFSTracer {
        RFSTracer {
            tracer_rise_fast: RDTracer::new(cx, shape, rise, fast),
            tracer_rise_slow: RDTracer::new(cx, shape, rise, slow),
            alpha,
        }
    }

    /// The trace now.
    #[track_caller]
    pub fn value(&self) -> Real {
        self.alpha * self.tracer_rise_fast.value() + (1.0 - self.alpha) * self.tracer_rise_slow.value()
    }

    /// Takes one step and gives the new value.
    #[track_caller]
    pub fn update(&mut self, input: Real) -> Real {
        self.tracer_rise_fast.update(input);
        self.tracer_rise_slow.update(input);
        self.value()
    }
}
