//! A nest that visits some of its elements: whole rows, whole columns, and the elements where a delayed event arrives.
//!
//! ```text
//! if the host wants all, or events are many:   every row                                  (the dense loop)
//! else:   for blocks of eight columns:  for columns with an event, and for arrivals (column, delay):
//!             four of its rows at a time: values, stores, terms of sums into sixteen partial sums a row
//!         add up the partial sums of each row
//!         every row with an event; stores spare the elements that were visited above
//! ```
//!
//! The order of sums is that of the dense loop: of a row, column `j` goes to partial `j mod 16`, in order of `j` (columns of
//! one block go to different partials), and what is left out is zero.

use super::access::{At, Memories};
use super::lanes::Lanes;
use super::nest::Body;
use super::reduce::finish;
use crate::ir::{Elem, ReduceOp};
use crate::loops::{Arrivals, BufferId, Inst, LANES, Nest, REPEATED, Role, Typed, Val, Visit};
use cranelift::prelude::*;
use types::{I32, I32X4, I64};

/// A nest goes over all elements if more than one in so many has an event: a visit costs about that much more than an
/// element of the dense loop.
const DENSE_FROM: usize = 4;

/// Emits `nest`, of two loops.
pub(super) fn emit(m: &mut Memories<'_, '_>, nest: &Nest, visit: &Visit) {
    let (rows, columns) = (nest.sizes[0], nest.sizes[1]);
    let whole = m.c.b.create_block();
    let all = m.c.b.append_block_param(whole, I32);
    let (counted, sparse, done) = (m.c.b.create_block(), m.c.b.create_block(), m.c.b.create_block());
    let one = m.c.b.ins().iconst(I32, 1);
    let zero = m.c.b.ins().iconst(I32, 0);

    let switch = m.lowered.dense.expect("a program with visits has the switch");
    let switch = m.place(switch, &vec![], None, &[]);
    let forced = m.load_element(switch, None, 0);
    m.c.b.ins().brif(forced, whole, &[one.into()], counted, &[]);
    m.c.b.switch_to_block(counted);
    let count = m.count(visit, rows, columns);
    let many = m.c.b.ins().icmp_imm_u(IntCC::UnsignedGreaterThan, count, (rows * columns / DENSE_FROM) as i64);
    m.c.b.ins().brif(many, whole, &[one.into()], sparse, &[]);

    m.c.b.switch_to_block(sparse);
    if !visit.columns.is_empty() || visit.delayed.is_some() {
        by_column(m, nest, visit);
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

/// The rows with an event; all of them if `all` is not 0.
fn by_row(m: &mut Memories<'_, '_>, nest: &Nest, visit: &Visit, all: Value) {
    let spared = nest.insts.iter().enumerate().filter(|(_, typed)| match &typed.inst {
        Inst::LoadDelayed { history, delays, .. } => {
            visit.delayed.as_ref().is_some_and(|a| (a.history, a.delays) == (*history, *delays))
        }
        Inst::Load { buffer, map } => visit.columns.contains(buffer) && map == &vec![1],
        _ => false,
    });
    let spared: Vec<Val> = spared.map(|(n, _)| Val(n as u32)).collect();
    let some = m.c.b.ins().icmp_imm_s(IntCC::Equal, all, 0);
    let some = m.c.b.ins().bmask(I32, some);
    let some = m.c.b.ins().splat(I32X4, some);
    let mut body = Body::new(m, nest, None);
    body.spared = (spared, Some(some));
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

/// The columns with an event, and the elements where a delayed one arrives.
fn by_column(m: &mut Memories<'_, '_>, nest: &Nest, visit: &Visit) {
    visit.sums.iter().for_each(|&(_, partials)| m.fill(partials, ReduceOp::Sum));
    let (rows, columns) = (nest.sizes[0], nest.sizes[1]);
    let turned = turned(nest);
    if !visit.columns.is_empty() && visit.delayed.is_none() {
        let mut body = Body::new(m, &turned, None);
        body.hoisted(0);
        let (l, _) = body.m.open_loop(&[]);
        column(&mut body, visit, l.counter, rows);
        body.m.close_loop(l, 1, columns, &[]);
    }
    if let Some(arrivals) = &visit.delayed {
        if !visit.columns.is_empty() {
            let (l, _) = m.open_loop(&[]);
            let block = l.counter;
            let mut body = Body::new(m, &turned, None);
            body.hoisted(0);
            for j in 0..8 {
                let j = body.m.c.b.ins().iadd_imm_s(block, j);
                let last = body.m.index(columns - 1);
                let inside = body.m.c.b.ins().icmp(IntCC::UnsignedLessThanOrEqual, j, last);
                let (there, after) = (body.m.c.b.create_block(), body.m.c.b.create_block());
                body.m.c.b.ins().brif(inside, there, &[], after, &[]);
                body.m.c.b.switch_to_block(there);
                column(&mut body, visit, j, rows);
                body.m.c.b.ins().jump(after, &[]);
                body.m.c.b.switch_to_block(after);
            }
            let mut body = Body::new(m, &turned, Some(arrivals.delays));
            body.hoisted(0);
            block_of_arrivals(&mut body, arrivals, Some(visit), block);
            m.close_loop(l, 8, columns, &[]);
        } else {
            let mut body = Body::new(m, &turned, Some(arrivals.delays));
            body.hoisted(0);
            let (l, _) = body.m.open_loop(&[]);
            block_of_arrivals(&mut body, arrivals, None, l.counter);
            body.m.close_loop(l, 8, columns, &[]);
        }
    }
    for typed in &nest.insts {
        if let Inst::Reduce { op, buffer, .. } = typed.inst {
            add_up(m, rows, typed.elem, op, buffer, visit.partials_of(buffer));
        }
    }
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

/// All rows of column `j`, if it has an event.
fn column(body: &mut Body<'_, '_, '_>, visit: &Visit, j: Value, rows: usize) {
    let (visited, next) = (body.m.c.b.create_block(), body.m.c.b.create_block());
    let wanted = body.m.any_bit(&visit.columns, j);
    body.m.c.b.ins().brif(wanted, visited, &[], next, &[]);
    body.m.c.b.switch_to_block(visited);
    enter(body, j);
    let (l, _) = body.m.open_loop(&[]);
    let last = body.m.index(rows - 1);
    let mut valid = Vec::new();
    let listed = std::array::from_fn(|lane| {
        let row = body.m.c.b.ins().iadd_imm_s(l.counter, lane as i64);
        valid.push(body.m.c.b.ins().icmp(IntCC::UnsignedLessThanOrEqual, row, last));
        body.m.c.b.ins().umin(row, last)
    });
    let masks: Vec<Value> = valid.into_iter().map(|v| body.m.c.b.ins().bmask(I32, v)).collect();
    let valid = body.m.c.gather(&masks).one();
    visit_four(body, j, listed, valid);
    body.m.close_loop(l, 4, rows, &[]);
    leave(body);
    body.m.c.b.ins().jump(next, &[]);
    body.m.c.b.switch_to_block(next);
}

/// The arrivals of columns `block` to `block + 7`. Columns of `except` with an event have been visited.
fn block_of_arrivals(body: &mut Body<'_, '_, '_>, arrivals: &Arrivals, except: Option<&Visit>, block: Value) {
    let steps = arrivals.steps;
    let (l, _) = body.m.open_loop(&[]);
    // Byte `j` of the word has a bit for each of eight delays.
    let first = l.counter;
    let mut word = body.m.c.b.ins().iconst(I64, 0);
    let ones = body.m.c.b.ins().iconst(I64, 0x0101_0101_0101_0101);
    for delay in 0..steps.min(8) {
        let step = body.m.c.b.ins().iadd_imm_s(first, delay as i64);
        let events = body.m.past_bytes(arrivals.history, step, block, steps);
        let mut events = body.m.c.b.ins().band(events, ones);
        if steps > 8 && delay > 0 {
            let inside = body.m.c.b.ins().icmp_imm_u(IntCC::UnsignedLessThan, step, steps as i64);
            let inside = body.m.c.b.ins().bmask(I64, inside);
            events = body.m.c.b.ins().band(events, inside);
        }
        let events = body.m.c.b.ins().ishl_imm_u(events, delay as i64);
        word = body.m.c.b.ins().bor(word, events);
    }
    let (head, found, next, exit) = {
        let b = &mut body.m.c.b;
        (b.create_block(), b.create_block(), b.create_block(), b.create_block())
    };
    let rest = body.m.c.b.append_block_param(head, I64);
    body.m.c.b.ins().brif(word, head, &[word.into()], exit, &[]);
    body.m.c.b.switch_to_block(head);
    let bit = body.m.c.b.ins().ctz(rest);
    let column = body.m.c.b.ins().ushr_imm_u(bit, 3);
    let j = body.m.c.b.ins().iadd(block, column);
    let step = body.m.c.b.ins().band_imm_u(bit, 7);
    let step = body.m.c.b.ins().iadd(first, step);
    let bucket = body.m.c.b.ins().imul_imm_s(j, steps as i64);
    let bucket = body.m.c.b.ins().iadd(bucket, step);
    let starts = body.m.place(arrivals.starts, &vec![], None, &[]);
    let from = body.m.load_element(starts, Some(bucket), 0);
    let to = body.m.load_element(starts, Some(bucket), 1);
    let mut empty = body.m.c.b.ins().icmp(IntCC::Equal, from, to);
    if let Some(visit) = except {
        let visited = body.m.any_bit(&visit.columns, j);
        let visited = body.m.c.b.ins().icmp_imm_s(IntCC::NotEqual, visited, 0);
        empty = body.m.c.b.ins().bor(empty, visited);
    }
    body.m.c.b.ins().brif(empty, next, &[], found, &[]);

    body.m.c.b.switch_to_block(found);
    let delay = body.m.c.b.ins().ireduce(I32, step);
    body.delay = Some((arrivals.delays, delay));
    enter(body, j);
    let (inner, after) = (body.m.c.b.create_block(), body.m.c.b.create_block());
    let at = body.m.c.b.append_block_param(inner, I64);
    let (from, to) = (body.m.c.b.ins().uextend(I64, from), body.m.c.b.ins().uextend(I64, to));
    body.m.c.b.ins().jump(inner, &[from.into()]);
    body.m.c.b.switch_to_block(inner);
    let targets = body.m.place(arrivals.targets, &vec![0], Some(0), &[]);
    let four = body.m.load(targets, At { chunk: at, first: 0, valid: 4, listed: None }).one();
    let mark = body.m.c.int(i32::from(REPEATED));
    let repeated = body.m.c.b.ins().band(four, mark);
    let nothing = body.m.c.int(0);
    let valid = body.m.c.b.ins().icmp(IntCC::Equal, repeated, nothing);
    let four = body.m.c.b.ins().band_not(four, mark);
    let listed = std::array::from_fn(|lane| {
        let row = body.m.c.b.ins().extractlane(four, lane as u8);
        body.m.c.b.ins().uextend(I64, row)
    });
    visit_four(body, j, listed, valid);
    let onwards = body.m.c.b.ins().iadd_imm_s(at, 4);
    let more = body.m.c.b.ins().icmp(IntCC::UnsignedLessThan, onwards, to);
    body.m.c.b.ins().brif(more, inner, &[onwards.into()], after, &[]);
    body.m.c.b.switch_to_block(after);
    leave(body);
    body.delay = None;
    body.m.c.b.ins().jump(next, &[]);

    body.m.c.b.switch_to_block(next);
    let less = body.m.c.b.ins().iadd_imm_s(rest, -1);
    let rest = body.m.c.b.ins().band(rest, less);
    body.m.c.b.ins().brif(rest, head, &[rest.into()], exit, &[]);
    body.m.c.b.switch_to_block(exit);
    body.m.close_loop(l, 8, steps, &[]);
}

/// Enters column `j`: values that are the same for all of its rows, and places.
fn enter(body: &mut Body<'_, '_, '_>, j: Value) {
    body.outer.push(j);
    body.hoisted(1);
    for (n, typed) in body.nest.insts.iter().enumerate() {
        if body.in_chunks(n) {
            body.access[n] = body.places(&typed.inst);
        }
    }
}

fn leave(body: &mut Body<'_, '_, '_>) {
    body.outer.pop();
}

/// Four rows of column `j`. Rows of lanes that are not `valid` occur in another lane.
fn visit_four(body: &mut Body<'_, '_, '_>, j: Value, listed: [Value; 4], valid: Value) {
    let nest = body.nest;
    let chunk = body.m.index(0);
    let at = At { chunk, first: 0, valid: 4, listed: Some(listed) };
    body.words.fill(None);
    body.drawn.fill(Vec::new());
    for (n, typed) in nest.insts.iter().enumerate() {
        match &typed.inst {
            Inst::Reduce { value, buffer, .. } => {
                let terms = body.get(*value);
                let partials = visit_of(nest).partials_of(*buffer);
                add_terms(body, typed, partials, terms, j, listed, valid);
            }
            inst if inst.is_effect() => body.effect(n, typed, at),
            _ if body.in_chunks(n) => {
                let value = body.value(n, typed, at);
                body.values[n] = Some(value);
            }
            _ => {}
        }
    }
}

fn visit_of(nest: &Nest) -> &Visit {
    nest.visit.as_ref().expect("the nest of a visit")
}

impl Visit {
    /// The partial sums of the sum that goes to `buffer`.
    fn partials_of(&self, buffer: BufferId) -> BufferId {
        self.sums.iter().find(|(to, _)| *to == buffer).expect("checked: sums have partial sums").1
    }
}

/// Adds the terms of four rows to their partial sums for column `j`.
fn add_terms(
    body: &mut Body<'_, '_, '_>,
    typed: &Typed,
    partials: BufferId,
    terms: Lanes,
    j: Value,
    rows: [Value; 4],
    valid: Value,
) {
    let zero = super::ops::literal(&mut body.m.c, crate::ir::Literal::from_f64(0.0, typed.elem));
    let terms = body.m.c.select(valid, terms, zero);
    let lane_of = body.m.c.b.ins().band_imm_u(j, LANES as i64 - 1);
    let place = body.m.place(partials, &vec![], None, &[]);
    for (lane, row) in rows.into_iter().enumerate() {
        let start = body.m.c.b.ins().imul_imm_s(row, LANES as i64);
        let at = body.m.c.b.ins().iadd(start, lane_of);
        let old = body.m.load_element(place, Some(at), 0);
        let term = body.m.c.lane(terms, lane);
        let ins = body.m.c.b.ins();
        let new = if typed.elem == Elem::I32 { ins.iadd(old, term) } else { ins.fadd(old, term) };
        body.m.store_element(place, Some(at), 0, new);
    }
}

/// The sums of all rows from their partial sums.
fn add_up(m: &mut Memories<'_, '_>, rows: usize, elem: Elem, op: ReduceOp, buffer: BufferId, partials: BufferId) {
    let (l, _) = m.open_loop(&[]);
    let chunk = m.c.b.ins().imul_imm_s(l.counter, LANES as i64);
    let from = m.place(partials, &vec![0], Some(0), &[]);
    let lanes = std::array::from_fn(|i| m.load(from, At { chunk, first: 4 * i, valid: 4, listed: None }));
    let sum = finish(&mut m.c, op, elem, lanes);
    let to = m.place(buffer, &vec![], None, &[]);
    m.store_element(to, Some(l.counter), 0, sum);
    m.close_loop(l, 1, rows, &[]);
}

impl Memories<'_, '_> {
    /// Bit `index` of a buffer of one group, as an `i32`.
    fn bit(&mut self, bits: BufferId, index: Value) -> Value {
        let place = self.place(bits, &vec![], None, &[]);
        self.load_element(place, Some(index), 0)
    }

    /// Other than 0 if bit `index` of one of the buffers is set.
    fn any_bit(&mut self, buffers: &[BufferId], index: Value) -> Value {
        let zero = self.c.b.ins().iconst(I32, 0);
        buffers.iter().fold(zero, |any, &bits| {
            let bit = self.bit(bits, index);
            self.c.b.ins().bor(any, bit)
        })
    }

    /// Eight elements, from `column` on, of the row of a history of bytes `step` steps ago. Steps beyond the last are the last.
    fn past_bytes(&mut self, history: BufferId, step: Value, column: Value, steps: usize) -> Value {
        let Role::History { rows, position } = self.lowered.buffer(history).role else {
            unreachable!("checked: a history")
        };
        let place = self.place(position, &vec![], None, &[]);
        let position = self.load_element(place, None, 0);
        let position = self.c.b.ins().uextend(I64, position);
        let last = self.index(steps - 1);
        let step = self.c.b.ins().umin(step, last);
        let row = self.c.b.ins().isub(position, step);
        let wrapped = self.c.b.ins().iadd_imm_s(row, rows as i64);
        let zero = self.index(0);
        let negative = self.c.b.ins().icmp(IntCC::SignedLessThan, row, zero);
        let row = self.c.b.ins().select(negative, wrapped, row);
        let pitch = self.lowered.buffer(history).padded_len();
        let offset = self.c.b.ins().imul_imm_s(row, pitch as i64);
        let offset = self.c.b.ins().iadd(offset, column);
        let start = self.start(history);
        let address = self.c.b.ins().iadd(start, offset);
        let flags = self.flags(history);
        self.c.b.ins().load(I64, flags, address, 0)
    }

    /// About how many elements have an event.
    fn count(&mut self, visit: &Visit, rows: usize, columns: usize) -> Value {
        let mut total = self.index(0);
        for (list, weight) in [(&visit.rows, columns), (&visit.columns, rows)] {
            for &bits in list {
                let words = self.lowered.buffer(bits).stride() / 64;
                let (start, flags) = (self.start(bits), self.flags(bits));
                let zero = self.index(0);
                let (l, carried) = self.open_loop(&[zero]);
                let offset = self.c.b.ins().ishl_imm_u(l.counter, 3);
                let address = self.c.b.ins().iadd(start, offset);
                let word = self.c.b.ins().load(I64, flags, address, 0);
                let ones = self.c.b.ins().popcnt(word);
                let sum = self.c.b.ins().iadd(carried[0], ones);
                self.close_loop(l, 1, words, &[sum]);
                let elements = self.c.b.ins().imul_imm_s(sum, weight as i64);
                total = self.c.b.ins().iadd(total, elements);
            }
        }
        if let Some(arrivals) = &visit.delayed {
            let ones = self.c.b.ins().iconst(I64, 0x0101_0101_0101_0101);
            let zero = self.index(0);
            let (steps, sums) = self.open_loop(&[zero]);
            let (blocks, carried) = self.open_loop(&[sums[0]]);
            let word = self.past_bytes(arrivals.history, steps.counter, blocks.counter, arrivals.steps);
            let word = self.c.b.ins().band(word, ones);
            let events = self.c.b.ins().popcnt(word);
            let sum = self.c.b.ins().iadd(carried[0], events);
            self.close_loop(blocks, 8, columns, &[sum]);
            self.close_loop(steps, 1, arrivals.steps, &[sum]);
            // A column's rows are spread over its delays.
            let elements = self.c.b.ins().imul_imm_s(sum, (rows / arrivals.steps).max(1) as i64);
            total = self.c.b.ins().iadd(total, elements);
        }
        total
    }
}
