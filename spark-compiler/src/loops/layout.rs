//! Layout: which arrays of two groups lie in memory column by column.
//!
//! A visit goes from column to column, and in each over rows. An array whose first group, the rows, lies innermost is then
//! read from memory in order; one whose columns lie innermost costs a cache line for each element.
//!
//! Condition: every access to the array is in such visits, at the element that is visited. Exact: values do not move between
//! elements, only between addresses, and the host's order is kept by [`super::Buffer::physical`].

use super::nest::{Buffer, BufferId, Inst, Lowered, Nest, Role, Walk};
use crate::ir::DType;
use crate::passes::Note;

/// Turns the arrays that only visits of columns access.
pub(super) fn turn(lowered: &mut Lowered) {
    let mut accesses = vec![Accesses::None; lowered.buffers.len()];
    let replays = lowered.logs.iter().map(|log| &log.replay);
    for nest in lowered.nests.iter().chain(replays) {
        let by_column = by_column(nest);
        // Loops over columns, entries and rows, or over rows and columns.
        let element = if matches!(nest.walk, Walk::Replay(_)) { [2, 0] } else { [0, 1] };
        for typed in &nest.insts {
            let mut note = |id: BufferId, here: bool| {
                let slot = &mut accesses[id.index()];
                *slot =
                    if here && by_column && *slot != Accesses::Others { Accesses::ByColumn } else { Accesses::Others };
            };
            match &typed.inst {
                Inst::Load { buffer, map } | Inst::Store { buffer, map, .. } => note(*buffer, *map == element),
                Inst::LoadDelayed { history, delays, delays_map, .. } => {
                    note(*history, false);
                    note(*delays, *delays_map == element);
                }
                Inst::LoadAt { buffer, offsets, .. } | Inst::ScatterAdd { buffer, offsets, .. } => {
                    note(*buffer, false);
                    note(*offsets, false);
                }
                Inst::StoreRow { history: buffer, .. } | Inst::StoreAt { buffer, .. } | Inst::Reduce { buffer, .. } => {
                    note(*buffer, false)
                }
                Inst::Lookup { table, .. } => note(*table, false),
                Inst::Literal(_)
                | Inst::Unary(..)
                | Inst::Binary(..)
                | Inst::Compare(..)
                | Inst::MulAdd(..)
                | Inst::Select(..)
                | Inst::Cast(..)
                | Inst::Bitcast(..)
                | Inst::Index
                | Inst::Threefry { .. } => {}
            }
        }
    }
    for (buffer, accesses) in lowered.buffers.iter_mut().zip(accesses) {
        let array = matches!(buffer.role, Role::State(_) | Role::Constant(_)) && buffer.dtype != DType::Bool;
        buffer.turned = array && buffer.shape.groups().len() == 2 && accesses == Accesses::ByColumn;
    }
    turn_histories(lowered);
}

/// Turns the histories that are kept for what is put off: a replay reads the past of one column.
fn turn_histories(lowered: &mut Lowered) {
    let listed: Vec<BufferId> = lowered.scans.iter().filter_map(|s| Some(s.delayed.as_ref()?.history)).collect();
    for (index, buffer) in lowered.buffers.iter_mut().enumerate() {
        let long = matches!(buffer.role, Role::History { rows, depth, .. } if rows > depth);
        buffer.turned |= long && buffer.shape.groups().len() == 1 && !listed.contains(&BufferId(index as u32));
    }
}

/// Says which arrays lie column by column.
pub fn layouts(lowered: &Lowered) -> Vec<Note> {
    let state = |buffer: &&Buffer| buffer.turned && matches!(buffer.role, Role::State(_));
    let what = "lies in memory column by column, as it is visited";
    lowered.buffers.iter().filter(state).map(|buffer| Note::done("layouts", &buffer.name, what)).collect()
}

/// How a buffer is accessed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Accesses {
    None,
    /// Only at the elements of visits that go over columns.
    ByColumn,
    Others,
}

/// True if the nest visits columns and never rows.
fn by_column(nest: &Nest) -> bool {
    let visit = nest.visit().is_some_and(|visit| visit.rows.is_empty() && visit.scan.is_some());
    visit || matches!(nest.walk, Walk::Replay(_))
}
