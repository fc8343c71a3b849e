//! One nest: loops, chunks and tails, and what each instruction becomes.
//!
//! An instruction's *level* is the number of loops that must have been entered before its operands exist. Values of a
//! level below the innermost loop are emitted once, outside it, with one element in every lane. The innermost loop goes
//! over chunks of [`LANES`] elements; a chunk is up to four groups of four lanes, each of which runs all instructions
//! before the next begins, which keeps few values live. What concerns a whole chunk, sixteen bits of a truth value, is
//! written after the four.
//!
//! Rows are padded, so most nests simply run over the end of a row. Those that must not (reductions over the innermost
//! loop, bits, stores that are not contiguous) run full chunks in the loop and emit the last, partial one again with
//! constant masks.

use super::access::{At, Follow, Memories, Place, follow};
use super::counted::Loop;
use super::lanes::Lanes;
use super::ops;
use super::parts::Part;
use super::reduce::{finish, identity};
use super::stages::{Plan, plan};
use crate::ir::{DType, ReduceOp};
use crate::loops::{Beside, BufferId, Inst, LANES, Lowered, Map, Nest, Role, Val, Walk};
use cranelift::prelude::*;

/// Chunks from which on intrinsics are called.
const FEWEST_CHUNKS: usize = 2;

/// Places an instruction of the innermost loop accesses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
    /// The data.
    pub(super) main: Place,
    /// Offsets or delays, read per lane.
    pub(super) indices: Option<Place>,
}

/// A nest under construction.
pub(super) struct Body<'k, 'a, 'f> {
    pub(super) m: &'k mut Memories<'a, 'f>,
    pub(super) nest: &'k Nest,
    /// The innermost loop, if there is any.
    inner: Option<usize>,
    /// Level of each instruction.
    levels: Vec<usize>,
    /// The four lanes last emitted for each instruction.
    pub(super) values: Vec<Option<Lanes>>,
    pub(super) access: Vec<Option<Access>>,
    /// Sixteen bits of the current chunk, for loads of bits.
    pub(super) words: Vec<Option<Value>>,
    /// Random words of the current chunk's groups, for draws that are made together.
    pub(super) drawn: Vec<Vec<[Value; 2]>>,
    /// Masks of the current chunk, for stores of bits.
    pub(super) masks: Vec<Vec<Value>>,
    /// Partial results, for reductions over the innermost loop.
    pub(super) partials: Vec<Option<[Lanes; 4]>>,
    /// Indices of the loops around the innermost one.
    pub(super) outer: Vec<Value>,
    /// Row-major index of the innermost loop's first element.
    pub(super) row: Value,
    /// The delays that are `.1` at all elements being visited.
    pub(super) delay: Option<(BufferId, Value)>,
    /// The history whose truth value of that many steps ago is true at all of them.
    pub(super) arrived: Option<BufferId>,
    /// The step, modulo 2^16, of the event that is replayed, and the step now: `i64`.
    pub(super) then: Option<(Value, Value)>,
    /// Buffers of sums over the outer loop, and of the sixteen partial sums that they are taken in.
    pub(super) parts: Vec<(BufferId, BufferId)>,
    /// Stores leave what is there where the mask `.1` is set and one of these values is true, if there are any.
    pub(super) spared: (Vec<Val>, Option<Value>),
    /// Stores, which are of one element, go to `.1` if `.0` is not 0.
    pub(super) aside: Option<(Value, BufferId)>,
    /// Values of rows that have a copy.
    pub(super) beside: Option<&'k Beside>,
    /// Those of the four rows being visited.
    pub(super) copied: Vec<Lanes>,
}

/// Emits a nest into the current block.
pub(crate) fn emit(m: &mut Memories<'_, '_>, number: usize) {
    let lowered: &Lowered = m.lowered;
    let nest = &lowered.nests[number];
    for typed in &nest.insts {
        match &typed.inst {
            Inst::Reduce { op, buffer, over, .. } if nest.size() == 0 || *over + 1 != nest.sizes.len() => {
                m.fill(*buffer, *op);
            }
            Inst::ScatterAdd { buffer, .. } => m.fill(*buffer, ReduceOp::Sum),
            _ => {}
        }
    }
    if nest.size() == 0 {
        return;
    }
    match &nest.walk {
        Walk::All => emit_all(m, nest),
        Walk::Visit(visit) => super::visits::emit(m, number, visit),
        Walk::Scan(scan) => {
            let (unused, none) = (m.index(0), m.c.b.ins().iconst(types::I32, 0));
            m.call(Part::List(*scan), [unused, none, none, none]);
        }
        Walk::Replay(log) => super::replay::emit(m, *log),
    }
}

/// Emits a nest that goes over all elements.
pub(super) fn emit_all(m: &mut Memories<'_, '_>, nest: &Nest) {
    Body::new(m, nest, None).loops(0);
}

/// The number of loops each instruction is inside of; effects are inside all of them. Reads through `delays` are reads of
/// one row.
fn levels(nest: &Nest, delays: Option<BufferId>) -> Vec<usize> {
    let all = nest.sizes.len();
    let of_map = |map: &Map| map.iter().map(|l| l + 1).max().unwrap_or(0);
    let mut levels: Vec<usize> = Vec::with_capacity(nest.insts.len());
    for typed in &nest.insts {
        let level = match &typed.inst {
            Inst::Literal(_) => 0,
            Inst::Load { map, .. } | Inst::LoadAt { map, .. } => of_map(map),
            Inst::LoadDelayed { map, delays: by, .. } if Some(*by) == delays => of_map(map),
            // In a replay, how long ago something was depends on the entry.
            Inst::LoadDelayed { map, delays_map, .. } => {
                let entry = if matches!(nest.walk, Walk::Replay(_)) { 2 } else { 0 };
                of_map(map).max(of_map(delays_map)).max(entry)
            }
            Inst::Index => all,
            inst if inst.is_effect() => all,
            inst => inst.operands().into_iter().map(|v| levels[v.index()]).max().unwrap_or(0),
        };
        levels.push(level);
    }
    levels
}

impl<'k, 'a, 'f> Body<'k, 'a, 'f> {
    /// A body without code. `delays` are the same at all elements of a loop, as [`Body::delay`] will say.
    pub(super) fn new(m: &'k mut Memories<'a, 'f>, nest: &'k Nest, delays: Option<BufferId>) -> Self {
        let count = nest.insts.len();
        let row = m.index(0);
        Body {
            inner: nest.sizes.len().checked_sub(1),
            levels: levels(nest, delays),
            values: vec![None; count],
            access: vec![None; count],
            words: vec![None; count],
            drawn: vec![Vec::new(); count],
            masks: vec![Vec::new(); count],
            partials: vec![None; count],
            outer: Vec::new(),
            row,
            delay: None,
            arrived: None,
            then: None,
            parts: Vec::new(),
            spared: (Vec::new(), None),
            aside: None,
            beside: None,
            copied: Vec::new(),
            m,
            nest,
        }
    }
}

impl Body<'_, '_, '_> {
    /// Emits loop `depth` and everything inside, in the body of the loops around it.
    pub(super) fn loops(&mut self, depth: usize) {
        self.hoisted(depth);
        if depth + 1 >= self.nest.sizes.len() {
            self.innermost();
            return;
        }
        let (count, block_size) = (self.nest.sizes[depth], self.nest.sizes[depth + 1..].iter().product::<usize>());
        let row = self.row;
        if count == 1 {
            let zero = self.m.index(0);
            self.outer.push(zero);
            self.loops(depth + 1);
        } else {
            let (l, _) = self.m.open_loop(&[]);
            self.outer.push(l.counter);
            let before = self.m.c.b.ins().imul_imm_s(l.counter, block_size as i64);
            self.row = self.m.c.b.ins().iadd(row, before);
            self.loops(depth + 1);
            self.m.close_loop(l, 1, count, &[]);
        }
        self.outer.pop();
        self.row = row;
    }

    /// Emits the values of level `depth`, if that is outside the innermost loop.
    pub(super) fn hoisted(&mut self, depth: usize) {
        let nest = self.nest;
        for (n, typed) in nest.insts.iter().enumerate() {
            if self.levels[n] == depth && !self.in_chunks(n) {
                self.access[n] = self.places(&typed.inst);
                let chunk = self.m.index(0);
                let value = self.value(n, typed, At { chunk, first: 0, valid: 1, listed: None, placed: None });
                self.values[n] = Some(value);
            }
        }
    }

    /// True for instructions emitted in the innermost loop; of a scalar nest, the effects.
    pub(super) fn in_chunks(&self, n: usize) -> bool {
        let inst = &self.nest.insts[n].inst;
        match self.inner {
            Some(inner) => self.levels[n] == inner + 1,
            None => inst.is_effect(),
        }
    }

    /// Finds the places of the instructions of the innermost loop, for the current indices of the outer ones.
    pub(super) fn place_all(&mut self) {
        let nest = self.nest;
        for (n, typed) in nest.insts.iter().enumerate() {
            if self.in_chunks(n) {
                self.access[n] = self.places(&typed.inst);
            }
        }
    }

    pub(super) fn innermost(&mut self) {
        let nest = self.nest;
        for (n, typed) in nest.insts.iter().enumerate() {
            if self.in_chunks(n) {
                self.access[n] = self.places(&typed.inst);
            }
            if let Inst::Reduce { op, over, .. } = typed.inst
                && Some(over) == self.inner
            {
                let start = ops::literal(&mut self.m.c, identity(op, typed.elem));
                self.partials[n] = Some([start; 4]);
            }
        }
        let size = nest.inner();
        let exact = !size.is_multiple_of(LANES) && self.must_stop_at_the_end();
        let full = if exact { size / LANES } else { size.div_ceil(LANES) };
        match (full, self.plan(full)) {
            (0, _) => {}
            (_, Some(plan)) => self.staged(&plan, full),
            (1, None) => {
                let zero = self.m.index(0);
                self.chunk(zero, size.min(LANES));
            }
            (_, None) => self.chunk_loop(full),
        }
        if exact {
            let rest = self.m.index(full * LANES);
            self.chunk(rest, size % LANES);
        }
        for (n, typed) in nest.insts.iter().enumerate() {
            if let (Some(partials), Inst::Reduce { op, buffer, map, .. }) = (self.partials[n], &typed.inst) {
                let result = finish(&mut self.m.c, *op, typed.elem, partials);
                let place = self.m.place(*buffer, map, self.inner, &self.outer);
                self.m.store_element(place, None, 0, result);
            }
        }
    }

    /// True if a whole last chunk would write, or read, what is not its own.
    fn must_stop_at_the_end(&self) -> bool {
        let lowered = self.m.lowered;
        let bits = |buffer: BufferId| lowered.buffer(buffer).dtype == DType::Bool;
        let strided = |buffer, map| matches!(follow(lowered, buffer, map, self.inner), Follow::Strided(_));
        self.nest.insts.iter().any(|typed| match &typed.inst {
            Inst::Store { buffer, map, .. } => bits(*buffer) || strided(*buffer, map),
            Inst::Reduce { buffer, map, over, .. } => {
                Some(*over) == self.inner || bits(*buffer) || strided(*buffer, map)
            }
            Inst::StoreAt { .. } | Inst::ScatterAdd { .. } => true,
            Inst::Load { buffer, map } | Inst::StoreRow { history: buffer, map, .. } => strided(*buffer, map),
            Inst::LoadAt { offsets, map, .. } => strided(*offsets, map),
            Inst::LoadDelayed { history, map, delays, delays_map } => {
                strided(*history, map) || strided(*delays, delays_map)
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
            | Inst::Threefry { .. } => false,
        })
    }

    /// The stages of `full` chunks, if intrinsics are called and there are enough elements for calls to pay.
    fn plan(&self, full: usize) -> Option<Plan> {
        if !self.m.intrinsics || self.nest.visit().is_some() || full < FEWEST_CHUNKS {
            return None;
        }
        let inside: Vec<bool> = (0..self.nest.insts.len()).map(|n| self.in_chunks(n)).collect();
        plan(self.nest, &self.access, &inside)
    }

    /// A loop that carries the partial results.
    pub(super) fn open_carrying(&mut self) -> Loop {
        let (l, carried) = self.m.open_loop(&self.partial_values());
        let mut carried = carried.into_iter();
        for lanes in self.partials.iter_mut().flatten().flatten() {
            *lanes = lanes.map(|_| carried.next().expect("one value for each initial one"));
        }
        l
    }

    /// `count` full chunks.
    fn chunk_loop(&mut self, count: usize) {
        let l = self.open_carrying();
        self.chunk(l.counter, LANES);
        let carried = self.partial_values();
        self.m.close_loop(l, LANES, count * LANES, &carried);
    }

    /// The vectors of all partial results.
    pub(super) fn partial_values(&self) -> Vec<Value> {
        self.partials.iter().flatten().flatten().flat_map(|lanes| lanes.values()).collect()
    }

    /// One chunk that starts at element `chunk` and has `valid` elements.
    fn chunk(&mut self, chunk: Value, valid: usize) {
        let nest = self.nest;
        self.words.fill(None);
        self.drawn.fill(Vec::new());
        for first in (0..valid).step_by(4) {
            let at = At { chunk, first, valid: (valid - first).min(4), listed: None, placed: None };
            for n in 0..nest.insts.len() {
                if self.in_chunks(n) {
                    self.emit(n, at);
                }
            }
        }
        for (n, typed) in nest.insts.iter().enumerate() {
            if !self.masks[n].is_empty() {
                self.write_bits(n, typed, chunk, valid);
            }
        }
    }

    /// Emits an instruction of the innermost loop for four lanes.
    pub(super) fn emit(&mut self, n: usize, at: At) {
        let typed = &self.nest.insts[n];
        if typed.inst.is_effect() {
            self.effect(n, typed, at);
        } else {
            let value = self.value(n, typed, at);
            self.values[n] = Some(value);
        }
    }

    /// Places of an instruction's accesses, for the current indices of the outer loops.
    pub(super) fn places(&mut self, inst: &Inst) -> Option<Access> {
        if let Inst::Reduce { buffer, .. } = inst
            && let Some(&(_, partials)) = self.parts.iter().find(|(to, _)| to == buffer)
        {
            let lane = self.m.c.b.ins().band_imm_u(self.outer[0], LANES as i64 - 1);
            return Some(Access { main: self.m.place(partials, &vec![0, 1], self.inner, &[lane]), indices: None });
        }
        let mut place = |buffer: &BufferId, map: &Map| self.m.place(*buffer, map, self.inner, &self.outer);
        let (main, indices) = match inst {
            Inst::Load { buffer, map } | Inst::Store { buffer, map, .. } | Inst::Reduce { buffer, map, .. } => {
                (place(buffer, map), None)
            }
            Inst::LoadAt { buffer, offsets, map } | Inst::ScatterAdd { buffer, offsets, map, .. } => {
                (place(buffer, &vec![]), Some(place(offsets, map)))
            }
            Inst::StoreAt { buffer, .. } | Inst::Lookup { table: buffer, .. } => (place(buffer, &vec![]), None),
            Inst::StoreRow { history, map, .. } => {
                let row = place(history, map);
                let position = self.position(*history);
                (self.m.in_row(row, *history, position), None)
            }
            Inst::LoadDelayed { history, map, delays, delays_map } => {
                if let Some((_, delay)) = self.delay.filter(|(by, _)| by == delays) {
                    let row = place(history, map);
                    return Some(Access { main: self.past_row(*history, row, delay), indices: None });
                }
                let (row, delays) = (place(history, map), place(delays, delays_map));
                if delays.follow == Follow::Uniform {
                    let delay = self.m.load_element(delays, None, 0);
                    (self.past_row(*history, row, delay), None)
                } else {
                    (row, Some(delays))
                }
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
            | Inst::Threefry { .. } => return None,
        };
        Some(Access { main, indices })
    }

    /// The row a history writes in this step, and the number of rows.
    fn history(&self, history: BufferId) -> (usize, BufferId) {
        match self.m.lowered.buffer(history).role {
            Role::History { rows, position, .. } => (rows, position),
            _ => unreachable!("checked: a history"),
        }
    }

    /// The row that this step writes, as an `i64`.
    fn position(&mut self, history: BufferId) -> Value {
        let (_, position) = self.history(history);
        self.m.position(position)
    }

    /// `place` in the row of `delay` (an `i32`) steps ago; before the event that is replayed, if one is.
    pub(super) fn past_row(&mut self, history: BufferId, place: Place, delay: Value) -> Place {
        let (rows, _) = self.history(history);
        let mut position = self.position(history);
        let delay = self.m.c.b.ins().uextend(types::I64, delay);
        if let Some((then, now)) = self.then {
            // The number of rows is a power of two and divides 2^16.
            let base = self.m.c.b.ins().isub(position, now);
            position = self.m.c.b.ins().iadd(base, then);
        }
        let row = self.m.wrapped(position, delay, rows);
        self.m.in_row(place, history, row)
    }
}
