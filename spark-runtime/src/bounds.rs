//! What keeps models finite at the edge of the number range.
//!
//! Two rules hold for every module of the library. What enters it (currents, signals, weights) counts as at most
//! [`bounded`]'s limit, which is so far from the largest number that sums and products with any sensible parameter stay
//! finite. And what is stored in fewer bits than it is computed in (`float16` and `bfloat16` states and outputs) saturates at
//! the [`largest`] number of its type in place of overflowing; the runtime does that for every module, also a user's.

use spark_compiler::array::{Handle, Real, tape};
use spark_compiler::ir::{DType, Elem};

/// `x`, or the nearest number whose size is at most 10³⁰ in single and 10³⁰⁰ in double precision.
///
/// ```
/// use spark::prelude::*;
///
/// let kept = spark::eager(|| bounded(Real::from(-3e38)).known())?;
/// assert_eq!(kept.unwrap().to_f32(), [-1e30]);
/// # Ok::<(), spark::Error>(())
/// ```
#[track_caller]
pub fn bounded(x: Real) -> Real {
    let limit = limit(tape::describe(x.value()).0);
    x.clip(-limit, limit)
}

/// The largest size of what enters a module that computes with `elem`.
pub const fn limit(elem: Elem) -> f64 {
    match elem {
        Elem::F64 => 1e300,
        Elem::F32 | Elem::I32 | Elem::Bool => 1e30,
    }
}

/// The largest finite number of a floating-point type.
pub const fn largest(dtype: DType) -> f64 {
    match dtype {
        DType::F16 => 65_504.0,
        DType::BF16 => 3.389_531_389_251_535_5e38,
        DType::F64 => f64::MAX,
        DType::F32 | DType::U8 | DType::U16 | DType::I32 | DType::Bool => f32::MAX as f64,
    }
}

/// `x` as it can be stored as `dtype`: what overflows is the largest number.
#[track_caller]
pub(crate) fn saturated(x: Real, dtype: DType) -> Real {
    match dtype {
        DType::F16 | DType::BF16 => x.clip(-largest(dtype), largest(dtype)),
        _ => x,
    }
}
