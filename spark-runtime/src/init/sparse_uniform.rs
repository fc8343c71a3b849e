//! Uniform numbers, most of them zero.

use super::{InitOverrides, Initializer, clip, drawn, initializer_config, size};
use crate::error::Result;
use crate::rng::Key;
use half::f16;
use spark_compiler::ir::{Array, DType};

initializer_config! {
    /// Uniform in [0, `scale`) with probability `density`, else 0; then clipped to [`min_value`, `max_value`], which the
    /// zeros are, too.
    SparseUniform, "SparseUniformInitializer", "SparseUniformInitializerConfig";
    dtype / with_dtype: DType = DType::F16, [], "Kept for files; the dtype asked for is used.";
    scale / with_scale: f64 = 1.0, ["finite"], "Factor on numbers uniform in [0, 1).";
    min_value / with_min_value: Option<f64> = None, [], "Smallest value; smaller ones are set to it.";
    max_value / with_max_value: Option<f64> = None, [], "Largest value; larger ones are set to it.";
    density / with_density: f64 = 0.2, ["zero_one"], "Expected share of elements that are not zero.";
}

impl Initializer for SparseUniform {
    const NAME: &'static str = "SparseUniformInitializer";

    fn init(&self, key: Key, shape: &[usize], dtype: DType, overrides: &InitOverrides) -> Result<Array> {
        let scale = overrides.scale.unwrap_or(self.scale) as f32;
        let mut values = sparse(key, size(shape)?, self.density);
        values.iter_mut().for_each(|value| *value *= scale);
        clip(&mut values, overrides.min_value.or(self.min_value), self.max_value);
        drawn(values, shape, dtype)
    }
}

/// `n` numbers uniform in [0, 1), each kept with probability `density` and else 0.
///
/// The choice compares in half precision, as the reference does.
pub(super) fn sparse(key: Key, n: usize, density: f64) -> Vec<f32> {
    let (value_key, mask_key) = key.split2();
    let density = f16::from_f32(density as f32);
    let mut values = value_key.uniform_f32(n);
    for (value, chance) in values.iter_mut().zip(mask_key.uniform_f16(n)) {
        if chance >= density {
            *value = 0.0;
        }
    }
    values
}
