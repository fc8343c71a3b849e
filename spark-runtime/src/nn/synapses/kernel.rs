//! The kernel of synapses: one weight for each pair of an input and a unit, and what it makes of spikes.

use crate::prelude::*;

/// Parameters of the kernel of synapses.
#[spark::config(group)]
pub struct KernelConfig {
    /// Shape of the postsynaptic population.
    #[param]
    pub units: Units,
    /// Synaptic weights, of shape (units, inputs).
    #[param(default = SparseUniform::default(), units = "pA")]
    pub kernel: Param,
}

impl KernelConfig {
    /// The weights of synapses from the spikes on the port `spikes`, over (units, inputs). Draws one key.
    ///
    /// # Errors
    /// If nothing is connected to `spikes`, or the kernel has another shape.
    #[track_caller]
    pub fn build(&self, cx: &mut Build) -> Result<Real> {
        build_kernel(cx, &self.units, &self.kernel)
    }
}

/// The weights of synapses from the spikes on the port `spikes` to a population of shape `units`, over (units, inputs).
///
/// Draws one key.
pub(super) fn build_kernel(cx: &mut Build, units: &Units, kernel: &Param) -> Result<Real> {
    let inputs = cx.pre("spikes")?;
    let shape = Shape::units(units).with(Axis::PRE, &inputs.dims());
    // Where an initializer normalises, it is the weights that arrive at each postsynaptic neuron.
    let overrides = InitOverrides { norm_axes: Some((0..units.len()).collect()), ..Default::default() };
    let kernel = cx.array("kernel", kernel, &shape, cx.dtype(), &overrides)?;
    let kernel = cx.real(&kernel);
    Ok(cx.full(&shape, kernel))
}
