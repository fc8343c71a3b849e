//! Uniform numbers, most of them zero.

use super::{InitOverrides, Initializer, LimitsConfig};
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
        self.limits.scaled(self.scale, (shape, dtype), overrides, sparse(key, self.density))
    }
}

/// Numbers uniform in [0, 1), each kept with probability `density` and else 0: those of the elements from a number on.
///
/// The choice compares in half precision, as the reference does.
pub(super) fn sparse(key: Key, density: f64) -> impl Fn(usize, &mut [f32]) + Sync {
    let (value_key, mask_key) = key.split2();
    let density = f16::from_f32(density as f32).to_f32();
    move |first, values| {
        value_key.uniform_f32_from(first, values);
        let mut words = vec![0; values.len()];
        mask_key.words_from(first, &mut words);
        for (value, &word) in values.iter_mut().zip(&words) {
            *value = if unit_f16(word) >= density { 0.0 } else { *value };
        }
    }
}

/// The number that [`Key::uniform_f16`] makes of a word, a multiple of 2⁻¹⁰, which single precision holds as well.
fn unit_f16(word: u32) -> f32 {
    f32::from(word as u16 >> 6) / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_is_made_of_half_precision_draws() {
        let (words, halves) = (Key::new(9).bits32(5000), Key::new(9).uniform_f16(5000));
        assert!(words.into_iter().map(unit_f16).eq(halves.into_iter().map(f16::to_f32)));
    }
}
