//! What is known of values at an element where some events are absent, and perhaps others present.
//!
//! In: a program, the ranges of its values, and truth values that are known. Out: whether a value is zero there, a number, a
//! truth value, a state as it was, or a state times a number. This is arithmetic on zeros: `0 · x` is zero only if x is finite, `x + 0` is x only if x
//! is not −0, `max(x, low)` is x only if x is not below.

use super::narrow::elementwise;
use super::ranges::{Range, Ranges};
use crate::ir::{BinaryOp, CompareOp, Elem, Literal, Op, OpId, Program, Shape, StateId, UnaryOp};
use std::collections::HashMap;

/// What is known of a value at an element without events.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Known {
    Nothing,
    Truth(bool),
    /// Zero of either sign.
    Zero,
    Number(f64),
    /// A state as it was.
    Old(StateId),
    /// A state times a number, but for rounding.
    Scaled(StateId, f64),
}

/// Values where all of some events are absent.
pub(super) struct Absent<'a> {
    program: &'a Program,
    ranges: &'a Ranges,
    domain: &'a Shape,
    known: HashMap<OpId, Known>,
}

impl<'a> Absent<'a> {
    /// Values over `domain` where `absent` are false and `present` are true.
    pub(super) fn new(
        program: &'a Program,
        ranges: &'a Ranges,
        domain: &'a Shape,
        absent: &[OpId],
        present: &[OpId],
    ) -> Absent<'a> {
        let truths = absent.iter().map(|&id| (id, Known::Truth(false)));
        let known = truths.chain(present.iter().map(|&id| (id, Known::Truth(true)))).collect();
        Absent { program, ranges, domain, known }
    }

    /// What is known of `id`.
    pub(super) fn value(&mut self, id: OpId) -> Known {
        if let Some(&known) = self.known.get(&id) {
            return known;
        }
        let known = self.computed(id);
        self.known.insert(id, known);
        known
    }

    /// The range of `id`.
    pub(super) fn range(&mut self, id: OpId) -> Range {
        match self.value(id) {
            Known::Old(state) => self.ranges.of_state(state),
            Known::Scaled(state, factor) => self.ranges.of_state(state).times(factor),
            _ => self.ranges.of(id),
        }
    }

    fn computed(&mut self, id: OpId) -> Known {
        let program = self.program;
        let node = program.node(id);
        match &node.op {
            Op::Literal(Literal::Bool(v)) => Known::Truth(*v),
            Op::Literal(Literal::F32(v)) => number(f64::from(*v)),
            Op::Literal(Literal::F64(v)) => number(*v),
            Op::Literal(Literal::I32(v)) => number(f64::from(*v)),
            Op::Constant(_) => match self.ranges.of(id) {
                range if range.low == range.high && !range.nan => number(range.low),
                _ => Known::Nothing,
            },
            Op::State(state) if node.shape == *self.domain => Known::Old(*state),
            Op::Select(c, a, b) => match self.value(*c) {
                Known::Truth(true) => self.value(*a),
                Known::Truth(false) => self.value(*b),
                _ => match (self.value(*a), self.value(*b)) {
                    (Known::Nothing, _) => Known::Nothing,
                    (a, b) if a == b => a,
                    _ => Known::Nothing,
                },
            },
            Op::Cast(a) => match (self.value(*a), node.elem) {
                (Known::Truth(v), Elem::F32 | Elem::F64 | Elem::I32) => number(f64::from(u8::from(v))),
                (Known::Zero, Elem::Bool) => Known::Truth(false),
                (Known::Zero, _) => Known::Zero,
                _ => Known::Nothing,
            },
            Op::Unary(UnaryOp::Not, a) => match self.value(*a) {
                Known::Truth(v) => Known::Truth(!v),
                _ => Known::Nothing,
            },
            Op::Unary(op @ (UnaryOp::Neg | UnaryOp::Abs | UnaryOp::Sqrt), a) => match self.value(*a) {
                Known::Zero => Known::Zero,
                known if *op == UnaryOp::Neg => linear([(-1.0, known)]),
                _ => Known::Nothing,
            },
            Op::Binary(op, a, b) => self.binary(*op, *a, *b, node.elem),
            Op::MulAdd(a, b, c) => match (self.product(*a, *b), self.value(*c)) {
                (Known::Zero, _) => self.sum(Known::Zero, *c),
                (product, Known::Zero) => product,
                (product, known) => linear([(1.0, product), (1.0, known)]),
            },
            Op::Compare(op, a, b) => {
                let number = |known: Known| match known {
                    Known::Zero => Some(0.0),
                    Known::Number(v) => Some(v),
                    _ => None,
                };
                match (number(self.value(*a)), number(self.value(*b))) {
                    (Some(a), Some(b)) => Known::Truth(match op {
                        CompareOp::Eq => a == b,
                        CompareOp::Ne => a != b,
                        CompareOp::Lt => a < b,
                        CompareOp::Le => a <= b,
                        CompareOp::Gt => a > b,
                        CompareOp::Ge => a >= b,
                    }),
                    _ => Known::Nothing,
                }
            }
            _ => Known::Nothing,
        }
    }

    /// `a · b`: zero, or a state times a number.
    pub(super) fn product(&mut self, a: OpId, b: OpId) -> Known {
        for (zero, other) in [(a, b), (b, a)] {
            if self.value(zero) == Known::Zero && (self.range(other).is_finite() || self.value(other) == Known::Zero) {
                return Known::Zero;
            }
        }
        match (self.value(a), self.value(b)) {
            (Known::Number(factor), known) | (known, Known::Number(factor)) => linear([(factor, known)]),
            _ => Known::Nothing,
        }
    }

    /// A zero plus `c`.
    fn sum(&mut self, zero: Known, c: OpId) -> Known {
        debug_assert_eq!(zero, Known::Zero);
        match self.value(c) {
            Known::Old(_) if self.range(c).minus_zero => Known::Nothing,
            known => known,
        }
    }

    fn binary(&mut self, op: BinaryOp, a: OpId, b: OpId, elem: Elem) -> Known {
        let (x, y) = (self.value(a), self.value(b));
        match op {
            BinaryOp::Mul if elem.is_float() => self.product(a, b),
            BinaryOp::Add if x == Known::Zero => self.sum(x, b),
            BinaryOp::Add | BinaryOp::Sub if y == Known::Zero => self.sum(y, a),
            BinaryOp::Add if elem.is_float() => linear([(1.0, x), (1.0, y)]),
            BinaryOp::Sub if elem.is_float() => linear([(1.0, x), (-1.0, y)]),
            BinaryOp::Div if x == Known::Zero => {
                let by = self.range(b);
                if !by.nan && (by.low > 0.0 || by.high < 0.0) { Known::Zero } else { Known::Nothing }
            }
            BinaryOp::Div => match y {
                Known::Number(by) => linear([(1.0 / by, x)]),
                _ => Known::Nothing,
            },
            // `if y < x { x } else { y }`: x or y, if the other is never beyond.
            BinaryOp::Max | BinaryOp::Min => {
                if x == Known::Zero && y == Known::Zero {
                    return Known::Zero;
                }
                let (left, right) = (self.range(a), self.range(b));
                let beyond = |inner: Range, bound: Range| {
                    let inside = if op == BinaryOp::Max { bound.high <= inner.low } else { bound.low >= inner.high };
                    inside && !inner.nan && !bound.nan && !inner.minus_zero && !bound.minus_zero
                };
                match (x, y) {
                    // Not of what decays: values that the host sets may be beyond, and would not be bounded until they are touched.
                    (Known::Old(_), _) if beyond(left, right) => x,
                    (_, Known::Old(_)) if beyond(right, left) => y,
                    _ => Known::Nothing,
                }
            }
            BinaryOp::And => match (x, y) {
                (Known::Truth(false), _) | (_, Known::Truth(false)) => Known::Truth(false),
                (Known::Truth(true), other) | (other, Known::Truth(true)) => other,
                _ => Known::Nothing,
            },
            BinaryOp::Or => match (x, y) {
                (Known::Truth(true), _) | (_, Known::Truth(true)) => Known::Truth(true),
                (Known::Truth(false), other) | (other, Known::Truth(false)) => other,
                _ => Known::Nothing,
            },
            BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Xor | BinaryOp::Shl | BinaryOp::Shr => {
                Known::Nothing
            }
        }
    }

    /// Which expression prevents `root` from being idle: the deepest whose operands are known and which is not.
    pub(super) fn why(&mut self, root: OpId, state: bool) -> String {
        let mut at = root;
        loop {
            let mut next = None;
            let program = self.program;
            program.node(at).op.operands(|id| {
                let inside = program.node(id).shape == *self.domain && elementwise(&program.node(id).op);
                if next.is_none() && inside && self.value(id) == Known::Nothing {
                    next = Some(id);
                }
            });
            match next {
                Some(id) => at = id,
                None => break,
            }
        }
        let node = self.program.node(at);
        let should = if state { "change the state" } else { "be other than zero" };
        format!("without a spike, {at} ({}) may still {should}", node.location)
    }
}

/// A sum of multiples of one state.
fn linear<const N: usize>(terms: [(f64, Known); N]) -> Known {
    let mut sum: Option<(StateId, f64)> = None;
    for (times, known) in terms {
        let (state, factor) = match known {
            Known::Old(state) => (state, times),
            Known::Scaled(state, factor) => (state, times * factor),
            Known::Zero => continue,
            Known::Nothing | Known::Truth(_) | Known::Number(_) => return Known::Nothing,
        };
        match &mut sum {
            None => sum = Some((state, factor)),
            Some((before, total)) if *before == state => *total += factor,
            Some(_) => return Known::Nothing,
        }
    }
    match sum {
        Some((state, factor)) if factor.is_finite() && factor != 0.0 => Known::Scaled(state, factor),
        _ => Known::Nothing,
    }
}

fn number(value: f64) -> Known {
    if value == 0.0 { Known::Zero } else { Known::Number(value) }
}
