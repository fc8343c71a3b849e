//! Recipes on Rust scalars: what the evaluator calls.

use super::{Arith, exp, half, log, tanh, threefry as generator, trig};

/// `f32` arithmetic.
#[derive(Clone, Copy, Default, Debug)]
pub struct Single;

/// `f64` arithmetic.
#[derive(Clone, Copy, Default, Debug)]
pub struct Double;

macro_rules! arith {
    ($format:ty, $float:ty, $signed:ty, $unsigned:ty, $mantissa:literal, $bias:literal) => {
        impl Arith for $format {
            type F = $float;
            type I = $unsigned;
            type M = bool;
            const MANTISSA: u32 = $mantissa;
            const BIAS: i64 = $bias;

            fn float(&mut self, value: f64) -> $float {
                value as $float
            }
            fn int(&mut self, value: i64) -> $unsigned {
                value as $unsigned
            }
            fn add(&mut self, x: $float, y: $float) -> $float {
                x + y
            }
            fn sub(&mut self, x: $float, y: $float) -> $float {
                x - y
            }
            fn mul(&mut self, x: $float, y: $float) -> $float {
                x * y
            }
            fn div(&mut self, x: $float, y: $float) -> $float {
                x / y
            }
            fn mul_add(&mut self, x: $float, y: $float, z: $float) -> $float {
                x.mul_add(y, z)
            }
            fn abs(&mut self, x: $float) -> $float {
                x.abs()
            }
            fn floor(&mut self, x: $float) -> $float {
                x.floor()
            }
            fn nearest(&mut self, x: $float) -> $float {
                x.round_ties_even()
            }
            fn lt(&mut self, x: $float, y: $float) -> bool {
                x < y
            }
            fn eq(&mut self, x: $float, y: $float) -> bool {
                x == y
            }
            fn select(&mut self, condition: bool, then: $float, otherwise: $float) -> $float {
                if condition { then } else { otherwise }
            }
            fn bits(&mut self, x: $float) -> $unsigned {
                x.to_bits()
            }
            fn float_from_bits(&mut self, x: $unsigned) -> $float {
                <$float>::from_bits(x)
            }
            fn iadd(&mut self, x: $unsigned, y: $unsigned) -> $unsigned {
                x.wrapping_add(y)
            }
            fn isub(&mut self, x: $unsigned, y: $unsigned) -> $unsigned {
                x.wrapping_sub(y)
            }
            fn iand(&mut self, x: $unsigned, y: $unsigned) -> $unsigned {
                x & y
            }
            fn ior(&mut self, x: $unsigned, y: $unsigned) -> $unsigned {
                x | y
            }
            fn ixor(&mut self, x: $unsigned, y: $unsigned) -> $unsigned {
                x ^ y
            }
            fn ishl(&mut self, x: $unsigned, by: u32) -> $unsigned {
                x << by
            }
            fn ishr(&mut self, x: $unsigned, by: u32) -> $unsigned {
                x >> by
            }
            fn ilt(&mut self, x: $unsigned, y: $unsigned) -> bool {
                (x as $signed) < (y as $signed)
            }
            fn ieq(&mut self, x: $unsigned, y: $unsigned) -> bool {
                x == y
            }
            fn iselect(&mut self, condition: bool, then: $unsigned, otherwise: $unsigned) -> $unsigned {
                if condition { then } else { otherwise }
            }
            fn unless<const N: usize>(
                &mut self,
                usual: bool,
                then: [$float; N],
                otherwise: impl FnOnce(&mut Self) -> [$float; N],
            ) -> [$float; N] {
                if usual { then } else { otherwise(self) }
            }
        }
    };
}
arith!(Single, f32, i32, u32, 23, 127);
arith!(Double, f64, i64, u64, 52, 1023);

/// e^x.
pub fn exp_f32(x: f32) -> f32 {
    exp::exp(&mut Single, x)
}

/// e^x.
pub fn exp_f64(x: f64) -> f64 {
    exp::exp(&mut Double, x)
}

/// e^x with fused multiply-adds.
pub fn fused_exp_f32(x: f32) -> f32 {
    exp::fused_exp(&mut Single, x)
}

/// e^x with fused multiply-adds.
pub fn fused_exp_f64(x: f64) -> f64 {
    exp::fused_exp(&mut Double, x)
}

/// Natural logarithm.
pub fn log_f32(x: f32) -> f32 {
    log::log(&mut Single, x)
}

/// Natural logarithm.
pub fn log_f64(x: f64) -> f64 {
    log::log(&mut Double, x)
}

/// Hyperbolic tangent.
pub fn tanh_f32(x: f32) -> f32 {
    tanh::tanh(&mut Single, x)
}

/// Hyperbolic tangent.
pub fn tanh_f64(x: f64) -> f64 {
    tanh::tanh(&mut Double, x)
}

/// Sine.
pub fn sin_f32(x: f32) -> f32 {
    trig::sin_single(&mut Double, f64::from(x)) as f32
}

/// Sine; NaN beyond 2²⁰ · π/2.
pub fn sin_f64(x: f64) -> f64 {
    trig::sin_double(&mut Double, x)
}

/// Cosine.
pub fn cos_f32(x: f32) -> f32 {
    trig::cos_single(&mut Double, f64::from(x)) as f32
}

/// Cosine; NaN beyond 2²⁰ · π/2.
pub fn cos_f64(x: f64) -> f64 {
    trig::cos_double(&mut Double, x)
}

/// The two random words of `counter` under `key`.
#[inline(always)]
pub fn threefry(key: [u32; 2], counter: [u32; 2]) -> [u32; 2] {
    generator::threefry(&mut Single, key, counter)
}

/// `f16` bits to `f32`.
pub fn widen_f16(bits: u16) -> f32 {
    half::widen_f16(&mut Single, u32::from(bits))
}

/// `f32` to `f16` bits, rounded to nearest even.
pub fn narrow_f16(x: f32) -> u16 {
    half::narrow_f16(&mut Single, x) as u16
}

/// `bf16` bits to `f32`.
pub fn widen_bf16(bits: u16) -> f32 {
    half::widen_bf16(&mut Single, u32::from(bits))
}

/// `f32` to `bf16` bits, rounded to nearest even.
pub fn narrow_bf16(x: f32) -> u16 {
    half::narrow_bf16(&mut Single, x) as u16
}
