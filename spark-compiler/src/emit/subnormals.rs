//! Subnormal numbers, while a step runs.
//!
//! A trace that decays and gets nothing more ends among the subnormal numbers and, rounded to nearest, stays there: 0.9 times
//! the fourth smallest rounds to the fourth smallest. Processors take up to 150 cycles more for each operation on one. XLA
//! has them count as zero, and so do kernels unless [`CompileOptions::flush_subnormals`] is off.
//!
//! The mode belongs to the thread. It is set around each step, which is generated code and intrinsics only, and put back
//! as it was. Where a machine has no such mode (or none that is known here), steps go on with subnormal numbers.
//!
//! Halves are not concerned: theirs are normal numbers of `f32`, in which they are calculated, and the conversions work on
//! them in every mode.
//!
//! [`CompileOptions::flush_subnormals`]: crate::passes::CompileOptions::flush_subnormals
#![allow(unsafe_code)]

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use std::arch::asm;

/// Until it is dropped, subnormal operands and results of this thread count as zero.
pub(super) struct Flush {
    before: Mode,
}

#[cfg(target_arch = "x86_64")]
type Mode = u32;
#[cfg(not(target_arch = "x86_64"))]
type Mode = u64;

/// Results (FTZ) and operands (DAZ).
#[cfg(target_arch = "x86_64")]
const FLUSHES: Mode = 0x8040;
/// Both (FZ).
#[cfg(not(target_arch = "x86_64"))]
const FLUSHES: Mode = 1 << 24;

impl Flush {
    pub(super) fn new() -> Flush {
        let before = mode();
        set_mode(before | FLUSHES);
        Flush { before }
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        set_mode(self.before);
    }
}

#[cfg(target_arch = "x86_64")]
fn mode() -> Mode {
    let mut mode: Mode = 0;
    // SAFETY: stores the register in four bytes that are ours.
    unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut mode, options(nostack, preserves_flags)) };
    mode
}

#[cfg(target_arch = "x86_64")]
fn set_mode(mode: Mode) {
    // SAFETY: what the register held before, at most with the bits of `FLUSHES` set, which every x86-64 has.
    unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const mode, options(nostack, preserves_flags)) };
}

#[cfg(target_arch = "aarch64")]
fn mode() -> Mode {
    let mode: Mode;
    // SAFETY: reads a register.
    unsafe { asm!("mrs {}, fpcr", out(reg) mode, options(nostack, preserves_flags)) };
    mode
}

#[cfg(target_arch = "aarch64")]
fn set_mode(mode: Mode) {
    // SAFETY: what the register held before, at most with the bit of `FLUSHES` set, which every AArch64 has.
    unsafe { asm!("msr fpcr, {}", in(reg) mode, options(nostack, preserves_flags)) };
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn mode() -> Mode {
    0
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn set_mode(_: Mode) {}
