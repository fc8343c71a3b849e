//! Algebraic simplification with rules that hold for every bit pattern.
//!
//! Left out on purpose, because they are wrong for some value: `x + 0` (−0), `x · 0` (NaN, ∞, −0), `x − x` (NaN, ∞),
//! any reassociation. A rule applies only if the replacement has the node's shape. Exact.

use super::rewrite::{Rewrite, rebuild};
use crate::ir::{BinaryOp, CompareOp, Elem, Literal, Node, Op, OpId, Program, UnaryOp};

/// Applies the rules to every node, operands first.
pub fn simplify(program: &Program) -> Program {
    rebuild(program, |out, node| match rule(out, &node) {
        Some(Rewrite::Same(id)) if out.node(id).shape == node.shape && out.node(id).elem == node.elem => {
            Rewrite::Same(id)
        }
        Some(Rewrite::Node(better)) => Rewrite::Node(better),
        Some(Rewrite::Same(_)) | None => Rewrite::Node(node),
    })
}

fn rule(program: &mut Program, node: &Node) -> Option<Rewrite> {
    let literal = |id: OpId| match program.node(id).op {
        Op::Literal(value) => Some(value),
        _ => None,
    };
    let op = |id: OpId| &program.node(id).op;
    let same = |id: OpId| Some(Rewrite::Same(id));
    let node_of = |op: Op| Some(Rewrite::Node(Node { op, ..node.clone() }));
    match node.op {
        Op::Unary(UnaryOp::Neg, a) => match *op(a) {
            Op::Unary(UnaryOp::Neg, b) => same(b),
            _ => None,
        },
        Op::Unary(UnaryOp::Not, a) => match *op(a) {
            Op::Unary(UnaryOp::Not, b) => same(b),
            _ => None,
        },
        Op::Unary(UnaryOp::Abs, a) => match *op(a) {
            Op::Unary(UnaryOp::Abs | UnaryOp::Neg, b) => node_of(Op::Unary(UnaryOp::Abs, b)),
            _ => None,
        },
        Op::Binary(binary, a, b) => {
            let (la, lb) = (literal(a), literal(b));
            match binary {
                BinaryOp::Mul if is(la, 1.0) => same(b),
                BinaryOp::Mul | BinaryOp::Div if is(lb, 1.0) => same(a),
                BinaryOp::Div => {
                    let reciprocal = reciprocal(lb?)?;
                    let shape = program.node(b).shape.clone();
                    let location = node.location;
                    let op = Op::Literal(reciprocal);
                    let factor = program.push(Node { op, elem: node.elem, shape, location });
                    Some(Rewrite::Node(Node { op: Op::Binary(BinaryOp::Mul, a, factor), ..node.clone() }))
                }
                BinaryOp::Sub if is(lb, 0.0) => same(a),
                BinaryOp::Add | BinaryOp::Or | BinaryOp::Xor if node.elem == Elem::I32 && is(lb, 0.0) => same(a),
                BinaryOp::Add | BinaryOp::Or | BinaryOp::Xor if node.elem == Elem::I32 && is(la, 0.0) => same(b),
                BinaryOp::Shl | BinaryOp::Shr if is(lb, 0.0) => same(a),
                BinaryOp::Add if is_negative_zero(lb) => same(a),
                BinaryOp::Add if is_negative_zero(la) => same(b),
                BinaryOp::Min | BinaryOp::Max if a == b => same(a),
                BinaryOp::Min | BinaryOp::Max if cannot_bind(program, binary, a, lb?) => same(a),
                BinaryOp::Min | BinaryOp::Max => match (op(a), lb) {
                    (&Op::Binary(inner, value, before), Some(bound)) if inner == binary => {
                        let bound = tighter(binary, literal(before)?, bound)?;
                        let (shape, location) = (program.node(b).shape.clone(), node.location);
                        let bound = Node { op: Op::Literal(bound), elem: node.elem, shape, location };
                        let bound = program.push(bound);
                        node_of(Op::Binary(binary, value, bound))
                    }
                    _ => None,
                },
                BinaryOp::And | BinaryOp::Or if a == b => same(a),
                BinaryOp::And if la == Some(Literal::Bool(true)) => same(b),
                BinaryOp::And if lb == Some(Literal::Bool(true)) => same(a),
                BinaryOp::Or | BinaryOp::Xor if la == Some(Literal::Bool(false)) => same(b),
                BinaryOp::Or | BinaryOp::Xor if lb == Some(Literal::Bool(false)) => same(a),
                _ => None,
            }
        }
        Op::MulAdd(a, b, c) if is(literal(a), 1.0) => node_of(Op::Binary(BinaryOp::Add, b, c)),
        Op::MulAdd(a, b, c) if is(literal(b), 1.0) => node_of(Op::Binary(BinaryOp::Add, a, c)),
        // A truth value as a number compared with zero is the truth value.
        Op::Compare(compare, a, b) if is(literal(b), 0.0) => match (compare, op(a)) {
            (CompareOp::Ne | CompareOp::Gt, Op::Cast(c)) if program.node(*c).elem == Elem::Bool => same(*c),
            _ => None,
        },
        Op::Select(_, a, b) if a == b => same(a),
        Op::Select(c, a, b) => match *op(c) {
            Op::Literal(Literal::Bool(true)) => same(a),
            Op::Literal(Literal::Bool(false)) => same(b),
            Op::Unary(UnaryOp::Not, inner) => node_of(Op::Select(inner, b, a)),
            _ => match (literal(a), literal(b)) {
                (Some(Literal::Bool(true)), Some(Literal::Bool(false))) => same(c),
                _ => None,
            },
        },
        Op::Cast(a) if program.node(a).elem == node.elem => same(a),
        Op::Bitcast(a) if program.node(a).elem == node.elem => same(a),
        Op::Regroup(a) if program.node(a).shape == node.shape => same(a),
        Op::Regroup(a) => match *op(a) {
            Op::Regroup(b) if program.node(b).shape == node.shape => same(b),
            Op::Regroup(b) => node_of(Op::Regroup(b)),
            _ => None,
        },
        _ => None,
    }
}

/// Between which numbers a value is because it is clipped, up to `depth` times; then it is not NaN either. `None` if it is not.
fn clipped(program: &Program, id: OpId, depth: usize) -> Option<[f64; 2]> {
    let Op::Binary(op @ (BinaryOp::Min | BinaryOp::Max), value, bound) = program.node(id).op else { return None };
    let Op::Literal(bound) = program.node(bound).op else { return None };
    let bound = bound.to_f64();
    let inner = depth.checked_sub(1).and_then(|depth| clipped(program, value, depth));
    let [low, high] = inner.unwrap_or([f64::NEG_INFINITY, f64::INFINITY]);
    match op {
        _ if bound.is_nan() => None,
        BinaryOp::Min => Some([low.min(bound), high.min(bound)]),
        _ => Some([low.max(bound), high.max(bound)]),
    }
}

/// True if `op` (minimum or maximum) with `bound` gives `value` as it is. Of equal numbers, zeros may have another sign.
fn cannot_bind(program: &Program, op: BinaryOp, value: OpId, bound: Literal) -> bool {
    /// Clips that follow one on another, as far as this looks.
    const DEPTH: usize = 8;
    let bound = bound.to_f64();
    clipped(program, value, DEPTH).is_some_and(|[low, high]| match op {
        BinaryOp::Min => high < bound || high == bound && bound != 0.0,
        _ => low > bound || low == bound && bound != 0.0,
    })
}

/// The one of two bounds that a value clipped by both is clipped by. Zeros could differ in sign.
fn tighter(op: BinaryOp, a: Literal, b: Literal) -> Option<Literal> {
    let (x, y) = (a.to_f64(), b.to_f64());
    let first = if op == BinaryOp::Min { x < y } else { x > y };
    (!x.is_nan() && !y.is_nan() && x != 0.0 && y != 0.0).then_some(if first { a } else { b })
}

/// True for exactly this number (−0 is not 0).
fn is(literal: Option<Literal>, number: f64) -> bool {
    literal.is_some_and(|l| l.elem() != Elem::Bool && l == Literal::from_f64(number, l.elem()))
}

fn is_negative_zero(literal: Option<Literal>) -> bool {
    literal.is_some_and(|l| l.elem().is_float() && l == Literal::from_f64(-0.0, l.elem()))
}

/// 1/x, if x is a power of two whose reciprocal is normal: then x's quotient and the product round alike.
fn reciprocal(literal: Literal) -> Option<Literal> {
    match literal {
        Literal::F32(v) => {
            let r = 1.0 / v;
            (v.is_normal() && r.is_normal() && v.to_bits() & 0x007f_ffff == 0).then_some(Literal::F32(r))
        }
        Literal::F64(v) => {
            let r = 1.0 / v;
            (v.is_normal() && r.is_normal() && v.to_bits() & 0x000f_ffff_ffff_ffff == 0).then_some(Literal::F64(r))
        }
        Literal::I32(_) | Literal::Bool(_) => None,
    }
}
