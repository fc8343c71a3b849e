//! Normally distributed numbers.

use super::{InitOverrides, Initializer, LimitsConfig, size, stored};
use crate::error::Result;
use crate::rng::Key;
use spark_compiler::ir::{Array, DType, Data};

/// Normally distributed: x = `mean` + `std`·z with z standard normal, clipped to [`min_value`, `max_value`].
///
/// Clipped numbers pile up at the limits; choose limits a few standard deviations away if that matters. `mean`, `std` and
/// the limits are in the unit of the parameter. Drawn in double precision for `f64`, else in single precision.
///
/// ```
/// use spark::prelude::*;
///
/// let tau = Normal::default().with_mean(20.0).with_std(2.0).with_min_value(5.0);
/// let soma = LeakySomaConfig::default().with_potential_tau(tau);
/// let mut model = Model::component(soma).input("current", [100]).build()?;
/// # model.run(1, &[("current", vec![0.0f32; 100].into())])?;
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::initializer(name = "NormalInitializer")]
pub struct Normal {
    /// Mean, before clipping.
    #[param(default = 0.0, check = finite)]
    pub mean: f64,
    /// Standard deviation, before clipping.
    #[param(default = 1.0, check = [non_negative, finite])]
    pub std: f64,
    #[flatten]
    pub limits: LimitsConfig,
}

impl Initializer for Normal {
    fn init(&self, key: Key, shape: &[usize], dtype: DType, overrides: &InitOverrides) -> Result<Array> {
        let mut values = normal(key, size(shape)?, dtype, self.mean, self.std);
        self.limits.clip(&mut values, overrides)?;
        stored(values, shape, dtype)
    }
}

/// `n` normally distributed numbers, in the precision `dtype` computes in.
pub(super) fn normal(key: Key, n: usize, dtype: DType, mean: f64, std: f64) -> Data {
    if dtype == DType::F64 {
        return Data::F64(key.normal_f64(n).into_iter().map(|z| mean + std * z).collect());
    }
    let (mean, std) = (mean as f32, std as f32);
    Data::F32(key.normal_f32(n).into_iter().map(|z| mean + std * z).collect())
}
