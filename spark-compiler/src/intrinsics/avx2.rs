//! Intrinsics for x86-64 with AVX2, FMA and F16C: eight singles or four doubles at a time.
//!
//! [`Singles`] and [`Doubles`] are the recipes' arithmetic on such vectors. Their operations are inlined into the functions
//! at the end of this file, which have the extensions; nothing else may use them.

use super::{Intrinsic, STEP};
use crate::math::{Arith, Function, exp, log, tanh, threefry, trig};
use std::arch::x86_64::*;

/// Eight `f32`.
struct Singles;

/// Four `f64`.
struct Doubles;

macro_rules! arith {
    (
        $name:ident, $float:ty, $scalar:ty, $int_scalar:ty, $mantissa:literal, $bias:literal,
        $set:ident, $set_int:ident, $add:ident, $sub:ident, $mul:ident, $div:ident, $mul_add:ident, $min:ident, $max:ident, $and:ident,
        $round:ident, $compare:ident, $choose:ident, $to_int:ident, $to_float:ident, $all:ident,
        $iadd:ident, $isub:ident, $shl:ident, $shr:ident, $greater:ident, $equal:ident, $every:literal
    ) => {
        // SAFETY of all blocks: the machine has the extensions, since only the functions below use this type and
        // `Intrinsic::address` gives them out only then.
        impl Arith for $name {
            type F = $float;
            type I = __m256i;
            type M = $float;
            const MANTISSA: u32 = $mantissa;
            const BIAS: i64 = $bias;

            #[inline(always)]
            fn float(&mut self, value: f64) -> $float {
                unsafe { $set(value as $scalar) }
            }
            #[inline(always)]
            fn int(&mut self, value: i64) -> __m256i {
                unsafe { $set_int(value as $int_scalar) }
            }
            #[inline(always)]
            fn add(&mut self, x: $float, y: $float) -> $float {
                unsafe { $add(x, y) }
            }
            #[inline(always)]
            fn sub(&mut self, x: $float, y: $float) -> $float {
                unsafe { $sub(x, y) }
            }
            #[inline(always)]
            fn mul(&mut self, x: $float, y: $float) -> $float {
                unsafe { $mul(x, y) }
            }
            #[inline(always)]
            fn div(&mut self, x: $float, y: $float) -> $float {
                unsafe { $div(x, y) }
            }
            #[inline(always)]
            fn mul_add(&mut self, x: $float, y: $float, z: $float) -> $float {
                unsafe { $mul_add(x, y, z) }
            }
            #[inline(always)]
            fn abs(&mut self, x: $float) -> $float {
                unsafe { $and(x, $to_float($set_int(<$int_scalar>::MAX))) }
            }
            #[inline(always)]
            fn floor(&mut self, x: $float) -> $float {
                unsafe { $round::<{ _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC }>(x) }
            }
            #[inline(always)]
            fn nearest(&mut self, x: $float) -> $float {
                unsafe { $round::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x) }
            }
            #[inline(always)]
            fn lt(&mut self, x: $float, y: $float) -> $float {
                unsafe { $compare::<_CMP_LT_OQ>(x, y) }
            }
            #[inline(always)]
            fn eq(&mut self, x: $float, y: $float) -> $float {
                unsafe { $compare::<_CMP_EQ_OQ>(x, y) }
            }
            #[inline(always)]
            fn at_least(&mut self, x: $float, low: $float) -> $float {
                unsafe { $max(low, x) }
            }
            #[inline(always)]
            fn at_most(&mut self, x: $float, high: $float) -> $float {
                unsafe { $min(high, x) }
            }
            #[inline(always)]
            fn select(&mut self, condition: $float, then: $float, otherwise: $float) -> $float {
                unsafe { $choose(otherwise, then, condition) }
            }
            #[inline(always)]
            fn bits(&mut self, x: $float) -> __m256i {
                unsafe { $to_int(x) }
            }
            #[inline(always)]
            fn float_from_bits(&mut self, x: __m256i) -> $float {
                unsafe { $to_float(x) }
            }
            #[inline(always)]
            fn iadd(&mut self, x: __m256i, y: __m256i) -> __m256i {
                unsafe { $iadd(x, y) }
            }
            #[inline(always)]
            fn isub(&mut self, x: __m256i, y: __m256i) -> __m256i {
                unsafe { $isub(x, y) }
            }
            #[inline(always)]
            fn iand(&mut self, x: __m256i, y: __m256i) -> __m256i {
                unsafe { _mm256_and_si256(x, y) }
            }
            #[inline(always)]
            fn ior(&mut self, x: __m256i, y: __m256i) -> __m256i {
                unsafe { _mm256_or_si256(x, y) }
            }
            #[inline(always)]
            fn ixor(&mut self, x: __m256i, y: __m256i) -> __m256i {
                unsafe { _mm256_xor_si256(x, y) }
            }
            #[inline(always)]
            fn ishl(&mut self, x: __m256i, by: u32) -> __m256i {
                unsafe { $shl(x, _mm_cvtsi32_si128(by as i32)) }
            }
            #[inline(always)]
            fn ishr(&mut self, x: __m256i, by: u32) -> __m256i {
                unsafe { $shr(x, _mm_cvtsi32_si128(by as i32)) }
            }
            #[inline(always)]
            fn ilt(&mut self, x: __m256i, y: __m256i) -> $float {
                unsafe { $to_float($greater(y, x)) }
            }
            #[inline(always)]
            fn ieq(&mut self, x: __m256i, y: __m256i) -> $float {
                unsafe { $to_float($equal(x, y)) }
            }
            #[inline(always)]
            fn iselect(&mut self, condition: $float, then: __m256i, otherwise: __m256i) -> __m256i {
                unsafe { $to_int($choose($to_float(otherwise), $to_float(then), condition)) }
            }
            #[inline(always)]
            fn unless<const N: usize>(
                &mut self,
                usual: $float,
                then: [$float; N],
                otherwise: impl FnOnce(&mut Self) -> [$float; N],
            ) -> [$float; N] {
                if unsafe { $all(usual) } == $every {
                    return then;
                }
                let other = otherwise(self);
                let mut mixed = then;
                for (mixed, other) in mixed.iter_mut().zip(other) {
                    *mixed = self.select(usual, *mixed, other);
                }
                mixed
            }
        }
    };
}
arith!(
    Singles,
    __m256,
    f32,
    i32,
    23,
    127,
    _mm256_set1_ps,
    _mm256_set1_epi32,
    _mm256_add_ps,
    _mm256_sub_ps,
    _mm256_mul_ps,
    _mm256_div_ps,
    _mm256_fmadd_ps,
    _mm256_min_ps,
    _mm256_max_ps,
    _mm256_and_ps,
    _mm256_round_ps,
    _mm256_cmp_ps,
    _mm256_blendv_ps,
    _mm256_castps_si256,
    _mm256_castsi256_ps,
    _mm256_movemask_ps,
    _mm256_add_epi32,
    _mm256_sub_epi32,
    _mm256_sll_epi32,
    _mm256_srl_epi32,
    _mm256_cmpgt_epi32,
    _mm256_cmpeq_epi32,
    0xff
);
arith!(
    Doubles,
    __m256d,
    f64,
    i64,
    52,
    1023,
    _mm256_set1_pd,
    _mm256_set1_epi64x,
    _mm256_add_pd,
    _mm256_sub_pd,
    _mm256_mul_pd,
    _mm256_div_pd,
    _mm256_fmadd_pd,
    _mm256_min_pd,
    _mm256_max_pd,
    _mm256_and_pd,
    _mm256_round_pd,
    _mm256_cmp_pd,
    _mm256_blendv_pd,
    _mm256_castpd_si256,
    _mm256_castsi256_pd,
    _mm256_movemask_pd,
    _mm256_add_epi64,
    _mm256_sub_epi64,
    _mm256_sll_epi64,
    _mm256_srl_epi64,
    _mm256_cmpgt_epi64,
    _mm256_cmpeq_epi64,
    0xf
);

/// Functions on blocks, one for each recipe.
macro_rules! blocks {
    ($($name:ident: $scalar:ty, $arith:ident, $lanes:literal, $load:ident, $store:ident, $recipe:expr;)*) => {$(
        /// # Safety
        /// The machine has the extensions; `from` and `to` point to `count` elements, a multiple of [`STEP`].
        #[target_feature(enable = "avx2,fma,f16c")]
        unsafe extern "C" fn $name(to: *mut $scalar, from: *const $scalar, count: usize) {
            for at in (0..count).step_by($lanes) {
                // SAFETY: `at + $lanes <= count`, since `STEP` is a multiple of the lanes.
                unsafe {
                    let x = $load(from.add(at));
                    $store(to.add(at), $recipe(&mut $arith, x));
                }
            }
        }
    )*};
}
blocks! {
    exp_f32: f32, Singles, 8, _mm256_loadu_ps, _mm256_storeu_ps, exp::exp;
    fused_exp_f32: f32, Singles, 8, _mm256_loadu_ps, _mm256_storeu_ps, exp::fused_exp;
    log_f32: f32, Singles, 8, _mm256_loadu_ps, _mm256_storeu_ps, log::log;
    tanh_f32: f32, Singles, 8, _mm256_loadu_ps, _mm256_storeu_ps, tanh::tanh;
    sin_f32: f32, Doubles, 4, load_widened, store_narrowed, trig::sin_single;
    cos_f32: f32, Doubles, 4, load_widened, store_narrowed, trig::cos_single;
    exp_f64: f64, Doubles, 4, _mm256_loadu_pd, _mm256_storeu_pd, exp::exp;
    fused_exp_f64: f64, Doubles, 4, _mm256_loadu_pd, _mm256_storeu_pd, exp::fused_exp;
    log_f64: f64, Doubles, 4, _mm256_loadu_pd, _mm256_storeu_pd, log::log;
    tanh_f64: f64, Doubles, 4, _mm256_loadu_pd, _mm256_storeu_pd, tanh::tanh;
    sin_f64: f64, Doubles, 4, _mm256_loadu_pd, _mm256_storeu_pd, trig::sin_double;
    cos_f64: f64, Doubles, 4, _mm256_loadu_pd, _mm256_storeu_pd, trig::cos_double;
}

/// # Safety
/// The machine has the extensions; `from` points to four elements.
#[inline(always)]
unsafe fn load_widened(from: *const f32) -> __m256d {
    // SAFETY: as the caller promises.
    unsafe { _mm256_cvtps_pd(_mm_loadu_ps(from)) }
}

/// # Safety
/// The machine has the extensions; `to` points to four elements.
#[inline(always)]
unsafe fn store_narrowed(to: *mut f32, x: __m256d) {
    // SAFETY: as the caller promises.
    unsafe { _mm_storeu_ps(to, _mm256_cvtpd_ps(x)) }
}

/// # Safety
/// The machine has the extensions; `from` and `to` point to `count` elements, a multiple of [`STEP`].
#[target_feature(enable = "avx2,fma,f16c")]
unsafe extern "C" fn widen_f16(to: *mut f32, from: *const u16, count: usize) {
    for at in (0..count).step_by(8) {
        // SAFETY: `at + 8 <= count`.
        unsafe { _mm256_storeu_ps(to.add(at), _mm256_cvtph_ps(_mm_loadu_si128(from.add(at).cast()))) }
    }
}

/// # Safety
/// The machine has the extensions; `from` and `to` point to `count` elements, a multiple of [`STEP`].
#[target_feature(enable = "avx2,fma,f16c")]
unsafe extern "C" fn narrow_f16(to: *mut u16, from: *const f32, count: usize) {
    // The recipe keeps a NaN's sign only.
    let (sign, nan) = (_mm256_set1_ps(-0.0), _mm256_set1_ps(f32::NAN));
    for at in (0..count).step_by(8) {
        // SAFETY: `at + 8 <= count`.
        unsafe {
            let x = _mm256_loadu_ps(from.add(at));
            let signed_nan = _mm256_or_ps(_mm256_and_ps(x, sign), nan);
            let x = _mm256_blendv_ps(x, signed_nan, _mm256_cmp_ps::<_CMP_UNORD_Q>(x, x));
            _mm_storeu_si128(to.add(at).cast(), _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x));
        }
    }
}

/// # Safety
/// The machine has the extensions; `first`, `second` and `to` point to `count` elements, a multiple of [`STEP`].
#[target_feature(enable = "avx2,fma,f16c")]
unsafe extern "C" fn draw(to: *mut u32, first: *const u32, second: *const u32, count: usize, k0: u32, k1: u32) {
    let a = &mut Singles;
    let key = [k0, k1].map(|word| _mm256_set1_epi32(word as i32));
    for at in (0..count).step_by(STEP) {
        // Two draws at a time: one is a single chain of dependent operations.
        // SAFETY: `at + STEP <= count`.
        let counter =
            |plus: usize| unsafe { [first, second].map(|words| _mm256_loadu_si256(words.add(at + plus).cast())) };
        let mut draws = [threefry::Draw::new(a, key, counter(0)), threefry::Draw::new(a, key, counter(8))];
        // Written out: as a loop, it would calculate what each round does while running.
        const { assert!(threefry::BLOCKS == 5) };
        macro_rules! advance {
            ($($block:literal)*) => {
                $(draws[0].advance(a, $block); draws[1].advance(a, $block);)*
            };
        }
        advance!(0 1 2 3 4);
        for (n, draw) in draws.into_iter().enumerate() {
            let mixed = _mm256_xor_si256(draw.words[0], draw.words[1]);
            // SAFETY: `at + 8 * n + 8 <= count`.
            unsafe { _mm256_storeu_si256(to.add(at + 8 * n).cast(), mixed) }
        }
    }
}

/// # Safety
/// The machine has the extensions. There are `count` targets, a multiple of four, each of which has a sum. Weights are as many as targets, or with
/// `AT` there is one for each target's number.
#[target_feature(enable = "avx2,fma,f16c")]
unsafe extern "C" fn deliver<const AT: bool>(
    sums: *mut f32,
    targets: *const u16,
    weights: *const f32,
    count: usize,
    factor: f32,
) {
    for first in (0..count).step_by(4) {
        // SAFETY: `first + 4 <= count`.
        unsafe {
            let targets: [usize; 4] = std::array::from_fn(|lane| usize::from(*targets.add(first + lane)));
            let weight = |lane: usize| *weights.add(if AT { targets[lane] } else { first + lane });
            let new: [f32; 4] = std::array::from_fn(|lane| weight(lane) * factor + *sums.add(targets[lane]));
            targets.iter().zip(new).for_each(|(&target, sum)| *sums.add(target) = sum);
        }
    }
}

/// Bytes of a cache line.
const LINE: usize = 64;

/// Any pointer will do.
extern "C" fn near(from: *const u8, bytes: usize) {
    let before = from.addr() % LINE;
    for at in (0..before + bytes).step_by(LINE) {
        // SAFETY: a prefetch never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.wrapping_sub(before).wrapping_add(at).cast()) }
    }
}

/// Where the function is.
pub(super) fn address(intrinsic: Intrinsic) -> *const u8 {
    type Singles = unsafe extern "C" fn(*mut f32, *const f32, usize);
    type Doubles = unsafe extern "C" fn(*mut f64, *const f64, usize);
    match intrinsic {
        Intrinsic::Single(function) => {
            let address: Singles = match function {
                Function::Exp => exp_f32,
                Function::FusedExp => fused_exp_f32,
                Function::Log => log_f32,
                Function::Tanh => tanh_f32,
                Function::Sin => sin_f32,
                Function::Cos => cos_f32,
            };
            address as *const u8
        }
        Intrinsic::Double(function) => {
            let address: Doubles = match function {
                Function::Exp => exp_f64,
                Function::FusedExp => fused_exp_f64,
                Function::Log => log_f64,
                Function::Tanh => tanh_f64,
                Function::Sin => sin_f64,
                Function::Cos => cos_f64,
            };
            address as *const u8
        }
        Intrinsic::WidenF16 => widen_f16 as *const u8,
        Intrinsic::NarrowF16 => narrow_f16 as *const u8,
        Intrinsic::Threefry => draw as *const u8,
        Intrinsic::Deliver => deliver::<false> as *const u8,
        Intrinsic::DeliverAt => deliver::<true> as *const u8,
        Intrinsic::Near => near as *const u8,
    }
}
