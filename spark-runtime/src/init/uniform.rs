//! Uniform numbers.

use super::{InitOverrides, Initializer, LimitsConfig};
use crate::error::Result;
use crate::rng::Key;
use spark_compiler::ir::{Array, DType};

/// Uniform in [0, `scale`), clipped to [`min_value`, `max_value`].
#[spark::initializer(name = "UniformInitializer")]
pub struct Uniform {
    /// Kept for files; the dtype asked for is used.
    #[param(default = DType::F16)]
    pub dtype: DType,
    /// Factor on numbers uniform in [0, 1).
    #[param(default = 1.0, check = finite)]
    pub scale: f64,
    #[flatten]
    pub limits: LimitsConfig,
}

impl Initializer for Uniform {
    fn init(&self, key: Key, shape: &[usize], dtype: DType, overrides: &InitOverrides) -> Result<Array> {
        self.limits.scaled(self.scale, (shape, dtype), overrides, |first, values| key.uniform_f32_from(first, values))
    }
}
