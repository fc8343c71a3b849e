//! Bringing memory near before it is used.
//!
//! The processor looks some two hundred instructions ahead, which are a few elements, so that it waits for a few cache lines at a
//! time. These loads do nothing else, so that many lines are on their way at once. Nobody uses what they load: they are marked as
//! possibly trapping, which they never do, since the code generator would drop them otherwise.

use super::access::{Memories, Place};
use super::visits::accessed;
use crate::loops::{BufferId, Log};
use cranelift::prelude::*;
use types::I32;

/// Bytes that a processor's second cache may hold: what is smaller is near already.
const NEAR: usize = 1 << 19;

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

fn load(m: &mut Memories<'_, '_>, place: Place, offset: Option<Value>) {
    let offset = offset.unwrap_or_else(|| m.index(0));
    let address = m.address_of(place, offset);
    m.c.b.ins().uload8(I32, MemFlagsData::new(), address, 0);
}
