//! Hyperbolic tangent.
//!
//! Below 0.625 in magnitude x + x³·P(x²)/Q(x²), elsewhere 1 − 2/(e^2|x| + 1) with the sign of x, both as in Cephes
//! (`tanh.c`, `tanhf.c`; Moshier).

use super::{Arith, exp::exp, polynomial};

const SINGLE: (&[f64], &[f64]) = (
    &[-3.333_328_194_22e-1, 1.333_142_740_36e-1, -5.373_971_555_31e-2, 2.063_908_879_54e-2, -5.704_988_727_45e-3],
    &[],
);

const DOUBLE: (&[f64], &[f64]) = (
    &[-1.614_687_684_417_084_5e3, -9.928_772_310_019_186e1, -9.643_991_794_250_523e-1],
    &[4.844_063_053_251_255e3, 2.235_488_390_601_004_5e3, 1.128_116_784_916_329_3e2, 1.0],
);

/// tanh x. tanh ±∞ = ±1, tanh −0 = −0, NaN gives NaN.
#[inline(always)]
pub fn tanh<A: Arith>(a: &mut A, x: A::F) -> A::F {
    let (numerator, denominator) = if A::MANTISSA == 23 { SINGLE } else { DOUBLE };
    let z = a.mul(x, x);
    let mut ratio = polynomial(a, z, numerator);
    if !denominator.is_empty() {
        let q = polynomial(a, z, denominator);
        ratio = a.div(ratio, q);
    }
    let cube = a.mul(x, z);
    let tail = a.mul(cube, ratio);
    let small = a.add(x, tail);

    let magnitude = a.abs(x);
    let twice = a.add(magnitude, magnitude);
    let e = exp(a, twice);
    let (one, two) = (a.float(1.0), a.float(2.0));
    let denominator = a.add(e, one);
    let quotient = a.div(two, denominator);
    let large = a.sub(one, quotient);
    // `large` is positive, so its sign bit can be set by an or.
    let bits = a.bits(x);
    let negative_zero = a.float(-0.0);
    let sign = a.bits(negative_zero);
    let sign = a.iand(bits, sign);
    let large = a.bits(large);
    let large = a.ior(large, sign);
    let large = a.float_from_bits(large);

    let threshold = a.float(0.625);
    let is_small = a.lt(magnitude, threshold);
    let result = a.select(is_small, small, large);
    // x³ underflows to +0 for −0, and −0 + +0 would lose the sign.
    let zero = a.float(0.0);
    let is_zero = a.eq(x, zero);
    a.select(is_zero, x, result)
}
