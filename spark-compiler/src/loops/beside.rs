//! Values of rows that lie beside each other: where a visit reads several values of each row that an event arrives at, a copy has
//! those of one row next to each other.
//!
//! The rows of a column are anywhere, so each of them costs a load for each value, and an instruction that puts it into its lane.
//! From a copy, one load has all values of a row, and four rows take a few shuffles. The copy is as long as the rows are many, and each of them
//! is read for many columns.
//!
//! Condition: the nest reads from two to four buffers of `f32` over rows, and stores to none of them. Exact: values are copied.

use super::buffer::{Buffer, BufferId, Role};
use super::nest::{Beside, Inst, Lowered, Walk};
use crate::ir::{Axis, DType, Shape};

/// Values of a row, at most: one vector.
const MOST: usize = 4;

/// Has visits of arrivals read from copies.
pub(super) fn lay_beside(lowered: &mut Lowered) {
    for number in 0..lowered.nests.len() {
        let nest = &lowered.nests[number];
        let Some(scan) = nest.visit().and_then(|visit| visit.scan) else { continue };
        if lowered.scans[scan].delayed.is_none() {
            continue;
        }
        let mut values: Vec<BufferId> = Vec::new();
        for typed in &nest.insts {
            if let Inst::Load { buffer, map } = &typed.inst
                && map == &[0]
                && lowered.buffer(*buffer).dtype == DType::F32
                && !values.contains(buffer)
            {
                values.push(*buffer);
            }
        }
        let stored = nest.insts.iter().filter_map(|typed| match typed.inst {
            Inst::Store { buffer, .. } | Inst::Reduce { buffer, .. } => Some(buffer),
            _ => None,
        });
        let stored: Vec<BufferId> = stored.collect();
        values.retain(|buffer| !stored.contains(buffer));
        if !(2..=MOST).contains(&values.len()) {
            continue;
        }
        let rows = nest.sizes[0];
        let shape = Shape::of(Axis::anonymous(0), &[Beside::elements(rows, values.len())]);
        let copy = BufferId(lowered.buffers.len() as u32);
        lowered.buffers.push(Buffer::new("values of rows", Role::Temporary, DType::F32, shape));
        if let Walk::Visit(visit) = &mut lowered.nests[number].walk {
            visit.beside = Some(Beside { values, copy });
        }
    }
}
