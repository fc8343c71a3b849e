//! Limits of drawn numbers.

use super::{InitOverrides, fits, size, stored};
use crate::error::{Error, Result};
use spark_compiler::ir::{Array, DType, Data};

/// Numbers that are drawn, scaled and stored at once.
const BLOCK: usize = 4096;

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
    /// Numbers drawn in single precision, times `scale`, clipped and stored. `draw` gives those of the elements from a
    /// number on; it is called in order.
    ///
    /// # Errors
    /// If the limits cross, or a number does not fit `dtype`.
    pub(super) fn scaled(
        &self,
        scale: f64,
        (shape, dtype): (&[usize], DType),
        overrides: &InitOverrides,
        mut draw: impl FnMut(usize, &mut [f32]),
    ) -> Result<Array> {
        let scale = overrides.scale.unwrap_or(scale) as f32;
        let (min, max) = self.between(overrides)?;
        let (min, max) = (min as f32, max as f32);
        let size = size(shape)?;
        let mut values = Data::with_capacity(dtype, size);
        let mut block = vec![0.0; BLOCK];
        for first in (0..size).step_by(BLOCK) {
            // Each number goes through the cache once, however large the array is.
            block.truncate(size - first);
            draw(first, &mut block);
            block.iter_mut().for_each(|x| *x = (*x * scale).max(min).min(max));
            let drawn = Data::F32(std::mem::take(&mut block));
            fits(&drawn, dtype)?;
            values.extend(&drawn);
            let Data::F32(again) = drawn else { unreachable!("made above") };
            block = again;
        }
        stored(values, shape, dtype)
    }

    /// The limits.
    ///
    /// # Errors
    /// If they cross.
    fn between(&self, overrides: &InitOverrides) -> Result<(f64, f64)> {
        let (min, max) = (overrides.min_value.or(self.min_value), self.max_value);
        if let (Some(min), Some(max)) = (min, max)
            && min > max
        {
            let message = format!("must not be below min_value, {min}, found {max}");
            return Err(Error::new(message).at("max_value").help("numbers between the two would be drawn"));
        }
        Ok((min.unwrap_or(f64::NEG_INFINITY), max.unwrap_or(f64::INFINITY)))
    }

    /// Clips `values`, of single or double precision.
    ///
    /// # Errors
    /// If the limits cross.
    pub(super) fn clip(&self, values: &mut Data, overrides: &InitOverrides) -> Result<()> {
        let (min, max) = self.between(overrides)?;
        match values {
            Data::F32(values) => values.iter_mut().for_each(|x| *x = x.max(min as f32).min(max as f32)),
            Data::F64(values) => values.iter_mut().for_each(|x| *x = x.max(min).min(max)),
            _ => unreachable!("draws are in single or double precision"),
        }
        Ok(())
    }
}
