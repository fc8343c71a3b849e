//! A row in blocks: its stages, one after another, with calls of intrinsics in between (see [`super::stages`]).

use super::access::{At, Memories};
use super::lanes::Lanes;
use super::nest::Body;
use super::stages::{Act, Plan, arguments, width};
use crate::intrinsics::{Intrinsic, STEP};
use crate::ir::Elem;
use crate::loops::{Inst, LANES, Typed, Val};
use cranelift::codegen::ir::{ExtFuncData, ExternalName, FuncRef, StackSlot, UserExternalName};
use cranelift::prelude::*;
use types::{F32, F32X4, F64X2, I32, I32X4, I64};

const _: () = assert!(LANES.is_multiple_of(STEP), "chunks fit intrinsics");

/// Elements of a block, unless the values kept take more than [`STACK`].
const BLOCK: usize = 256;

/// Bytes that the blocks of a nest may take: half of a small first-level cache.
const STACK: usize = 16 << 10;

/// The signature of an intrinsic.
pub(super) fn signature(intrinsic: Intrinsic, call_conv: isa::CallConv) -> Signature {
    let parameters: &[Type] = match intrinsic {
        Intrinsic::Single(_) | Intrinsic::Double(_) | Intrinsic::WidenF16 | Intrinsic::NarrowF16 => &[I64; 3],
        Intrinsic::Threefry => &[I64, I64, I64, I64, I32, I32],
        Intrinsic::Near => &[I64; 2],
        Intrinsic::Deliver | Intrinsic::DeliverAt => &[I64, I64, I64, I64, F32],
    };
    let mut signature = Signature::new(call_conv);
    signature.params.extend(parameters.iter().map(|&ty| AbiParam::new(ty)));
    signature
}

impl Memories<'_, '_> {
    /// At least so many bytes of the stack; all nests of a function have the same.
    fn room(&mut self, bytes: usize) -> StackSlot {
        let bytes = bytes as u32;
        let b = &mut self.c.b;
        let slot = *self.room.get_or_insert_with(|| {
            b.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, bytes, 4))
        });
        let size = &mut b.func.sized_stack_slots[slot].size;
        *size = bytes.max(*size);
        slot
    }

    /// The intrinsic as a function to call; its number is its place among all.
    pub(super) fn import(&mut self, intrinsic: Intrinsic) -> FuncRef {
        if let Some(&(_, function)) = self.imports.iter().find(|(known, _)| *known == intrinsic) {
            return function;
        }
        let index = Intrinsic::all().iter().position(|&one| one == intrinsic).expect("one of all") as u32;
        let func = &mut self.c.b.func;
        let call_conv = func.signature.call_conv;
        let signature = func.import_signature(signature(intrinsic, call_conv));
        let name = func.declare_imported_user_function(UserExternalName { namespace: 0, index });
        let name = ExternalName::user(name);
        let function = func.import_function(ExtFuncData { name, signature, colocated: false, patchable: false });
        self.imports.push((intrinsic, function));
        function
    }
}

/// The blocks of a nest, as they are emitted.
#[derive(Clone, Copy)]
struct Blocks<'p> {
    plan: &'p Plan,
    slot: StackSlot,
    /// Elements of one.
    size: usize,
}

impl Body<'_, '_, '_> {
    /// Emits `count` full chunks in stages.
    pub(super) fn staged(&mut self, plan: &Plan, count: usize) {
        let elements = count * LANES;
        let most = (STACK / plan.bytes.max(1) / LANES * LANES).clamp(LANES, BLOCK);
        let size = elements.min(most);
        let slot = self.m.room(size * plan.bytes);
        let blocks = Blocks { plan, slot, size };
        if elements == size {
            let (start, len) = (self.m.index(0), self.m.index(size));
            self.block(blocks, start, len);
            return;
        }
        let l = self.open_carrying();
        let end = self.m.index(elements);
        let left = self.m.c.b.ins().isub(end, l.counter);
        let size_value = self.m.index(size);
        let len = if elements.is_multiple_of(size) { size_value } else { self.m.c.b.ins().umin(left, size_value) };
        self.block(blocks, l.counter, len);
        let carried = self.partial_values();
        self.m.close_loop(l, size, elements, &carried);
    }

    /// One block of `len` elements from `start` on.
    fn block(&mut self, blocks: Blocks<'_>, start: Value, len: Value) {
        for stage in &blocks.plan.stages {
            if !stage.acts.is_empty() {
                let reduces = |act: &Act| matches!(act, Act::Emit(n) if self.partials[*n].is_some());
                let (l, carries) = match stage.acts.iter().any(reduces) {
                    true => (self.open_carrying(), true),
                    false => (self.m.open_loop(&[]).0, false),
                };
                self.stage(blocks, &stage.acts, start, l.counter);
                let carried = if carries { self.partial_values() } else { Vec::new() };
                self.m.close_loop_at(l, LANES, len, &carried);
            }
            for &(intrinsic, n) in &stage.calls {
                self.call(blocks, intrinsic, n, start, len);
            }
        }
        self.forget();
    }

    /// Sixteen elements of a stage, from `within` of the block that begins at `start`.
    fn stage(&mut self, blocks: Blocks<'_>, acts: &[Act], start: Value, within: Value) {
        let nest = self.nest;
        let chunk = self.m.c.b.ins().iadd(start, within);
        self.words.fill(None);
        self.drawn.fill(Vec::new());
        for first in (0..LANES).step_by(4) {
            let at = At { chunk, first, valid: 4, listed: None, placed: None };
            self.forget();
            for &act in acts {
                match act {
                    Act::Emit(n) => self.emit(n, at),
                    Act::Fetch(n) => self.values[n] = Some(self.fetch(blocks, n, within, first)),
                    Act::Keep(n) => self.keep(blocks, n, within, first),
                }
            }
        }
        for (n, typed) in nest.insts.iter().enumerate() {
            if !self.masks[n].is_empty() {
                self.write_bits(n, typed, chunk, LANES);
            }
        }
    }

    /// Drops the values of the innermost loop: what comes next is not inside of where they are.
    fn forget(&mut self) {
        for n in 0..self.nest.insts.len() {
            if self.in_chunks(n) {
                self.values[n] = None;
            }
        }
    }

    /// Address and displacement of four elements of a value's block.
    fn kept(&mut self, blocks: Blocks<'_>, n: usize, within: Value, first: usize) -> (Value, i32) {
        let width = width(self.nest.insts[n].elem);
        let before = blocks.plan.kept[n].expect("a value that is kept") * blocks.size;
        let base = self.m.c.b.ins().stack_addr(I64, blocks.slot, 0);
        let bytes = self.m.c.b.ins().ishl_imm_u(within, i64::from(width.trailing_zeros()));
        (self.m.c.b.ins().iadd(base, bytes), (before + first * width) as i32)
    }

    fn keep(&mut self, blocks: Blocks<'_>, n: usize, within: Value, first: usize) {
        let (address, to) = self.kept(blocks, n, within, first);
        let lanes = self.get(Val(n as u32));
        for (vector, to) in lanes.values().zip((to..).step_by(16)) {
            self.m.c.b.ins().store(MemFlagsData::trusted(), vector, address, to);
        }
    }

    fn fetch(&mut self, blocks: Blocks<'_>, n: usize, within: Value, first: usize) -> Lanes {
        let (address, from) = self.kept(blocks, n, within, first);
        let elem = self.nest.insts[n].elem;
        let b = &mut self.m.c.b;
        let mut load = |ty: Type, from: i32| b.ins().load(ty, MemFlagsData::trusted(), address, from);
        match elem {
            Elem::F32 => Lanes::One(load(F32X4, from)),
            Elem::I32 => Lanes::One(load(I32X4, from)),
            Elem::F64 => {
                let low = load(F64X2, from);
                Lanes::Two(low, load(F64X2, from + 16))
            }
            // A comparison, so that a selection becomes one blend.
            Elem::Bool => {
                let mask = load(I32X4, from);
                let zero = self.m.c.int(0);
                Lanes::One(self.m.c.b.ins().icmp(IntCC::SignedLessThan, mask, zero))
            }
        }
    }

    /// Calls the intrinsic that does instruction `n` for the block that begins at `start`.
    fn call(&mut self, blocks: Blocks<'_>, intrinsic: Intrinsic, n: usize, start: Value, len: Value) {
        let Typed { inst, .. } = &self.nest.insts[n];
        let block = |body: &mut Self, n: usize| {
            let before = blocks.plan.kept[n].expect("a value that is kept") * blocks.size;
            body.m.c.b.ins().stack_addr(I64, blocks.slot, before as i32)
        };
        let memory = |body: &mut Self| {
            let place = body.access[n].expect("placed before the loop").main;
            body.m.address_of(place, start)
        };
        let from: Vec<Value> = arguments(inst).into_iter().map(|v| block(self, v.index())).collect();
        let mut arguments = Vec::new();
        match intrinsic {
            Intrinsic::Single(_) | Intrinsic::Double(_) | Intrinsic::Threefry => arguments.push(block(self, n)),
            Intrinsic::WidenF16 => arguments.extend([block(self, n), memory(self)]),
            Intrinsic::NarrowF16 => arguments.push(memory(self)),
            Intrinsic::Near | Intrinsic::Deliver | Intrinsic::DeliverAt => unreachable!("not of a block"),
        }
        arguments.extend(from);
        arguments.push(len);
        if let Inst::Threefry { key, .. } = inst {
            for word in key {
                let lanes = self.get(*word);
                arguments.push(self.m.c.lane(lanes, 0));
            }
        }
        let function = self.m.import(intrinsic);
        self.m.c.b.ins().call(function, &arguments);
    }
}
