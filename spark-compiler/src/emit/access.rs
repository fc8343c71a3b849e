//! Memory: from a buffer and the loops it follows to addresses, loads and stores.
//!
//! A *raw* value is what memory holds, one per lane: `f32`, `f64` and `i32` as they are, the bits of `f16` and `bf16`,
//! the value of `u8` and `u16`, and a truth value's bit, each in an `i32` lane. [`widen`] and [`narrow`] go between raw
//! values and the arithmetic type.

use super::lanes::{Clif, Lanes};
use super::ops;
use super::parts::{Part, parts};
use super::recipes::Singles;
use crate::intrinsics::Intrinsic;
use crate::ir::{CompareOp, DType, Elem, Literal};
use crate::loops::{BufferId, Lowered, Map, Role};
use crate::math::half;
use cranelift::codegen::ir::{
    AliasRegionData, ExtFuncData, ExternalName, FuncRef, GlobalValue, StackSlot, UserExternalName,
};
use cranelift::prelude::*;
use std::collections::HashMap;
use types::{F32X4, F64X2, I8X16, I32X4, I64X2};

/// How an access follows the innermost loop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Follow {
    /// Not at all: one element for every lane.
    Uniform,
    /// Element after element.
    Contiguous,
    /// Where visits say: [`At::placed`].
    Placed,
    /// With this many elements in between: the innermost loop is an outer group of the buffer.
    Strided(usize),
}

/// How a buffer with `sizes` read through `map` follows loop `inner`.
pub(crate) fn follow(lowered: &Lowered, buffer: BufferId, map: &Map, inner: Option<usize>) -> Follow {
    let pitches = pitches(lowered, buffer);
    match map.iter().position(|&l| Some(l) == inner) {
        None => Follow::Uniform,
        Some(_) if lowered.buffer(buffer).placed.is_some() => Follow::Placed,
        Some(group) if lowered.buffer(buffer).inner_group() == Some(group) => Follow::Contiguous,
        Some(group) => Follow::Strided(pitches[group]),
    }
}

/// Elements from one index of each group to the next.
fn pitches(lowered: &Lowered, buffer: BufferId) -> Vec<usize> {
    let buffer = lowered.buffer(buffer);
    if let (true, Role::History { .. }) = (buffer.turned, &buffer.role) {
        return vec![buffer.column_pitch()];
    }
    if buffer.turned {
        return vec![1, buffer.stride()];
    }
    let sizes = buffer.sizes();
    let mut pitches = vec![1; sizes.len()];
    let mut pitch = buffer.stride();
    for group in (0..sizes.len().saturating_sub(1)).rev() {
        pitches[group] = pitch;
        pitch *= sizes[group];
    }
    pitches
}

/// Where an access goes, as far as it is known outside the innermost loop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Of the stored elements.
    pub(crate) dtype: DType,
    /// How the access follows the innermost loop.
    pub(crate) follow: Follow,
    /// Address of element 0 of the innermost loop.
    base: Value,
    /// Bits to add to `base`, if element 0 need not start a byte.
    bits: Option<Value>,
    flags: MemFlagsData,
}

/// Four lanes of an iteration of the innermost loop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    /// First element of the chunk.
    pub(crate) chunk: Value,
    /// First lane within the chunk.
    pub(crate) first: usize,
    /// Lanes that are elements; the rest lie past the end of the loop.
    pub(crate) valid: usize,
    /// Indices of the innermost loop (`i64`), if lanes are not elements one after another.
    pub(crate) listed: Option<[Value; 4]>,
    /// Where the first lane is in arrays that lie by delay; the others follow.
    pub(crate) placed: Option<Value>,
}

/// Where a function finds a buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Home {
    /// So many bytes behind the start of the memory that it is given.
    Within(usize),
    /// Where the pointer points to that is so many bytes behind it.
    Pointer(usize),
    /// At the symbol [`buffer_symbol`].
    Symbol,
}

impl Home {
    /// The offset of what is in the memory itself.
    pub(crate) fn within(self) -> Option<usize> {
        if let Home::Within(offset) = self { Some(offset) } else { None }
    }
}

/// Where a function finds the buffers.
pub(crate) type Homes<'a> = &'a [Home];

/// The symbol of a buffer that is not in the block.
pub(crate) fn buffer_symbol(buffer: BufferId) -> UserExternalName {
    UserExternalName { namespace: 1, index: buffer.0 }
}

/// A function under construction: memory operations on top of [`Clif`].
pub(crate) struct Memories<'a, 'f> {
    /// Instruction emission.
    pub(crate) c: Clif<'f>,
    /// The program.
    pub(crate) lowered: &'a Lowered,
    /// The function's first argument.
    base: Value,
    homes: Homes<'a>,
    /// Signature of parts.
    pub(crate) part_signature: Option<Signature>,
    flags: HashMap<BufferId, MemFlagsData>,
    symbols: HashMap<UserExternalName, GlobalValue>,
    /// Elements before those that [`At::placed`] counts.
    pub(super) first_placed: Option<Value>,
    /// Whether intrinsics may be called.
    pub(super) intrinsics: bool,
    /// Those the function knows already.
    pub(super) imports: Vec<(Intrinsic, FuncRef)>,
    /// The function's room for blocks.
    pub(super) room: Option<StackSlot>,
}

fn log2_bytes(dtype: DType) -> i64 {
    match dtype {
        DType::F64 => 3,
        DType::F32 | DType::I32 => 2,
        DType::F16 | DType::BF16 | DType::U16 => 1,
        DType::U8 => 0,
        DType::Bool => unreachable!("bits have no byte address"),
    }
}

impl<'a, 'f> Memories<'a, 'f> {
    /// Starts in the entry block, whose parameter `base` leads to the buffers.
    pub(crate) fn new(
        c: Clif<'f>,
        base: Value,
        lowered: &'a Lowered,
        homes: Homes<'a>,
        intrinsics: bool,
    ) -> Memories<'a, 'f> {
        Memories {
            c,
            lowered,
            base,
            homes,
            part_signature: None,
            first_placed: None,
            flags: HashMap::new(),
            symbols: HashMap::new(),
            intrinsics,
            imports: Vec::new(),
            room: None,
        }
    }

    /// An `i64` constant.
    pub(crate) fn index(&mut self, value: usize) -> Value {
        self.c.b.ins().iconst(types::I64, value as i64)
    }

    /// Flags of accesses to `buffer`: they cannot trap, and touch no other buffer with what they are made for.
    pub(crate) fn flags(&mut self, buffer: BufferId) -> MemFlagsData {
        if let Some(&flags) = self.flags.get(&buffer) {
            return flags;
        }
        let description = self.lowered.buffer(buffer).name.clone().into();
        let region = self.c.b.func.dfg.alias_regions.insert(AliasRegionData { user_id: buffer.0, description });
        let mut flags = MemFlagsData::new().with_notrap().with_alias_region(Some(region));
        if matches!(self.lowered.buffer(buffer).role, Role::Constant(_)) {
            flags = flags.with_readonly().with_can_move();
        }
        self.flags.insert(buffer, flags);
        flags
    }

    /// Calls a part.
    pub(super) fn call(&mut self, part: Part, numbers: [Value; 4]) {
        let number = parts(self.lowered).iter().position(|known| *known == part).expect("one of them");
        let function = &mut self.c.b.func;
        // Imports have the first numbers.
        let index = (Intrinsic::all().len() + number) as u32;
        let name = UserExternalName { namespace: 0, index };
        let name = ExternalName::user(function.declare_imported_user_function(name));
        let signature = self.part_signature.clone().expect("set for every function");
        let signature = function.import_signature(signature);
        let callee = function.import_function(ExtFuncData { name, signature, colocated: true, patchable: false });
        let arguments: Vec<Value> = std::iter::once(self.base).chain(numbers).collect();
        self.c.b.ins().call(callee, &arguments);
    }

    /// Start of a buffer.
    pub(crate) fn start(&mut self, buffer: BufferId) -> Value {
        match self.homes[buffer.index()] {
            Home::Within(offset) => self.c.b.ins().iadd_imm_s(self.base, offset as i64),
            Home::Pointer(offset) => {
                let flags = MemFlagsData::trusted().with_readonly().with_can_move();
                let (address, at) = self.displaced(self.base, offset);
                self.c.b.ins().load(types::I64, flags, address, at)
            }
            Home::Symbol => self.symbol(buffer_symbol(buffer)),
        }
    }

    /// Address of read-only data of the object.
    pub(crate) fn symbol(&mut self, name: UserExternalName) -> Value {
        let function = &mut self.c.b.func;
        let value = *self.symbols.entry(name.clone()).or_insert_with(|| {
            let name = ExternalName::user(function.declare_imported_user_function(name));
            let (offset, colocated, tls) = (0.into(), true, false);
            function.create_global_value(GlobalValueData::Symbol { name, offset, colocated, tls })
        });
        self.c.b.ins().symbol_value(types::I64, value)
    }

    /// The place of `buffer[map]` given the indices of the loops around the innermost one.
    pub(crate) fn place(&mut self, buffer: BufferId, map: &Map, inner: Option<usize>, outer: &[Value]) -> Place {
        let dtype = self.lowered.buffer(buffer).dtype;
        let follow = follow(self.lowered, buffer, map, inner);
        let start = self.start(buffer);
        let mut offset = self.first_placed.filter(|_| follow == Follow::Placed);
        for (&l, pitch) in map.iter().zip(pitches(self.lowered, buffer)) {
            if Some(l) != inner && follow != Follow::Placed {
                let scaled = self.c.b.ins().imul_imm_s(outer[l], pitch as i64);
                offset = Some(self.sum(offset, scaled));
            }
        }
        let flags = self.flags(buffer);
        let place = Place { dtype, follow, base: start, bits: None, flags };
        let Some(offset) = offset else { return place };
        if dtype == DType::Bool && follow != Follow::Contiguous {
            return Place { bits: Some(offset), ..place };
        }
        let bytes = if dtype == DType::Bool {
            self.c.b.ins().ushr_imm_u(offset, 3)
        } else {
            self.c.b.ins().ishl_imm_u(offset, log2_bytes(dtype))
        };
        Place { base: self.c.b.ins().iadd(start, bytes), ..place }
    }

    /// The same place in row `row` of a history.
    pub(crate) fn in_row(&mut self, place: Place, history: BufferId, row: Value) -> Place {
        let buffer = self.lowered.buffer(history);
        let bytes = buffer.row_pitch() * buffer.dtype.bits() / 8;
        let offset = self.c.b.ins().imul_imm_s(row, bytes as i64);
        Place { base: self.c.b.ins().iadd(place.base, offset), ..place }
    }

    fn sum(&mut self, offset: Option<Value>, term: Value) -> Value {
        match offset {
            Some(offset) => self.c.b.ins().iadd(offset, term),
            None => term,
        }
    }

    /// Element index, relative to the place, of lane `lane`: a value and a constant to add.
    pub(super) fn element(&mut self, place: Place, at: At, lane: usize) -> (Option<Value>, usize) {
        match (place.follow, at.listed) {
            (Follow::Uniform, _) => (None, 0),
            (Follow::Placed, _) => (Some(at.placed.expect("checked: only visits of lists")), lane),
            (Follow::Contiguous, Some(listed)) => (Some(listed[lane]), 0),
            (Follow::Strided(pitch), Some(listed)) => {
                let scaled = self.c.b.ins().imul_imm_s(listed[lane], pitch as i64);
                (Some(scaled), 0)
            }
            (Follow::Contiguous, None) => (Some(at.chunk), at.first + lane),
            (Follow::Strided(pitch), None) => {
                let scaled = self.c.b.ins().imul_imm_s(at.chunk, pitch as i64);
                (Some(scaled), (at.first + lane) * pitch)
            }
        }
    }

    /// Of the first of four lanes that lie one after another, what [`Memories::element`] says; `None` if they do not.
    fn consecutive(&mut self, place: Place, at: At) -> Option<(Option<Value>, usize)> {
        let consecutive = match place.follow {
            Follow::Contiguous => at.listed.is_none(),
            Follow::Placed => at.valid == 4,
            Follow::Uniform | Follow::Strided(_) => false,
        };
        consecutive.then(|| self.element(place, at, 0))
    }

    /// Address of element `offset + plus` and the displacement to use with it.
    fn address(&mut self, place: Place, offset: Option<Value>, plus: usize) -> (Value, i32) {
        let shift = log2_bytes(place.dtype);
        let base = match offset {
            Some(offset) => {
                let bytes = self.c.b.ins().ishl_imm_u(offset, shift);
                self.c.b.ins().iadd(place.base, bytes)
            }
            None => place.base,
        };
        self.displaced(base, plus << shift)
    }

    /// Address of element `offset` of a contiguous place that has byte addresses.
    pub(super) fn address_of(&mut self, place: Place, offset: Value) -> Value {
        self.address(place, Some(offset), 0).0
    }

    /// A displacement is an `i32` in CLIF; larger ones are added.
    fn displaced(&mut self, base: Value, bytes: usize) -> (Value, i32) {
        match i32::try_from(bytes) {
            Ok(bytes) => (base, bytes),
            Err(_) => (self.c.b.ins().iadd_imm_s(base, bytes as i64), 0),
        }
    }

    /// Address of the byte that holds bit `offset + plus`, and the bit within it (`i32`).
    fn bit_address(&mut self, place: Place, offset: Option<Value>, plus: usize) -> (Value, Value) {
        let plus = self.index(plus);
        let bit = [offset, place.bits].into_iter().flatten().fold(plus, |sum, term| self.c.b.ins().iadd(sum, term));
        let byte = self.c.b.ins().ushr_imm_u(bit, 3);
        let address = self.c.b.ins().iadd(place.base, byte);
        let bit = self.c.b.ins().ireduce(types::I32, bit);
        (address, self.c.b.ins().band_imm_u(bit, 7))
    }

    /// The raw scalar at `offset + plus`.
    pub(crate) fn load_element(&mut self, place: Place, offset: Option<Value>, plus: usize) -> Value {
        if place.dtype == DType::Bool {
            let (address, bit) = self.bit_address(place, offset, plus);
            let byte = self.c.b.ins().uload8(types::I32, place.flags, address, 0);
            let shifted = self.c.b.ins().ushr(byte, bit);
            return self.c.b.ins().band_imm_u(shifted, 1);
        }
        let (address, at) = self.address(place, offset, plus);
        let ins = self.c.b.ins();
        match place.dtype {
            DType::F32 => ins.load(types::F32, place.flags, address, at),
            DType::F64 => ins.load(types::F64, place.flags, address, at),
            DType::I32 => ins.load(types::I32, place.flags, address, at),
            DType::F16 | DType::BF16 | DType::U16 => ins.uload16(types::I32, place.flags, address, at),
            DType::U8 => ins.uload8(types::I32, place.flags, address, at),
            DType::Bool => unreachable!("handled above"),
        }
    }

    /// Stores a raw scalar at `offset + plus`. The other bits of a truth value's byte stay.
    pub(crate) fn store_element(&mut self, place: Place, offset: Option<Value>, plus: usize, raw: Value) {
        if place.dtype == DType::Bool {
            let (address, bit) = self.bit_address(place, offset, plus);
            let old = self.c.b.ins().uload8(types::I32, place.flags, address, 0);
            let one = self.c.b.ins().iconst(types::I32, 1);
            let hole = self.c.b.ins().ishl(one, bit);
            let value = self.c.b.ins().band_imm_u(raw, 1);
            let value = self.c.b.ins().ishl(value, bit);
            let kept = self.c.b.ins().band_not(old, hole);
            let new = self.c.b.ins().bor(kept, value);
            self.c.b.ins().istore8(place.flags, new, address, 0);
            return;
        }
        let (address, at) = self.address(place, offset, plus);
        self.store_number(place, (address, at), raw);
    }

    /// Stores a raw scalar, no bit, in lane 0; to `aside`, from where nobody reads it, if `spared` is not 0. There is no branch, which would often
    /// be guessed wrong.
    pub(crate) fn store_unless(&mut self, spared: Value, aside: BufferId, place: Place, at: At, raw: Value) {
        let (offset, plus) = self.element(place, at, 0);
        let (address, plus) = self.address(place, offset, plus);
        let address = self.c.b.ins().iadd_imm_s(address, i64::from(plus));
        let aside = self.start(aside);
        let address = self.c.b.ins().select(spared, aside, address);
        self.store_number(place, (address, 0), raw);
    }

    fn store_number(&mut self, place: Place, (address, at): (Value, i32), raw: Value) {
        let ins = self.c.b.ins();
        match place.dtype {
            DType::F32 | DType::F64 | DType::I32 => ins.store(place.flags, raw, address, at),
            DType::F16 | DType::BF16 | DType::U16 => ins.istore16(place.flags, raw, address, at),
            DType::U8 => ins.istore8(place.flags, raw, address, at),
            DType::Bool => unreachable!("bits have no byte address"),
        };
    }

    /// The lower and the upper half of an element of 32 bits, as `i64`.
    pub(crate) fn load_halves(&mut self, place: Place, offset: Value, plus: usize) -> [Value; 2] {
        let (address, at) = self.address(place, Some(offset), plus);
        [0, 2].map(|half| self.c.b.ins().uload16(types::I64, place.flags, address, at + half))
    }

    /// Four `f32` from element `offset` on.
    pub(crate) fn load_vector(&mut self, place: Place, offset: Value) -> Value {
        let (address, at) = self.address(place, Some(offset), 0);
        self.c.b.ins().load(F32X4, place.flags, address, at)
    }

    /// Two elements of 32 bits as one of 64, from element `plus` on.
    pub(crate) fn load_long(&mut self, place: Place, plus: usize) -> Value {
        let (address, at) = self.address(place, None, plus);
        self.c.b.ins().load(types::I64, place.flags, address, at)
    }

    /// An element of whole numbers, not negative, as an `i64`.
    pub(crate) fn load_index(&mut self, place: Place, offset: Option<Value>, plus: usize) -> Value {
        if place.dtype == DType::U16 {
            let (address, at) = self.address(place, offset, plus);
            return self.c.b.ins().uload16(types::I64, place.flags, address, at);
        }
        let index = self.load_element(place, offset, plus);
        self.c.b.ins().uextend(types::I64, index)
    }

    /// The raw scalar of lane `lane`.
    pub(crate) fn load_lane(&mut self, place: Place, at: At, lane: usize) -> Value {
        let (offset, plus) = self.element(place, at, lane);
        self.load_element(place, offset, plus)
    }

    /// Four raw lanes; not for contiguous bits, which [`Memories::load_bits`] reads by the chunk.
    pub(crate) fn load(&mut self, place: Place, at: At) -> Lanes {
        match place.follow {
            Follow::Uniform => {
                let scalar = self.load_element(place, None, 0);
                self.c.splat(scalar)
            }
            _ if let Some((start, plus)) = self.consecutive(place, at) => {
                let (address, to) = self.address(place, start, plus);
                let ins = self.c.b.ins();
                match place.dtype {
                    DType::F32 => Lanes::One(ins.load(F32X4, place.flags, address, to)),
                    DType::I32 => Lanes::One(ins.load(I32X4, place.flags, address, to)),
                    DType::F64 => {
                        let low = ins.load(F64X2, place.flags, address, to);
                        Lanes::Two(low, self.c.b.ins().load(F64X2, place.flags, address, to + 16))
                    }
                    DType::F16 | DType::BF16 | DType::U16 => Lanes::One(ins.uload16x4(place.flags, address, to)),
                    DType::U8 => {
                        let word = ins.load(types::I32, place.flags, address, to);
                        let bytes = self.c.b.ins().scalar_to_vector(I32X4, word);
                        let bytes = self.c.reinterpret(I8X16, bytes);
                        let shorts = self.c.b.ins().uwiden_low(bytes);
                        Lanes::One(self.c.b.ins().uwiden_low(shorts))
                    }
                    DType::Bool => unreachable!("bits are read by the chunk"),
                }
            }
            Follow::Strided(_) | Follow::Contiguous | Follow::Placed => {
                let scalars: Vec<Value> = (0..at.valid).map(|lane| self.load_lane(place, at, lane)).collect();
                self.c.gather(&scalars)
            }
        }
    }

    /// Stores four raw lanes; not for contiguous bits, which `store_bits` writes by the chunk.
    pub(crate) fn store(&mut self, place: Place, at: At, raw: Lanes) {
        if let Some((start, plus)) = self.consecutive(place, at) {
            return self.store_vector(place, start, plus, raw);
        }
        for lane in 0..at.valid {
            let scalar = self.c.lane(raw, lane);
            let (offset, plus) = self.element(place, at, lane);
            self.store_element(place, offset, plus, scalar);
        }
    }

    /// Stores four raw lanes, not bits, at elements `offset + plus` and following.
    pub(crate) fn store_vector(&mut self, place: Place, offset: Option<Value>, plus: usize, raw: Lanes) {
        let (address, to) = self.address(place, offset, plus);
        let flags = place.flags;
        let stored = match (place.dtype, raw) {
            (_, Lanes::Two(low, high)) => {
                self.c.b.ins().store(flags, high, address, to + 16);
                low
            }
            (DType::F16 | DType::BF16 | DType::U16, Lanes::One(v)) => {
                let shorts = self.c.b.ins().unarrow(v, v);
                let longs = self.c.reinterpret(I64X2, shorts);
                self.c.b.ins().extractlane(longs, 0)
            }
            (DType::U8, Lanes::One(v)) => {
                let shorts = self.c.b.ins().snarrow(v, v);
                let bytes = self.c.b.ins().unarrow(shorts, shorts);
                let ints = self.c.reinterpret(I32X4, bytes);
                self.c.b.ins().extractlane(ints, 0)
            }
            (DType::F32 | DType::F64 | DType::I32 | DType::Bool, Lanes::One(v)) => v,
        };
        self.c.b.ins().store(flags, stored, address, to);
    }

    /// The 16 bits of a chunk, in every `i32` lane.
    pub(crate) fn load_bits(&mut self, place: Place, chunk: Value) -> Value {
        let word = self.load_word(place, chunk);
        self.c.b.ins().splat(I32X4, word)
    }

    /// Lanes `first..first + 4` of a chunk's bits as a mask.
    pub(crate) fn mask_of_bits(&mut self, word: Value, first: usize) -> Lanes {
        let bits = self.c.ints([1, 2, 4, 8].map(|bit| bit << first));
        let present = self.c.b.ins().band(word, bits);
        Lanes::One(self.c.b.ins().icmp(IntCC::Equal, present, bits))
    }

    /// The 16 bits of a chunk as an `i32`.
    pub(crate) fn load_word(&mut self, place: Place, chunk: Value) -> Value {
        let byte = self.c.b.ins().ushr_imm_u(chunk, 3);
        let address = self.c.b.ins().iadd(place.base, byte);
        self.c.b.ins().uload16(types::I32, place.flags, address, 0)
    }

    /// Stores the 16 bits of a chunk.
    pub(crate) fn store_word(&mut self, place: Place, chunk: Value, word: Value) {
        let byte = self.c.b.ins().ushr_imm_u(chunk, 3);
        let address = self.c.b.ins().iadd(place.base, byte);
        self.c.b.ins().istore16(place.flags, word, address, 0);
    }
}

/// Raw lanes of `dtype` in its arithmetic type.
pub(crate) fn widen(c: &mut Clif, dtype: DType, raw: Lanes) -> Lanes {
    match dtype {
        DType::F32 | DType::F64 | DType::I32 | DType::U8 | DType::U16 => raw,
        DType::F16 => Lanes::One(half::widen_f16(&mut Singles(c), raw.one())),
        DType::BF16 => Lanes::One(half::widen_bf16(&mut Singles(c), raw.one())),
        DType::Bool => {
            let zero = ops::literal(c, Literal::I32(0));
            ops::compare(c, CompareOp::Ne, Elem::I32, raw, zero)
        }
    }
}

/// Lanes of type `elem` as raw lanes of `dtype`, converted as a state write converts.
pub(crate) fn narrow(c: &mut Clif, dtype: DType, elem: Elem, value: Lanes) -> Lanes {
    let value = ops::cast(c, elem, dtype.elem(), value);
    let mut clamp = |largest: i32| {
        let (zero, largest) = (c.int(0), c.int(largest));
        value.map(|v| {
            let v = c.b.ins().smax(v, zero);
            c.b.ins().smin(v, largest)
        })
    };
    match dtype {
        DType::F32 | DType::F64 | DType::I32 | DType::Bool => value,
        DType::F16 => Lanes::One(half::narrow_f16(&mut Singles(c), value.one())),
        DType::BF16 => Lanes::One(half::narrow_bf16(&mut Singles(c), value.one())),
        DType::U8 => clamp(255),
        DType::U16 => clamp(65535),
    }
}
