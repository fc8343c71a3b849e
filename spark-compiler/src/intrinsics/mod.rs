//! Intrinsics: functions on blocks of elements, and on lists of them, that generated code calls instead of carrying them out itself.
//!
//! Cranelift's vectors have 128 bits and it has no conversions of halves. Where the machine has more, these functions do
//! the same in 256 bits, compiled by the Rust compiler. They run the same recipes (see [`crate::math`]), so which of the
//! two runs never shows in a result: the same IEEE operations in the same order. Of a NaN it is not said which one it is.
//!
//! A block is `STEP` elements or a multiple of that. Whether there is an intrinsic is asked while compiling
//! (`Intrinsic::address`): code for another machine, and on machines without these extensions, does without.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;

mod threefry;

pub use threefry::threefry_words;

use crate::math::Function;

/// Blocks are a multiple of this many elements.
pub(crate) const STEP: usize = 16;

/// A function on blocks, on targets of arrivals, or on memory. Pointers need no alignment beyond that of their elements.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Intrinsic {
    /// `fn(to: *mut f32, from: *const f32, count: usize)`.
    Single(Function),
    /// `fn(to: *mut f64, from: *const f64, count: usize)`.
    Double(Function),
    /// `fn(to: *mut f32, from: *const u16, count: usize)`: from the bits of `f16`.
    WidenF16,
    /// `fn(to: *mut u16, from: *const f32, count: usize)`: to the bits of `f16`, rounded to nearest even.
    NarrowF16,
    /// `fn(to: *mut u32, first: *const u32, second: *const u32, count: usize, key: u32, key: u32)`: both random words of
    /// each counter, their bits exclusive or.
    Threefry,
    /// `fn(sums: *mut f32, targets: *const u16, weights: *const f32, count: usize, factor: f32)`: adds to the sum of each target its
    /// weight times a factor. Weights lie as targets do. Of four targets in a row, a multiple of which there are, the last of equal ones
    /// counts.
    Deliver,
    /// The same where the target says which weight it is.
    DeliverAt,
    /// `fn(from: *const u8, bytes: usize)`: brings memory near that is going to be used. Does nothing else.
    Near,
}

impl Intrinsic {
    /// All of them; positions number them.
    pub(crate) fn all() -> Vec<Intrinsic> {
        let singles = Function::ALL.map(Intrinsic::Single);
        let doubles = Function::ALL.map(Intrinsic::Double);
        let rest = [
            Intrinsic::WidenF16,
            Intrinsic::NarrowF16,
            Intrinsic::Threefry,
            Intrinsic::Deliver,
            Intrinsic::DeliverAt,
            Intrinsic::Near,
        ];
        singles.into_iter().chain(doubles).chain(rest).collect()
    }

    /// Where the function is; `None` if this machine cannot run it.
    pub(crate) fn address(self) -> Option<*const u8> {
        #[cfg(target_arch = "x86_64")]
        if std::is_x86_feature_detected!("avx2")
            && std::is_x86_feature_detected!("fma")
            && std::is_x86_feature_detected!("f16c")
        {
            return Some(avx2::address(self));
        }
        None
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests;
