//! Postsynaptic currents, parts that somas hold: kinetics of the current that arriving spikes start, integrated exactly
//! together with a leaky membrane.
//!
//! Each part gives what its current adds to the potential over a step, with the propagators of the linear system of current
//! and membrane: Rotter, Diesmann, *Exact digital simulation of time-invariant linear systems with applications to
//! neuronal modeling*, Biological Cybernetics 81, 1999. They are safe where the time constants coincide.

use crate::prelude::*;

/// Parameters of postsynaptic currents, one kind for excitatory and one for inhibitory spikes.
#[spark::config(group)]
pub struct PostsynapticCurrentConfig {
    /// Time constant of excitatory currents.
    #[param(default = 2.0, units = "ms", check = positive)]
    pub excitatory_tau: Param,
    /// Time constant of inhibitory currents.
    #[param(default = 2.0, units = "ms", check = positive)]
    pub inhibitory_tau: Param,
}

/// A current into a leaky membrane that arriving spikes start.
pub trait SynapticCurrent: Nested + Sized {
    /// No current yet, of time constant `tau`, into the membrane of these values.
    fn new(cx: &Build, units: &Shape, tau: Real, membrane: LeakyParameters) -> Self;

    /// What the current adds to the potential over a step, in mV.
    fn charge(&self) -> Real;

    /// Takes a step, at whose end spikes of the summed weight `arriving`, in pA, arrive.
    fn update(&mut self, arriving: Real);
}

/// A current that jumps by the weight of a spike and decays: τ_s di/dt = −i. A [`Tracer`] with what a step of it adds to the
/// potential.
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct ExponentialCurrent {
    #[module(flatten)]
    tracer: Tracer,
    /// What a step adds to the potential per unit of current.
    #[constant]
    gain: Real,
}

impl SynapticCurrent for ExponentialCurrent {
    #[track_caller]
    fn new(cx: &Build, units: &Shape, tau: Real, membrane: LeakyParameters) -> ExponentialCurrent {
        let gain = propagators(cx, tau, membrane).by_current;
        ExponentialCurrent { tracer: Tracer::unscaled(cx, units, tau), gain }
    }

    #[track_caller]
    fn charge(&self) -> Real {
        self.gain * self.tracer.value()
    }

    #[track_caller]
    fn update(&mut self, arriving: Real) {
        self.tracer.update(arriving);
    }
}

/// A current that follows an alpha function: a spike of weight w at t = 0 gives w·(t/τ_s)·e^(1 − t/τ_s), whose peak is w. An
/// [`AlphaTracer`] with what a step of it adds to the potential.
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct AlphaCurrent {
    #[module(flatten)]
    tracer: AlphaTracer,
    /// What a step adds to the potential per unit of current.
    #[constant]
    gain: Real,
    /// What a step adds to the potential per unit of the current's growth.
    #[constant]
    rise_gain: Real,
}

impl SynapticCurrent for AlphaCurrent {
    #[track_caller]
    fn new(cx: &Build, units: &Shape, tau: Real, membrane: LeakyParameters) -> AlphaCurrent {
        let Propagators { by_current, by_rise } = propagators(cx, tau, membrane);
        AlphaCurrent { tracer: AlphaTracer::new(cx, units, tau), gain: by_current, rise_gain: by_rise }
    }

    #[track_caller]
    fn charge(&self) -> Real {
        self.gain * self.tracer.value() + self.rise_gain * self.tracer.rise()
    }

    #[track_caller]
    fn update(&mut self, arriving: Real) {
        self.tracer.update(arriving);
    }
}

/// What a step adds to the potential.
struct Propagators {
    /// Per unit of a current that decays with τ_s.
    by_current: Real,
    /// Per unit of growth of an alpha function's current.
    by_rise: Real,
}

/// ∫₀ʰ e^(−(h−t)/τ_m)·e^(−t/τ_s) dt / C and the same with t·e^(−t/τ_s), for a step h and C = τ_m/R.
///
/// With x = h/τ_s − h/τ_m they are h/C·φ₁ and h²/C·φ₂, where
/// φ₁ = (e^(−h/τ_m) − e^(−h/τ_s))/x and φ₂ = (e^(−h/τ_m) − (1 + x)·e^(−h/τ_s))/x².
/// Differences cancel for small x, where the series of φ/e^(−h/τ_m) in x is used.
#[spark::traced]
fn propagators(cx: &Build, tau: Real, membrane: LeakyParameters) -> Propagators {
    let h = cx.dt();
    let (slow, fast) = ((-h / membrane.tau).exp(), (-h / tau).exp());
    let x = h / tau - h / membrane.tau;
    let small = x.abs() < 1.0;
    let divisor = if small { 1.0 } else { x };
    let first = if small { slow * series(x, 1) } else { (slow - fast) / divisor };
    let second = if small { slow * series(x, 2) } else { (slow - (1.0 + x) * fast) / divisor.square() };
    let per_charge = h * membrane.resistance / membrane.tau;
    Propagators { by_current: per_charge * first, by_rise: h * per_charge * second }
}

/// Σ (−x)ⁿ / (n!·(n + k)) over n: ∫₀¹ s^(k−1)·e^(−x·s) ds. Beyond |x| = 1 it needs more terms than it has.
fn series(x: Real, k: u32) -> Real {
    let mut sum = Real::scalar(0.0);
    let factorial = |n: u32| (1..=n).map(f64::from).product::<f64>();
    for n in (0..=18).rev() {
        let sign = if n % 2 == 0 { 1.0 } else { -1.0 };
        sum = sum * x + sign / (factorial(n) * f64::from(n + k));
    }
    sum
}
