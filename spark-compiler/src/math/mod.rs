//! Elementary functions, written once as *recipes*.
//!
//! A recipe is straight-line code over the small builder trait [`Arith`]: it says which additions, multiplications and
//! bit operations make up `exp`, but not what carries them out. The evaluator runs a recipe on Rust scalars
//! ([`scalar`]); code generation runs the same recipe on vectors of CLIF values (`emit::lanes`). Both therefore do the
//! same IEEE operations in the same order and agree bit for bit by construction, on every machine: a multiply-add is fused
//! only where a recipe says so, and there is no table, no branch that a result depends on, and nothing a C library could
//! do differently.
//!
//! | function | `f32` | `f64` |
//! |---|---|---|
//! | [`exp`](exp::exp) | ≤ 1.1 ulp, gradual underflow | ≤ 1 ulp, gradual underflow |
//! | [`fused_exp`](exp::fused_exp), with fused multiply-adds | ≤ 1.1 ulp | ≤ 1 ulp |
//! | [`log`](log::log) | ≤ 1 ulp, subnormal arguments included | ≤ 1 ulp |
//! | [`tanh`](tanh::tanh) | ≤ 2 ulp | ≤ 2 ulp |
//! | `sin`, `cos` ([`trig`]) | ≤ 1 ulp for every finite argument | ≤ 1 ulp for magnitudes ≤ 2²⁰ · π/2, NaN beyond |
//!
//! (Bounds are those the tests below enforce.) Other recipes: the conversions between `f32` and the 16-bit formats
//! ([`half`]) and the counter-based random generator ([`threefry`](mod@threefry)).

pub mod exp;
pub mod half;
pub mod log;
pub mod scalar;
pub mod tanh;
pub mod threefry;
pub mod trig;

#[cfg(test)]
mod tests;

use crate::ir::UnaryOp;

/// What recipes are written in: one floating-point format, the integers of its width and truth values.
///
/// An implementation carries out each operation on its own kind of value: a Rust scalar, or four lanes of CLIF values.
/// Integer operations wrap; every floating-point operation is IEEE with round-to-nearest-even and is never contracted
/// or reordered.
pub trait Arith {
    /// A floating-point value.
    type F: Copy;
    /// An integer of the same width.
    type I: Copy;
    /// A truth value.
    type M: Copy;

    /// Bits of the significand field: 23 or 52.
    const MANTISSA: u32;
    /// Exponent bias: 127 or 1023.
    const BIAS: i64;

    /// A constant, rounded to the format.
    fn float(&mut self, value: f64) -> Self::F;
    /// A constant, truncated to the width.
    fn int(&mut self, value: i64) -> Self::I;

    /// `x + y`.
    fn add(&mut self, x: Self::F, y: Self::F) -> Self::F;
    /// `x − y`.
    fn sub(&mut self, x: Self::F, y: Self::F) -> Self::F;
    /// `x · y`.
    fn mul(&mut self, x: Self::F, y: Self::F) -> Self::F;
    /// `x / y`.
    fn div(&mut self, x: Self::F, y: Self::F) -> Self::F;
    /// `x · y + z`, rounded once. Only for recipes that say so: not every machine has the instruction.
    fn mul_add(&mut self, x: Self::F, y: Self::F, z: Self::F) -> Self::F;
    /// Magnitude: clears the sign bit.
    fn abs(&mut self, x: Self::F) -> Self::F;
    /// The largest integer not above.
    fn floor(&mut self, x: Self::F) -> Self::F;
    /// The nearest integer, ties to even.
    fn nearest(&mut self, x: Self::F) -> Self::F;

    /// `x < y`; false for NaN.
    fn lt(&mut self, x: Self::F, y: Self::F) -> Self::M;
    /// `x = y`; false for NaN.
    fn eq(&mut self, x: Self::F, y: Self::F) -> Self::M;
    /// `condition ? then : otherwise`.
    fn select(&mut self, condition: Self::M, then: Self::F, otherwise: Self::F) -> Self::F;
    /// `low` where `x` is less, else `x`, NaN too.
    fn at_least(&mut self, x: Self::F, low: Self::F) -> Self::F {
        let below = self.lt(x, low);
        self.select(below, low, x)
    }
    /// `high` where `x` is greater, else `x`, NaN too.
    fn at_most(&mut self, x: Self::F, high: Self::F) -> Self::F {
        let above = self.lt(high, x);
        self.select(above, high, x)
    }

    /// The bits of `x`.
    fn bits(&mut self, x: Self::F) -> Self::I;
    /// The float with bits `x`.
    fn float_from_bits(&mut self, x: Self::I) -> Self::F;

    /// `x + y`, wrapping.
    fn iadd(&mut self, x: Self::I, y: Self::I) -> Self::I;
    /// `x − y`, wrapping.
    fn isub(&mut self, x: Self::I, y: Self::I) -> Self::I;
    /// Bitwise and.
    fn iand(&mut self, x: Self::I, y: Self::I) -> Self::I;
    /// Bitwise or.
    fn ior(&mut self, x: Self::I, y: Self::I) -> Self::I;
    /// Bitwise exclusive or.
    fn ixor(&mut self, x: Self::I, y: Self::I) -> Self::I;
    /// Left shift by a constant.
    fn ishl(&mut self, x: Self::I, by: u32) -> Self::I;
    /// Logical right shift by a constant.
    fn ishr(&mut self, x: Self::I, by: u32) -> Self::I;
    /// `x < y`, signed.
    fn ilt(&mut self, x: Self::I, y: Self::I) -> Self::M;
    /// `x = y`.
    fn ieq(&mut self, x: Self::I, y: Self::I) -> Self::M;
    /// `condition ? then : otherwise`.
    fn iselect(&mut self, condition: Self::M, then: Self::I, otherwise: Self::I) -> Self::I;

    /// `usual ? then : otherwise()` of several values, for an `otherwise` that is costly and hardly ever needed: it may be
    /// left out where `usual` holds.
    fn unless<const N: usize>(
        &mut self,
        usual: Self::M,
        then: [Self::F; N],
        otherwise: impl FnOnce(&mut Self) -> [Self::F; N],
    ) -> [Self::F; N];
}

/// The elementary functions that are recipes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Function {
    /// e^x.
    Exp,
    /// e^x with fused multiply-adds.
    FusedExp,
    /// Natural logarithm.
    Log,
    /// Hyperbolic tangent.
    Tanh,
    /// Sine.
    Sin,
    /// Cosine.
    Cos,
}

impl Function {
    /// All of them.
    pub(crate) const ALL: [Function; 6] =
        [Function::Exp, Function::FusedExp, Function::Log, Function::Tanh, Function::Sin, Function::Cos];

    /// The function that `op` is, if it is one.
    pub(crate) fn of(op: UnaryOp) -> Option<Function> {
        match op {
            UnaryOp::Exp => Some(Function::Exp),
            UnaryOp::FusedExp => Some(Function::FusedExp),
            UnaryOp::Log => Some(Function::Log),
            UnaryOp::Tanh => Some(Function::Tanh),
            UnaryOp::Sin => Some(Function::Sin),
            UnaryOp::Cos => Some(Function::Cos),
            UnaryOp::Neg
            | UnaryOp::Abs
            | UnaryOp::Not
            | UnaryOp::Sqrt
            | UnaryOp::Floor
            | UnaryOp::Ceil
            | UnaryOp::Round
            | UnaryOp::Trunc => None,
        }
    }
}

/// `c[0] + x · (c[1] + x · (c[2] + …))`.
#[inline(always)]
fn polynomial<A: Arith>(a: &mut A, x: A::F, coefficients: &[f64]) -> A::F {
    let (last, rest) = coefficients.split_last().expect("a polynomial has a coefficient");
    let mut sum = a.float(*last);
    for &c in rest.iter().rev() {
        let product = a.mul(sum, x);
        let c = a.float(c);
        sum = a.add(c, product);
    }
    sum
}

/// The integer value of `x`, which is integral and small, in the low bits (two's complement; the high bits are junk).
///
/// Adding 1.5 · 2^MANTISSA moves the units into the last place of the significand.
#[inline(always)]
fn low_bits<A: Arith>(a: &mut A, x: A::F) -> A::I {
    let shift = a.float(1.5 * (1u64 << A::MANTISSA) as f64);
    let shifted = a.add(x, shift);
    a.bits(shifted)
}
