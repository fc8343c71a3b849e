//! Whether a nest goes over the elements with events or over all: what costs less in this step.
//!
//! A share `p` of all pairs of column and delay (or columns) is listed, a share `r` of all rows has an event. With all elements
//! visited as unit, events cost about `listed · p + rows · r`; beyond 1, everything is visited. Measured with pools of 512
//! neurons that fire at up to 800 Hz, one way and the other (docs/performance.md):
//!
//! * *sums, arrays by columns*: never everything. Listed elements cost 0.9 of what they cost there, where each has to look up
//!   whether its event arrives.
//! * *states, arrays by columns*: 2.9 listed (four rows are gathered at a time), 2.0 put off and replayed; more in `f16`.
//! * *states by delay*: 1 listed, the same loop over the same elements; 2 put off.
//! * *arrays by rows*: 4 listed (a cache line for each element), 1 for whole rows, which are the dense loop; 32 for whole
//!   columns of large ones (measured at 512 by 1024), where the dense loop goes line by line.
//!
//! Rows whose events are put off are known only after the sums, when it is too late to replay the others: those of the
//! step before stand for them. Either way gives the same bits.

use super::access::Memories;
use super::visits::{accessed, lies_by_column};
use crate::loops::{BufferId, Inst, Log, Nest, Scan, Visit};
use cranelift::prelude::*;
use types::{I32, I64};

/// Costs of listed elements and of rows, to those of all elements.
#[derive(Clone, Copy)]
struct Costs {
    listed: i64,
    rows: i64,
}

const STATES_BY_COLUMN: Costs = Costs { listed: 3, rows: 2 };
const STATES_BY_DELAY: Costs = Costs { listed: 1, rows: 2 };
const BY_ROW: Costs = Costs { listed: 4, rows: 1 };
const COLUMNS_BY_ROW: Costs = Costs { listed: 32, rows: 1 };

/// Elements from which on an array is large.
const LARGE: usize = 1 << 16;

/// What `nest` costs; `None` if events never cost more than everything.
fn costs(m: &Memories<'_, '_>, nest: &Nest) -> Option<Costs> {
    let stores = nest.insts.iter().any(|typed| matches!(typed.inst, Inst::Store { .. }));
    if stores && accessed(nest).any(|buffer| m.lowered.buffer(buffer).placed.is_some()) {
        return Some(STATES_BY_DELAY);
    }
    let list = nest.visit().and_then(|visit| visit.scan);
    let whole_columns = list.is_some_and(|list| m.lowered.scans[list].delayed.is_none());
    match (lies_by_column(m, nest), stores) {
        (true, false) => None,
        (true, true) => Some(STATES_BY_COLUMN),
        (false, _) if whole_columns && nest.size() >= LARGE => Some(COLUMNS_BY_ROW),
        (false, _) => Some(BY_ROW),
    }
}

/// Other than 0 if `nest` goes over all elements.
pub(super) fn everything(m: &mut Memories<'_, '_>, nest: &Nest, visit: &Visit) -> Value {
    let scan = visit.scan.map(|scan| &m.lowered.scans[scan]);
    let Some(log) = visit.log else { return choose(m, scan, &visit.rows, costs(m, nest)) };
    let forced = choose(m, scan, &[], None);
    let whole = m.scalar(m.lowered.logs[log].whole);
    let whole = m.c.b.ins().icmp_imm_s(IntCC::NotEqual, whole, 0);
    m.c.b.ins().bor(forced, whole)
}

/// Chooses for the state whose rows are put off in log `number`, for the whole step.
pub(super) fn everything_later(m: &mut Memories<'_, '_>, number: usize, log: &Log) -> Value {
    let mut nests = m.lowered.nests.iter();
    let nest = nests.find(|nest| nest.visit().is_some_and(|visit| visit.log == Some(number)));
    let costs = nest.and_then(|nest| costs(m, nest)).map(|costs| Costs { rows: STATES_BY_COLUMN.rows, ..costs });
    let everything = choose(m, Some(&m.lowered.scans[log.scan]), &log.rows, costs);
    let whole = m.c.b.ins().uextend(I32, everything);
    m.set_scalar(log.whole, whole);
    everything
}

/// Other than 0 if events of `rows`, and those that are listed, cost more than everything.
fn choose(m: &mut Memories<'_, '_>, scan: Option<&Scan>, rows: &[BufferId], costs: Option<Costs>) -> Value {
    let Some(scan) = scan else {
        // Rows alone are the dense loop without some of its rounds.
        let forced = m.scalar(m.lowered.dense.expect("a program with visits has the switch"));
        return m.c.b.ins().icmp_imm_s(IntCC::NotEqual, forced, 0);
    };
    let count = m.scalar(scan.count);
    let forced = m.c.b.ins().icmp_imm_s(IntCC::SignedLessThan, count, 0);
    let Some(costs) = costs else { return forced };
    let count = m.c.b.ins().uextend(I64, count);
    let (all_pairs, all_rows) = (scan.pairs() as i64, scan.sizes[0] as i64);
    let mut cost = m.c.b.ins().imul_imm_s(count, costs.listed * all_rows);
    for &bits in rows {
        let rows = number_of_events(m, bits);
        let dear = m.c.b.ins().imul_imm_s(rows, costs.rows * all_pairs);
        cost = m.c.b.ins().iadd(cost, dear);
    }
    let many = m.c.b.ins().icmp_imm_u(IntCC::UnsignedGreaterThan, cost, all_pairs * all_rows);
    m.c.b.ins().bor(forced, many)
}

/// How many of these truth values are true.
fn number_of_events(m: &mut Memories<'_, '_>, bits: BufferId) -> Value {
    let words = m.lowered.buffer(bits).stride() / 64;
    let (start, flags) = (m.start(bits), m.flags(bits));
    let none = m.index(0);
    let (l, carried) = m.open_loop(&[none]);
    let offset = m.c.b.ins().ishl_imm_u(l.counter, 3);
    let address = m.c.b.ins().iadd(start, offset);
    let word = m.c.b.ins().load(I64, flags, address, 0);
    let ones = m.c.b.ins().popcnt(word);
    let total = m.c.b.ins().iadd(carried[0], ones);
    m.close_loop(l, 1, words, &[total]);
    total
}
