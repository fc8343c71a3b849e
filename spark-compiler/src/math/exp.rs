//! e^x.
//!
//! x = n·ln 2 + r with |r| ≤ ln 2 / 2 (the product n·ln 2 is taken in two parts, the first of them exact), then
//! e^x = 2^n · (1 + r + r²·p(r)) with a polynomial `p`. 2^n is multiplied in two halves, so that overflow gives infinity
//! and underflow rounds once, into the subnormal numbers.
//!
//! Single precision takes `p` from Moshier's Cephes library (`expf`), as XLA does; with fused multiply-adds the results
//! are XLA's, bit for bit, where those are normal numbers. Double precision takes the Taylor series, whose remainder is
//! below a tenth of an ulp.

use super::Arith;

struct Format {
    /// Results are 0 below and infinite above, with room to spare.
    range: (f64, f64),
    /// ln 2 in two parts; the first has enough trailing zero bits for an exact product with n.
    ln2: (f64, f64),
    /// Coefficients of `p`, the constant one first.
    series: &'static [f64],
}

const SINGLE: Format = Format {
    range: (-105.0, 89.0),
    ln2: (0.693_359_375, -2.121_944_4e-4),
    series: &[
        5.000_000_120_1e-1,
        1.666_666_545_9e-1,
        4.166_579_589_4e-2,
        8.333_451_907_3e-3,
        1.398_199_950_7e-3,
        1.987_569_15e-4,
    ],
};

const DOUBLE: Format = Format {
    range: (-746.0, 710.0),
    ln2: (6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10),
    series: &[
        1.0 / 2.0,
        1.0 / 6.0,
        1.0 / 24.0,
        1.0 / 120.0,
        1.0 / 720.0,
        1.0 / 5040.0,
        1.0 / 40320.0,
        1.0 / 362880.0,
        1.0 / 3628800.0,
        1.0 / 39916800.0,
        1.0 / 479001600.0,
        1.0 / 6227020800.0,
    ],
};

/// e^x. e^−∞ = 0, e^∞ = ∞, NaN gives NaN.
#[inline(always)]
pub fn exp<A: Arith>(a: &mut A, x: A::F) -> A::F {
    rounded(a, x, |a, x, y, z| {
        let product = a.mul(x, y);
        a.add(product, z)
    })
}

/// [`exp()`] with fused multiply-adds.
#[inline(always)]
pub fn fused_exp<A: Arith>(a: &mut A, x: A::F) -> A::F {
    rounded(a, x, A::mul_add)
}

/// e^x, where `mul_add` says how x·y + z is rounded.
#[inline(always)]
fn rounded<A: Arith>(a: &mut A, x: A::F, mul_add: impl Fn(&mut A, A::F, A::F, A::F) -> A::F) -> A::F {
    let format = if A::MANTISSA == 23 { &SINGLE } else { &DOUBLE };
    let (low, high) = (a.float(format.range.0), a.float(format.range.1));
    let x = a.at_least(x, low);
    let x = a.at_most(x, high);

    let (log2e, half) = (a.float(std::f64::consts::LOG2_E), a.float(0.5));
    let scaled = mul_add(a, x, log2e, half);
    let n = a.floor(scaled);
    let (hi, lo) = (a.float(-format.ln2.0), a.float(-format.ln2.1));
    let r = mul_add(a, n, hi, x);
    let r = mul_add(a, n, lo, r);

    let (last, rest) = format.series.split_last().expect("the polynomial has coefficients");
    let mut p = a.float(*last);
    for &c in rest.iter().rev() {
        let c = a.float(c);
        p = mul_add(a, p, r, c);
    }
    let square = a.mul(r, r);
    let tail = mul_add(a, p, square, r);
    let one = a.float(1.0);
    let mantissa = a.add(one, tail);

    // 2^n as the product of 2^⌊n/2⌋ and the rest. Adding this constant to n puts n + 2·BIAS into the last places; half of that
    // is the exponent field of the first factor, what is left that of the second. Higher bits are shifted out.
    let fields = a.float(1.5 * (1u64 << A::MANTISSA) as f64 + 2.0 * A::BIAS as f64);
    let fields = a.add(n, fields);
    let both = a.bits(fields);
    let first = a.ishr(both, 1);
    let second = a.isub(both, first);
    let mut result = mantissa;
    for field in [first, second] {
        let factor = a.ishl(field, A::MANTISSA);
        let factor = a.float_from_bits(factor);
        result = a.mul(result, factor);
    }
    result
}
