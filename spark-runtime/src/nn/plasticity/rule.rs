//! What the rules share: traces of spikes, the third factor, the step of the kernel.

pub(super) use crate::nn::tracers::trace_shape;

use crate::nn::tracers::Tracer;
use crate::prelude::*;

/// A trace of unit area over `shape`, whose time constant is the parameter `name`. Draws one key.
pub(super) fn spike_trace(cx: &mut Build, name: &str, tau: &Param, shape: &Shape) -> Result<Tracer> {
    let tau = cx.param(name, tau, shape)?;
    Ok(Tracer::normalized(cx, shape, tau))
}

/// A third factor that gates plasticity: one number for all synapses, or one per postsynaptic neuron.
#[track_caller]
pub(super) fn third_factor(factor: FloatArray) -> Real {
    // A single number must not be taken for a population of one neuron.
    if factor.shape().size() == 1 { factor.value().regroup(&Shape::scalar()) } else { factor.value() }
}

/// One step of a kernel that changes by `change` per ms; weights stay at or above 0.
#[track_caller]
pub(super) fn stepped(kernel: FloatArray, change: Real, dt: Real) -> Real {
    (kernel.value() + dt * change).max(0.0)
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
