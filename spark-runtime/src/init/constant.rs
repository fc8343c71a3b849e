//! The same number everywhere.

use super::{InitOverrides, Initializer, drawn, initializer_config, size};
use crate::error::Result;
use crate::rng::Key;
use spark_compiler::ir::{Array, DType};

initializer_config! {
    /// Gives every element the value `scale`; draws nothing.
    Constant, "ConstantInitializer", "ConstantInitializerConfig";
    dtype / with_dtype: DType = DType::F16, [], "Kept for files; the dtype asked for is used.";
    scale / with_scale: f64 = 1.0, ["finite"], "The value.";
    min_value / with_min_value: Option<f64> = None, [], "Kept for files; has no effect.";
    max_value / with_max_value: Option<f64> = None, [], "Kept for files; has no effect.";
}

impl Initializer for Constant {
    const NAME: &'static str = "ConstantInitializer";

    fn init(&self, _key: Key, shape: &[usize], dtype: DType, overrides: &InitOverrides) -> Result<Array> {
        let value = overrides.scale.unwrap_or(self.scale) as f32;
        drawn(vec![value; size(shape)?], shape, dtype)
    }
}
