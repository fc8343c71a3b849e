//! The same number everywhere.

use super::{InitOverrides, Initializer, size, stored};
use crate::error::Result;
use crate::rng::Key;
use spark_compiler::ir::{Array, DType, Data};

/// Gives every element the value `scale`; draws nothing.
#[spark::initializer(name = "ConstantInitializer")]
pub struct Constant {
    /// Kept for files; the dtype asked for is used.
    #[param(default = DType::F16)]
    pub dtype: DType,
    /// The value.
    #[param(default = 1.0, check = finite)]
    pub scale: f64,
    /// Kept for files; has no effect.
    #[param(default = None)]
    pub min_value: Option<f64>,
    /// Kept for files; has no effect.
    #[param(default = None)]
    pub max_value: Option<f64>,
}

impl Initializer for Constant {
    fn init(&self, _key: Key, shape: &[usize], dtype: DType, overrides: &InitOverrides) -> Result<Array> {
        let value = overrides.scale.unwrap_or(self.scale) as f32;
        stored(Data::F32(vec![value; size(shape)?]), shape, dtype)
    }
}
