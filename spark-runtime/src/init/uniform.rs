//! Uniform numbers.

use super::{InitOverrides, Initializer, clip, size, stored};
use crate::error::Result;
use crate::rng::Key;
use spark_compiler::ir::{Array, DType, Data};

/// Uniform in [0, `scale`), clipped to [`min_value`, `max_value`].
#[spark::initializer(name = "UniformInitializer")]
pub struct Uniform {
    /// Kept for files; the dtype asked for is used.
    #[param(default = DType::F16)]
    pub dtype: DType,
    /// Factor on numbers uniform in [0, 1).
    #[param(default = 1.0, check = finite)]
    pub scale: f64,
    /// Smallest value; smaller ones are set to it.
    #[param(default = None)]
    pub min_value: Option<f64>,
    /// Largest value; larger ones are set to it.
    #[param(default = None)]
    pub max_value: Option<f64>,
}

impl Initializer for Uniform {
    fn init(&self, key: Key, shape: &[usize], dtype: DType, overrides: &InitOverrides) -> Result<Array> {
        let scale = overrides.scale.unwrap_or(self.scale) as f32;
        let mut values = key.uniform_f32(size(shape)?);
        values.iter_mut().for_each(|value| *value *= scale);
        clip(&mut values, overrides.min_value.or(self.min_value), self.max_value);
        stored(Data::F32(values), shape, dtype)
    }
}
