//! Conversions between `f32` and the 16-bit formats, on 32-bit integer lanes that hold the 16 bits in their low half.
//!
//! Cranelift has no usable half-precision type, so these are integer recipes after Giesen's "half to float done quick".
//! Widening is exact. Narrowing rounds to nearest even, through the subnormal numbers; what is too large becomes
//! infinity and NaN stays NaN.

use super::Arith;

/// `f16` bits to `f32`.
#[inline(always)]
pub fn widen_f16<A: Arith>(a: &mut A, bits: A::I) -> A::F {
    let (magnitude_mask, sign_mask) = (a.int(0x7fff), a.int(0x8000));
    let magnitude = a.iand(bits, magnitude_mask);
    let magnitude = a.ishl(magnitude, 13);
    let exponent_mask = a.int(0x7c00 << 13);
    let exponent = a.iand(magnitude, exponent_mask);
    let rebias = a.int((127 - 15) << 23);
    let normal = a.iadd(magnitude, rebias);

    let special = a.iadd(normal, rebias);

    // A subnormal is a fraction of the smallest normal number: give it that exponent and subtract the implied one.
    let step = a.int(1 << 23);
    let lifted = a.iadd(normal, step);
    let lifted = a.float_from_bits(lifted);
    let implied = a.float(2f64.powi(-14));
    let subnormal = a.sub(lifted, implied);
    let subnormal = a.bits(subnormal);

    let is_special = a.ieq(exponent, exponent_mask);
    let zero = a.int(0);
    let is_subnormal = a.ieq(exponent, zero);
    let result = a.iselect(is_special, special, normal);
    let result = a.iselect(is_subnormal, subnormal, result);
    let sign = a.iand(bits, sign_mask);
    let sign = a.ishl(sign, 16);
    let result = a.ior(result, sign);
    a.float_from_bits(result)
}

/// `f32` to `f16` bits.
#[inline(always)]
pub fn narrow_f16<A: Arith>(a: &mut A, x: A::F) -> A::I {
    let bits = a.bits(x);
    let magnitude_mask = a.int(0x7fff_ffff);
    let magnitude = a.iand(bits, magnitude_mask);

    let odd = a.ishr(magnitude, 13);
    let one = a.int(1);
    let odd = a.iand(odd, one);
    let rebias = a.int(((15 - 127) << 23) + 0xfff);
    let normal = a.iadd(magnitude, rebias);
    let normal = a.iadd(normal, odd);
    let normal = a.ishr(normal, 13);

    // Adding this power of two lets the floating-point unit round at the last place of subnormal halves.
    let anchor = a.float(0.5);
    let anchor_bits = a.int(126 << 23);
    let value = a.float_from_bits(magnitude);
    let sum = a.add(value, anchor);
    let sum = a.bits(sum);
    let subnormal = a.isub(sum, anchor_bits);

    let infinity = a.int(0x7f80_0000);
    let is_nan = a.ilt(infinity, magnitude);
    let (half_nan, half_infinity) = (a.int(0x7e00), a.int(0x7c00));
    let special = a.iselect(is_nan, half_nan, half_infinity);

    let largest = a.int(((127 + 16) << 23) - 1);
    let is_special = a.ilt(largest, magnitude);
    let smallest = a.int(113 << 23);
    let is_subnormal = a.ilt(magnitude, smallest);
    let result = a.iselect(is_special, special, normal);
    let result = a.iselect(is_subnormal, subnormal, result);
    let sign = a.ishr(bits, 16);
    let sign_mask = a.int(0x8000);
    let sign = a.iand(sign, sign_mask);
    a.ior(result, sign)
}

/// `bf16` bits to `f32`.
#[inline(always)]
pub fn widen_bf16<A: Arith>(a: &mut A, bits: A::I) -> A::F {
    let bits = a.ishl(bits, 16);
    a.float_from_bits(bits)
}

/// `f32` to `bf16` bits.
#[inline(always)]
pub fn narrow_bf16<A: Arith>(a: &mut A, x: A::F) -> A::I {
    let bits = a.bits(x);
    let high = a.ishr(bits, 16);
    let one = a.int(1);
    let odd = a.iand(high, one);
    let half = a.int(0x7fff);
    let rounded = a.iadd(bits, half);
    let rounded = a.iadd(rounded, odd);
    let rounded = a.ishr(rounded, 16);

    let (magnitude_mask, infinity) = (a.int(0x7fff_ffff), a.int(0x7f80_0000));
    let magnitude = a.iand(bits, magnitude_mask);
    let is_nan = a.ilt(infinity, magnitude);
    let quiet = a.int(0x40);
    let nan = a.ior(high, quiet);
    a.iselect(is_nan, nan, rounded)
}
