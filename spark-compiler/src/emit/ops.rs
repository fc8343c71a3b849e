//! Element-wise operations on four lanes: the rules of [`crate::ir::op`] in CLIF.

use super::lanes::{Clif, Lanes};
use super::recipes::apply;
use super::substitutes::Rounding;
use crate::ir::{BinaryOp, CompareOp, Elem, Literal, UnaryOp};
use crate::math::Function;
use cranelift::prelude::*;
use types::{F32X4, I32X4};

/// A scalar in every lane.
pub(crate) fn literal(c: &mut Clif, value: Literal) -> Lanes {
    match value {
        Literal::Bool(v) => Lanes::One(c.int(-i32::from(v))),
        Literal::I32(v) => Lanes::One(c.int(v)),
        Literal::F32(v) => Lanes::One(c.single(v)),
        Literal::F64(v) => {
            let v = c.double(v);
            Lanes::Two(v, v)
        }
    }
}

/// A unary operation on values of type `elem`.
pub(crate) fn unary(c: &mut Clif, op: UnaryOp, elem: Elem, x: Lanes) -> Lanes {
    let float = elem.is_float();
    match op {
        UnaryOp::Neg if float => x.map(|v| c.b.ins().fneg(v)),
        UnaryOp::Neg => x.map(|v| c.b.ins().ineg(v)),
        UnaryOp::Abs if float => x.map(|v| c.b.ins().fabs(v)),
        UnaryOp::Abs => x.map(|v| c.b.ins().iabs(v)),
        UnaryOp::Not => x.map(|v| c.b.ins().bnot(v)),
        UnaryOp::Sqrt => x.map(|v| c.b.ins().sqrt(v)),
        UnaryOp::Floor => x.map(|v| c.round(Rounding::Floor, v)),
        UnaryOp::Ceil => x.map(|v| c.round(Rounding::Ceil, v)),
        UnaryOp::Round => x.map(|v| c.round(Rounding::Nearest, v)),
        UnaryOp::Trunc => x.map(|v| c.round(Rounding::Trunc, v)),
        UnaryOp::Exp => apply(c, Function::Exp, x),
        UnaryOp::FusedExp => apply(c, Function::FusedExp, x),
        UnaryOp::Log => apply(c, Function::Log, x),
        UnaryOp::Tanh => apply(c, Function::Tanh, x),
        UnaryOp::Sin => apply(c, Function::Sin, x),
        UnaryOp::Cos => apply(c, Function::Cos, x),
    }
}

/// A shift of `i32` lanes by a literal amount, taken modulo 32.
pub(crate) fn shift(c: &mut Clif, op: BinaryOp, x: Lanes, by: i32) -> Lanes {
    let by = i64::from(by & 31);
    x.map(|v| if op == BinaryOp::Shl { c.b.ins().ishl_imm_u(v, by) } else { c.b.ins().ushr_imm_u(v, by) })
}

/// A binary operation, shifts excepted, on values of type `elem`.
pub(crate) fn binary(c: &mut Clif, op: BinaryOp, elem: Elem, x: Lanes, y: Lanes) -> Lanes {
    let float = elem.is_float();
    x.zip(y, |x, y| match op {
        BinaryOp::Add if float => c.b.ins().fadd(x, y),
        BinaryOp::Add => c.b.ins().iadd(x, y),
        BinaryOp::Sub if float => c.b.ins().fsub(x, y),
        BinaryOp::Sub => c.b.ins().isub(x, y),
        BinaryOp::Mul if float => c.b.ins().fmul(x, y),
        BinaryOp::Mul => c.b.ins().imul(x, y),
        BinaryOp::Div => c.b.ins().fdiv(x, y),
        // This form, and only this one, becomes the machine's own minimum and maximum.
        BinaryOp::Min if float => {
            let less = c.b.ins().fcmp(FloatCC::LessThan, x, y);
            c.choose(less, x, y)
        }
        BinaryOp::Min => c.b.ins().smin(x, y),
        BinaryOp::Max if float => {
            let less = c.b.ins().fcmp(FloatCC::LessThan, y, x);
            c.choose(less, x, y)
        }
        BinaryOp::Max => c.b.ins().smax(x, y),
        BinaryOp::And => c.b.ins().band(x, y),
        BinaryOp::Or => c.b.ins().bor(x, y),
        BinaryOp::Xor => c.b.ins().bxor(x, y),
        BinaryOp::Shl | BinaryOp::Shr => unreachable!("shifts take a literal"),
    })
}

/// `x · y + z` of floating-point lanes, rounded once.
pub(crate) fn mul_add(c: &mut Clif, x: Lanes, y: Lanes, z: Lanes) -> Lanes {
    match (x, y, z) {
        (Lanes::One(x), Lanes::One(y), Lanes::One(z)) => Lanes::One(c.fma(x, y, z)),
        (Lanes::Two(a, b), Lanes::Two(d, e), Lanes::Two(f, g)) => Lanes::Two(c.fma(a, d, f), c.fma(b, e, g)),
        _ => unreachable!("operands of one width"),
    }
}

/// A comparison of values of type `elem`: a mask.
pub(crate) fn compare(c: &mut Clif, op: CompareOp, elem: Elem, x: Lanes, y: Lanes) -> Lanes {
    let result = x.zip(y, |x, y| {
        if elem.is_float() {
            c.b.ins().fcmp(float_condition(op), x, y)
        } else {
            c.b.ins().icmp(int_condition(op), x, y)
        }
    });
    match result {
        Lanes::One(_) => result,
        Lanes::Two(low, high) => Lanes::One(c.narrow_longs(low, high)),
    }
}

fn float_condition(op: CompareOp) -> FloatCC {
    match op {
        CompareOp::Eq => FloatCC::Equal,
        CompareOp::Ne => FloatCC::NotEqual,
        CompareOp::Lt => FloatCC::LessThan,
        CompareOp::Le => FloatCC::LessThanOrEqual,
        CompareOp::Gt => FloatCC::GreaterThan,
        CompareOp::Ge => FloatCC::GreaterThanOrEqual,
    }
}

fn int_condition(op: CompareOp) -> IntCC {
    match op {
        CompareOp::Eq => IntCC::Equal,
        CompareOp::Ne => IntCC::NotEqual,
        CompareOp::Lt => IntCC::SignedLessThan,
        CompareOp::Le => IntCC::SignedLessThanOrEqual,
        CompareOp::Gt => IntCC::SignedGreaterThan,
        CompareOp::Ge => IntCC::SignedGreaterThanOrEqual,
    }
}

/// Conversion by value: see [`crate::ir::Op::Cast`].
pub(crate) fn cast(c: &mut Clif, from: Elem, to: Elem, x: Lanes) -> Lanes {
    match (from, to) {
        (Elem::Bool, Elem::Bool) | (Elem::I32, Elem::I32) | (Elem::F32, Elem::F32) | (Elem::F64, Elem::F64) => x,
        (Elem::Bool, Elem::I32) => {
            let one = c.int(1);
            x.map(|v| c.b.ins().band(v, one))
        }
        (Elem::Bool, Elem::F32 | Elem::F64) => {
            let (one, zero) = (literal(c, Literal::from_f64(1.0, to)), literal(c, Literal::from_f64(0.0, to)));
            c.select(x.one(), one, zero)
        }
        (Elem::I32 | Elem::F32 | Elem::F64, Elem::Bool) => {
            let zero = literal(c, Literal::from_f64(0.0, from));
            compare(c, CompareOp::Ne, from, x, zero)
        }
        (Elem::I32, Elem::F32) => x.map(|v| c.b.ins().fcvt_from_sint(F32X4, v)),
        (Elem::I32, Elem::F64) => c.ints_to_doubles(x.one()),
        (Elem::F32, Elem::I32) => x.map(|v| c.b.ins().fcvt_to_sint_sat(I32X4, v)),
        (Elem::F32, Elem::F64) => c.promote(x.one()),
        (Elem::F64, Elem::F32) => match x {
            Lanes::Two(low, high) => Lanes::One(c.demote(low, high)),
            Lanes::One(_) => unreachable!("an f64 value"),
        },
        (Elem::F64, Elem::I32) => doubles_to_ints(c, x),
    }
}

/// Truncates, saturates, NaN gives 0. Vector instructions for this differ between machines; adding 1.5 · 2^52 to an
/// integral double puts the integer into its low bits on all of them.
fn doubles_to_ints(c: &mut Clif, x: Lanes) -> Lanes {
    let (low, high, zero) = (c.double(f64::from(i32::MIN)), c.double(f64::from(i32::MAX)), c.double(0.0));
    let shift = c.double(1.5 * 2f64.powi(52));
    let shifted = x.map(|v| {
        let below = c.b.ins().fcmp(FloatCC::LessThan, v, low);
        let bounded = c.choose(below, low, v);
        let above = c.b.ins().fcmp(FloatCC::LessThan, high, bounded);
        let bounded = c.choose(above, high, bounded);
        let number = c.b.ins().fcmp(FloatCC::Equal, v, v);
        let bounded = c.choose(number, bounded, zero);
        let whole = c.round(Rounding::Trunc, bounded);
        c.b.ins().fadd(whole, shift)
    });
    match shifted {
        Lanes::Two(low, high) => Lanes::One(c.narrow_longs(low, high)),
        Lanes::One(_) => unreachable!("an f64 value"),
    }
}

/// Reinterpretation of `f32` as `i32` or back.
pub(crate) fn bitcast(c: &mut Clif, to: Elem, x: Lanes) -> Lanes {
    let ty = if to == Elem::F32 { F32X4 } else { I32X4 };
    x.map(|v| c.reinterpret(ty, v))
}
