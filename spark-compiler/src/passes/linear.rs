//! Values that are a number times a state, plus others: a tighter range where the state occurs twice.
//!
//! Of `s − r·s + x`, interval arithmetic knows only that both terms lie in intervals, and their difference grows without end; as
//! `(1 − r)·s + x` it stays bounded. In: the program, and the ranges of operands. Out: the form of each value, and its range. A
//! product of a state and what is no number takes the state's place.

use super::ranges::{Range, product, sum};
use crate::ir::{BinaryOp, Elem, Node, Op, OpId, StateId, UnaryOp};
use std::collections::HashMap;

/// `factor · base + rest`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Form {
    base: OpId,
    factor: f64,
    rest: Range,
    /// What the sizes of the terms with the base add up to, in multiples of it.
    weight: f64,
    /// Operations, each of which rounds.
    roundings: f64,
}

impl Form {
    fn itself(base: OpId) -> Form {
        Form { base, factor: 1.0, rest: Range::exact(0.0, 0.0), weight: 1.0, roundings: 0.0 }
    }

    fn times(self, by: f64) -> Form {
        Form {
            factor: self.factor * by,
            rest: self.rest.times(by),
            weight: self.weight * by.abs(),
            roundings: self.roundings + 1.0,
            ..self
        }
    }

    fn plus(self, rest: Range) -> Form {
        Form { rest: sum(self.rest, rest), roundings: self.roundings + 1.0, ..self }
    }

    /// The range, given that of the base, if the form says more than the operations do one by one.
    fn range(&self, base: Range, elem: Elem) -> Option<Range> {
        let twice = self.weight > self.factor.abs() * (1.0 + 1e-9);
        let unit = match elem {
            Elem::F32 => f64::from(f32::EPSILON),
            Elem::F64 => f64::EPSILON,
            Elem::Bool | Elem::I32 => return None,
        };
        let exact = sum(product(base, Range::number(self.factor)), self.rest);
        if !twice || !base.is_finite() || !exact.is_finite() {
            return None;
        }
        let size = |range: Range| range.low.abs().max(range.high.abs());
        // Below the smallest normal number, rounding is as coarse as there.
        let lost =
            self.roundings * (unit * (self.weight * size(base) + size(self.rest)) + f64::from(f32::MIN_POSITIVE));
        Some(Range { low: exact.low - lost, high: exact.high + lost, ..exact })
    }
}

/// The forms of the values so far, and the first value that each state is read as.
#[derive(Default)]
pub(super) struct Forms {
    all: Vec<Option<Form>>,
    states: HashMap<StateId, OpId>,
}

impl Forms {
    /// Adds the form of a value, and returns its range: `range`, or less.
    pub(super) fn range(&mut self, node: &Node, range: Range, values: &[Range]) -> Range {
        let form = if node.elem.is_float() { self.form(&node.op, values) } else { None };
        self.all.push(form);
        // Of itself, a value has no range yet, and its form says nothing.
        let tighter = form.and_then(|form| form.range(*values.get(form.base.index())?, node.elem));
        match tighter {
            Some(tighter) if !range.nan => {
                Range { low: range.low.max(tighter.low), high: range.high.min(tighter.high), ..range }
            }
            _ => range,
        }
    }

    fn form(&mut self, op: &Op, values: &[Range]) -> Option<Form> {
        let here = OpId::from_index(values.len());
        if let Op::State(state) = *op {
            return Some(Form::itself(*self.states.entry(state).or_insert(here)));
        }
        let of = |id: OpId| self.all[id.index()];
        let add = |a: Option<Form>, b: Option<Form>, [x, y]: [Range; 2]| match (a, b) {
            (Some(a), Some(b)) if a.base == b.base => Some(Form {
                base: a.base,
                factor: a.factor + b.factor,
                rest: sum(a.rest, b.rest),
                weight: a.weight + b.weight,
                roundings: a.roundings + b.roundings + 1.0,
            }),
            (Some(_), Some(_)) | (None, None) => None,
            (Some(a), None) => Some(a.plus(y)),
            (None, Some(b)) => Some(b.plus(x)),
        };
        let number = |id: OpId| {
            let range = values[id.index()];
            (range.low == range.high && !range.nan).then_some(range.low)
        };
        let times = |a: OpId, b: OpId| match (of(a), number(b), of(b), number(a)) {
            (Some(form), Some(by), ..) | (_, _, Some(form), Some(by)) => Some(form.times(by)),
            _ => None,
        };
        let range = |id: OpId| values[id.index()];
        match *op {
            Op::Unary(UnaryOp::Neg, a) => of(a).map(|form| form.times(-1.0)),
            Op::Binary(BinaryOp::Add, a, b) => add(of(a), of(b), [range(a), range(b)]),
            Op::Binary(BinaryOp::Sub, a, b) => {
                add(of(a), of(b).map(|form| form.times(-1.0)), [range(a), range(b).times(-1.0)])
            }
            Op::Binary(BinaryOp::Mul, a, b) => times(a, b).or_else(|| of(a).or(of(b)).map(|_| Form::itself(here))),
            Op::MulAdd(a, b, c) => add(times(a, b), of(c), [product(range(a), range(b)), range(c)]),
            _ => None,
        }
    }
}
