//! Bounds of arrays: what the elements lie between.

use super::Data;
use half::{bf16, f16};

/// What numbers lie between; truth values are 0 and 1. Without numbers `low` is above `high`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bounds {
    /// Smallest.
    pub low: f64,
    /// Largest.
    pub high: f64,
    /// Whether one may be NaN.
    pub nan: bool,
    /// Whether one may be −0.
    pub minus_zero: bool,
}

impl Bounds {
    /// Bounds of no number.
    pub const NOTHING: Bounds = Bounds { low: f64::INFINITY, high: f64::NEG_INFINITY, nan: false, minus_zero: false };

    /// Numbers from `low` to `high`, none of them −0.
    pub const fn exact(low: f64, high: f64) -> Bounds {
        Bounds { low, high, nan: false, minus_zero: false }
    }

    /// True if every element is a finite number; also if there are none.
    pub fn is_finite(&self) -> bool {
        *self == Bounds::NOTHING || !self.nan && self.low.is_finite() && self.high.is_finite()
    }

    /// True if all elements are +0, or `false`.
    pub fn is_zero(&self) -> bool {
        *self == Bounds::exact(0.0, 0.0)
    }

    /// True if all elements are the same number, down to the bits.
    pub fn is_one_number(&self) -> bool {
        self.low == self.high && !self.nan && !self.minus_zero
    }

    /// True if `value` is inside.
    pub fn contains(&self, value: f64) -> bool {
        if value.is_nan() {
            return self.nan;
        }
        let sign = value != 0.0 || value.is_sign_positive() || self.minus_zero;
        sign && self.low <= value && value <= self.high
    }

    /// Bounds of the elements of `data`, the tightest there are.
    pub(crate) fn of(data: &Data) -> Bounds {
        match data {
            Data::F16(v) => halves(v),
            Data::BF16(v) => brains(v),
            Data::F32(v) => singles(v),
            Data::F64(v) => doubles(v),
            Data::U8(v) => integers(v, (u8::MAX, u8::MIN)),
            Data::U16(v) => integers(v, (u16::MAX, u16::MIN)),
            Data::I32(v) => integers(v, (i32::MAX, i32::MIN)),
            Data::Bool(v) => integers(v, (true, false)),
        }
    }
}

fn integers<T: Copy + Ord + Into<i32>>(values: &[T], (most, least): (T, T)) -> Bounds {
    if values.is_empty() {
        return Bounds::NOTHING;
    }
    let (low, high) = values.iter().fold((most, least), |(low, high), &v| (low.min(v), high.max(v)));
    let (low, high): (i32, i32) = (low.into(), high.into());
    Bounds::exact(f64::from(low), f64::from(high))
}

/// Bounds of floating-point numbers. They are compared as integers of the same order, without a branch, so that the
/// loop is one over vectors.
macro_rules! floats {
    ($name:ident, $float:ty, $bits:ty, $signed:ty) => {
        fn $name(values: &[$float]) -> Bounds {
            // Negative numbers have the order of their magnitudes reversed; −0 is −1. Applied again, it takes it back.
            let in_order = |bits: $signed| bits ^ ((bits >> (<$bits>::BITS - 1)) as $bits >> 1) as $signed;
            let infinite = <$float>::INFINITY.to_bits() as $signed;
            let (mut low, mut high, mut minus_zero) = (<$signed>::MAX, <$signed>::MIN, 0);
            for value in values {
                let place = in_order(value.to_bits() as $signed);
                low = low.min(place);
                high = high.max(place);
                minus_zero |= <$bits>::from(place == -1);
            }
            // NaN lies beyond the infinities.
            let nan =
                !values.is_empty() && (low < in_order(<$float>::NEG_INFINITY.to_bits() as $signed) || high > infinite);
            if nan {
                let numbers: Vec<$float> = values.iter().copied().filter(|value| !value.is_nan()).collect();
                return Bounds { nan, ..$name(&numbers) };
            }
            if values.is_empty() {
                return Bounds::NOTHING;
            }
            let number = |place: $signed| f64::from(<$float>::from_bits(in_order(place) as $bits)) + 0.0;
            Bounds { low: number(low), high: number(high), nan, minus_zero: minus_zero != 0 }
        }
    };
}
floats!(halves, f16, u16, i16);
floats!(brains, bf16, u16, i16);
floats!(singles, f32, u32, i32);
floats!(doubles, f64, u64, i64);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::DType;

    #[track_caller]
    fn check(values: &[f64], expected: Bounds) {
        let wide = Data::F64(values.to_vec());
        for dtype in DType::ALL.into_iter().filter(|dtype| dtype.is_float()) {
            assert_eq!(Bounds::of(&wide.convert(dtype)), expected, "{dtype}");
        }
    }

    #[test]
    fn bounds_are_the_smallest_and_the_largest_number() {
        let infinite = f64::INFINITY;
        check(&[], Bounds::NOTHING);
        check(&[f64::NAN, -f64::NAN], Bounds { nan: true, ..Bounds::NOTHING });
        check(&[0.0, 2.0, -3.5], Bounds::exact(-3.5, 2.0));
        check(&[4.0, 8.0], Bounds::exact(4.0, 8.0));
        check(&[-4.0, -8.0, -infinite], Bounds::exact(-infinite, -4.0));
        check(&[-0.0], Bounds { minus_zero: true, ..Bounds::exact(0.0, 0.0) });
        check(&[1.0, f64::NAN, -0.0, infinite], Bounds { low: 0.0, high: infinite, nan: true, minus_zero: true });
    }

    #[test]
    fn bounds_of_integers() {
        assert_eq!(Bounds::of(&Data::I32(vec![7, -3, i32::MIN])), Bounds::exact(f64::from(i32::MIN), 7.0));
        assert_eq!(Bounds::of(&Data::U8(vec![255, 3])), Bounds::exact(3.0, 255.0));
        assert_eq!(Bounds::of(&Data::U16(vec![])), Bounds::NOTHING);
        assert_eq!(Bounds::of(&Data::Bool(vec![true, true])), Bounds::exact(1.0, 1.0));
        assert_eq!(Bounds::of(&Data::Bool(vec![true, false])), Bounds::exact(0.0, 1.0));
    }

    #[test]
    fn one_number_is_the_same_bits_everywhere() {
        let is_one = |values: &[f32]| Bounds::of(&Data::F32(values.to_vec())).is_one_number();
        assert!(is_one(&[0.0, 0.0]) && is_one(&[-2.0, -2.0]));
        assert!(!is_one(&[0.0, -0.0]) && !is_one(&[1.0, f32::NAN]) && !is_one(&[1.0, 2.0]) && !is_one(&[]));
    }
}
