//! e^x.
//!
//! x = n·ln 2 + r with |r| ≤ ln 2 / 2 (the product n·ln 2 is taken in two parts, the first of them exact), then
//! e^x = 2^n · (1 + r + r²·p(r)) with `p` the Taylor series of the rest: its remainder is below a tenth of an ulp. 2^n is
//! multiplied in two halves, so that overflow gives infinity and underflow rounds once, into the subnormal numbers.

use super::{Arith, polynomial, power_of_two};

struct Format {
    /// Results are 0 below and infinite above, with room to spare.
    range: (f64, f64),
    /// ln 2 in two parts; the first has enough trailing zero bits for an exact product with n.
    ln2: (f64, f64),
    /// 1/2!, 1/3!, …
    series: &'static [f64],
}

const SINGLE: Format = Format {
    range: (-105.0, 89.0),
    ln2: (0.693_359_375, -2.121_944_400_546_906e-4),
    series: &[1.0 / 2.0, 1.0 / 6.0, 1.0 / 24.0, 1.0 / 120.0, 1.0 / 720.0, 1.0 / 5040.0],
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
pub fn exp<A: Arith>(a: &mut A, x: A::F) -> A::F {
    let format = if A::MANTISSA == 23 { &SINGLE } else { &DOUBLE };
    let (low, high) = (a.float(format.range.0), a.float(format.range.1));
    // Written so that NaN passes both.
    let below = a.lt(x, low);
    let x = a.select(below, low, x);
    let above = a.lt(high, x);
    let x = a.select(above, high, x);

    let log2e = a.float(std::f64::consts::LOG2_E);
    let scaled = a.mul(x, log2e);
    let n = a.nearest(scaled);
    let (hi, lo) = (a.float(format.ln2.0), a.float(format.ln2.1));
    let hi = a.mul(n, hi);
    let lo = a.mul(n, lo);
    let r = a.sub(x, hi);
    let r = a.sub(r, lo);

    let p = polynomial(a, r, format.series);
    let square = a.mul(r, r);
    let tail = a.mul(square, p);
    let tail = a.add(tail, r);
    let one = a.float(1.0);
    let mantissa = a.add(one, tail);

    let half = a.float(0.5);
    let first = a.mul(n, half);
    let first = a.nearest(first);
    let second = a.sub(n, first);
    let mut result = mantissa;
    for part in [first, second] {
        let k = super::low_bits(a, part);
        let factor = power_of_two(a, k);
        result = a.mul(result, factor);
    }
    result
}
