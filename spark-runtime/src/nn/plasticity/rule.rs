//! What the rules share: traces of spikes, the third factor, the step of the kernel.

use crate::nn::tracers::Tracer;
use crate::prelude::*;

/// A trace of unit area over `shape`, whose time constant is the parameter `name`. Draws one key.
pub(super) fn spike_trace(cx: &mut Build, name: &str, tau: &Param, shape: &Shape) -> Result<Tracer> {
    let tau = cx.param(name, tau, shape)?;
    Ok(Tracer::normalized(cx, shape, tau))
}

/// Over what the trace of `spikes` is kept where its time constant may differ between synapses: over the spikes if they
/// share it, else over the kernel.
pub(super) fn trace_shape(tau: &Param, spikes: &Shape, kernel: &Shape) -> Shape {
    let shared = match tau {
        Param::Scalar(_) => true,
        Param::Array(array) => array.len() == 1 || array.len() == spikes.size(),
        Param::Initializer(_) => false,
    };
    if shared { spikes.clone() } else { kernel.clone() }
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
