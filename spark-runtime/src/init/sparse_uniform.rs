//! Uniform numbers, most of them zero.

use super::{InitOverrides, Initializer, LimitsConfig, size};
use crate::error::Result;
use crate::rng::Key;
use half::f16;
use spark_compiler::ir::{Array, DType};

/// Uniform in [0, `scale`) with probability `density`, else 0; then clipped to [`min_value`, `max_value`], which the zeros
/// are, too.
#[spark::initializer(name = "SparseUniformInitializer")]
pub struct SparseUniform {
    /// Kept for files; the dtype asked for is used.
    #[param(default = DType::F16)]
    pub dtype: DType,
    /// Factor on numbers uniform in [0, 1).
    #[param(default = 1.0, check = finite)]
    pub scale: f64,
    #[flatten]
    pub limits: LimitsConfig,
    /// Expected share of elements that are not zero.
    #[param(default = 0.2, check = zero_one)]
    pub density: f64,
}

impl Initializer for SparseUniform {
    fn init(&self, key: Key, shape: &[usize], dtype: DType, overrides: &InitOverrides) -> Result<Array> {
        let values = sparse(key, size(shape)?, self.density);
        self.limits.scaled(values, self.scale, (shape, dtype), overrides)
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
