//! Natural logarithm.
//!
//! x = 2^k · (1 + f) with 1 + f between √½ and √2. With s = f / (2 + f), log(1 + f) = f − s·(f − R(s²)) … arranged as in
//! FreeBSD's msun (`e_log.c`, `e_logf.c`), whose polynomials these are, so that the large terms are added last.

use super::{Arith, polynomial};

struct Format {
    ln2: (f64, f64),
    /// R(z) = z · (c0 + z · (c1 + …)).
    series: &'static [f64],
    /// Bits of √½, rounded as the series assumes.
    sqrt_half: i64,
    /// The smallest normal number.
    tiny: f64,
    /// A power of two that makes subnormal numbers normal.
    lift: i32,
}

const SINGLE: Format = Format {
    ln2: (6.931_381_225_6e-1, 9.058_000_614_5e-6),
    series: &[0.666_666_626_93, 0.400_009_721_52, 0.284_987_866_88, 0.242_790_788_41],
    sqrt_half: 0x3f35_04f3,
    tiny: f32::MIN_POSITIVE as f64,
    lift: 25,
};

const DOUBLE: Format = Format {
    ln2: (6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10),
    series: &[
        6.666_666_666_666_735e-1,
        3.999_999_999_940_942e-1,
        2.857_142_874_366_239e-1,
        2.222_219_843_214_978_4e-1,
        1.818_357_216_161_805e-1,
        1.531_383_769_920_937_3e-1,
        1.479_819_860_511_658_6e-1,
    ],
    sqrt_half: 0x3fe6_a09e_0000_0000,
    tiny: f64::MIN_POSITIVE,
    lift: 54,
};

/// ln x. ln 0 = −∞, ln ∞ = ∞, a negative number or NaN gives NaN.
#[inline(always)]
pub fn log<A: Arith>(a: &mut A, x: A::F) -> A::F {
    let format = if A::MANTISSA == 23 { &SINGLE } else { &DOUBLE };
    let (zero, one, half) = (a.float(0.0), a.float(1.0), a.float(0.5));

    let tiny = a.float(format.tiny);
    let lift = a.float(2f64.powi(format.lift));
    let subnormal = a.lt(x, tiny);
    let lifted = a.mul(x, lift);
    let normal = a.select(subnormal, lifted, x);

    let bits = a.bits(normal);
    let offset = a.int((A::BIAS << A::MANTISSA) - format.sqrt_half);
    let shifted = a.iadd(bits, offset);
    let biased = a.ishr(shifted, A::MANTISSA);
    let fraction = a.int((1 << A::MANTISSA) - 1);
    let fraction = a.iand(shifted, fraction);
    let sqrt_half = a.int(format.sqrt_half);
    let mantissa = a.iadd(fraction, sqrt_half);
    let mantissa = a.float_from_bits(mantissa);

    // The exponent as a float: put it into the last places of 2^MANTISSA and subtract that again.
    let unit = a.int((A::BIAS + i64::from(A::MANTISSA)) << A::MANTISSA);
    let k = a.ior(biased, unit);
    let k = a.float_from_bits(k);
    let base = (1u64 << A::MANTISSA) as f64 + A::BIAS as f64;
    let (plain, raised) = (a.float(base), a.float(base + f64::from(format.lift)));
    let base = a.select(subnormal, raised, plain);
    let k = a.sub(k, base);

    let two = a.float(2.0);
    let f = a.sub(mantissa, one);
    let denominator = a.add(two, f);
    let s = a.div(f, denominator);
    let z = a.mul(s, s);
    let r = polynomial(a, z, format.series);
    let r = a.mul(z, r);
    let square = a.mul(f, f);
    let half_square = a.mul(half, square);

    let (hi, lo) = (a.float(format.ln2.0), a.float(format.ln2.1));
    let lo = a.mul(k, lo);
    let hi = a.mul(k, hi);
    let sum = a.add(half_square, r);
    let sum = a.mul(s, sum);
    let sum = a.add(sum, lo);
    let sum = a.sub(sum, half_square);
    let sum = a.add(sum, f);
    let result = a.add(sum, hi);

    let infinity = a.float(f64::INFINITY);
    let finite = a.lt(x, infinity);
    let result = a.select(finite, result, x);
    let is_zero = a.eq(x, zero);
    let (pole, invalid) = (a.float(f64::NEG_INFINITY), a.float(f64::NAN));
    let outside = a.select(is_zero, pole, invalid);
    let positive = a.lt(zero, x);
    a.select(positive, result, outside)
}
