//! Uniform numbers.

use super::{InitOverrides, Initializer, clip, drawn, initializer_config, size};
use crate::error::Result;
use crate::rng::Key;
use spark_compiler::ir::{Array, DType};

initializer_config! {
    /// Uniform in [0, `scale`), clipped to [`min_value`, `max_value`].
    Uniform, "UniformInitializer", "UniformInitializerConfig";
    dtype / with_dtype: DType = DType::F16, [], "Kept for files; the dtype asked for is used.";
    scale / with_scale: f64 = 1.0, ["finite"], "Factor on numbers uniform in [0, 1).";
    min_value / with_min_value: Option<f64> = None, [], "Smallest value; smaller ones are set to it.";
    max_value / with_max_value: Option<f64> = None, [], "Largest value; larger ones are set to it.";
}

impl Initializer for Uniform {
    const NAME: &'static str = "UniformInitializer";

    fn init(&self, key: Key, shape: &[usize], dtype: DType, overrides: &InitOverrides) -> Result<Array> {
        let scale = overrides.scale.unwrap_or(self.scale) as f32;
        let mut values = key.uniform_f32(size(shape)?);
        values.iter_mut().for_each(|value| *value *= scale);
        clip(&mut values, overrides.min_value.or(self.min_value), self.max_value);
        drawn(values, shape, dtype)
    }
}
