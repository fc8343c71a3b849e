//! Sparse uniform numbers, normalised so that every target receives the same total.

use super::sparse_uniform::sparse;
use super::{InitOverrides, Initializer, clip, drawn, initializer_config, size};
use crate::error::{Error, Result};
use crate::rng::Key;
use spark_compiler::ir::{Array, DType};

initializer_config! {
    /// Sparse uniform weights, but the elements that share their position along `norm_axes` sum to `scale`: with the
    /// kernel's output axes, every neuron's incoming weights do. Then clipped to [`min_value`, `max_value`].
    NormalizedSparseUniform, "NormalizedSparseUniformInitializer", "NormalizedSparseUniformInitializerConfig";
    dtype / with_dtype: DType = DType::F16, [], "Kept for files; the dtype asked for is used.";
    scale / with_scale: f64 = 1.0, ["finite"], "The sum of each group.";
    min_value / with_min_value: Option<f64> = None, [], "Smallest value; smaller ones are set to it.";
    max_value / with_max_value: Option<f64> = None, [], "Largest value; larger ones are set to it.";
    density / with_density: f64 = 0.2, ["zero_one"], "Expected share of elements that are not zero.";
    norm_axes / with_norm_axes: Vec<usize> = [0usize], [], "Axes not summed over; synapses set them.";
}

impl Initializer for NormalizedSparseUniform {
    const NAME: &'static str = "NormalizedSparseUniformInitializer";

    fn init(&self, key: Key, shape: &[usize], dtype: DType, overrides: &InitOverrides) -> Result<Array> {
        let axes = overrides.norm_axes.as_deref().unwrap_or(&self.norm_axes);
        check(axes, shape, dtype)?;
        let scale = overrides.scale.unwrap_or(self.scale) as f32;
        let mut values = sparse(key, size(shape)?, self.density);
        normalize(&mut values, shape, axes);
        values.iter_mut().for_each(|value| *value *= scale);
        clip(&mut values, overrides.min_value.or(self.min_value), self.max_value);
        drawn(values, shape, dtype)
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
    if let Some(axis) = axes.iter().find(|&&axis| axis >= rank) {
        let message = format!("must be below {rank}, the number of dimensions, found {axis}");
        return Err(Error::new(message).at("norm_axes"));
    }
    if let Some(axis) = axes.iter().enumerate().find_map(|(i, axis)| axes[..i].contains(axis).then_some(axis)) {
        return Err(Error::new(format!("must not repeat an axis, found {axis} twice")).at("norm_axes"));
    }
    Ok(())
}

/// Divides by the sum over all axes but `kept`; a group of zeros stays.
fn normalize(values: &mut [f32], shape: &[usize], kept: &[usize]) {
    let stride = |axis: usize| shape[axis + 1..].iter().product::<usize>();
    let kept: Vec<(usize, usize)> = kept.iter().map(|&axis| (stride(axis), shape[axis])).collect();
    let group = |index: usize| kept.iter().fold(0, |group, (stride, dim)| group * dim + index / stride % dim);
    // Summed in double precision: the result does not depend on the order XLA happens to add in.
    let mut sums = vec![0.0f64; kept.iter().map(|(_, dim)| dim).product()];
    for (index, value) in values.iter().enumerate() {
        sums[group(index)] += f64::from(*value);
    }
    let factors: Vec<f32> = sums.iter().map(|&sum| if sum == 0.0 { 1.0 } else { 1.0 / sum as f32 }).collect();
    for (index, value) in values.iter_mut().enumerate() {
        *value *= factors[group(index)];
    }
}
