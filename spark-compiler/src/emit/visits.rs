//! A nest that visits some of its elements: whole rows, and what a scan has listed: whole columns, and the elements where a
//! delayed event arrives.
//!
//! ```text
//! if the host wants all, or events are many:   every row (or column, if arrays lie by columns): the dense loop
//! else:   for each pair (column, delay) of the list, or column:
//!             four of its rows at a time: values, stores, terms of sums into sixteen partial sums a row
//!         add up the partial sums of each row
//!         every row with an event; stores spare the elements that were visited above
//! ```
//!
//! The order of sums is that of the dense loop: of a row, column `j` goes to partial `j mod 16`, in order of `j`, and what is
//! left out is zero.

use super::access::{At, Memories};
use super::crossover::everything;
use super::lanes::Lanes;
use super::nest::Body;
use super::parts::Part;
use super::reduce::combine;
use super::replay;
use super::{beside, deliver};
use crate::ir::{Elem, ReduceOp};
use crate::loops::{Arrivals, BufferId, Inst, LANES, LISTED, Nest, Scan, Val, Visit};
use cranelift::prelude::*;
use types::{I32, I32X4, I64};

/// Emits `nest`, of two loops.
pub(super) fn emit(m: &mut Memories<'_, '_>, number: usize, visit: &Visit) {
    let lowered = m.lowered;
    let nest = &lowered.nests[number];
    let scan = visit.scan.map(|scan| &lowered.scans[scan]);
    if let (Some(scan), true) = (scan, visit.rows.is_empty() && lies_by_column(m, nest)) {
        let everything = everything(m, nest, visit);
        by_column(m, number, visit, scan, everything);
        return;
    }
    let whole = m.c.b.create_block();
    let all = m.c.b.append_block_param(whole, I32);
    let (sparse, done) = (m.c.b.create_block(), m.c.b.create_block());
    let one = m.c.b.ins().iconst(I32, 1);
    let zero = m.c.b.ins().iconst(I32, 0);
    let everything = everything(m, nest, visit);
    m.c.b.ins().brif(everything, whole, &[one.into()], sparse, &[]);

    m.c.b.switch_to_block(sparse);
    if let Some(scan) = scan {
        by_column(m, number, visit, scan, zero);
    }
    if visit.rows.is_empty() {
        m.c.b.ins().jump(done, &[]);
    } else {
        m.c.b.ins().jump(whole, &[zero.into()]);
    }

    m.c.b.switch_to_block(whole);
    by_row(m, nest, visit, all);
    m.c.b.ins().jump(done, &[]);
    m.c.b.switch_to_block(done);
}

/// True if arrays that the nest reads lie in memory column by column.
pub(super) fn lies_by_column(m: &Memories<'_, '_>, nest: &Nest) -> bool {
    accessed(nest).any(|buffer| m.lowered.buffer(buffer).turned)
}

/// The arrays that a nest loads from and stores to.
pub(super) fn accessed(nest: &Nest) -> impl Iterator<Item = BufferId> {
    nest.insts.iter().filter_map(|typed| match typed.inst {
        Inst::Load { buffer, .. } | Inst::Store { buffer, .. } => Some(buffer),
        _ => None,
    })
}

/// The rows with an event; all of them if `all` is not 0.
fn by_row(m: &mut Memories<'_, '_>, nest: &Nest, visit: &Visit, all: Value) {
    let scan = visit.scan.map(|scan| &m.lowered.scans[scan]);
    let spared = nest.insts.iter().enumerate().filter(|(_, typed)| match &typed.inst {
        Inst::LoadDelayed { history, delays, .. } => scan
            .and_then(|scan| scan.delayed.as_ref())
            .is_some_and(|arrivals| (arrivals.history, arrivals.delays) == (*history, *delays)),
        Inst::Load { buffer, map } => scan.is_some_and(|scan| scan.columns.contains(buffer)) && map == &vec![1],
        _ => false,
    });
    let spared: Vec<Val> = spared.map(|(n, _)| Val(n as u32)).collect();
    let none = spared.is_empty();
    let some = m.c.b.ins().icmp_imm_s(IntCC::Equal, all, 0);
    let some = m.c.b.ins().bmask(I32, some);
    let some = m.c.b.ins().splat(I32X4, some);
    let mut body = Body::new(m, nest, None);
    body.spared = (spared, (!none).then_some(some));
    body.hoisted(0);
    let columns = nest.sizes[1];
    let (l, _) = body.m.open_loop(&[]);
    let (visited, next) = (body.m.c.b.create_block(), body.m.c.b.create_block());
    let mut wanted = all;
    for &bits in &visit.rows {
        let bit = body.m.bit(bits, l.counter);
        wanted = body.m.c.b.ins().bor(wanted, bit);
    }
    body.m.c.b.ins().brif(wanted, visited, &[], next, &[]);
    body.m.c.b.switch_to_block(visited);
    body.row = body.m.c.b.ins().imul_imm_s(l.counter, columns as i64);
    body.outer.push(l.counter);
    body.loops(1);
    body.m.c.b.ins().jump(next, &[]);
    body.m.c.b.switch_to_block(next);
    body.m.close_loop(l, 1, nest.sizes[0], &[]);
}

/// What the scan has listed: columns with an event, and the elements where a delayed one arrives; all columns if it says so.
fn by_column(m: &mut Memories<'_, '_>, number: usize, visit: &Visit, scan: &Scan, everything: Value) {
    let nest = &m.lowered.nests[number];
    let log = visit.log.map(|log| &m.lowered.logs[log]);
    if let Some(log) = log {
        let some = m.c.b.ins().icmp_imm_s(IntCC::Equal, everything, 0);
        m.only_if(some, |m| replay::write_down(m, log));
    }
    let count = m.scalar(scan.count);
    let count = m.c.b.ins().uextend(I64, count);
    let columns = m.index(nest.sizes[1]);
    let count = m.c.b.ins().select(everything, columns, count);
    if let Some(beside) = &visit.beside {
        m.only_if(count, |m| beside::copy(m, nest.sizes[0], beside));
    }
    let everything =
        if m.c.b.func.dfg.value_type(everything) == I32 { everything } else { m.c.b.ins().uextend(I32, everything) };
    let unused = m.c.b.ins().iconst(I32, 0);
    m.call(Part::Listed(number), [count, everything, unused, unused]);
    for typed in &nest.insts {
        if let Inst::Reduce { op, buffer, .. } = typed.inst {
            let partials = visit.sums.iter().find(|(to, _)| *to == buffer).expect("checked: sums have partial sums").1;
            add_up(m, nest.sizes[0], typed.elem, op, buffer, partials);
        }
    }
}

/// [`Part::Listed`]: the pairs of a list, or all columns.
pub(super) fn listed_pairs(m: &mut Memories<'_, '_>, number: usize, [count, everything, ..]: [Value; 4]) {
    let nest = &m.lowered.nests[number];
    let visit = nest.visit().expect("a nest that visits");
    let scan = &m.lowered.scans[visit.scan.expect("what is listed")];
    let turned = turned(nest);
    let by_delay = accessed(nest).any(|buffer| m.lowered.buffer(buffer).placed.is_some());
    let log = visit.log.map(|log| &m.lowered.logs[log]);
    m.repeat_to(count, |m, k| {
        let (column, step) = listed(m, scan, k, everything);
        let (all_rows, some_rows, next) = (m.c.b.create_block(), m.c.b.create_block(), m.c.b.create_block());
        let wanted = m.c.b.ins().icmp_imm_s(IntCC::SignedLessThan, step, 0);
        m.c.b.ins().brif(wanted, all_rows, &[], some_rows, &[]);
        m.c.b.switch_to_block(all_rows);
        let mut body = Body::new(m, &turned, None);
        body.parts = visit.sums.clone();
        body.beside = visit.beside.as_ref();
        body.hoisted(0);
        body.outer.push(column);
        body.hoisted(1);
        match scan.delayed.as_ref().filter(|_| by_delay) {
            Some(arrivals) => all_targets(&mut body, arrivals, column),
            None => body.innermost(),
        }
        if let Some(log) = log {
            replay::touch(body.m, log, column, None);
        }
        body.m.c.b.ins().jump(next, &[]);
        body.m.c.b.switch_to_block(some_rows);
        if let Some(log) = log {
            replay::touch(m, log, column, Some(step));
        }
        if let Some(arrivals) = &scan.delayed {
            let mut body = Body::new(m, &turned, Some(arrivals.delays));
            body.parts = visit.sums.clone();
            body.beside = visit.beside.as_ref();
            body.hoisted(0);
            arriving(&mut body, scan, arrivals, k, column, step);
        }
        m.c.b.ins().jump(next, &[]);
        m.c.b.switch_to_block(next);
    });
}

/// Column (`i64`) and step (`i32`) of pair `k` of the list; column `k`, whole, if everything is to be visited.
pub(super) fn listed(m: &mut Memories<'_, '_>, scan: &Scan, k: Value, everything: Value) -> (Value, Value) {
    let list = m.place(scan.list, &vec![], None, &[]);
    let at = m.c.b.ins().imul_imm_s(k, LISTED as i64);
    // With everything to be visited, there may be more columns than pairs.
    let zero = m.index(0);
    let at = m.c.b.ins().select(everything, zero, at);
    let column = m.load_element(list, Some(at), 0);
    let column = m.c.b.ins().uextend(I64, column);
    let step = m.load_element(list, Some(at), 1);
    let whole = m.c.b.ins().iconst(I32, i64::from(crate::loops::WHOLE));
    (m.c.b.ins().select(everything, k, column), m.c.b.ins().select(everything, whole, step))
}

/// The nest with its loops exchanged.
fn turned(nest: &Nest) -> Nest {
    let mut nest = nest.clone();
    nest.sizes.reverse();
    for typed in &mut nest.insts {
        let turn = |map: &mut Vec<usize>| map.iter_mut().for_each(|level| *level = 1 - *level);
        match &mut typed.inst {
            Inst::Load { map, .. }
            | Inst::LoadAt { map, .. }
            | Inst::Store { map, .. }
            | Inst::StoreRow { map, .. }
            | Inst::ScatterAdd { map, .. } => turn(map),
            Inst::LoadDelayed { map, delays_map, .. } => {
                turn(map);
                turn(delays_map);
            }
            Inst::Reduce { map, over, .. } => {
                turn(map);
                *over = 1 - *over;
            }
            Inst::Literal(_)
            | Inst::Lookup { .. }
            | Inst::Unary(..)
            | Inst::Binary(..)
            | Inst::Compare(..)
            | Inst::MulAdd(..)
            | Inst::Select(..)
            | Inst::Cast(..)
            | Inst::Bitcast(..)
            | Inst::Index
            | Inst::Threefry { .. }
            | Inst::StoreAt { .. } => {}
        }
    }
    nest
}

/// The rows of a column at which the event of `least + step` steps ago arrives.
fn arriving(body: &mut Body<'_, '_, '_>, scan: &Scan, arrivals: &Arrivals, pair: Value, column: Value, step: Value) {
    let delay = body.m.c.b.ins().iadd_imm_s(step, arrivals.least as i64);
    body.delay = Some((arrivals.delays, delay));
    body.arrived = Some(arrivals.history);
    body.outer.push(column);
    body.hoisted(1);
    body.place_all();
    let list = body.m.place(scan.list, &vec![], None, &[]);
    let at = body.m.c.b.ins().imul_imm_s(pair, LISTED as i64);
    let (from, to) = (body.m.load_element(list, Some(at), 2), body.m.load_element(list, Some(at), 3));
    let (from, to) = (body.m.c.b.ins().uextend(I64, from), body.m.c.b.ins().uextend(I64, to));
    if !deliver::call(body, arrivals, from, to) {
        visit_targets(body, arrivals, from, to);
    }
    body.outer.pop();
}

/// All rows of a column, in the order of the lists of arrivals.
fn all_targets(body: &mut Body<'_, '_, '_>, arrivals: &Arrivals, column: Value) {
    body.place_all();
    let from = body.m.c.b.ins().imul_imm_s(column, arrivals.pitch as i64);
    let lists = body.m.place(arrivals.lists, &vec![], None, &[]);
    let pairs = 2 * arrivals.steps;
    let first = body.m.c.b.ins().imul_imm_s(column, pairs as i64);
    let to = body.m.load_element(lists, Some(first), pairs - 1);
    let to = body.m.c.b.ins().uextend(I64, to);
    visit_targets(body, arrivals, from, to);
}

/// The rows of targets `from` to `to`, of which there are some, four at a time.
fn visit_targets(body: &mut Body<'_, '_, '_>, arrivals: &Arrivals, from: Value, to: Value) {
    let targets = body.m.place(arrivals.targets, &vec![], None, &[]);
    let (inner, after) = (body.m.c.b.create_block(), body.m.c.b.create_block());
    let at = body.m.c.b.append_block_param(inner, I64);
    body.m.c.b.ins().jump(inner, &[from.into()]);
    body.m.c.b.switch_to_block(inner);
    let rows = std::array::from_fn(|lane| body.m.load_index(targets, Some(at), lane));
    visit_rows(body, rows, 4, Some(at));
    let onwards = body.m.c.b.ins().iadd_imm_s(at, 4);
    let more = body.m.c.b.ins().icmp(IntCC::UnsignedLessThan, onwards, to);
    body.m.c.b.ins().brif(more, inner, &[onwards.into()], after, &[]);
    body.m.c.b.switch_to_block(after);
}

/// Up to four rows of a column, and where the first of them is in arrays that lie by delay. If two lanes are of the same row,
/// what the last one does counts.
pub(super) fn visit_rows(body: &mut Body<'_, '_, '_>, rows: [Value; 4], valid: usize, placed: Option<Value>) {
    let nest = body.nest;
    let chunk = body.m.index(0);
    let at = At { chunk, first: 0, valid, listed: Some(rows), placed };
    body.words.fill(None);
    body.drawn.fill(Vec::new());
    body.copied.clear();
    for (n, typed) in nest.insts.iter().enumerate() {
        if typed.inst.is_effect() {
            body.effect(n, typed, at);
        } else if body.in_chunks(n) {
            let value = body.value(n, typed, at);
            body.values[n] = Some(value);
        }
    }
}

/// The sums of all rows from their partial sums, in the order that [`crate::loops`] promises. Leaves zeros for the next step.
fn add_up(m: &mut Memories<'_, '_>, rows: usize, elem: Elem, op: ReduceOp, buffer: BufferId, partials: BufferId) {
    let (l, _) = m.open_loop(&[]);
    let at = At { chunk: l.counter, first: 0, valid: 4, listed: None, placed: None };
    let zero = super::ops::literal(&mut m.c, super::reduce::identity(op, elem));
    let mut lanes: Vec<Lanes> = (0..LANES)
        .map(|lane| {
            let lane = m.index(lane);
            let from = m.place(partials, &vec![0, 1], Some(1), &[lane]);
            let sum = m.load(from, at);
            m.store(from, at, zero);
            sum
        })
        .collect();
    while lanes.len() > 1 {
        let upper = lanes.split_off(lanes.len() / 2);
        lanes = lanes.into_iter().zip(upper).map(|(a, b)| combine(&mut m.c, op, elem, a, b)).collect();
    }
    let to = m.place(buffer, &vec![0], Some(0), &[]);
    m.store(to, at, lanes[0]);
    m.close_loop(l, 4, rows, &[]);
}

impl Memories<'_, '_> {
    /// Bit `index` of a buffer of one group, as an `i32`.
    fn bit(&mut self, bits: BufferId, index: Value) -> Value {
        let place = self.place(bits, &vec![], None, &[]);
        self.load_element(place, Some(index), 0)
    }
}
