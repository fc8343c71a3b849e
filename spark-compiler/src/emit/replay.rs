//! Events of rows that are put off: writing them down, and replaying them.
//!
//! ```text
//! replay:  for each column that is touched in this step, and some others in turn (all of them if everything is to be visited):
//!              from the entry it was last replayed to, to the newest:  the instructions, at the entry's row
//!              (not where an event of the column arrived in the entry's step: that has been done)
//!          but of columns that were touched in the last step too:
//!              for each entry of that step:  for each of these columns:  the same
//! visit:   write down the rows with an event, and the values that a replay needs
//!          for each pair (column, delay) of the list:
//!              the elements where an event arrives, as if nothing was put off; note that it did
//! ```
//!
//! With delays, an event touches its column step after step, and a step has few entries: a loop over them would be over before
//! the processor has seen how long it is, and each round waits for other cache lines. The loop over columns is longer.

use super::access::{Memories, Place};
use super::crossover::everything_later;
use super::near;
use super::nest::Body;
use super::parts::Part;
use super::scan::bits;
use super::visits::{accessed, listed, visit_rows};
use crate::loops::{BufferId, Log};
use cranelift::prelude::*;
use types::{I32, I64};

/// Bits of an entry that hold its row; the others hold its step.
const ROW_BITS: i64 = 16;

/// Entries that a long loop replays in a round.
const ROUND: usize = 4;

/// Entries of a step from which on a loop over them is long enough.
const FEW: i64 = 12;

/// Replays what this step needs, before any visit.
pub(super) fn emit(m: &mut Memories<'_, '_>, number: usize) {
    let log = &m.lowered.logs[number];
    let scan = &m.lowered.scans[log.scan];
    let columns = log.replay.sizes[0];
    let step = m.scalar(log.step);
    let step = m.c.b.ins().iadd_imm_s(step, 1);
    let step = m.c.b.ins().band_imm_u(step, 0xffff);
    m.set_scalar(log.step, step);

    let count = m.scalar(scan.count);
    let everything = everything_later(m, number, log);
    let touched = m.c.b.ins().uextend(I64, count);
    let first = m.scalar(log.next);
    let next = m.c.b.ins().iadd_imm_s(first, log.turns as i64);
    let next = m.wrapped_column(next, columns);
    m.set_scalar(log.next, next);
    let all = m.index(columns);
    let none = m.index(0);
    let number_listed = m.c.b.ins().select(everything, all, touched);
    let turns = m.index(log.turns);
    let number_in_turn = m.c.b.ins().select(everything, none, turns);
    let first = m.c.b.ins().uextend(I64, first);
    let head = m.scalar(log.head);
    let before = m.scalar(log.before);
    m.set_scalar(log.before, head);
    let of_last = m.c.b.ins().isub(head, before);
    let now = m.c.b.ins().uextend(I64, step);
    let few = m.c.b.ins().icmp_imm_u(IntCC::UnsignedLessThan, of_last, FEW);
    let span = Span { head, before, few };
    let found = m.fold_to(number_listed, [none, none], |m, k, found| {
        let (column, _) = listed(m, scan, k, everything);
        sort(m, log, column, span, found, |_, _| head)
    });
    let found = m.fold_to(number_in_turn, found, |m, k, found| {
        let turn = m.c.b.ins().iadd(first, k);
        let column = m.wrapped_column(turn, columns);
        sort(m, log, column, span, found, |m, from| {
            // What a column lacks whose turn it is may be young.
            let oldest = m.c.b.ins().uextend(I64, from);
            let oldest = m.c.b.ins().band_imm_u(oldest, log.replay.sizes[1] as i64 - 1);
            let oldest = Entry::after(m, log, oldest, 0);
            let age = m.c.b.ins().isub(now, oldest.then);
            let age = m.c.b.ins().band_imm_u(age, 0xffff);
            let young = m.c.b.ins().icmp_imm_u(IntCC::UnsignedLessThanOrEqual, age, log.young as i64);
            m.c.b.ins().select(young, from, head)
        })
    });
    let [recent, older] = found;
    let list = m.place(log.older, &vec![], None, &[]);
    let listed = |m: &mut Memories<'_, '_>, n: Value| {
        let at = m.c.b.ins().ishl_imm_u(n, 1);
        let column = m.load_index(list, Some(at), 0);
        (column, m.load_element(list, Some(at), 1))
    };
    m.repeat_to(older, |m, n| {
        if near::asks(m) && near::pays(m, &log.replay) {
            let next = m.c.b.ins().iadd_imm_s(n, 1);
            let more = m.c.b.ins().icmp(IntCC::UnsignedLessThan, next, older);
            m.only_if(more, |m| {
                let (column, _) = listed(m, next);
                near::column(m, log, column);
            });
        }
        let (column, from) = listed(m, n);
        m.call(Part::Column(number), [column, from, head, step]);
    });
    if scan.delayed.is_some() {
        m.only_if(recent, |m| m.call(Part::Recent(number), [recent, before, head, step]));
    }
}

/// Entries of which a step takes notice.
#[derive(Clone, Copy)]
struct Span {
    /// The newest, and the newest of the step before.
    head: Value,
    before: Value,
    /// Whether those in between are too few for a loop over them.
    few: Value,
}

/// Adds a column to the list of those that need the last step's entries only, or of those that need more, or to neither.
/// `replayed` says up to which entry it is replayed in this step; returns how many are in either list.
fn sort(
    m: &mut Memories<'_, '_>,
    log: &Log,
    column: Value,
    span: Span,
    [recent, older]: [Value; 2],
    replayed: impl FnOnce(&mut Memories<'_, '_>, Value) -> Value,
) -> [Value; 2] {
    let record = record_at(m, log.columns, column);
    let (from, middle) = (m.load_element(record, None, 0), m.load_element(record, None, 1));
    let replayed = replayed(m, from);
    m.store_element(record, None, 0, replayed);
    let short = m.c.b.ins().ireduce(I32, column);
    let entry = record_at(m, log.recent, recent);
    m.store_element(entry, None, 0, short);
    let noted = m.load_long(record, 2);
    m.store_element(entry, None, 2, noted);
    let last = m.c.b.ins().icmp(IntCC::Equal, from, span.before);
    let touched = m.c.b.ins().icmp(IntCC::Equal, middle, span.head);
    let behind = m.c.b.ins().icmp(IntCC::NotEqual, from, replayed);
    let last = m.c.b.ins().band(last, touched);
    let last = m.c.b.ins().band(last, behind);
    let last = m.c.b.ins().band(last, span.few);
    let wanted = m.c.b.ins().bxor(behind, last);
    let list = m.place(log.older, &vec![], None, &[]);
    let at = m.c.b.ins().ishl_imm_u(older, 1);
    m.store_element(list, Some(at), 0, short);
    m.store_element(list, Some(at), 1, from);
    [(recent, last), (older, wanted)].map(|(count, one)| {
        let one = m.c.b.ins().uextend(I64, one);
        m.c.b.ins().iadd(count, one)
    })
}

/// Replays everything, between two steps.
pub(super) fn flush(m: &mut Memories<'_, '_>, number: usize) {
    let log = &m.lowered.logs[number];
    let step = m.scalar(log.step);
    // As in the next step: positions of histories are those of it.
    let step = m.c.b.ins().iadd_imm_s(step, 1);
    let head = m.scalar(log.head);
    let (l, _) = m.open_loop(&[]);
    let record = record_at(m, log.columns, l.counter);
    let from = m.load_element(record, None, 0);
    let behind = m.c.b.ins().icmp(IntCC::NotEqual, from, head);
    m.only_if(behind, |m| m.call(Part::Column(number), [l.counter, from, head, step]));
    m.store_element(record, None, 0, head);
    m.store_element(record, None, 1, head);
    m.close_loop(l, 1, log.replay.sizes[0], &[]);
}

/// Notes that a column was touched: whole, or where events of `least + step` steps ago arrive.
pub(super) fn touch(m: &mut Memories<'_, '_>, log: &Log, column: Value, step: Option<Value>) {
    let head = m.scalar(log.head);
    let record = record_at(m, log.columns, column);
    let Some((step, arrivals)) = step.zip(m.lowered.scans[log.scan].delayed.as_ref()) else {
        m.store_element(record, None, 0, head);
        m.store_element(record, None, 1, head);
        return;
    };
    // What arrived before in this step stays noted. Without entries of this step, nothing noted matters.
    let before = m.load_element(record, None, 1);
    let again = m.c.b.ins().icmp(IntCC::Equal, before, head);
    let noted = m.load_long(record, 2);
    let none = m.index(0);
    let noted = m.c.b.ins().select(again, noted, none);
    let one = m.index(1);
    let delay = m.c.b.ins().iadd_imm_s(step, arrivals.least as i64);
    let bit = m.c.b.ins().ishl(one, delay);
    let noted = m.c.b.ins().bor(noted, bit);
    m.store_element(record, None, 2, noted);
    m.store_element(record, None, 1, head);
}

/// Record `n` of a buffer with four numbers for each: [`Log::columns`] or [`Log::recent`].
fn record_at(m: &mut Memories<'_, '_>, records: BufferId, n: Value) -> Place {
    let first = m.c.b.ins().ishl_imm_u(n, 2);
    m.place(records, &vec![0], None, &[first])
}

/// [`Part::Column`]: replays a column, which is not up to date.
pub(super) fn column(m: &mut Memories<'_, '_>, number: usize, [column, from, head, step]: [Value; 4]) {
    let log = &m.lowered.logs[number];
    let record = record_at(m, log.columns, column);
    let mut from = from;
    if m.lowered.scans[log.scan].delayed.is_some() {
        // Those up to the step in which the column was touched last, and those after it.
        let middle = m.load_element(record, None, 1);
        let noted = m.load_long(record, 2);
        each_entry(m, log, [from, middle], 1, |m, entry| {
            let spot = Spot::of(m, log, entry.row, column, Order::Column);
            entry.replay(m, log, column, step, spot, Some(noted));
        });
        from = middle;
    }
    each_entry(m, log, [from, head], ROUND, |m, entry| {
        let spot = Spot::of(m, log, entry.row, column, Order::Column);
        entry.replay(m, log, column, step, spot, None);
    });
    m.store_element(record, None, 1, head);
}

/// [`Part::Recent`]: replays the entries of the last step for `count` columns that were touched in it.
pub(super) fn recent(m: &mut Memories<'_, '_>, number: usize, [count, from, head, step]: [Value; 4]) {
    let log = &m.lowered.logs[number];
    each_entry(m, log, [from, head], 1, |m, entry| {
        m.repeat_to(count, |m, n| {
            let listed = record_at(m, log.recent, n);
            let column = m.load_index(listed, None, 0);
            let noted = m.load_long(listed, 2);
            let spot = Spot::of(m, log, entry.row, column, Order::Row);
            entry.replay(m, log, column, step, spot, Some(noted));
        });
    });
}

/// Whether a loop goes over the rows of one column or over the columns of one row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Order {
    Column,
    Row,
}

/// What tables say of an element.
#[derive(Clone, Copy)]
struct Spot {
    /// Where it is in arrays that lie by delay, if there are any: where the column begins there, and from there.
    placed: Option<[Value; 2]>,
    /// The delay of the events that arrive there, an `i32`, if there are delays.
    delay: Option<Value>,
}

impl Spot {
    fn of(m: &mut Memories<'_, '_>, log: &Log, row: Value, column: Value, order: Order) -> Spot {
        let placed = accessed(&log.replay).find_map(|buffer| m.lowered.buffer(buffer).placed.as_ref());
        let Some(placed) = placed else {
            let arrivals = m.lowered.scans[log.scan].delayed.as_ref();
            let delay = arrivals.map(|arrivals| {
                let delays = m.place(arrivals.delays, &vec![0, 1], None, &[row, column]);
                m.load_element(delays, None, 0)
            });
            return Spot { placed: None, delay };
        };
        // What stays the same from round to round comes first, so that it is added once.
        let zero = m.index(0);
        let (table, indices, inner) = match (order, placed.across) {
            (Order::Row, Some(across)) => (across, [row, zero], column),
            _ => (placed.places, [zero, column], row),
        };
        let table = m.place(table, &vec![0, 1], None, &indices);
        let value = m.load_element(table, Some(inner), 0);
        let place = m.c.b.ins().band_imm_u(value, (1 << placed.bits) - 1);
        let place = m.c.b.ins().uextend(I64, place);
        let first = m.c.b.ins().imul_imm_s(column, placed.pitch as i64);
        let delay = m.c.b.ins().ushr_imm_u(value, i64::from(placed.bits));
        Spot { placed: Some([first, place]), delay: Some(delay) }
    }
}

/// An event of a row that was put off.
#[derive(Clone, Copy)]
struct Entry {
    /// Where it is among all.
    at: Value,
    row: Value,
    /// Its step.
    then: Value,
}

/// Goes over entries from one to another, which are in at most two pieces, so many of them in a round.
fn each_entry(
    m: &mut Memories<'_, '_>,
    log: &Log,
    [from, to]: [Value; 2],
    round: usize,
    mut body: impl FnMut(&mut Memories<'_, '_>, Entry),
) {
    let capacity = log.replay.sizes[1] as i64;
    let number = m.c.b.ins().isub(to, from);
    let number = m.c.b.ins().uextend(I64, number);
    // There are never more, but then what memory holds is all it takes to stay inside of the list.
    let most = m.index(capacity as usize);
    let number = m.c.b.ins().umin(number, most);
    let at = m.c.b.ins().uextend(I64, from);
    let at = m.c.b.ins().band_imm_u(at, capacity - 1);
    let end = m.c.b.ins().iadd(at, number);
    let end = m.c.b.ins().umin(end, most);
    let before = m.c.b.ins().isub(end, at);
    let rest = m.c.b.ins().isub(number, before);
    let (piece, after) = (m.c.b.create_block(), m.c.b.create_block());
    let [at_piece, end_piece, rest_piece] = [(); 3].map(|()| m.c.b.append_block_param(piece, I64));
    m.c.b.ins().brif(number, piece, &[at.into(), end.into(), rest.into()], after, &[]);
    m.c.b.switch_to_block(piece);
    let mut at = at_piece;
    for round in [round, 1].into_iter().take(if round > 1 { 2 } else { 1 }) {
        let (head, over) = (m.c.b.create_block(), m.c.b.create_block());
        let [at_head, at_over] = [head, over].map(|block| m.c.b.append_block_param(block, I64));
        let last = m.c.b.ins().iadd_imm_s(end_piece, 1 - round as i64);
        let some = m.c.b.ins().icmp(IntCC::SignedLessThan, at, last);
        m.c.b.ins().brif(some, head, &[at.into()], over, &[at.into()]);
        m.c.b.switch_to_block(head);
        for nth in 0..round {
            let entry = Entry::after(m, log, at_head, nth);
            body(m, entry);
        }
        let next = m.c.b.ins().iadd_imm_s(at_head, round as i64);
        let more = m.c.b.ins().icmp(IntCC::SignedLessThan, next, last);
        m.c.b.ins().brif(more, head, &[next.into()], over, &[next.into()]);
        m.c.b.switch_to_block(over);
        at = at_over;
    }
    let zero = m.index(0);
    m.c.b.ins().brif(rest_piece, piece, &[zero.into(), rest_piece.into(), zero.into()], after, &[]);
    m.c.b.switch_to_block(after);
}

impl Entry {
    /// The one so many places after `at`, all of which are known to be in one piece.
    fn after(m: &mut Memories<'_, '_>, log: &Log, at: Value, places: usize) -> Self {
        let list = m.place(log.entries, &vec![], None, &[]);
        let [row, then] = m.load_halves(list, at, places);
        Entry { at: m.c.b.ins().iadd_imm_s(at, places as i64), row, then }
    }

    /// Does for `column` what was put off. Where `noted`, of the entry's step, says that an event arrived, what is there stays.
    fn replay(self, m: &mut Memories<'_, '_>, log: &Log, column: Value, step: Value, spot: Spot, noted: Option<Value>) {
        let step = m.c.b.ins().uextend(I64, step);
        let arrivals = m.lowered.scans[log.scan].delayed.as_ref().zip(spot.delay);
        let arrived = arrivals.zip(noted).map(|((_, delay), noted)| {
            let arrived = m.c.b.ins().ushr(noted, delay);
            m.c.b.ins().band_imm_u(arrived, 1)
        });
        m.first_placed = spot.placed.map(|[first, _]| first);
        let mut body = Body::new(m, &log.replay, arrivals.map(|(arrivals, _)| arrivals.delays));
        body.aside = arrived.map(|arrived| (arrived, log.aside));
        body.delay = arrivals.map(|(arrivals, delay)| (arrivals.delays, delay));
        body.then = Some((self.then, step));
        body.hoisted(0);
        body.outer.push(column);
        body.hoisted(1);
        body.outer.push(self.at);
        body.hoisted(2);
        body.place_all();
        visit_rows(&mut body, [self.row; 4], 1, spot.placed.map(|[_, place]| place));
        m.first_placed = None;
    }
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
    pub(super) fn set_scalar(&mut self, buffer: BufferId, value: Value) {
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
