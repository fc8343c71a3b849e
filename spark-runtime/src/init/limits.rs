//! Limits of drawn numbers.

use super::{InitOverrides, stored};
use crate::error::{Error, Result};
use spark_compiler::ir::{Array, DType, Data};

/// Limits that drawn numbers are clipped to. Numbers beyond a limit pile up at it.
#[spark::config(group)]
pub struct LimitsConfig {
    /// Smallest value; smaller ones are set to it.
    #[param(default = None)]
    pub min_value: Option<f64>,
    /// Largest value; larger ones are set to it.
    #[param(default = None)]
    pub max_value: Option<f64>,
}

impl LimitsConfig {
    /// Numbers drawn in single precision, times `scale`, clipped and stored.
    ///
    /// # Errors
    /// If the limits cross, or a number does not fit `dtype`.
    pub(super) fn scaled(
        &self,
        mut values: Vec<f32>,
        scale: f64,
        (shape, dtype): (&[usize], DType),
        overrides: &InitOverrides,
    ) -> Result<Array> {
        let scale = overrides.scale.unwrap_or(scale) as f32;
        values.iter_mut().for_each(|value| *value *= scale);
        let mut values = Data::F32(values);
        self.clip(&mut values, overrides)?;
        stored(values, shape, dtype)
    }

    /// Clips `values`, of single or double precision.
    ///
    /// # Errors
    /// If the limits cross.
    pub(super) fn clip(&self, values: &mut Data, overrides: &InitOverrides) -> Result<()> {
        let (min, max) = (overrides.min_value.or(self.min_value), self.max_value);
        if let (Some(min), Some(max)) = (min, max)
            && min > max
        {
            let message = format!("must not be below min_value, {min}, found {max}");
            return Err(Error::new(message).at("max_value").help("numbers between the two would be drawn"));
        }
        let (min, max) = (min.unwrap_or(f64::NEG_INFINITY), max.unwrap_or(f64::INFINITY));
        match values {
            Data::F32(values) => values.iter_mut().for_each(|x| *x = x.max(min as f32).min(max as f32)),
            Data::F64(values) => values.iter_mut().for_each(|x| *x = x.max(min).min(max)),
            _ => unreachable!("draws are in single or double precision"),
        }
        Ok(())
    }
}
