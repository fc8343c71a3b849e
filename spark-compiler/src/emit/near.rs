//! Bringing memory near before it is used.
//!
//! The processor looks some two hundred instructions ahead, which are a few elements, so that it waits for a few cache lines at a
//! time. These loads do nothing else, so that many lines are on their way at once. Nobody uses what they load: they are marked as
//! possibly trapping, which they never do, since the code generator would drop them otherwise.

use super::access::{Memories, Place};
use super::visits::accessed;
use crate::intrinsics::Intrinsic;
use crate::loops::{BufferId, Log};
use cranelift::prelude::*;
use types::I32;

/// Bytes that a processor's second cache may hold: what is smaller is near already.
const NEAR: usize = 1 << 19;

/// Bytes of an array that are asked for at once.
const MOST: usize = 1 << 13;

/// The arrays over rows and columns that a replay accesses.
fn arrays(m: &Memories<'_, '_>, log: &Log) -> Vec<BufferId> {
    let two = |id: &BufferId| m.lowered.buffer(*id).turned && m.lowered.buffer(*id).shape.groups().len() == 2;
    let mut arrays: Vec<BufferId> = accessed(&log.replay).filter(two).collect();
    arrays.sort_unstable();
    arrays.dedup();
    arrays
}

/// True if what replays access is larger than what is near anyway.
pub(super) fn pays(m: &Memories<'_, '_>, log: &Log) -> bool {
    arrays(m, log).iter().map(|&id| m.lowered.buffer(id).bytes()).sum::<usize>() > NEAR
}

/// What a replay of an element is going to access, if it lies at `placed` in arrays that lie by delay.
pub(super) fn element(m: &mut Memories<'_, '_>, log: &Log, row: Value, column: Value, placed: Option<Value>) {
    let delays = m.lowered.scans[log.scan].delayed.as_ref().map(|arrivals| arrivals.delays);
    for id in arrays(m, log).into_iter().chain(delays.filter(|_| placed.is_none())) {
        if m.lowered.buffer(id).placed.is_some() {
            let place = m.place(id, &vec![], None, &[]);
            load(m, place, placed);
        } else {
            let place = m.place(id, &vec![0, 1], None, &[row, column]);
            load(m, place, None);
        }
    }
}

/// What a replay of a column is going to access.
pub(super) fn column(m: &mut Memories<'_, '_>, log: &Log, column: Value) {
    let arrays = arrays(m, log);
    let placed = arrays.iter().find_map(|&id| m.lowered.buffer(id).placed.as_ref());
    let table = match placed {
        Some(placed) => Some(placed.places),
        None => m.lowered.scans[log.scan].delayed.as_ref().map(|arrivals| arrivals.delays),
    };
    for id in arrays.into_iter().chain(table.filter(|&id| m.lowered.buffer(id).turned)) {
        let buffer = m.lowered.buffer(id);
        let pitch = buffer.placed.as_ref().map_or(buffer.stride(), |placed| placed.pitch);
        let bytes = pitch * buffer.dtype.bits() / 8;
        let (start, before) = (m.start(id), m.c.b.ins().imul_imm_s(column, bytes as i64));
        let start = m.c.b.ins().iadd(start, before);
        near(m, start, bytes.min(MOST));
    }
}

/// Asks for memory, if this machine has an instruction for that.
fn near(m: &mut Memories<'_, '_>, from: Value, bytes: usize) {
    let bytes = m.index(bytes);
    let function = m.import(Intrinsic::Near);
    m.c.b.ins().call(function, &[from, bytes]);
}

fn load(m: &mut Memories<'_, '_>, place: Place, offset: Option<Value>) {
    let offset = offset.unwrap_or_else(|| m.index(0));
    let address = m.address_of(place, offset);
    m.c.b.ins().uload8(I32, MemFlagsData::new(), address, 0);
}
