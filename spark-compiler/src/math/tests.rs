//! Accuracy against the standard library's `f64` functions, special values, and exhaustive 16-bit conversions.

use super::scalar::*;

/// A cheap deterministic stream of 64-bit words.
fn words(count: usize) -> impl Iterator<Item = u64> {
    let mut x = 0x9E37_79B9_7F4A_7C15u64;
    (0..count).map(move |_| {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x
    })
}

/// Every 1009th `f32`: all exponents, both signs, subnormals, infinities and NaN.
fn singles() -> impl Iterator<Item = f32> {
    (0..=u32::MAX).step_by(1009).map(f32::from_bits)
}

/// Distance of `got` from `exact` in units of the last place of `f32` at `exact`.
fn error_f32(got: f32, exact: f64) -> f64 {
    let rounded = exact as f32;
    if rounded.is_nan() || rounded.is_infinite() {
        let same = rounded.is_nan() && got.is_nan() || rounded == got;
        return if same { 0.0 } else { f64::INFINITY };
    }
    let exponent = (exact.abs().log2().floor() as i32).clamp(-126, 127);
    (f64::from(got) - exact).abs() / 2f64.powi(exponent - 23)
}

fn error_f64(got: f64, exact: f64) -> f64 {
    if exact.is_nan() || exact.is_infinite() {
        let same = exact.is_nan() && got.is_nan() || exact == got;
        return if same { 0.0 } else { f64::INFINITY };
    }
    (got.to_bits() as i64).abs_diff(exact.to_bits() as i64) as f64
}

#[track_caller]
fn check_f32(bound: f64, ours: fn(f32) -> f32, exact: fn(f64) -> f64) {
    let near = words(200_000).map(|w| (w as f64 / u64::MAX as f64 * 40.0 - 20.0) as f32);
    let (worst, at) = singles()
        .chain(near)
        .map(|x| (error_f32(ours(x), exact(f64::from(x))), x))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .unwrap();
    assert!(worst <= bound, "{worst} ulp at {at:e} ({:#x}): {:e}", at.to_bits(), ours(at));
    println!("worst {worst:.3} ulp at {at:e}");
}

#[track_caller]
fn check_f64(bound: f64, range: f64, ours: fn(f64) -> f64, exact: fn(f64) -> f64) {
    let any = words(1_000_000).map(f64::from_bits).filter(|x| x.is_nan() || x.abs() <= range);
    let near = words(1_000_000).map(|w| (w as f64 / u64::MAX as f64 - 0.5) * 2.0 * range.min(800.0));
    let small = words(500_000).map(|w| (w as f64 / u64::MAX as f64 - 0.5) * 4.0);
    let (worst, at) = any
        .chain(near)
        .chain(small)
        .map(|x| (error_f64(ours(x), exact(x)), x))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .unwrap();
    assert!(worst <= bound, "{worst} ulp at {at:e} ({:#x}): {:e} for {:e}", at.to_bits(), ours(at), exact(at));
    println!("worst {worst:.3} ulp at {at:e}");
}

#[test]
fn exp_is_accurate() {
    check_f32(1.1, exp_f32, f64::exp);
    check_f64(1.0, f64::INFINITY, exp_f64, f64::exp);
    check_f32(1.1, fused_exp_f32, f64::exp);
    check_f64(1.0, f64::INFINITY, fused_exp_f64, f64::exp);
}

#[test]
fn log_is_accurate() {
    check_f32(1.0, log_f32, f64::ln);
    check_f64(1.0, f64::INFINITY, log_f64, f64::ln);
}

#[test]
fn tanh_is_accurate() {
    check_f32(2.0, tanh_f32, f64::tanh);
    check_f64(2.0, f64::INFINITY, tanh_f64, f64::tanh);
}

#[test]
fn sine_is_accurate() {
    check_f32(1.0, sin_f32, f64::sin);
    check_f64(1.0, 1.6e6, sin_f64, f64::sin);
}

#[test]
fn cosine_is_accurate() {
    check_f32(1.0, cos_f32, f64::cos);
    check_f64(1.0, 1.6e6, cos_f64, f64::cos);
}

/// Multiples of π/2 are where a reduction loses digits.
#[test]
fn sine_is_accurate_near_its_zeros() {
    for word in words(200_000) {
        let multiple = (word >> (word % 64)) as f64 * std::f64::consts::FRAC_PI_2;
        let single = multiple as f32;
        assert!(error_f32(sin_f32(single), f64::from(single).sin()) <= 1.0, "sin {single:e}");
        assert!(error_f32(cos_f32(single), f64::from(single).cos()) <= 1.0, "cos {single:e}");
        if multiple < 1.6e6 {
            assert!(error_f64(sin_f64(multiple), multiple.sin()) <= 1.0, "sin {multiple:e}");
            assert!(error_f64(cos_f64(multiple), multiple.cos()) <= 1.0, "cos {multiple:e}");
        }
    }
}

#[test]
fn special_values() {
    assert_eq!(exp_f32(f32::NEG_INFINITY).to_bits(), 0);
    assert_eq!(exp_f32(0.0), 1.0);
    assert_eq!(exp_f64(-745.0), (-745f64).exp());
    assert_eq!(log_f32(0.0), f32::NEG_INFINITY);
    assert_eq!(log_f32(-0.0), f32::NEG_INFINITY);
    assert!(log_f32(-1.0).is_nan() && log_f64(f64::NEG_INFINITY).is_nan() && log_f32(f32::NAN).is_nan());
    assert_eq!(log_f32(1.0).to_bits(), 0);
    assert_eq!((tanh_f32(f32::INFINITY), tanh_f64(f64::NEG_INFINITY)), (1.0, -1.0));
    for zero in [0.0f32, -0.0] {
        assert_eq!(tanh_f32(zero).to_bits(), zero.to_bits());
        assert_eq!(sin_f32(zero).to_bits(), zero.to_bits());
        assert_eq!(sin_f64(f64::from(zero)).to_bits(), f64::from(zero).to_bits());
        assert_eq!(tanh_f64(f64::from(zero)).to_bits(), f64::from(zero).to_bits());
    }
    assert!(sin_f32(f32::INFINITY).is_nan() && cos_f64(f64::NEG_INFINITY).is_nan() && sin_f64(1e9).is_nan());
}

#[test]
fn every_half_widens_and_narrows_back() {
    for bits in 0..=u16::MAX {
        let (f16, bf16) = (half::f16::from_bits(bits), half::bf16::from_bits(bits));
        if f16.is_nan() {
            assert!(widen_f16(bits).is_nan());
        } else {
            assert_eq!(widen_f16(bits).to_bits(), f16.to_f32().to_bits());
            assert_eq!(narrow_f16(f16.to_f32()), bits);
        }
        if bf16.is_nan() {
            assert!(widen_bf16(bits).is_nan());
        } else {
            assert_eq!(widen_bf16(bits).to_bits(), bf16.to_f32().to_bits());
            assert_eq!(narrow_bf16(bf16.to_f32()), bits);
        }
    }
}

#[test]
fn narrowing_rounds_to_nearest_even() {
    // Ties between all neighbouring halves, and their neighbours, beside the sample.
    let ties = (0..0x7c00u32).flat_map(|h| {
        let (low, high) = (half::f16::from_bits(h as u16).to_f64(), half::f16::from_bits(h as u16 + 1).to_f64());
        let tie = (((low + high) / 2.0) as f32).to_bits();
        [tie - 1, tie, tie + 1].map(f32::from_bits)
    });
    for x in singles().chain(ties) {
        let (f16, bf16) = (half::f16::from_bits(narrow_f16(x)), half::bf16::from_bits(narrow_bf16(x)));
        if x.is_nan() {
            assert!(f16.is_nan() && bf16.is_nan());
        } else {
            assert_eq!(f16.to_bits(), half::f16::from_f32(x).to_bits(), "{x:e}");
            assert_eq!(bf16.to_bits(), half::bf16::from_f32(x).to_bits(), "{x:e}");
        }
    }
}

/// Known answers of the Random123 distribution (`kat_vectors`, threefry2x32 20).
#[test]
fn threefry_matches_the_published_vectors() {
    assert_eq!(threefry([0, 0], [0, 0]), [0x6b20_0159, 0x99ba_4efe]);
    assert_eq!(threefry([!0, !0], [!0, !0]), [0x1cb9_96fc, 0xbb00_2be7]);
    assert_eq!(threefry([0x1319_8a2e, 0x0370_7344], [0x243f_6a88, 0x85a3_08d3]), [0xc492_3a9c, 0x483d_f7a0]);
}
