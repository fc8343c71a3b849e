//! Over what a trace of spikes is kept.

use crate::prelude::*;

/// Over what a trace of `spikes` is kept whose parameter `tau` may differ between synapses: over the spikes if they share
/// it, else over the kernel.
pub fn trace_shape(tau: &Param, spikes: &Shape, kernel: &Shape) -> Shape {
    let shared = match tau {
        Param::Scalar(_) => true,
        // Where one side has one neuron lengths do not tell spikes from synapses; dimensions do.
        Param::Array(array) if array.dims() == spikes.dims() => true,
        Param::Array(array) if array.dims() == kernel.dims() => array.len() == 1,
        Param::Array(array) => array.len() == 1 || array.len() == spikes.size(),
        Param::Initializer(_) => false,
    };
    if shared { spikes.clone() } else { kernel.clone() }
}
