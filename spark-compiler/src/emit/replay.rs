//! Events of rows that are put off: writing them down, and replaying them.
//!
//! ```text
//! replay:  for each column that is touched in this step, and some others in turn (all of them if everything is to be visited):
//!              from the entry it was last replayed to, to the newest:  the instructions, at the entry's row
//! visit:   write down the rows with an event, and the values that a replay needs
//!          for each pair (column, delay) of the list:
//!              replay this step's entries where no event of the column arrives, once for each column
//!              the elements where one arrives, as if nothing was put off
//! ```

use super::access::Memories;
use super::nest::Body;
use super::scan::bits;
use super::visits::{listed, visit_rows};
use crate::loops::{BufferId, Log};
use cranelift::prelude::*;
use types::{I32, I64};

/// Bits of an entry that hold its row; the others hold its step.
const ROW_BITS: i64 = 16;

/// Replays what this step needs, before any visit.
pub(super) fn emit(m: &mut Memories<'_, '_>, log: &Log) {
    let scan = &m.lowered.scans[log.scan];
    let columns = log.replay.sizes[0];
    let step = m.scalar(log.step);
    let step = m.c.b.ins().iadd_imm_s(step, 1);
    let step = m.c.b.ins().band_imm_u(step, 0xffff);
    m.set_scalar(log.step, step);

    let count = m.scalar(scan.count);
    let everything = m.c.b.ins().icmp_imm_s(IntCC::SignedLessThan, count, 0);
    let touched = m.c.b.ins().uextend(I64, count);
    let first = m.scalar(log.next);
    let next = m.c.b.ins().iadd_imm_s(first, log.turns as i64);
    let next = m.wrapped_column(next, columns);
    m.set_scalar(log.next, next);
    let some = m.c.b.ins().iadd_imm_s(touched, log.turns as i64);
    let all = m.index(columns);
    let number = m.c.b.ins().select(everything, all, some);
    let first = m.c.b.ins().uextend(I64, first);
    let head = m.scalar(log.head);
    m.repeat_to(number, &[], |m, k, _| {
        // Beyond the list come those whose turn it is.
        let beyond = m.c.b.ins().isub(k, touched);
        let turn = m.c.b.ins().iadd(first, beyond);
        let turn = m.wrapped_column(turn, columns);
        let in_list = m.c.b.ins().icmp(IntCC::UnsignedLessThan, k, touched);
        let zero = m.index(0);
        let at = m.c.b.ins().select(in_list, k, zero);
        let (column, _) = listed(m, scan, at, everything);
        let column = m.c.b.ins().select(in_list, column, turn);
        let column = m.c.b.ins().select(everything, k, column);
        entries(m, log, column, head, step, |_, _| None);
        Vec::new()
    });
}

/// Replays everything, between two steps.
pub(super) fn flush(m: &mut Memories<'_, '_>, log: &Log) {
    let step = m.scalar(log.step);
    // As in the next step: positions of histories are those of it.
    let step = m.c.b.ins().iadd_imm_s(step, 1);
    let head = m.scalar(log.head);
    let (l, _) = m.open_loop(&[]);
    entries(m, log, l.counter, head, step, |_, _| None);
    m.close_loop(l, 1, log.replay.sizes[0], &[]);
}

/// Replays this step's entries for a column that is touched, but where `arrived` says that the element was.
pub(super) fn own_entries(
    m: &mut Memories<'_, '_>,
    log: &Log,
    column: Value,
    arrived: impl FnOnce(&mut Memories<'_, '_>, Value) -> Value,
) {
    let (head, step) = (m.scalar(log.head), m.scalar(log.step));
    entries(m, log, column, head, step, |m, row| Some(arrived(m, row)));
}

/// Notes that nothing is put off for a column.
pub(super) fn up_to_date(m: &mut Memories<'_, '_>, log: &Log, column: Value) {
    let head = m.scalar(log.head);
    let touched = m.place(log.touched, &vec![], None, &[]);
    m.store_element(touched, Some(column), 0, head);
}

/// Replays entries for a column, up to `head`; not where `except` is true.
fn entries(
    m: &mut Memories<'_, '_>,
    log: &Log,
    column: Value,
    head: Value,
    step: Value,
    except: impl FnOnce(&mut Memories<'_, '_>, Value) -> Option<Value>,
) {
    let touched = m.place(log.touched, &vec![], None, &[]);
    let from = m.load_element(touched, Some(column), 0);
    let number = m.c.b.ins().isub(head, from);
    let number = m.c.b.ins().uextend(I64, number);
    let capacity = log.replay.sizes[1];
    m.repeat_to(number, &[], |m, k, _| {
        let k = m.c.b.ins().ireduce(I32, k);
        let entry = m.c.b.ins().iadd(from, k);
        let entry = m.c.b.ins().band_imm_u(entry, capacity as i64 - 1);
        let entry = m.c.b.ins().uextend(I64, entry);
        let list = m.place(log.entries, &vec![], None, &[]);
        let packed = m.load_element(list, Some(entry), 0);
        let row = m.c.b.ins().band_imm_u(packed, (1 << ROW_BITS) - 1);
        let row = m.c.b.ins().uextend(I64, row);
        let skipped = except(m, row);
        let after = m.c.b.create_block();
        if let Some(skipped) = skipped {
            let body = m.c.b.create_block();
            m.c.b.ins().brif(skipped, after, &[], body, &[]);
            m.c.b.switch_to_block(body);
        }
        let then = m.c.b.ins().ushr_imm_u(packed, ROW_BITS);
        let age = m.c.b.ins().isub(step, then);
        let age = m.c.b.ins().band_imm_u(age, 0xffff);
        let mut body = Body::new(m, &log.replay, None);
        body.age = Some(body.m.c.b.ins().uextend(I64, age));
        body.hoisted(0);
        body.outer.push(column);
        body.hoisted(1);
        body.outer.push(entry);
        body.hoisted(2);
        body.place_all();
        visit_rows(&mut body, [row; 4], 1);
        m.c.b.ins().jump(after, &[]);
        m.c.b.switch_to_block(after);
        Vec::new()
    });
    m.store_element(touched, Some(column), 0, head);
}

/// Writes down the rows that have an event in this step.
pub(super) fn write_down(m: &mut Memories<'_, '_>, log: &Log) {
    let capacity = log.replay.sizes[1] as i64;
    let (head, step) = (m.scalar(log.head), m.scalar(log.step));
    let step = m.c.b.ins().ishl_imm_u(step, ROW_BITS);
    let head = m.c.b.ins().uextend(I64, head);
    let entries = m.place(log.entries, &vec![], None, &[]);
    let words = m.lowered.buffer(log.rows[0]).stride() / 64;
    let (l, carried) = m.open_loop(&[head]);
    let offset = m.c.b.ins().ishl_imm_u(l.counter, 3);
    let zero = m.index(0);
    let word = log.rows.iter().fold(zero, |any, &events| {
        let (start, flags) = (m.start(events), m.flags(events));
        let address = m.c.b.ins().iadd(start, offset);
        let word = m.c.b.ins().load(I64, flags, address, 0);
        m.c.b.ins().bor(any, word)
    });
    let base = m.c.b.ins().ishl_imm_u(l.counter, 6);
    let head = bits(m, word, carried[0], |m, bit, head| {
        let row = m.c.b.ins().iadd(base, bit);
        let at = m.c.b.ins().band_imm_u(head, capacity - 1);
        let packed = m.c.b.ins().ireduce(I32, row);
        let packed = m.c.b.ins().bor(packed, step);
        m.store_element(entries, Some(at), 0, packed);
        for &(from, to) in &log.values {
            let single = m.lowered.buffer(from).shape.is_scalar();
            let (source, target) = (m.place(from, &vec![], None, &[]), m.place(to, &vec![], None, &[]));
            let value = m.load_element(source, (!single).then_some(row), 0);
            m.store_element(target, Some(at), 0, value);
        }
        m.c.b.ins().iadd_imm_s(head, 1)
    });
    m.close_loop(l, 1, words, &[head]);
    let head = m.c.b.ins().ireduce(I32, head);
    m.set_scalar(log.head, head);
}

impl Memories<'_, '_> {
    /// Sets the element of a buffer that holds one.
    fn set_scalar(&mut self, buffer: BufferId, value: Value) {
        let place = self.place(buffer, &vec![], None, &[]);
        self.store_element(place, None, 0, value);
    }

    /// A column below twice their number, from the first again after the last.
    fn wrapped_column(&mut self, column: Value, columns: usize) -> Value {
        let less = self.c.b.ins().iadd_imm_s(column, -(columns as i64));
        let beyond = self.c.b.ins().icmp_imm_u(IntCC::UnsignedGreaterThanOrEqual, column, columns as i64);
        self.c.b.ins().select(beyond, less, column)
    }
}
