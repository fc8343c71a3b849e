//! Intrinsics against the scalar recipes, bit for bit.

use super::{Intrinsic, STEP};
use crate::math::{Function, scalar};

/// Every 19 997th `f32`: all exponents, both signs, subnormals, infinities and NaN; then the usual range; zeros to fill up.
fn singles() -> Vec<f32> {
    let mut all: Vec<f32> = (0..=u32::MAX).step_by(19_997).map(f32::from_bits).collect();
    all.extend([0.0, -0.0, f32::MIN_POSITIVE, f32::MAX, f32::INFINITY, f32::NEG_INFINITY, f32::NAN]);
    all.extend((0..100_000).map(|i| (i as f32 - 50_000.0) * 2.4e-3));
    all.resize(all.len().next_multiple_of(STEP), 0.0);
    all
}

fn doubles() -> Vec<f64> {
    let mut all: Vec<f64> = (0..1u64 << 18).map(|i| f64::from_bits(i.wrapping_mul(0x9E37_79B9_7F4A_7C15))).collect();
    all.extend(singles().into_iter().step_by(3).map(f64::from));
    all.extend((0..100_000).map(|i| (f64::from(i) - 50_000.0) * 1.6e-2));
    all.resize(all.len().next_multiple_of(STEP), 0.0);
    all
}

/// `None` without the extensions: there is nothing to test then.
fn run<A, B: Copy + Default>(intrinsic: Intrinsic, from: &[A]) -> Option<Vec<B>> {
    let address = intrinsic.address()?;
    assert_eq!(from.len() % STEP, 0);
    let mut to = vec![B::default(); from.len()];
    // SAFETY: functions of this signature, as the callers' types say; both have as many elements as the block.
    unsafe {
        let function: unsafe extern "C" fn(*mut B, *const A, usize) = std::mem::transmute(address);
        function(to.as_mut_ptr(), from.as_ptr(), from.len());
    }
    Some(to)
}

#[test]
fn singles_agree_with_the_recipes() {
    let recipes: [fn(f32) -> f32; 6] =
        [scalar::exp_f32, scalar::fused_exp_f32, scalar::log_f32, scalar::tanh_f32, scalar::sin_f32, scalar::cos_f32];
    let from = singles();
    for (function, recipe) in Function::ALL.into_iter().zip(recipes) {
        for (x, found) in from.iter().zip(run::<f32, f32>(Intrinsic::Single(function), &from).unwrap_or_default()) {
            let expected = recipe(*x);
            let same = expected.to_bits() == found.to_bits() || expected.is_nan() && found.is_nan();
            assert!(same, "{function:?} of {x:e} ({:#x}): {found:e} instead of {expected:e}", x.to_bits());
        }
    }
}

#[test]
fn doubles_agree_with_the_recipes() {
    let recipes: [fn(f64) -> f64; 6] =
        [scalar::exp_f64, scalar::fused_exp_f64, scalar::log_f64, scalar::tanh_f64, scalar::sin_f64, scalar::cos_f64];
    let from = doubles();
    for (function, recipe) in Function::ALL.into_iter().zip(recipes) {
        for (x, found) in from.iter().zip(run::<f64, f64>(Intrinsic::Double(function), &from).unwrap_or_default()) {
            let expected = recipe(*x);
            let same = expected.to_bits() == found.to_bits() || expected.is_nan() && found.is_nan();
            assert!(same, "{function:?} of {x:e} ({:#x}): {found:e} instead of {expected:e}", x.to_bits());
        }
    }
}

#[test]
fn halves_widen_as_the_recipe_does() {
    let from: Vec<u16> = (0..=u16::MAX).collect();
    for (bits, found) in from.iter().zip(run::<u16, f32>(Intrinsic::WidenF16, &from).unwrap_or_default()) {
        let expected = scalar::widen_f16(*bits);
        // Signalling NaN become quiet ones.
        assert!(expected.to_bits() == found.to_bits() || expected.is_nan() && found.is_nan(), "{bits:#x}: {found:e}");
    }
}

/// Ties between all neighbouring halves and what is next to them, beside the sample. NaN become the same NaN.
#[test]
fn halves_narrow_as_the_recipe_does() {
    let mut from = singles();
    for half in 0..0x7c00u16 {
        let [low, high] = [half, half + 1].map(|bits| half::f16::from_bits(bits).to_f64());
        let tie = ((low + high) / 2.0) as f32;
        from.extend([tie.next_down(), tie, tie.next_up(), -tie.next_down(), -tie, -tie.next_up()]);
    }
    from.resize(from.len().next_multiple_of(STEP), 0.0);
    for (x, found) in from.iter().zip(run::<f32, u16>(Intrinsic::NarrowF16, &from).unwrap_or_default()) {
        assert_eq!(found, scalar::narrow_f16(*x), "{x:e} ({:#x})", x.to_bits());
    }
}

#[test]
fn draws_agree_with_the_recipe() {
    let Some(address) = Intrinsic::Threefry.address() else { return };
    let words = |seed: u32| (0..160u32).map(|i| i.wrapping_mul(seed) ^ i).collect::<Vec<u32>>();
    let (first, second) = (words(0x9E37_79B9), words(0x85EB_CA6B));
    let mut found = vec![0u32; first.len()];
    for key in [[0, 0], [u32::MAX, 1], [0x1319_8a2e, 0x0370_7344]] {
        type Draw = unsafe extern "C" fn(*mut u32, *const u32, *const u32, usize, u32, u32);
        // SAFETY: the function's signature; all three have as many elements as the block.
        unsafe {
            let draw: Draw = std::mem::transmute(address);
            draw(found.as_mut_ptr(), first.as_ptr(), second.as_ptr(), first.len(), key[0], key[1]);
        }
        for (n, found) in found.iter().enumerate() {
            let words = scalar::threefry(key, [first[n], second[n]]);
            assert_eq!(*found, words[0] ^ words[1], "{n}");
        }
    }
}

/// Targets in groups of four, with the first of a list in front of it as often as it takes, as lists of arrivals have them.
#[test]
fn deliveries_add_in_order_and_the_last_of_equal_targets_counts() {
    const SUMS: usize = 40;
    for (n, real) in (1..=SUMS).enumerate() {
        let targets: Vec<u16> = (0..real).map(|i| ((i * 7 + n) % SUMS) as u16).collect();
        let filled = targets.len().next_multiple_of(4) - targets.len();
        let targets: Vec<u16> = std::iter::repeat_n(targets[0], filled).chain(targets).collect();
        let weights: Vec<f32> = (0..SUMS.max(targets.len())).map(|i| 0.3 + (i as f32).sin()).collect();
        let factor = -0.7;
        for (intrinsic, at) in [(Intrinsic::Deliver, false), (Intrinsic::DeliverAt, true)] {
            let Some(address) = intrinsic.address() else { return };
            let mut sums: Vec<f32> = (0..SUMS).map(|i| (i as f32).cos()).collect();
            let mut expected = sums.clone();
            for (i, &target) in targets.iter().enumerate().skip(filled) {
                let weight = weights[if at { usize::from(target) } else { i }];
                expected[usize::from(target)] += weight * factor;
            }
            // SAFETY: a function of this signature; targets are sums, and weights as many as either.
            unsafe {
                let deliver: unsafe extern "C" fn(*mut f32, *const u16, *const f32, usize, f32) =
                    std::mem::transmute(address);
                deliver(sums.as_mut_ptr(), targets.as_ptr(), weights.as_ptr(), targets.len(), factor);
            }
            let bits = |sums: &[f32]| sums.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&sums), bits(&expected), "{intrinsic:?}, {real} targets");
        }
    }
}

#[test]
fn memory_is_asked_for_without_touching_it() {
    let Some(address) = Intrinsic::Near.address() else { return };
    // SAFETY: a function of this signature, which may be given any pointer.
    let near: extern "C" fn(*const u8, usize) = unsafe { std::mem::transmute(address) };
    near(std::ptr::null(), 0);
    near(std::ptr::null(), 300);
    near(std::ptr::without_provenance(usize::MAX - 100), 300);
}
