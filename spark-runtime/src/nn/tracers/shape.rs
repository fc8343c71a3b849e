//! Over what a trace of spikes is kept.

use crate::prelude::*;

/// Over what a trace of `spikes` is kept whose parameter `tau` may differ between synapses: over the spikes if they share
/// it, else over the kernel.
pub fn trace_shape(tau: &Param, spikes: &Shape, kernel: &Shape) -> Shape {
    let shared = match tau {
        Param::Scalar(_) => true,
        Param::Array(array) => array.len() == 1 || array.len() == spikes.size(),
        Param::Initializer(_) => false,
    };
    if shared { spikes.clone() } else { kernel.clone() }
}
