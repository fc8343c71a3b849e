//! [`Arith`] on CLIF vectors: how the recipes of [`crate::math`] become code.

use super::lanes::{Clif, Lanes};
use super::substitutes::Rounding;
use crate::math::{Arith, Function, exp, log, tanh, trig};
use cranelift::prelude::*;
use types::{F32X4, F64X2, I32X4, I64X2};

/// Recipes on one `F32X4`, its `I32X4` and its mask.
pub(crate) struct Singles<'c, 'f>(pub(crate) &'c mut Clif<'f>);

/// Recipes on one `F64X2`, its `I64X2` and its mask.
pub(crate) struct Doubles<'c, 'f>(pub(crate) &'c mut Clif<'f>);

macro_rules! arith {
    ($name:ident, $float:expr, $int:expr, $mantissa:literal, $bias:literal, $float_constant:expr, $int_constant:expr) => {
        impl Arith for $name<'_, '_> {
            type F = Value;
            type I = Value;
            type M = Value;
            const MANTISSA: u32 = $mantissa;
            const BIAS: i64 = $bias;

            fn float(&mut self, value: f64) -> Value {
                $float_constant(self.0, value)
            }
            fn int(&mut self, value: i64) -> Value {
                $int_constant(self.0, value)
            }
            fn add(&mut self, x: Value, y: Value) -> Value {
                self.0.b.ins().fadd(x, y)
            }
            fn sub(&mut self, x: Value, y: Value) -> Value {
                self.0.b.ins().fsub(x, y)
            }
            fn mul(&mut self, x: Value, y: Value) -> Value {
                self.0.b.ins().fmul(x, y)
            }
            fn div(&mut self, x: Value, y: Value) -> Value {
                self.0.b.ins().fdiv(x, y)
            }
            fn mul_add(&mut self, x: Value, y: Value, z: Value) -> Value {
                self.0.fma(x, y, z)
            }
            fn abs(&mut self, x: Value) -> Value {
                self.0.b.ins().fabs(x)
            }
            fn floor(&mut self, x: Value) -> Value {
                self.0.round(Rounding::Floor, x)
            }
            fn nearest(&mut self, x: Value) -> Value {
                self.0.round(Rounding::Nearest, x)
            }
            fn lt(&mut self, x: Value, y: Value) -> Value {
                self.0.b.ins().fcmp(FloatCC::LessThan, x, y)
            }
            fn eq(&mut self, x: Value, y: Value) -> Value {
                self.0.b.ins().fcmp(FloatCC::Equal, x, y)
            }
            fn select(&mut self, condition: Value, then: Value, otherwise: Value) -> Value {
                self.0.choose(condition, then, otherwise)
            }
            fn bits(&mut self, x: Value) -> Value {
                self.0.reinterpret($int, x)
            }
            fn float_from_bits(&mut self, x: Value) -> Value {
                self.0.reinterpret($float, x)
            }
            fn iadd(&mut self, x: Value, y: Value) -> Value {
                self.0.b.ins().iadd(x, y)
            }
            fn isub(&mut self, x: Value, y: Value) -> Value {
                self.0.b.ins().isub(x, y)
            }
            fn iand(&mut self, x: Value, y: Value) -> Value {
                self.0.b.ins().band(x, y)
            }
            fn ior(&mut self, x: Value, y: Value) -> Value {
                self.0.b.ins().bor(x, y)
            }
            fn ixor(&mut self, x: Value, y: Value) -> Value {
                self.0.b.ins().bxor(x, y)
            }
            fn ishl(&mut self, x: Value, by: u32) -> Value {
                self.0.b.ins().ishl_imm_u(x, i64::from(by))
            }
            fn ishr(&mut self, x: Value, by: u32) -> Value {
                self.0.b.ins().ushr_imm_u(x, i64::from(by))
            }
            fn ilt(&mut self, x: Value, y: Value) -> Value {
                self.0.b.ins().icmp(IntCC::SignedLessThan, x, y)
            }
            fn ieq(&mut self, x: Value, y: Value) -> Value {
                self.0.b.ins().icmp(IntCC::Equal, x, y)
            }
            fn iselect(&mut self, condition: Value, then: Value, otherwise: Value) -> Value {
                self.0.choose(condition, then, otherwise)
            }
            fn unless<const N: usize>(
                &mut self,
                usual: Value,
                then: [Value; N],
                otherwise: impl FnOnce(&mut Self) -> [Value; N],
            ) -> [Value; N] {
                let (rare, done) = (self.0.b.create_block(), self.0.b.create_block());
                self.0.b.set_cold_block(rare);
                let chosen = then.map(|_| self.0.b.append_block_param(done, $float));
                let all = self.0.b.ins().vall_true(usual);
                self.0.b.ins().brif(all, done, &then.map(Into::into), rare, &[]);
                self.0.b.switch_to_block(rare);
                let other = otherwise(self);
                let mixed: [Value; N] = std::array::from_fn(|i| self.0.choose(usual, then[i], other[i]));
                self.0.b.ins().jump(done, &mixed.map(Into::into));
                self.0.b.switch_to_block(done);
                chosen
            }
        }
    };
}
arith!(Singles, F32X4, I32X4, 23, 127, |c: &mut Clif, v| c.single(v as f32), |c: &mut Clif, v| c.int(v as i32));
arith!(Doubles, F64X2, I64X2, 52, 1023, Clif::double, Clif::long);

/// `function` of floating-point lanes.
pub(crate) fn apply(c: &mut Clif, function: Function, x: Lanes) -> Lanes {
    match x {
        Lanes::One(v) => {
            let single = |c: &mut Clif, recipe: fn(&mut Singles, Value) -> Value| recipe(&mut Singles(c), v);
            Lanes::One(match function {
                Function::Exp => single(c, |a, x| exp::exp(a, x)),
                Function::FusedExp => single(c, |a, x| exp::fused_exp(a, x)),
                Function::Log => single(c, |a, x| log::log(a, x)),
                Function::Tanh => single(c, |a, x| tanh::tanh(a, x)),
                Function::Sin => widened(c, v, |a, x| trig::sin_single(a, x)),
                Function::Cos => widened(c, v, |a, x| trig::cos_single(a, x)),
            })
        }
        Lanes::Two(..) => x.map(|v| {
            let a = &mut Doubles(c);
            match function {
                Function::Exp => exp::exp(a, v),
                Function::FusedExp => exp::fused_exp(a, v),
                Function::Log => log::log(a, v),
                Function::Tanh => tanh::tanh(a, v),
                Function::Sin => trig::sin_double(a, v),
                Function::Cos => trig::cos_double(a, v),
            }
        }),
    }
}

/// A recipe for `f32` that calculates in `f64`.
fn widened(c: &mut Clif, v: Value, recipe: fn(&mut Doubles, Value) -> Value) -> Value {
    match c.promote(v).map(|half| recipe(&mut Doubles(c), half)) {
        Lanes::Two(low, high) => c.demote(low, high),
        Lanes::One(_) => unreachable!("promoted"),
    }
}
