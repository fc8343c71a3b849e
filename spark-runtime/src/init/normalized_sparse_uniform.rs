//! Sparse uniform numbers, normalised so that every target receives the same total.

use super::partial_sums;
use super::sparse_uniform::sparse;
use super::{InitOverrides, Initializer, LimitsConfig, check_axes, size};
use crate::error::{Error, Result};
use crate::rng::Key;
use spark_compiler::ir::{Array, DType};

/// Sparse uniform weights, but the elements that share their position along `norm_axes` sum to `scale`: with the kernel's
/// output axes, every neuron's incoming weights do. Then clipped to [`min_value`, `max_value`].
#[spark::initializer(name = "NormalizedSparseUniformInitializer")]
pub struct NormalizedSparseUniform {
    /// Kept for files; the dtype asked for is used.
    #[param(default = DType::F16)]
    pub dtype: DType,
    /// The sum of each group.
    #[param(default = 1.0, check = finite)]
    pub scale: f64,
    #[flatten]
    pub limits: LimitsConfig,
    /// Expected share of elements that are not zero.
    #[param(default = 0.2, check = zero_one)]
    pub density: f64,
    /// Axes not summed over; synapses set them.
    #[param(default = [0usize])]
    pub norm_axes: Vec<usize>,
}

impl Initializer for NormalizedSparseUniform {
    fn init(&self, key: Key, shape: &[usize], dtype: DType, overrides: &InitOverrides) -> Result<Array> {
        let axes = overrides.norm_axes.as_deref().unwrap_or(&self.norm_axes);
        check(axes, shape, dtype)?;
        let mut values = vec![0.0; size(shape)?];
        sparse(key, self.density)(0, &mut values);
        normalize(&mut values, shape, axes);
        let of = |first: usize, part: &mut [f32]| part.copy_from_slice(&values[first..][..part.len()]);
        self.limits.scaled(self.scale, (shape, dtype), overrides, of)
    }
}

fn check(axes: &[usize], shape: &[usize], dtype: DType) -> Result<()> {
    let rank = shape.len();
    if rank < 2 {
        let message = format!("normalization needs an array of at least two dimensions, found {shape:?}");
        return Err(Error::new(message).help("use `SparseUniform`"));
    }
    if !dtype.is_float() {
        return Err(Error::new(format!("normalization needs a floating-point dtype, found {dtype}")));
    }
    check_axes(axes, shape).map_err(|error| error.at("norm_axes"))
}

/// Divides by the sum over all axes but `kept`; a group of zeros stays.
fn normalize(values: &mut [f32], shape: &[usize], kept: &[usize]) {
    let sums = partial_sums::sums(values, shape, kept);
    let factors: Vec<f32> = sums.iter().map(|&sum| if sum == 0.0 { 1.0 } else { 1.0 / sum }).collect();
    let group = partial_sums::groups(shape, kept);
    for (index, value) in values.iter_mut().enumerate() {
        *value *= factors[group(index)];
    }
}
