//! What each instruction becomes: values of four lanes, and effects on memory.

use super::access::{At, Follow, Place, narrow, widen};
use super::draws::draw;
use super::lanes::Lanes;
use super::nest::{Access, Body};
use super::ops;
use super::reduce::combine;
use crate::ir::{DType, Elem, Literal, ReduceOp, ThreefryWord};
use crate::loops::{BufferId, Inst, LANES, Role, Typed, Val};
use cranelift::prelude::*;

impl Body<'_, '_, '_> {
    pub(super) fn get(&self, v: Val) -> Lanes {
        self.values[v.index()].expect("checked: operands come first")
    }

    pub(super) fn elem(&self, v: Val) -> Elem {
        self.nest.insts[v.index()].elem
    }

    /// The four lanes of an instruction that yields a value.
    pub(super) fn value(&mut self, n: usize, typed: &Typed, at: At) -> Lanes {
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
                // The machine's instruction overwrites its first operand, and a literal is wanted again in the next round.
                let literal = |v: &Val| match self.nest.insts[v.index()].inst {
                    Inst::Literal(literal) => !literal.to_f64().is_nan(),
                    _ => false,
                };
                let factors = if literal(a) { [b, a] } else { [a, b] };
                let ([x, y], z) = (factors.map(|v| self.get(*v)), self.get(*addend));
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
            Inst::Lookup { table, index } => self.look_up(n, *table, *index, at),
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
            && at.listed.is_none()
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
        if let (Inst::Load { buffer, map }, Some(rows)) = (&typed.inst, at.listed)
            && at.valid == 4
            && let Some(beside) = self.beside
            && let Some(value) = beside.values.iter().position(|one| one == buffer).filter(|_| map == &[1])
        {
            if self.copied.is_empty() {
                self.copied = super::beside::of_rows(self.m, beside, rows);
            }
            return self.copied[value];
        }
        if let Inst::LoadDelayed { history, delays, .. } = &typed.inst
            && self.arrived == Some(*history)
            && self.delay.is_some_and(|(by, _)| by == *delays)
            && typed.elem == Elem::Bool
        {
            return ops::literal(&mut self.m.c, Literal::Bool(true));
        }
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
            _ if main.dtype == DType::Bool && main.follow == Follow::Contiguous && at.listed.is_none() => {
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

    /// Elements of a table; indices end where it does.
    fn look_up(&mut self, n: usize, table: BufferId, index: Val, at: At) -> Lanes {
        let main = self.access[n].expect("placed before the loop").main;
        let last = self.m.lowered.buffer(table).inner() as i32 - 1;
        let (zero, last) = (self.m.c.int(0), self.m.c.int(last));
        let index = self.get(index).map(|index| {
            let index = self.m.c.b.ins().smax(index, zero);
            self.m.c.b.ins().smin(index, last)
        });
        let one = |body: &mut Self, lane: usize| {
            let index = body.m.c.lane(index, lane);
            let index = body.m.c.b.ins().uextend(types::I64, index);
            body.m.load_element(main, Some(index), 0)
        };
        let raw = if self.in_chunks(n) {
            let scalars: Vec<Value> = (0..at.valid).map(|lane| one(self, lane)).collect();
            self.m.c.gather(&scalars)
        } else {
            let scalar = one(self, 0);
            self.m.c.splat(scalar)
        };
        widen(&mut self.m.c, main.dtype, raw)
    }

    /// A physical offset as an `i64`.
    fn offset(&mut self, offsets: Place, at: At, lane: usize) -> Value {
        let offset = self.m.load_lane(offsets, at, lane);
        self.m.c.b.ins().uextend(types::I64, offset)
    }

    pub(super) fn effect(&mut self, n: usize, typed: &Typed, at: At) {
        let Some(Access { main, indices }) = self.access[n] else { unreachable!("effects have a place") };
        match &typed.inst {
            Inst::Store { value, .. } | Inst::StoreRow { value, .. } => {
                let mut raw = self.narrowed(main, *value);
                if let Some((spared, aside)) = self.aside {
                    let raw = self.m.c.lane(raw, 0);
                    self.m.store_unless(spared, aside, main, at, raw);
                    return;
                }
                if let (true, Some(spared)) = (main.dtype != DType::Bool, self.spared(&typed.inst)) {
                    let old = self.m.load(main, at);
                    raw = self.m.c.select(spared, old, raw);
                }
                if main.dtype == DType::Bool && main.follow == Follow::Contiguous {
                    self.masks[n].push(raw.one());
                } else {
                    self.m.store(main, at, raw);
                }
            }
            Inst::StoreAt { base, value, .. } => {
                let raw = self.narrowed(main, *value);
                if main.dtype == DType::Bool && self.joins_words(*base) {
                    self.masks[n].push(raw.one());
                    return;
                }
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
                } else if *op == ReduceOp::Sum && at.listed.is_some() {
                    self.add_lanes(typed.elem, main, value, at);
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
            | Inst::Lookup { .. }
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

    /// Where a store leaves what is there, if it does anywhere.
    fn spared(&mut self, inst: &Inst) -> Option<Value> {
        let (values, also) = (self.spared.0.clone(), self.spared.1?);
        debug_assert!(matches!(inst, Inst::Store { .. }), "visits update arrays");
        let masks = values.into_iter().map(|value| self.get(value).one()).collect::<Vec<_>>();
        let any = masks.into_iter().reduce(|a, b| self.m.c.b.ins().bor(a, b))?;
        Some(self.m.c.b.ins().band(any, also))
    }

    pub(super) fn narrowed(&mut self, place: Place, value: Val) -> Lanes {
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
            let sum = self.sum_of_lane(elem, main, (Some(offset), 0), value, lane);
            self.m.store_element(main, Some(offset), 0, sum);
        }
        self.m.c.b.ins().jump(done, &[]);
        self.m.c.b.switch_to_block(done);
    }

    /// Adds lanes to elements that do not follow one another: one addition each takes fewer instructions than putting the sums into
    /// a vector and back. Of lanes for the same element, the last counts, so all sums come before they are stored.
    fn add_lanes(&mut self, elem: Elem, main: Place, value: Lanes, at: At) {
        let lanes = 0..at.valid;
        let elements: Vec<_> = lanes.clone().map(|lane| self.m.element(main, at, lane)).collect();
        let sums: Vec<Value> = lanes.map(|lane| self.sum_of_lane(elem, main, elements[lane], value, lane)).collect();
        for ((offset, plus), sum) in elements.into_iter().zip(sums) {
            self.m.store_element(main, offset, plus, sum);
        }
    }

    fn sum_of_lane(
        &mut self,
        elem: Elem,
        main: Place,
        (offset, plus): (Option<Value>, usize),
        value: Lanes,
        lane: usize,
    ) -> Value {
        let old = self.m.load_element(main, offset, plus);
        let term = self.m.c.lane(value, lane);
        // The second operand is the one that the machine's instruction reads from memory.
        if elem.is_float() { self.m.c.b.ins().fadd(term, old) } else { self.m.c.b.ins().iadd(term, old) }
    }

    /// True if the bits of every chunk that go to `base` and following are sixteen that begin a word of as many.
    fn joins_words(&self, base: usize) -> bool {
        base.is_multiple_of(LANES) && self.nest.inner().is_multiple_of(LANES)
    }

    /// Writes the bits of a chunk: stored, or combined with those in memory by a reduction over an outer loop.
    pub(super) fn write_bits(&mut self, n: usize, typed: &Typed, chunk: Value, valid: usize) {
        let place = self.access[n].expect("effects have a place").main;
        let missing = self.m.c.int(0);
        let masks = std::mem::take(&mut self.masks[n]);
        let all = std::array::from_fn(|i| masks.get(i).copied().unwrap_or(missing));
        let word = self.m.c.pack_masks(all);
        let word = if valid == LANES { word } else { self.m.c.b.ins().band_imm_u(word, (1 << valid) - 1) };
        let chunk = match &typed.inst {
            Inst::StoreAt { base, .. } => {
                let linear = self.m.c.b.ins().iadd(self.row, chunk);
                self.m.c.b.ins().iadd_imm_s(linear, *base as i64)
            }
            _ => chunk,
        };
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
