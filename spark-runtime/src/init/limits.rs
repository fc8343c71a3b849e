//! Limits of drawn numbers.

use super::{InitOverrides, fits, size, stored};
use crate::error::{Error, Result};
use spark_compiler::ir::{Array, DType, Data, Stored};
use spark_compiler::share::share;
use spark_compiler::with_data;
use std::sync::{Mutex, PoisonError};

/// Numbers that are drawn, scaled and stored at once.
const BLOCK: usize = 1 << 14;

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
    /// number on; it is called in any order.
    ///
    /// # Errors
    /// If the limits cross, or a number does not fit `dtype`.
    pub(super) fn scaled(
        &self,
        scale: f64,
        (shape, dtype): (&[usize], DType),
        overrides: &InitOverrides,
        draw: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Result<Array> {
        let scale = overrides.scale.unwrap_or(scale) as f32;
        let (min, max) = self.between(overrides)?;
        let (min, max) = (min as f32, max as f32);
        let size = size(shape)?;
        let mut values = Data::zeros(dtype, size);
        // Of several numbers that do not fit, the first one is told, whichever was drawn first.
        let misfit: Mutex<Option<(usize, Error)>> = Mutex::new(None);
        with_data!(&mut values, values => share(size, values.chunks_mut(BLOCK).enumerate(), |(number, values)| {
            // Each number goes through the cache once, however large the array is.
            let mut block = vec![0.0; values.len()];
            draw(number * BLOCK, &mut block);
            block.iter_mut().for_each(|x| *x = (*x * scale).max(min).min(max));
            let drawn = Data::F32(block);
            if let Err(error) = fits(&drawn, dtype) {
                let mut misfit = misfit.lock().unwrap_or_else(PoisonError::into_inner);
                if misfit.as_ref().is_none_or(|(before, _)| number < *before) {
                    *misfit = Some((number, error));
                }
            }
            values.copy_from_slice(Stored::slice(&drawn.into_dtype(dtype)).expect("converted"));
        }));
        match misfit.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some((_, error)) => Err(error),
            None => stored(values, shape, dtype),
        }
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

#[cfg(test)]
mod tests {
    use super::super::{Initializer, Uniform};
    use super::*;
    use crate::rng::Key;

    #[test]
    fn what_several_cores_draw_is_what_one_draws() {
        let (key, size) = (Key::new(5), (1 << 20) + 77);
        let drawn = Uniform::default().init(key, &[size], DType::F16, &InitOverrides::default()).unwrap();
        assert!(drawn.data().same_bits(&Data::F32(key.uniform_f32(size)).convert(DType::F16)));
    }

    #[test]
    fn of_numbers_that_do_not_fit_the_first_is_told() {
        let size = 1 << 20;
        let draw = |first: usize, values: &mut [f32]| {
            for (i, value) in (first..).zip(values) {
                *value = if i >= 70_000 { 300.0 + (i - 70_000) as f32 } else { 1.0 };
            }
        };
        let limits = LimitsConfig { min_value: None, max_value: None };
        let error = limits.scaled(1.0, (&[size], DType::U8), &InitOverrides::default(), draw).unwrap_err();
        assert!(error.to_string().contains("drew 300,"), "{error}");
    }
}
