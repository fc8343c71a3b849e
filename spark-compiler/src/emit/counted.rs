//! Counted loops, bottom-tested: Cranelift moves invariants out of these only.

use super::access::Memories;
use cranelift::prelude::*;

/// A loop whose body is being emitted.
pub(crate) struct Loop {
    head: Block,
    exit: Block,
    /// The counter, an `i64`.
    pub(crate) counter: Value,
}

impl Memories<'_, '_> {
    /// Opens a loop that counts from 0 and carries values, which are `initial` in the first round. Returns what stands
    /// for them in the body.
    pub(crate) fn open_loop(&mut self, initial: &[Value]) -> (Loop, Vec<Value>) {
        let zero = self.index(0);
        let b = &mut self.c.b;
        let (head, exit) = (b.create_block(), b.create_block());
        let counter = b.append_block_param(head, types::I64);
        let types: Vec<Type> = initial.iter().map(|&v| b.func.dfg.value_type(v)).collect();
        let carried = types.into_iter().map(|ty| b.append_block_param(head, ty)).collect();
        let arguments: Vec<_> = std::iter::once(&zero).chain(initial).map(|&v| v.into()).collect();
        b.ins().jump(head, &arguments);
        b.switch_to_block(head);
        (Loop { head, exit, counter }, carried)
    }

    /// Closes a loop: another round, with `carried` carried on, as long as the counter plus `step` is below `end`.
    /// Values of the last round may be used after the loop.
    pub(crate) fn close_loop(&mut self, l: Loop, step: usize, end: usize, carried: &[Value]) {
        let end = self.index(end);
        self.close_loop_at(l, step, end, carried);
    }

    /// The same with an `end` (an `i64`) that is known while running.
    pub(crate) fn close_loop_at(&mut self, l: Loop, step: usize, end: Value, carried: &[Value]) {
        let b = &mut self.c.b;
        let next = b.ins().iadd_imm_s(l.counter, step as i64);
        let more = b.ins().icmp(IntCC::UnsignedLessThan, next, end);
        let arguments: Vec<_> = std::iter::once(&next).chain(carried).map(|&v| v.into()).collect();
        b.ins().brif(more, l.head, &arguments, l.exit, &[]);
        b.switch_to_block(l.exit);
    }

    /// `next(…next(next(first, 0), 1)…, count − 1)`: a loop, or straight-line code for a single round.
    pub(crate) fn fold(
        &mut self,
        count: usize,
        first: Value,
        next: impl FnOnce(&mut Self, Value, Value) -> Value,
    ) -> Value {
        match count {
            0 => first,
            1 => {
                let zero = self.index(0);
                next(self, zero, first)
            }
            _ => {
                let (l, carried) = self.open_loop(&[first]);
                let result = next(self, l.counter, carried[0]);
                self.close_loop(l, 1, count, &[result]);
                result
            }
        }
    }

    /// Runs `body` with 0, 1, …, `count − 1`, an `i64` that is only known then.
    pub(crate) fn repeat_to(&mut self, count: Value, body: impl FnOnce(&mut Self, Value)) {
        self.only_if(count, |m| {
            let (l, _) = m.open_loop(&[]);
            body(m, l.counter);
            m.close_loop_at(l, 1, count, &[]);
        });
    }

    /// `next(…next(next(first, 0), 1)…, count − 1)` for a `count`, an `i64`, that is only known then.
    pub(crate) fn fold_to<const N: usize>(
        &mut self,
        count: Value,
        first: [Value; N],
        next: impl FnOnce(&mut Self, Value, [Value; N]) -> [Value; N],
    ) -> [Value; N] {
        let (then, after) = (self.c.b.create_block(), self.c.b.create_block());
        let results = first.map(|value| {
            let ty = self.c.b.func.dfg.value_type(value);
            self.c.b.append_block_param(after, ty)
        });
        self.c.b.ins().brif(count, then, &[], after, &first.map(Into::into));
        self.c.b.switch_to_block(then);
        let (l, carried) = self.open_loop(&first);
        let last = next(self, l.counter, carried.try_into().expect("as many as there were"));
        self.close_loop_at(l, 1, count, &last);
        self.c.b.ins().jump(after, &last.map(Into::into));
        self.c.b.switch_to_block(after);
        results
    }

    /// Runs `body` if `condition` is not 0.
    pub(crate) fn only_if(&mut self, condition: Value, body: impl FnOnce(&mut Self)) {
        let (then, after) = (self.c.b.create_block(), self.c.b.create_block());
        self.c.b.ins().brif(condition, then, &[], after, &[]);
        self.c.b.switch_to_block(then);
        body(self);
        self.c.b.ins().jump(after, &[]);
        self.c.b.switch_to_block(after);
    }
}
