//! Bringing memory near before it is used.
//!
//! The processor looks some two hundred instructions ahead, which are a few elements, so that it waits for a few cache lines at a
//! time. Where the next column is known, an intrinsic asks for its memory while this one is worked on.

use super::access::Memories;
use super::visits::accessed;
use crate::intrinsics::Intrinsic;
use crate::loops::{BufferId, Inst, Log, Nest, Role};
use cranelift::prelude::*;

/// Bytes that a processor's second cache may hold: what is smaller is near already.
const NEAR: usize = 1 << 19;

/// Bytes of an array that are asked for at once.
const MOST: usize = 1 << 13;

/// Steps of a column's past that are asked for: those before are rarely wanted, or follow what was just read.
const RECENT: i64 = 48;

/// The arrays over rows and columns that a nest accesses and that lie column by column.
fn arrays(m: &Memories<'_, '_>, nest: &Nest) -> Vec<BufferId> {
    let two = |id: &BufferId| m.lowered.buffer(*id).turned && m.lowered.buffer(*id).shape.groups().len() == 2;
    let mut arrays: Vec<BufferId> = accessed(nest).filter(two).collect();
    arrays.sort_unstable();
    arrays.dedup();
    arrays
}

/// True if memory can be asked for: this machine has an instruction for that.
pub(super) fn asks(m: &Memories<'_, '_>) -> bool {
    m.intrinsics && Intrinsic::Near.address().is_some()
}

/// True if what a nest accesses is larger than what is near anyway.
pub(super) fn pays(m: &Memories<'_, '_>, nest: &Nest) -> bool {
    arrays(m, nest).iter().map(|&id| m.lowered.buffer(id).bytes()).sum::<usize>() > NEAR
}

/// Asks for what a replay of a column is going to access, if [`asks`] says so.
pub(super) fn column(m: &mut Memories<'_, '_>, log: &Log, column: Value) {
    let arrays = arrays(m, &log.replay);
    let placed = arrays.iter().find_map(|&id| m.lowered.buffer(id).placed.as_ref());
    let table = match placed {
        Some(placed) => Some(placed.places),
        None => m.lowered.scans[log.scan].delayed.as_ref().map(|arrivals| arrivals.delays),
    };
    for id in arrays.into_iter().chain(table.filter(|&id| m.lowered.buffer(id).turned)) {
        let buffer = m.lowered.buffer(id);
        let pitch = buffer.placed.as_ref().map_or(buffer.stride(), |placed| placed.pitch);
        let first = m.c.b.ins().imul_imm_s(column, pitch as i64);
        elements(m, id, first, pitch);
    }
    for typed in &log.replay.insts {
        if let Inst::LoadDelayed { history, .. } = typed.inst
            && m.lowered.buffer(history).turned
            && let Role::History { position, .. } = m.lowered.buffer(history).role
        {
            let (before, zero) = (m.position(position), m.index(0));
            let before = m.c.b.ins().iadd_imm_s(before, -RECENT);
            let before = m.c.b.ins().smax(before, zero);
            let first = m.c.b.ins().imul_imm_s(column, m.lowered.buffer(history).column_pitch() as i64);
            let first = m.c.b.ins().iadd(first, before);
            elements(m, history, first, RECENT as usize);
        }
    }
}

/// Asks for `number` elements of a buffer, or as many of them as are asked for at once.
fn elements(m: &mut Memories<'_, '_>, id: BufferId, first: Value, number: usize) {
    let bytes = m.lowered.buffer(id).dtype.bits() / 8;
    let (start, before) = (m.start(id), m.c.b.ins().imul_imm_s(first, bytes as i64));
    let (start, bytes) = (m.c.b.ins().iadd(start, before), m.index((number * bytes).min(MOST)));
    let function = m.import(Intrinsic::Near);
    m.c.b.ins().call(function, &[start, bytes]);
}
