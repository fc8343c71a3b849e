//! Making the list of columns, and of columns and delays, that have an event in this step.
//!
//! ```text
//! for blocks of eight columns:
//!     list the columns with an event, whole
//!     for blocks of eight delays: list the pairs (column, delay) at which an event arrives, of the other columns
//!     if there are too many: give up, everything is to be visited
//! ```
//! Columns of one block are not in order; of a sum, they go to different partial results. Nor are the blocks: every other one comes
//! first, then those in between, so that visits of either half add to half of the partial sums, which a small cache holds.

use super::access::Memories;
use crate::loops::{Arrivals, BufferId, LISTED, Role, Scan, WHOLE};
use cranelift::prelude::*;
use types::{I32, I64};

/// Emits a scan.
pub(super) fn emit(m: &mut Memories<'_, '_>, scan: &Scan) {
    let switch = m.lowered.dense.expect("a program with visits has the switch");
    let forced = m.scalar(switch);
    let (listing, done) = (m.c.b.create_block(), m.c.b.create_block());
    let count = m.c.b.append_block_param(done, I32);
    let everything = m.c.b.ins().iconst(I32, i64::from(WHOLE));
    m.c.b.ins().brif(forced, done, &[everything.into()], listing, &[]);

    m.c.b.switch_to_block(listing);
    // The rows of the past are the same for all blocks; only a few fit into registers.
    let rows = scan.delayed.as_ref().filter(|a| a.steps <= 8).map(|a| past_rows(m, a));
    let zero = m.index(0);
    let (blocks, carried) = m.open_loop(&[zero]);
    let block = in_order(m, scan.sizes[1], blocks.counter);
    let columns = (!scan.columns.is_empty()).then(|| columns_of(m, &scan.columns, block));
    let mut n = carried[0];
    if let Some(columns) = columns {
        n = bits(m, columns, n, |m, bit, n| {
            let column = m.c.b.ins().iadd(block, bit);
            let whole = m.index(WHOLE as u32 as usize);
            append(m, scan.list, &[column, whole], n)
        });
    }
    if let Some(arrivals) = &scan.delayed {
        n = arriving(m, scan, arrivals, rows.as_deref(), columns, block, n);
    }
    // The list has room for one more block.
    let many = m.c.b.ins().icmp_imm_u(IntCC::UnsignedGreaterThan, n, scan.most as i64);
    let go_on = m.c.b.create_block();
    m.c.b.ins().brif(many, done, &[everything.into()], go_on, &[]);
    m.c.b.switch_to_block(go_on);
    m.close_loop(blocks, 8, scan.sizes[1], &[n]);
    let n = m.c.b.ins().ireduce(I32, n);
    m.c.b.ins().jump(done, &[n.into()]);

    m.c.b.switch_to_block(done);
    let place = m.place(scan.count, &vec![], None, &[]);
    m.store_element(place, None, 0, count);
}

/// The column at which block `counter / 8` starts: first every other block, then those in between.
fn in_order(m: &mut Memories<'_, '_>, columns: usize, counter: Value) -> Value {
    let first = 8 * columns.div_ceil(8).div_ceil(2) as i64;
    let even = m.c.b.ins().ishl_imm_u(counter, 1);
    let odd = m.c.b.ins().iadd_imm_s(even, 8 - 2 * first);
    let is_even = m.c.b.ins().icmp_imm_u(IntCC::UnsignedLessThan, counter, first);
    m.c.b.ins().select(is_even, even, odd)
}

/// Lists the arrivals of a block of columns, of those that are not listed whole.
fn arriving(
    m: &mut Memories<'_, '_>,
    scan: &Scan,
    arrivals: &Arrivals,
    rows: Option<&[Value]>,
    whole: Option<Value>,
    block: Value,
    n: Value,
) -> Value {
    // Few delays are one group, and what is the same for all blocks then moves out of their loop.
    let groups = (arrivals.steps > 8).then(|| m.open_loop(&[n]));
    let (first, n) = match &groups {
        Some((group, carried)) => (group.counter, carried[0]),
        None => (m.index(0), n),
    };
    // Byte `j` of the word has a bit for each of eight delays.
    let mut word = m.index(0);
    let ones = m.c.b.ins().iconst(I64, 0x0101_0101_0101_0101);
    let flags = m.flags(arrivals.history);
    for delay in 0..arrivals.steps.min(8) {
        let row = match rows {
            Some(rows) => rows[delay],
            None => {
                let last = m.index(arrivals.steps - 1);
                let step = m.c.b.ins().iadd_imm_s(first, delay as i64);
                let step = m.c.b.ins().umin(step, last);
                past_row(m, arrivals, step)
            }
        };
        let address = m.c.b.ins().iadd(row, block);
        let events = m.c.b.ins().load(I64, flags, address, 0);
        let mut events = m.c.b.ins().band(events, ones);
        if rows.is_none() && delay > 0 {
            let step = m.c.b.ins().iadd_imm_s(first, delay as i64);
            let inside = m.c.b.ins().icmp_imm_u(IntCC::UnsignedLessThan, step, arrivals.steps as i64);
            let inside = m.c.b.ins().bmask(I64, inside);
            events = m.c.b.ins().band(events, inside);
        }
        let events = m.c.b.ins().ishl_imm_u(events, delay as i64);
        word = m.c.b.ins().bor(word, events);
    }
    // What a history holds beyond its last column is of no meaning.
    let rest = scan.sizes[1] % 8;
    if rest > 0 {
        let last = m.c.b.ins().icmp_imm_s(IntCC::Equal, block, (scan.sizes[1] - rest) as i64);
        let (some, all) = (m.c.b.ins().iconst(I64, (1 << (8 * rest)) - 1), m.c.b.ins().iconst(I64, -1));
        let inside = m.c.b.ins().select(last, some, all);
        word = m.c.b.ins().band(word, inside);
    }
    let lists = m.place(arrivals.lists, &vec![], None, &[]);
    let targets = m.place(arrivals.targets, &vec![], None, &[]);
    let n = bits(m, word, n, |m, bit, n| {
        let within = m.c.b.ins().ushr_imm_u(bit, 3);
        let column = m.c.b.ins().iadd(block, within);
        let step = m.c.b.ins().band_imm_u(bit, 7);
        let step = m.c.b.ins().iadd(first, step);
        let bucket = m.c.b.ins().imul_imm_s(column, arrivals.steps as i64);
        let bucket = m.c.b.ins().iadd(bucket, step);
        let inside = m.index(scan.sizes[1] * arrivals.steps - 1);
        let bucket = m.c.b.ins().umin(bucket, inside);
        let pair = m.c.b.ins().ishl_imm_u(bucket, 1);
        let (from, to) = (m.load_element(lists, Some(pair), 0), m.load_element(lists, Some(pair), 1));
        let mut wanted = m.c.b.ins().icmp(IntCC::NotEqual, from, to);
        if let Some(whole) = whole {
            let bit = m.c.b.ins().ushr(whole, within);
            let bit = m.c.b.ins().band_imm_u(bit, 1);
            let other = m.c.b.ins().icmp_imm_s(IntCC::Equal, bit, 0);
            wanted = m.c.b.ins().band(wanted, other);
        }
        // An empty list may begin after the last one.
        let last = m.lowered.buffer(arrivals.targets).shape.size() as i64 - 1;
        let last = m.c.b.ins().iconst(I32, last);
        let first = m.c.b.ins().umin(from, last);
        let first = m.c.b.ins().uextend(I64, first);
        let first = m.load_element(targets, Some(first), 0);
        let after = append(m, scan.list, &[column, step, from, to, first], n);
        m.c.b.ins().select(wanted, after, n)
    });
    if let Some((group, _)) = groups {
        m.close_loop(group, 8, arrivals.steps, &[n]);
    }
    n
}

/// Writes pair `n` of a list; returns `n + 1`.
fn append(m: &mut Memories<'_, '_>, list: BufferId, values: &[Value], n: Value) -> Value {
    let place = m.place(list, &vec![], None, &[]);
    let at = m.c.b.ins().imul_imm_s(n, LISTED as i64);
    for (plus, &value) in values.iter().enumerate() {
        let value = if m.c.b.func.dfg.value_type(value) == I64 { m.c.b.ins().ireduce(I32, value) } else { value };
        m.store_element(place, Some(at), plus, value);
    }
    m.c.b.ins().iadd_imm_s(n, 1)
}

/// For each set bit of `word`, lowest first, `body` of its number and of what it carries.
pub(super) fn bits(
    m: &mut Memories<'_, '_>,
    word: Value,
    carried: Value,
    body: impl FnOnce(&mut Memories<'_, '_>, Value, Value) -> Value,
) -> Value {
    let b = &mut m.c.b;
    let (head, exit) = (b.create_block(), b.create_block());
    let rest = b.append_block_param(head, I64);
    let n = b.append_block_param(head, I64);
    let after = b.append_block_param(exit, I64);
    b.ins().brif(word, head, &[word.into(), carried.into()], exit, &[carried.into()]);
    b.switch_to_block(head);
    let bit = b.ins().ctz(rest);
    let n = body(m, bit, n);
    let b = &mut m.c.b;
    let less = b.ins().iadd_imm_s(rest, -1);
    let rest = b.ins().band(rest, less);
    b.ins().brif(rest, head, &[rest.into(), n.into()], exit, &[n.into()]);
    b.switch_to_block(exit);
    after
}

/// A bit for each of the eight columns from `block` on, set if one of `buffers` has it set. Padding bits are not.
fn columns_of(m: &mut Memories<'_, '_>, buffers: &[BufferId], block: Value) -> Value {
    let byte = m.c.b.ins().ushr_imm_u(block, 3);
    let zero = m.index(0);
    buffers.iter().fold(zero, |any, &bits| {
        let (start, flags) = (m.start(bits), m.flags(bits));
        let address = m.c.b.ins().iadd(start, byte);
        let found = m.c.b.ins().uload8(I64, flags, address, 0);
        m.c.b.ins().bor(any, found)
    })
}

/// Addresses of the rows of the past, by delay.
fn past_rows(m: &mut Memories<'_, '_>, arrivals: &Arrivals) -> Vec<Value> {
    (0..arrivals.steps)
        .map(|step| {
            let step = m.index(step);
            past_row(m, arrivals, step)
        })
        .collect()
}

/// Address of the row of `least + step` steps ago.
fn past_row(m: &mut Memories<'_, '_>, arrivals: &Arrivals, step: Value) -> Value {
    let Role::History { rows, position, .. } = m.lowered.buffer(arrivals.history).role else {
        unreachable!("checked: a history")
    };
    let position = m.position(position);
    let delay = m.c.b.ins().iadd_imm_s(step, arrivals.least as i64);
    let row = m.wrapped(position, delay, rows);
    let pitch = m.lowered.buffer(arrivals.history).row_pitch();
    let offset = m.c.b.ins().imul_imm_s(row, pitch as i64);
    let start = m.start(arrivals.history);
    m.c.b.ins().iadd(start, offset)
}

impl Memories<'_, '_> {
    /// The element of a buffer that holds one.
    pub(super) fn scalar(&mut self, buffer: BufferId) -> Value {
        let place = self.place(buffer, &vec![], None, &[]);
        self.load_element(place, None, 0)
    }

    /// The row of a history that this step writes, an `i64`. Positions change only after the last nest, so reads of them may move.
    pub(super) fn position(&mut self, position: BufferId) -> Value {
        let start = self.start(position);
        let flags = MemFlagsData::trusted().with_readonly().with_can_move();
        let row = self.c.b.ins().load(I32, flags, start, 0);
        self.c.b.ins().uextend(I64, row)
    }

    /// Row `delay` before `position` in a ring of `rows`.
    pub(super) fn wrapped(&mut self, position: Value, delay: Value, rows: usize) -> Value {
        let row = self.c.b.ins().isub(position, delay);
        if rows.is_power_of_two() {
            return self.c.b.ins().band_imm_u(row, rows as i64 - 1);
        }
        let wrapped = self.c.b.ins().iadd_imm_s(row, rows as i64);
        let negative = self.c.b.ins().icmp_imm_s(IntCC::SignedLessThan, row, 0);
        self.c.b.ins().select(negative, wrapped, row)
    }
}
