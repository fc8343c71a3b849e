//! Stages: which part of a nest runs before and after which calls of intrinsics.
//!
//! ```text
//! for blocks of a row:
//!     for chunks of the block:  stage 0
//!     calls: whole blocks of values from stage 0
//!     for chunks of the block:  stage 1, on what the calls gave
//!     …
//! ```
//!
//! An instruction belongs to the first stage in which its operands are there, or to a later one that is the first to need
//! it, unless that would keep more values. What a stage takes from an earlier one is kept in a block of the stack;
//! what is read from memory is read again instead, where nothing wrote there in between. Of two accesses to a buffer
//! of which one writes, the later one is in no earlier stage, and behind a call that makes the earlier one.

use super::access::Follow;
use super::nest::Access;
use crate::intrinsics::Intrinsic;
use crate::ir::{DType, Elem, ThreefryWord};
use crate::loops::{BufferId, Inst, Nest, Typed, Val};
use crate::math::Function;
use std::collections::HashMap;

/// What a stage does about an instruction, for each four lanes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Act {
    /// Emit it.
    Emit(usize),
    /// Get its value from its block.
    Fetch(usize),
    /// Put its value into its block.
    Keep(usize),
}

/// Instructions between two rounds of calls.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Stage {
    /// In order.
    pub(super) acts: Vec<Act>,
    /// Instructions that are calls, at the end.
    pub(super) calls: Vec<(Intrinsic, usize)>,
}

/// A nest in stages.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Plan {
    pub(super) stages: Vec<Stage>,
    /// Where each value that is kept has its block: bytes before it, per element of a block.
    pub(super) kept: Vec<Option<usize>>,
    /// Bytes of all blocks, per element.
    pub(super) bytes: usize,
}

/// Bytes of a value's element.
pub(super) fn width(elem: Elem) -> usize {
    if elem == Elem::F64 { 8 } else { 4 }
}

/// The buffer an instruction reads or writes elements of.
fn touched(inst: &Inst) -> Option<BufferId> {
    match inst {
        Inst::Load { buffer, .. }
        | Inst::LoadAt { buffer, .. }
        | Inst::Lookup { table: buffer, .. }
        | Inst::Store { buffer, .. }
        | Inst::StoreAt { buffer, .. }
        | Inst::Reduce { buffer, .. }
        | Inst::ScatterAdd { buffer, .. } => Some(*buffer),
        Inst::LoadDelayed { history, .. } | Inst::StoreRow { history, .. } => Some(*history),
        Inst::Literal(_)
        | Inst::Unary(..)
        | Inst::Binary(..)
        | Inst::Compare(..)
        | Inst::MulAdd(..)
        | Inst::Select(..)
        | Inst::Cast(..)
        | Inst::Bitcast(..)
        | Inst::Index
        | Inst::Threefry { .. } => None,
    }
}

/// The intrinsic that does `nest`'s instruction `n`, if there is one. `inside` says which instructions differ from element to
/// element.
fn intrinsic(nest: &Nest, access: &[Option<Access>], inside: &[bool], n: usize) -> Option<Intrinsic> {
    let typed = &nest.insts[n];
    let halves = |n: usize| {
        access[n].is_some_and(|access: Access| {
            let place = access.main;
            access.indices.is_none() && place.dtype == DType::F16 && place.follow == Follow::Contiguous
        })
    };
    let found = match &typed.inst {
        Inst::Unary(op, _) if inside[n] => {
            let function = Function::of(*op)?;
            match typed.elem {
                Elem::F32 => Intrinsic::Single(function),
                Elem::F64 => Intrinsic::Double(function),
                Elem::Bool | Elem::I32 => return None,
            }
        }
        Inst::Threefry { word: ThreefryWord::Mixed, key, .. } if inside[n] => {
            key.iter().all(|v| !inside[v.index()]).then_some(Intrinsic::Threefry)?
        }
        Inst::Load { .. } | Inst::LoadDelayed { .. } if inside[n] && typed.elem == Elem::F32 => {
            halves(n).then_some(Intrinsic::WidenF16)?
        }
        Inst::Store { value, .. } | Inst::StoreRow { value, .. } => {
            let value = value.index();
            (inside[value] && nest.insts[value].elem == Elem::F32 && halves(n)).then_some(Intrinsic::NarrowF16)?
        }
        _ => return None,
    };
    found.address().map(|_| found)
}

/// Values that are put into blocks for a call.
pub(super) fn arguments(inst: &Inst) -> Vec<Val> {
    match inst {
        Inst::Threefry { counter, .. } => counter.to_vec(),
        inst => inst.operands(),
    }
}

/// What is known of a nest while it is divided.
struct Division<'n> {
    nest: &'n Nest,
    inside: &'n [bool],
    calls: Vec<Option<Intrinsic>>,
    /// The stage of each instruction.
    stages: Vec<usize>,
    /// The last stage in which each load gives the same value.
    fresh: Vec<usize>,
}

/// Divides a nest; `None` if no instruction of it is an intrinsic.
pub(super) fn plan(nest: &Nest, access: &[Option<Access>], inside: &[bool]) -> Option<Plan> {
    let count = nest.insts.len();
    let calls: Vec<_> = (0..count).map(|n| intrinsic(nest, access, inside, n)).collect();
    calls.iter().flatten().next()?;
    let mut division = Division { nest, inside, calls, stages: vec![0; count], fresh: vec![usize::MAX; count] };
    division.as_early_as_possible();
    division.as_late_as_needed();
    Some(division.plan())
}

impl Division<'_> {
    /// The stage after which the instruction's value, or its effect, is there.
    fn done(&self, n: usize) -> usize {
        self.stages[n] + usize::from(self.calls[n].is_some())
    }

    fn as_early_as_possible(&mut self) {
        let nest = self.nest;
        // When all accesses so far, and all writes so far, of a buffer are done.
        let mut accessed: HashMap<BufferId, [usize; 2]> = HashMap::new();
        for (n, typed) in nest.insts.iter().enumerate().filter(|&(n, _)| self.inside[n]) {
            let operands = typed.inst.operands().into_iter().map(|v| self.done(v.index()));
            self.stages[n] = operands.max().unwrap_or(0);
            let Some(buffer) = touched(&typed.inst) else { continue };
            let before = accessed.entry(buffer).or_default();
            let writes = typed.inst.is_effect();
            self.stages[n] = self.stages[n].max(before[usize::from(!writes)]);
            let done = self.done(n);
            let before = accessed.entry(buffer).or_default();
            before[0] = before[0].max(done);
            before[1] = before[1].max(if writes { done } else { 0 });
        }
        let mut written: HashMap<BufferId, usize> = HashMap::new();
        for (n, typed) in nest.insts.iter().enumerate().rev() {
            let Some(buffer) = touched(&typed.inst) else { continue };
            let first = written.entry(buffer).or_insert(usize::MAX);
            if typed.inst.is_effect() {
                *first = (*first).min(self.stages[n]);
            }
            self.fresh[n] = *first;
        }
    }

    /// True if the instruction's value costs nothing to have in `stage`: it is outside the innermost loop, or read again.
    fn free(&self, n: usize, stage: usize) -> bool {
        !self.inside[n] || self.again(n, stage)
    }

    /// True if the instruction may be emitted again in `stage`.
    fn again(&self, n: usize, stage: usize) -> bool {
        let read = match &self.nest.insts[n].inst {
            Inst::Load { .. } => self.fresh[n] >= stage,
            Inst::Index => true,
            _ => false,
        };
        read && self.inside[n] && self.calls[n].is_none()
    }

    fn as_late_as_needed(&mut self) {
        let nest = self.nest;
        // The first stage that needs each instruction's value.
        let mut needed = vec![usize::MAX; nest.insts.len()];
        for (n, Typed { inst, .. }) in nest.insts.iter().enumerate().rev().filter(|&(n, _)| self.inside[n]) {
            let operands = inst.operands();
            let movable = self.calls[n].is_none() && !inst.is_effect() && touched(inst).is_none();
            if movable && needed[n] != usize::MAX {
                let mut kept: Vec<&Val> = operands.iter().filter(|v| !self.free(v.index(), needed[n])).collect();
                kept.sort_unstable();
                kept.dedup();
                if kept.len() <= 1 {
                    self.stages[n] = needed[n];
                }
            }
            for v in operands {
                needed[v.index()] = needed[v.index()].min(self.stages[n]);
            }
        }
    }

    fn plan(&self) -> Plan {
        let count = self.nest.insts.len();
        let last = (0..count).filter(|&n| self.inside[n]).map(|n| self.stages[n]).max().unwrap_or(0);
        // What each stage needs as a value, and what is put into a block in which stage.
        let mut needed = vec![vec![false; count]; last + 1];
        let mut keep: Vec<Option<usize>> = vec![None; count];
        for (n, typed) in self.nest.insts.iter().enumerate().filter(|&(n, _)| self.inside[n]) {
            let stage = self.stages[n];
            if self.calls[n].is_none() {
                needed[stage][n] = true;
                for v in typed.inst.operands().into_iter().map(Val::index).filter(|&v| self.inside[v]) {
                    needed[stage][v] = true;
                    let here = self.stages[v] == stage && self.calls[v].is_none();
                    if !here && !self.again(v, stage) && self.calls[v].is_none() {
                        needed[self.stages[v]][v] = true;
                        keep[v] = Some(self.stages[v]);
                    }
                }
                continue;
            }
            for v in arguments(&typed.inst).into_iter().map(Val::index) {
                if !self.inside[v] {
                    keep[v] = Some(keep[v].map_or(stage, |s| s.min(stage)));
                } else if self.calls[v].is_none() {
                    needed[self.stages[v]][v] = true;
                    keep[v] = Some(self.stages[v]);
                }
            }
        }
        let mut stages = vec![Stage::default(); last + 1];
        for (s, stage) in stages.iter_mut().enumerate() {
            for n in 0..count {
                if needed[s][n] {
                    let here = self.calls[n].is_none() && (self.stages[n] == s || keep[n].is_none());
                    stage.acts.push(if here { Act::Emit(n) } else { Act::Fetch(n) });
                }
                if keep[n] == Some(s) {
                    stage.acts.push(Act::Keep(n));
                }
                if let Some(intrinsic) = self.calls[n].filter(|_| self.stages[n] == s) {
                    stage.calls.push((intrinsic, n));
                }
            }
        }
        let (kept, bytes) = self.blocks(&stages, &keep);
        Plan { stages, kept, bytes }
    }

    /// A block for each value that is kept or that a call gives, used again when nobody needs it any more.
    fn blocks(&self, stages: &[Stage], keep: &[Option<usize>]) -> (Vec<Option<usize>>, usize) {
        let count = self.nest.insts.len();
        let mut until = vec![None; count];
        for (s, stage) in stages.iter().enumerate() {
            for act in &stage.acts {
                if let Act::Fetch(n) | Act::Keep(n) = *act {
                    until[n] = Some(s);
                }
            }
            for &(_, n) in &stage.calls {
                arguments(&self.nest.insts[n].inst).into_iter().for_each(|v| until[v.index()] = Some(s));
                if !self.nest.insts[n].inst.is_effect() {
                    until[n] = Some(s);
                }
            }
        }
        let (mut kept, mut bytes) = (vec![None; count], 0);
        let mut unused: Vec<(usize, usize)> = Vec::new();
        for s in 0..stages.len() {
            let begins = |n: usize| {
                let called = self.calls[n].is_some() && self.stages[n] == s && !self.nest.insts[n].inst.is_effect();
                called || keep[n] == Some(s)
            };
            for n in (0..count).filter(|&n| begins(n)) {
                let width = width(self.nest.insts[n].elem);
                let at = unused.iter().position(|&(_, w)| w == width).map(|at| unused.swap_remove(at).0);
                kept[n] = Some(at.unwrap_or_else(|| {
                    bytes += width;
                    bytes - width
                }));
            }
            let ends = |n: &usize| until[*n] == Some(s);
            unused.extend((0..count).filter(ends).filter_map(|n| Some((kept[n]?, width(self.nest.insts[n].elem)))));
        }
        (kept, bytes)
    }
}
