//! Conversion of the expression in `#[param(default = ...)]` to the field's type.
//!
//! Literals arrive as Rust infers them without a hint, `20.0` as `f64` and `1` as `i32`, so the pairs below are those
//! two, arrays of them, and every type to itself.

use super::field::Units;
use super::param::Param;
use crate::init::Initializer;
use spark_compiler::ir::Array;

/// A default that fits a field.
#[diagnostic::on_unimplemented(
    message = "a default of type `{T}` does not fit a field of type `{Self}`",
    label = "not a default for `{Self}`"
)]
pub trait FromDefault<T>: Sized {
    /// Converts the default.
    fn from_default(value: T) -> Self;
}

impl<T> FromDefault<T> for T {
    fn from_default(value: T) -> T {
        value
    }
}

impl<T> FromDefault<T> for Option<T> {
    fn from_default(value: T) -> Option<T> {
        Some(value)
    }
}

macro_rules! default_by {
    ($($from:ty => $to:ty, $convert:expr;)*) => {$(
        impl FromDefault<$from> for $to {
            fn from_default(value: $from) -> $to {
                let convert: fn($from) -> $to = $convert;
                convert(value)
            }
        }
    )*};
}
default_by! {
    i32 => f64, f64::from;
    i32 => i64, i64::from;
    i32 => u32, |x| u32::try_from(x).unwrap_or_else(|_| panic!("the default {x} is negative, its field is not"));
    i32 => usize, |x| usize::try_from(x).unwrap_or_else(|_| panic!("the default {x} is negative, its field is not"));
    i32 => Option<f64>, |x| Some(f64::from(x));
    i32 => Option<i64>, |x| Some(i64::from(x));
    i32 => Option<u32>, |x| Some(u32::from_default(x));
    i32 => Option<usize>, |x| Some(usize::from_default(x));
    &str => String, str::to_owned;
    f64 => Param, Param::Scalar;
    i32 => Param, Param::from;
    Vec<f64> => Param, Param::from;
    Array => Param, Param::Array;
    f64 => Option<Param>, |x| Some(Param::Scalar(x));
    i32 => Option<Param>, |x| Some(Param::from(x));
    // A negative dimension becomes 0, which reading the configuration refuses.
    i32 => Units, |x| Units(vec![usize::try_from(x).unwrap_or(0)]);
    usize => Units, Units::from;
}

impl<I: Initializer> FromDefault<I> for Param {
    fn from_default(value: I) -> Param {
        Param::from(value)
    }
}

impl<const N: usize> FromDefault<[usize; N]> for Units {
    fn from_default(dims: [usize; N]) -> Units {
        Units::from(dims)
    }
}

impl<const N: usize> FromDefault<[i32; N]> for Units {
    fn from_default(dims: [i32; N]) -> Units {
        Units(dims.iter().map(|&dim| usize::try_from(dim).unwrap_or(0)).collect())
    }
}

impl<const N: usize> FromDefault<[i32; N]> for Vec<usize> {
    fn from_default(items: [i32; N]) -> Vec<usize> {
        items.into_iter().map(usize::from_default).collect()
    }
}

impl<const N: usize> FromDefault<[usize; N]> for Vec<usize> {
    fn from_default(items: [usize; N]) -> Vec<usize> {
        items.to_vec()
    }
}

impl<const N: usize> FromDefault<[f64; N]> for Vec<f64> {
    fn from_default(items: [f64; N]) -> Vec<f64> {
        items.to_vec()
    }
}

impl<const N: usize> FromDefault<[f64; N]> for Param {
    fn from_default(items: [f64; N]) -> Param {
        Param::from(items.to_vec())
    }
}
