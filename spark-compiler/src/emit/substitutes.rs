//! What machines without an instruction do instead, with the same bits.
//!
//! The oldest x86-64 machines cannot round to integral numbers (SSE4.1 can) nor multiply and add in one rounding (FMA can).
//! Cranelift would call C functions, lane by lane; objects are to need none.

use super::lanes::{Clif, Lanes};
use cranelift::prelude::*;
use types::{F32X4, I32X4, I64X2};

/// How to round to an integral number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Rounding {
    /// Towards −∞.
    Floor,
    /// Towards +∞.
    Ceil,
    /// To the nearest, of two to the even one.
    Nearest,
    /// Towards 0.
    Trunc,
}

impl Clif<'_> {
    /// `v`, an `F32X4` or `F64X2`, rounded to integral numbers.
    pub(crate) fn round(&mut self, rounding: Rounding, v: Value) -> Value {
        if !self.abilities.rounding {
            return self.round_by_adding(rounding, v);
        }
        match rounding {
            Rounding::Floor => self.b.ins().floor(v),
            Rounding::Ceil => self.b.ins().ceil(v),
            Rounding::Nearest => self.b.ins().nearest(v),
            Rounding::Trunc => self.b.ins().trunc(v),
        }
    }

    /// Adding and subtracting a number whose last bit counts ones rounds to nearest; the other ways are at most one beside.
    /// Numbers above it are integral, and NaN stays.
    fn round_by_adding(&mut self, rounding: Rounding, v: Value) -> Value {
        let single = self.b.func.dfg.value_type(v) == F32X4;
        let [large, one, sign] = [2f64.powi(if single { 23 } else { 52 }), 1.0, -0.0].map(|number| match single {
            true => self.single(number as f32),
            false => self.double(number),
        });
        let (ty, bits) = (self.b.func.dfg.value_type(v), if single { I32X4 } else { I64X2 });
        let magnitude = self.b.ins().fabs(v);
        let raised = self.b.ins().fadd(magnitude, large);
        let nearest = self.b.ins().fsub(raised, large);
        let signed = |c: &mut Self, number: Value| {
            let (number, v, sign) = (c.reinterpret(bits, number), c.reinterpret(bits, v), c.reinterpret(bits, sign));
            let sign = c.b.ins().band(v, sign);
            let number = c.b.ins().bor(number, sign);
            c.reinterpret(ty, number)
        };
        let rounded = match rounding {
            Rounding::Nearest => signed(self, nearest),
            Rounding::Trunc => {
                let less = self.b.ins().fsub(nearest, one);
                let beyond = self.b.ins().fcmp(FloatCC::LessThan, magnitude, nearest);
                let chosen = self.choose(beyond, less, nearest);
                signed(self, chosen)
            }
            Rounding::Floor => {
                let nearest = signed(self, nearest);
                let less = self.b.ins().fsub(nearest, one);
                let beyond = self.b.ins().fcmp(FloatCC::LessThan, v, nearest);
                self.choose(beyond, less, nearest)
            }
            Rounding::Ceil => {
                let nearest = signed(self, nearest);
                let more = self.b.ins().fadd(nearest, one);
                let beyond = self.b.ins().fcmp(FloatCC::LessThan, nearest, v);
                let chosen = self.choose(beyond, more, nearest);
                signed(self, chosen)
            }
        };
        let small = self.b.ins().fcmp(FloatCC::LessThan, magnitude, large);
        self.choose(small, rounded, v)
    }

    /// `x · y + z`, rounded once. In double precision, machines without the instruction call C's `fma`.
    pub(crate) fn fma(&mut self, x: Value, y: Value, z: Value) -> Value {
        if self.abilities.fma || self.b.func.dfg.value_type(x) != F32X4 {
            return self.b.ins().fma(x, y, z);
        }
        let [x, y, z] = [x, y, z].map(|v| self.promote(v));
        let (Lanes::Two(a, b), Lanes::Two(d, e), Lanes::Two(f, g)) = (x, y, z) else { unreachable!("promoted") };
        let (low, high) = (self.product_and_sum(a, d, f), self.product_and_sum(b, e, g));
        self.demote(low, high)
    }

    /// `x · y + z` of doubles that are singles, as a double that rounds to the right single: where the sum is not exact, the
    /// one of its two neighbours whose last bit is 1 (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums:
    /// proved algorithms using rounding to odd", 2008).
    fn product_and_sum(&mut self, x: Value, y: Value, z: Value) -> Value {
        let ty = self.b.func.dfg.value_type(x);
        let product = self.b.ins().fmul(x, y);
        let sum = self.b.ins().fadd(product, z);
        // What the sum lost, exactly.
        let second = self.b.ins().fsub(sum, product);
        let first = self.b.ins().fsub(sum, second);
        let lost = [(product, first), (z, second)].map(|(whole, part)| self.b.ins().fsub(whole, part));
        let lost = self.b.ins().fadd(lost[0], lost[1]);
        let zero = self.double(0.0);
        let inexact = [(lost, zero), (zero, lost)].map(|(a, b)| {
            let less = self.b.ins().fcmp(FloatCC::LessThan, a, b);
            self.reinterpret(I64X2, less)
        });
        let inexact = self.b.ins().bor(inexact[0], inexact[1]);
        let (bits, lost) = (self.reinterpret(I64X2, sum), self.reinterpret(I64X2, lost));
        let one = self.long(1);
        let odd = self.b.ins().band(bits, one);
        // All ones where the last bit is 0.
        let even = self.b.ins().isub(odd, one);
        let away = self.b.ins().bxor(bits, lost);
        let towards_zero = self.b.ins().ushr_imm_u(away, 63);
        let twice = self.b.ins().iadd(towards_zero, towards_zero);
        let step = self.b.ins().isub(one, twice);
        let step = self.b.ins().band(step, even);
        let step = self.b.ins().band(step, inexact);
        let sum = self.b.ins().iadd(bits, step);
        self.reinterpret(ty, sum)
    }
}
