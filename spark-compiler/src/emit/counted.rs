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
        let b = &mut self.c.b;
        let next = b.ins().iadd_imm_s(l.counter, step as i64);
        let more = b.ins().icmp_imm_u(IntCC::UnsignedLessThan, next, end as i64);
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
}
