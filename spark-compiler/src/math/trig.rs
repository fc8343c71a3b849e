//! Sine and cosine.
//!
//! The argument is written as x = (q + s)·π/2 with an integer q and |s| ≤ ½; the kernels of FreeBSD's msun (`k_sin.c`,
//! `k_cos.c`) give sine and cosine of s·π/2, and q selects and signs them.
//!
//! An `f32` argument is widened to `f64` first. Up to 2²⁰ it is reduced by subtracting q·π/2 in two parts, the first of
//! them exact (Cody and Waite). For larger ones 1/(2π) is kept as 26-bit pieces; a 24-bit argument times a piece is
//! exact in `f64`, whole turns of each product are dropped exactly, and what remains is added from the top while whole
//! quarter turns are moved into q. So every finite `f32` is reduced correctly (Payne and Hanek's idea without integers
//! or tables). The kernels are the shorter ones of `k_sinf.c` and `k_cosf.c`, since the result is rounded to `f32`. An
//! `f64` argument is reduced by subtracting q·π/2 in three parts, which holds for q up to 2²⁰.

use super::{Arith, low_bits, polynomial};
use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

/// Bits of 1/(2π), 26 at a time from the binary point.
const TURN: [u32; 8] = [0x0a2_f983, 0x1b9_3910, 0x152_9fc2, 0x1d5_f47d, 0x134_ddc0, 0x36d_8a56, 0x193_c439, 0x107_f94];

/// Pieces whose product with a finite `f32` can reach a quarter turn.
const LARGE: usize = 6;

/// π/2 in parts of 33 bits, and the rest.
const QUARTER: [f64; 4] =
    [1.570_796_326_734_125_6, 6.077_100_506_303_966e-11, 2.022_266_248_711_166_5e-21, 8.478_427_660_368_9e-32];

const SIN: [f64; 6] = [
    -1.666_666_666_666_663_2e-1,
    8.333_333_333_322_49e-3,
    -1.984_126_982_985_795e-4,
    2.755_731_370_707_006_8e-6,
    -2.505_076_025_340_686_3e-8,
    1.589_690_995_211_55e-10,
];

const COS: [f64; 6] = [
    4.166_666_666_666_66e-2,
    -1.388_888_888_887_411e-3,
    2.480_158_728_947_673e-5,
    -2.755_731_435_139_066_3e-7,
    2.087_572_321_298_175e-9,
    -1.135_964_755_778_819_5e-11,
];

/// Sine and cosine of at most π/4, where they are rounded to `f32`.
const SHORT_SIN: [f64; 4] =
    [-1.666_666_664_162_652_4e-1, 8.333_329_385_889_463e-3, -1.983_933_483_609_663_2e-4, 2.718_311_493_989_822e-6];

const SHORT_COS: [f64; 4] =
    [-4.999_999_972_510_31e-1, 4.166_662_332_373_906e-2, -1.388_676_377_460_993e-3, 2.439_044_879_627_741e-5];

/// Below this magnitude an `f32` is reduced in two parts.
const USUAL: f64 = (1 << 20) as f64;

/// An argument reduced to quadrant and remainder (in radians, head and tail).
struct Reduced<F> {
    quadrant: F,
    head: F,
    tail: F,
}

/// Sine of an `f32` widened to `f64`; the result is to be rounded to `f32`.
#[inline(always)]
pub fn sin_single<A: Arith>(a: &mut A, x: A::F) -> A::F {
    let result = single(a, x, 0);
    keep_zero(a, x, result)
}

/// Cosine of an `f32` widened to `f64`; the result is to be rounded to `f32`.
#[inline(always)]
pub fn cos_single<A: Arith>(a: &mut A, x: A::F) -> A::F {
    single(a, x, 1)
}

/// Sine (`shift` 0) or cosine (`shift` 1) of an `f32`.
#[inline(always)]
fn single<A: Arith>(a: &mut A, x: A::F, shift: i64) -> A::F {
    let (magnitude, limit) = (a.abs(x), a.float(USUAL));
    let usual = a.lt(magnitude, limit);
    let reduced = reduce_usual(a, x);
    let [quadrant, rest] = a.unless(usual, reduced, |a| reduce_any(a, x));

    let (z, one) = (a.mul(rest, rest), a.float(1.0));
    let s = polynomial(a, z, &SHORT_SIN);
    let cubic = a.mul(z, rest);
    let s = a.mul(cubic, s);
    let sine = a.add(rest, s);
    let c = polynomial(a, z, &SHORT_COS);
    let c = a.mul(z, c);
    let cosine = a.add(one, c);
    in_quadrant(a, quadrant, [sine, cosine], shift)
}

/// Sine of an `f64`; NaN beyond 2²⁰ · π/2 in magnitude.
#[inline(always)]
pub fn sin_double<A: Arith>(a: &mut A, x: A::F) -> A::F {
    let reduced = reduce_double(a, x);
    let result = double(a, reduced, 0);
    keep_zero(a, x, result)
}

/// Cosine of an `f64`; NaN beyond 2²⁰ · π/2 in magnitude.
#[inline(always)]
pub fn cos_double<A: Arith>(a: &mut A, x: A::F) -> A::F {
    let reduced = reduce_double(a, x);
    double(a, reduced, 1)
}

/// sin −0 = −0: the reduction loses the sign of zero.
#[inline(always)]
fn keep_zero<A: Arith>(a: &mut A, x: A::F, result: A::F) -> A::F {
    let zero = a.float(0.0);
    let is_zero = a.eq(x, zero);
    a.select(is_zero, x, result)
}

/// Quadrant and remainder of an `f32` of usual magnitude.
#[inline(always)]
fn reduce_usual<A: Arith>(a: &mut A, x: A::F) -> [A::F; 2] {
    let per_quarter = a.float(FRAC_2_PI);
    let quarters = a.mul(x, per_quarter);
    let n = a.nearest(quarters);
    let (first, second) = (a.float(QUARTER[0]), a.float(QUARTER[1] + QUARTER[2]));
    let product = a.mul(n, first);
    let rest = a.sub(x, product);
    let product = a.mul(n, second);
    [n, a.sub(rest, product)]
}

/// Quadrant and remainder of any finite `f32`.
#[inline(always)]
fn reduce_any<A: Arith>(a: &mut A, x: A::F) -> [A::F; 2] {
    let four = a.float(4.0);
    let mut quadrant = a.float(0.0);
    let mut rest = quadrant;
    for (k, &piece) in TURN.iter().enumerate() {
        let weight = f64::from(piece) * 2f64.powi(-26 * (k as i32 + 1));
        if k < LARGE {
            let piece = a.float(weight);
            let turns = a.mul(x, piece);
            let whole = a.nearest(turns);
            let turns = a.sub(turns, whole);
            let quarters = a.mul(turns, four);
            rest = a.add(rest, quarters);
            let whole = a.nearest(rest);
            rest = a.sub(rest, whole);
            quadrant = a.add(quadrant, whole);
        } else {
            let piece = a.float(4.0 * weight);
            let quarters = a.mul(x, piece);
            rest = a.add(rest, quarters);
        }
    }
    let quarter = a.float(FRAC_PI_2);
    [quadrant, a.mul(rest, quarter)]
}

#[inline(always)]
fn reduce_double<A: Arith>(a: &mut A, x: A::F) -> Reduced<A::F> {
    let per_quarter = a.float(FRAC_2_PI);
    let quarters = a.mul(x, per_quarter);
    let n = a.nearest(quarters);

    let limit = a.float(f64::from(1 << 20));
    let magnitude = a.abs(n);
    let beyond = a.lt(limit, magnitude);
    let nan = a.float(f64::NAN);
    let n = a.select(beyond, nan, n);

    // r − w is the remainder; each round moves the next part of n·π/2 from w into r without losing bits.
    let first = a.float(QUARTER[0]);
    let product = a.mul(n, first);
    let mut r = a.sub(x, product);
    let mut w = a.float(0.0);
    for part in [QUARTER[1], QUARTER[2]] {
        let part = a.float(part);
        let product = a.mul(n, part);
        let product = a.add(product, w);
        let next = a.sub(r, product);
        let lost = a.sub(r, next);
        w = a.sub(product, lost);
        r = next;
    }
    let last = a.float(QUARTER[3]);
    let product = a.mul(n, last);
    w = a.add(product, w);
    let head = a.sub(r, w);
    let tail = a.sub(r, head);
    let tail = a.sub(tail, w);
    Reduced { quadrant: n, head, tail }
}

/// Sine (`shift` 0) or cosine (`shift` 1) of an `f64`.
#[inline(always)]
fn double<A: Arith>(a: &mut A, x: Reduced<A::F>, shift: i64) -> A::F {
    let both = [sin_kernel(a, &x), cos_kernel(a, &x)];
    in_quadrant(a, x.quadrant, both, shift)
}

/// One of sine and cosine of a remainder, signed, as the quadrant says: a sine (`shift` 0) or a cosine (`shift` 1).
#[inline(always)]
fn in_quadrant<A: Arith>(a: &mut A, quadrant: A::F, [sine, cosine]: [A::F; 2], shift: i64) -> A::F {
    let quadrant = low_bits(a, quadrant);
    let (one, two, shift) = (a.int(1), a.int(2), a.int(shift));
    let quadrant = a.iadd(quadrant, shift);
    let odd = a.iand(quadrant, one);
    let odd = a.ieq(odd, one);
    let result = a.select(odd, cosine, sine);
    let half_turn = a.iand(quadrant, two);
    let sign = a.ishl(half_turn, A::MANTISSA + 10);
    let bits = a.bits(result);
    let bits = a.ixor(bits, sign);
    a.float_from_bits(bits)
}

#[inline(always)]
fn sin_kernel<A: Arith>(a: &mut A, x: &Reduced<A::F>) -> A::F {
    let z = a.mul(x.head, x.head);
    let v = a.mul(z, x.head);
    let r = polynomial(a, z, &SIN[1..]);
    let half = a.float(0.5);
    let half_tail = a.mul(half, x.tail);
    let vr = a.mul(v, r);
    let inner = a.sub(half_tail, vr);
    let inner = a.mul(z, inner);
    let inner = a.sub(inner, x.tail);
    let first = a.float(SIN[0]);
    let cubic = a.mul(v, first);
    let correction = a.sub(inner, cubic);
    a.sub(x.head, correction)
}

#[inline(always)]
fn cos_kernel<A: Arith>(a: &mut A, x: &Reduced<A::F>) -> A::F {
    let z = a.mul(x.head, x.head);
    let r = polynomial(a, z, &COS);
    let r = a.mul(z, r);
    let (one, half) = (a.float(1.0), a.float(0.5));
    let half_square = a.mul(half, z);
    let w = a.sub(one, half_square);
    let lost = a.sub(one, w);
    let lost = a.sub(lost, half_square);
    let zr = a.mul(z, r);
    let cross = a.mul(x.head, x.tail);
    let small = a.sub(zr, cross);
    let small = a.add(lost, small);
    a.add(w, small)
}
