//! Reductions: identities, combining, and the last steps from sixteen partial results to one.

use super::access::Memories;
use super::lanes::{Clif, Lanes};
use super::ops;
use crate::ir::{BinaryOp, DType, Elem, Literal, ReduceOp};
use crate::loops::BufferId;
use cranelift::prelude::*;

/// The value that a reduction starts from.
pub(crate) fn identity(op: ReduceOp, elem: Elem) -> Literal {
    match (op, elem) {
        (ReduceOp::Sum, elem) => Literal::from_f64(0.0, elem),
        (ReduceOp::Max, Elem::I32) => Literal::I32(i32::MIN),
        (ReduceOp::Min, Elem::I32) => Literal::I32(i32::MAX),
        (ReduceOp::Max, elem) => Literal::from_f64(f64::NEG_INFINITY, elem),
        (ReduceOp::Min, elem) => Literal::from_f64(f64::INFINITY, elem),
        (ReduceOp::Any, _) => Literal::Bool(false),
        (ReduceOp::All, _) => Literal::Bool(true),
    }
}

/// `so_far op value`.
pub(crate) fn combine(c: &mut Clif, op: ReduceOp, elem: Elem, so_far: Lanes, value: Lanes) -> Lanes {
    let op = match op {
        ReduceOp::Sum => BinaryOp::Add,
        ReduceOp::Max => BinaryOp::Max,
        ReduceOp::Min => BinaryOp::Min,
        ReduceOp::Any => BinaryOp::Or,
        ReduceOp::All => BinaryOp::And,
    };
    ops::binary(c, op, elem, so_far, value)
}

/// The result of sixteen partial results, as a scalar (an `i32` mask for truth values).
///
/// Partial `k` takes `k + 8`, then `k + 4`, `k + 2`, `k + 1`: the order the loop nest's documentation promises.
pub(crate) fn finish(c: &mut Clif, op: ReduceOp, elem: Elem, partials: [Lanes; 4]) -> Value {
    let [a, b, d, e] = partials;
    let low = combine(c, op, elem, a, d);
    let high = combine(c, op, elem, b, e);
    let four = combine(c, op, elem, low, high);
    let two = match four {
        Lanes::One(v) => {
            let upper = c.upper(v);
            combine(c, op, elem, four, Lanes::One(upper))
        }
        Lanes::Two(low, high) => combine(c, op, elem, Lanes::One(low), Lanes::One(high)),
    };
    let second = match four {
        Lanes::One(_) => c.pick(two.one(), two.one(), [1, 1, 1, 1]),
        Lanes::Two(..) => c.upper(two.one()),
    };
    let one = combine(c, op, elem, two, Lanes::One(second));
    c.b.ins().extractlane(one.one(), 0)
}

impl Memories<'_, '_> {
    /// Fills a buffer with the identity of `op`. Padding bits stay zero.
    pub(crate) fn fill(&mut self, buffer: BufferId, op: ReduceOp) {
        let spec = self.lowered.buffer(buffer).clone();
        let start = self.start(buffer);
        let flags = self.flags(buffer);
        if spec.dtype != DType::Bool {
            let lanes = ops::literal(&mut self.c, identity(op, spec.dtype.elem()));
            let vector = lanes.values().next().expect("lanes have a vector");
            self.fill_words(start, flags, spec.bytes() / 16, 16, vector);
            return;
        }
        let (row_words, full) = (spec.stride() / 64, spec.sizes().last().copied().unwrap_or(1));
        let rows = spec.padded_len() / spec.stride();
        let zero = self.c.b.ins().iconst(types::I64, 0);
        if op != ReduceOp::All {
            self.fill_words(start, flags, rows * row_words, 8, zero);
            return;
        }
        let ones = self.c.b.ins().iconst(types::I64, -1);
        self.repeat(rows, |m, row| {
            let offset = m.c.b.ins().imul_imm_s(row, 8 * row_words as i64);
            let row = m.c.b.ins().iadd(start, offset);
            m.fill_words(row, flags, full / 64, 8, ones);
            if full % 64 != 0 {
                let last = m.c.b.ins().iconst(types::I64, ((1u64 << (full % 64)) - 1) as i64);
                m.c.b.ins().store(flags, last, row, 8 * (full / 64) as i32);
            }
        });
    }

    fn fill_words(&mut self, start: Value, flags: MemFlagsData, count: usize, bytes: usize, word: Value) {
        self.repeat(count, |m, i| {
            let offset = m.c.b.ins().imul_imm_s(i, bytes as i64);
            let address = m.c.b.ins().iadd(start, offset);
            m.c.b.ins().store(flags, word, address, 0);
        });
    }

    /// Runs `body` with 0, 1, …, `count − 1`: a loop, or straight-line code for a single round.
    pub(crate) fn repeat(&mut self, count: usize, body: impl FnOnce(&mut Self, Value)) {
        let zero = self.index(0);
        match count {
            0 => {}
            1 => body(self, zero),
            _ => {
                let (l, _) = self.open_loop(&[]);
                body(self, l.counter);
                self.close_loop(l, 1, count, &[]);
            }
        }
    }
}
