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

use super::access::{At, Follow, Memories, Place, follow, narrow, widen};
use super::draws::draw;
use super::lanes::Lanes;
use super::ops;
use super::reduce::{combine, finish, identity};
use crate::ir::{DType, Elem, Literal, ReduceOp, ThreefryWord};
use crate::loops::{BufferId, Inst, LANES, Lowered, Map, Nest, Role, Typed, Val};
use cranelift::prelude::*;

/// Places an instruction of the innermost loop accesses.
#[derive(Clone, Copy, Debug)]
struct Access {
    /// The data.
    main: Place,
    /// Offsets or delays, read per lane.
    indices: Option<Place>,
}

/// A nest under construction.
struct Body<'k, 'a, 'f> {
    m: &'k mut Memories<'a, 'f>,
    nest: &'a Nest,
    /// The innermost loop, if there is any.
    inner: Option<usize>,
    /// Level of each instruction.
    levels: Vec<usize>,
    /// The four lanes last emitted for each instruction.
    values: Vec<Option<Lanes>>,
    access: Vec<Option<Access>>,
    /// Sixteen bits of the current chunk, for loads of bits.
    words: Vec<Option<Value>>,
    /// Random words of the current chunk's groups, for draws that are made together.
    drawn: Vec<Vec<[Value; 2]>>,
    /// Masks of the current chunk, for stores of bits.
    masks: Vec<Vec<Value>>,
    /// Partial results, for reductions over the innermost loop.
    partials: Vec<Option<[Lanes; 4]>>,
    /// Indices of the loops around the innermost one.
    outer: Vec<Value>,
    /// Row-major index of the innermost loop's first element.
    row: Value,
}

/// Emits a nest into the current block.
pub(crate) fn emit(m: &mut Memories<'_, '_>, nest: usize) {
    let lowered: &Lowered = m.lowered;
    let nest = &lowered.nests[nest];
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
    let count = nest.insts.len();
    let row = m.index(0);
    let mut body = Body {
        inner: nest.sizes.len().checked_sub(1),
        levels: levels(nest),
        values: vec![None; count],
        access: vec![None; count],
        words: vec![None; count],
        drawn: vec![Vec::new(); count],
        masks: vec![Vec::new(); count],
        partials: vec![None; count],
        outer: Vec::new(),
        row,
        m,
        nest,
    };
    body.loops(0);
}

/// The number of loops each instruction is inside of; effects are inside all of them.
fn levels(nest: &Nest) -> Vec<usize> {
    let all = nest.sizes.len();
    let of_map = |map: &Map| map.iter().map(|l| l + 1).max().unwrap_or(0);
    let mut levels: Vec<usize> = Vec::with_capacity(nest.insts.len());
    for typed in &nest.insts {
        let level = match &typed.inst {
            Inst::Literal(_) => 0,
            Inst::Load { map, .. } | Inst::LoadAt { map, .. } => of_map(map),
            Inst::LoadDelayed { map, delays_map, .. } => of_map(map).max(of_map(delays_map)),
            Inst::Index => all,
            inst if inst.is_effect() => all,
            inst => inst.operands().into_iter().map(|v| levels[v.index()]).max().unwrap_or(0),
        };
        levels.push(level);
    }
    levels
}

impl Body<'_, '_, '_> {
    /// Emits loop `depth` and everything inside, in the body of the loops around it.
    fn loops(&mut self, depth: usize) {
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
    fn hoisted(&mut self, depth: usize) {
        let nest = self.nest;
        for (n, typed) in nest.insts.iter().enumerate() {
            if self.levels[n] == depth && !self.in_chunks(n) {
                self.access[n] = self.places(&typed.inst);
                let chunk = self.m.index(0);
                let value = self.value(n, typed, At { chunk, first: 0, valid: 1 });
                self.values[n] = Some(value);
            }
        }
    }

    /// True for instructions emitted in the innermost loop; of a scalar nest, the effects.
    fn in_chunks(&self, n: usize) -> bool {
        let inst = &self.nest.insts[n].inst;
        match self.inner {
            Some(inner) => self.levels[n] == inner + 1,
            None => inst.is_effect(),
        }
    }

    fn innermost(&mut self) {
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
        match full {
            0 => {}
            1 => {
                let zero = self.m.index(0);
                self.chunk(zero, size.min(LANES));
            }
            _ => self.chunk_loop(full),
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

    /// `count` full chunks: a loop that carries the partial results.
    fn chunk_loop(&mut self, count: usize) {
        let (l, carried) = self.m.open_loop(&self.partial_values());
        let mut carried = carried.into_iter();
        for lanes in self.partials.iter_mut().flatten().flatten() {
            *lanes = lanes.map(|_| carried.next().expect("one value for each initial one"));
        }
        self.chunk(l.counter, LANES);
        let carried = self.partial_values();
        self.m.close_loop(l, LANES, count * LANES, &carried);
    }

    /// The vectors of all partial results.
    fn partial_values(&self) -> Vec<Value> {
        self.partials.iter().flatten().flatten().flat_map(|lanes| lanes.values()).collect()
    }

    /// One chunk that starts at element `chunk` and has `valid` elements.
    fn chunk(&mut self, chunk: Value, valid: usize) {
        let nest = self.nest;
        self.words.fill(None);
        self.drawn.fill(Vec::new());
        for first in (0..valid).step_by(4) {
            let at = At { chunk, first, valid: (valid - first).min(4) };
            for (n, typed) in nest.insts.iter().enumerate() {
                if !self.in_chunks(n) {
                    continue;
                }
                if typed.inst.is_effect() {
                    self.effect(n, typed, at);
                } else {
                    let value = self.value(n, typed, at);
                    self.values[n] = Some(value);
                }
            }
        }
        for (n, typed) in nest.insts.iter().enumerate() {
            if !self.masks[n].is_empty() {
                self.write_bits(n, typed, chunk, valid);
            }
        }
    }

    /// Places of an instruction's accesses, for the current indices of the outer loops.
    fn places(&mut self, inst: &Inst) -> Option<Access> {
        let mut place = |buffer: &BufferId, map: &Map| self.m.place(*buffer, map, self.inner, &self.outer);
        let (main, indices) = match inst {
            Inst::Load { buffer, map } | Inst::Store { buffer, map, .. } | Inst::Reduce { buffer, map, .. } => {
                (place(buffer, map), None)
            }
            Inst::LoadAt { buffer, offsets, map } | Inst::ScatterAdd { buffer, offsets, map, .. } => {
                (place(buffer, &vec![]), Some(place(offsets, map)))
            }
            Inst::StoreAt { buffer, .. } => (place(buffer, &vec![]), None),
            Inst::StoreRow { history, map, .. } => {
                let row = place(history, map);
                let position = self.position(*history);
                (self.m.in_row(row, *history, position), None)
            }
            Inst::LoadDelayed { history, map, delays, delays_map } => {
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
            Role::History { rows, position } => (rows, position),
            _ => unreachable!("checked: a history"),
        }
    }

    /// The row that this step writes, as an `i64`.
    fn position(&mut self, history: BufferId) -> Value {
        let (_, position) = self.history(history);
        let place = self.m.place(position, &vec![], None, &[]);
        let row = self.m.load_element(place, None, 0);
        self.m.c.b.ins().uextend(types::I64, row)
    }

    /// `place` in the row of `delay` (an `i32`) steps ago.
    fn past_row(&mut self, history: BufferId, place: Place, delay: Value) -> Place {
        let (rows, _) = self.history(history);
        let position = self.position(history);
        let delay = self.m.c.b.ins().uextend(types::I64, delay);
        let row = self.m.c.b.ins().isub(position, delay);
        let wrapped = self.m.c.b.ins().iadd_imm_s(row, rows as i64);
        let zero = self.m.index(0);
        let negative = self.m.c.b.ins().icmp(IntCC::SignedLessThan, row, zero);
        let row = self.m.c.b.ins().select(negative, wrapped, row);
        self.m.in_row(place, history, row)
    }

    fn get(&self, v: Val) -> Lanes {
        self.values[v.index()].expect("checked: operands come first")
    }

    fn elem(&self, v: Val) -> Elem {
        self.nest.insts[v.index()].elem
    }

    /// The four lanes of an instruction that yields a value.
    fn value(&mut self, n: usize, typed: &Typed, at: At) -> Lanes {
        let c = &mut self.m.c;
        match &typed.inst {
            Inst::Literal(value) => ops::literal(c, *value),
            Inst::Unary(op, a) => {
                let (elem, a) = (self.elem(*a), self.get(*a));
                ops::unary(&mut self.m.c, *op, elem, a)
            }
            Inst::Binary(op, a, b) => {
                let (elem, x) = (self.elem(*a), self.get(*a));
                if let Some(by) = super::check::shift_amount(self.nest, *op, *b) {
                    return ops::shift(&mut self.m.c, *op, x, by);
                }
                let y = self.get(*b);
                ops::binary(&mut self.m.c, *op, elem, x, y)
            }
            Inst::Compare(op, a, b) => {
                let (elem, x, y) = (self.elem(*a), self.get(*a), self.get(*b));
                ops::compare(&mut self.m.c, *op, elem, x, y)
            }
            Inst::MulAdd(a, b, addend) => {
                let [x, y, z] = [a, b, addend].map(|v| self.get(*v));
                ops::mul_add(&mut self.m.c, x, y, z)
            }
            Inst::Select(condition, a, b) => {
                let (mask, x, y) = (self.get(*condition).one(), self.get(*a), self.get(*b));
                self.m.c.select(mask, x, y)
            }
            Inst::Cast(a, to) => {
                let (from, x) = (self.elem(*a), self.get(*a));
                ops::cast(&mut self.m.c, from, *to, x)
            }
            Inst::Bitcast(a, to) => {
                let x = self.get(*a);
                ops::bitcast(&mut self.m.c, *to, x)
            }
            Inst::Index => self.index(at),
            Inst::Threefry { word, key, counter } => {
                let [first, second] = self.draw(n, *key, *counter, at);
                Lanes::One(match word {
                    ThreefryWord::First => first,
                    ThreefryWord::Second => second,
                    ThreefryWord::Mixed => self.m.c.b.ins().bxor(first, second),
                })
            }
            Inst::Load { .. } | Inst::LoadAt { .. } | Inst::LoadDelayed { .. } => self.load(n, typed, at),
            Inst::Store { .. }
            | Inst::StoreRow { .. }
            | Inst::StoreAt { .. }
            | Inst::Reduce { .. }
            | Inst::ScatterAdd { .. } => unreachable!("an effect yields no value"),
        }
    }

    /// The random words of a group of lanes; those of the whole chunk are drawn with its first group, if they can be.
    fn draw(&mut self, n: usize, key: [Val; 2], counter: [Val; 2], at: At) -> [Value; 2] {
        if let Some(words) = self.drawn[n].get(at.first / 4) {
            return *words;
        }
        let nest = self.nest;
        let outside = |v: &Val| !self.in_chunks(v.index());
        let constant = |v: &Val| match &nest.insts[v.index()].inst {
            Inst::Index => true,
            Inst::Load { buffer, .. } => matches!(self.m.lowered.buffer(*buffer).role, Role::Constant(_)),
            _ => false,
        };
        let together = at.valid == 4
            && self.in_chunks(n)
            && key.iter().all(outside)
            && counter.iter().all(|v| outside(v) || constant(v));
        let key = key.map(|v| self.get(v).one());
        let mut counters = vec![counter.map(|v| self.get(v).one())];
        if together {
            for first in (at.first + 4..LANES).step_by(4) {
                counters.push(counter.map(|v| match self.in_chunks(v.index()) {
                    true => self.value(v.index(), &nest.insts[v.index()], At { first, ..at }).one(),
                    false => self.get(v).one(),
                }));
            }
        }
        let words = draw(&mut self.m.c, key, &counters);
        let first = words[0];
        if together {
            self.drawn[n] = words;
        }
        first
    }

    fn index(&mut self, at: At) -> Lanes {
        let start = self.m.c.b.ins().iadd(self.row, at.chunk);
        let start = self.m.c.b.ins().ireduce(types::I32, start);
        let start = self.m.c.splat(start).one();
        let lanes = self.m.c.ints([0, 1, 2, 3].map(|lane| lane + at.first as i32));
        Lanes::One(self.m.c.b.ins().iadd(start, lanes))
    }

    fn load(&mut self, n: usize, typed: &Typed, at: At) -> Lanes {
        let Access { main, indices } = self.access[n].expect("placed before the loop");
        let raw = match (&typed.inst, indices) {
            (Inst::LoadAt { .. }, Some(offsets)) => self.load_lanes(offsets, at, |body, lane| {
                let offset = body.offset(offsets, at, lane);
                body.m.load_element(main, Some(offset), 0)
            }),
            (Inst::LoadDelayed { history, .. }, Some(delays)) => self.load_lanes(delays, at, |body, lane| {
                let delay = body.m.load_lane(delays, at, lane);
                let place = body.past_row(*history, main, delay);
                body.m.load_lane(place, at, lane)
            }),
            _ if main.dtype == DType::Bool && main.follow == Follow::Contiguous => {
                let word = match self.words[n] {
                    Some(word) => word,
                    None => self.m.load_bits(main, at.chunk),
                };
                self.words[n] = Some(word);
                return self.m.mask_of_bits(word, at.first);
            }
            _ => self.m.load(main, at),
        };
        let value = widen(&mut self.m.c, main.dtype, raw);
        ops::cast(&mut self.m.c, main.dtype.elem(), typed.elem, value)
    }

    /// Lanes loaded one by one at what `indices` says; one load for all of them if it is one index.
    fn load_lanes(&mut self, indices: Place, at: At, mut lane: impl FnMut(&mut Self, usize) -> Value) -> Lanes {
        if indices.follow == Follow::Uniform {
            let scalar = lane(self, 0);
            return self.m.c.splat(scalar);
        }
        let scalars: Vec<Value> = (0..at.valid).map(|l| lane(self, l)).collect();
        self.m.c.gather(&scalars)
    }

    /// A physical offset as an `i64`.
    fn offset(&mut self, offsets: Place, at: At, lane: usize) -> Value {
        let offset = self.m.load_lane(offsets, at, lane);
        self.m.c.b.ins().uextend(types::I64, offset)
    }

    fn effect(&mut self, n: usize, typed: &Typed, at: At) {
        let Some(Access { main, indices }) = self.access[n] else { unreachable!("effects have a place") };
        match &typed.inst {
            Inst::Store { value, .. } | Inst::StoreRow { value, .. } => {
                let raw = self.narrowed(main, *value);
                if main.dtype == DType::Bool && main.follow == Follow::Contiguous {
                    self.masks[n].push(raw.one());
                } else {
                    self.m.store(main, at, raw);
                }
            }
            Inst::StoreAt { base, value, .. } => {
                let raw = self.narrowed(main, *value);
                let linear = self.m.c.b.ins().iadd(self.row, at.chunk);
                if at.valid == 4 && main.dtype != DType::Bool {
                    self.m.store_vector(main, Some(linear), base + at.first, raw);
                    return;
                }
                for lane in 0..at.valid {
                    let scalar = self.m.c.lane(raw, lane);
                    self.m.store_element(main, Some(linear), base + at.first + lane, scalar);
                }
            }
            Inst::Reduce { op, value, .. } => {
                let value = self.get(*value);
                if let Some(partials) = self.partials[n].as_mut() {
                    let so_far = &mut partials[at.first / 4];
                    let c = &mut self.m.c;
                    let next = combine(c, *op, typed.elem, *so_far, value);
                    *so_far = if at.valid == 4 {
                        next
                    } else {
                        let mask = c.first_lanes(at.valid);
                        c.select(mask, next, *so_far)
                    };
                } else if main.dtype == DType::Bool && main.follow == Follow::Contiguous {
                    self.masks[n].push(value.one());
                } else {
                    let so_far = self.m.load(main, at);
                    let next = combine(&mut self.m.c, *op, typed.elem, so_far, value);
                    self.m.store(main, at, next);
                }
            }
            Inst::ScatterAdd { value, .. } => {
                let value = self.get(*value);
                let offsets = indices.expect("a scatter has offsets");
                self.scatter(typed.elem, main, offsets, value, at);
            }
            Inst::Literal(_)
            | Inst::Load { .. }
            | Inst::LoadAt { .. }
            | Inst::LoadDelayed { .. }
            | Inst::Unary(..)
            | Inst::Binary(..)
            | Inst::Compare(..)
            | Inst::MulAdd(..)
            | Inst::Select(..)
            | Inst::Cast(..)
            | Inst::Bitcast(..)
            | Inst::Index
            | Inst::Threefry { .. } => unreachable!("not an effect"),
        }
    }

    fn narrowed(&mut self, place: Place, value: Val) -> Lanes {
        let (elem, lanes) = (self.elem(value), self.get(value));
        narrow(&mut self.m.c, place.dtype, elem, lanes)
    }

    /// Adds lane by lane, since offsets may repeat. Four zeros, the usual case for synapses of silent neurons, are
    /// skipped: the sums start at +0, so no sum is ever −0 and adding a zero changes nothing.
    fn scatter(&mut self, elem: Elem, main: Place, offsets: Place, value: Lanes, at: At) {
        let zero = ops::literal(&mut self.m.c, Literal::from_f64(0.0, elem));
        let present = ops::compare(&mut self.m.c, crate::ir::CompareOp::Ne, elem, value, zero).one();
        let any = self.m.c.b.ins().vany_true(present);
        let (add, done) = (self.m.c.b.create_block(), self.m.c.b.create_block());
        self.m.c.b.ins().brif(any, add, &[], done, &[]);
        self.m.c.b.switch_to_block(add);
        for lane in 0..at.valid {
            let offset = self.offset(offsets, at, lane);
            let old = self.m.load_element(main, Some(offset), 0);
            let term = self.m.c.lane(value, lane);
            let new = if elem.is_float() { self.m.c.b.ins().fadd(old, term) } else { self.m.c.b.ins().iadd(old, term) };
            self.m.store_element(main, Some(offset), 0, new);
        }
        self.m.c.b.ins().jump(done, &[]);
        self.m.c.b.switch_to_block(done);
    }

    /// Writes the bits of a chunk: stored, or combined with those in memory by a reduction over an outer loop.
    fn write_bits(&mut self, n: usize, typed: &Typed, chunk: Value, valid: usize) {
        let place = self.access[n].expect("effects have a place").main;
        let missing = self.m.c.int(0);
        let masks = std::mem::take(&mut self.masks[n]);
        let all = std::array::from_fn(|i| masks.get(i).copied().unwrap_or(missing));
        let word = self.m.c.pack_masks(all);
        let word = if valid == LANES { word } else { self.m.c.b.ins().band_imm_u(word, (1 << valid) - 1) };
        let word = match &typed.inst {
            Inst::Reduce { op, .. } => {
                let old = self.m.load_word(place, chunk);
                match op {
                    ReduceOp::Any => self.m.c.b.ins().bor(old, word),
                    ReduceOp::All => self.m.c.b.ins().band(old, word),
                    ReduceOp::Sum | ReduceOp::Max | ReduceOp::Min => unreachable!("checked: truth values"),
                }
            }
            _ => word,
        };
        self.m.store_word(place, chunk, word);
    }
}
