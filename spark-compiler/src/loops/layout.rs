//! Layout: which arrays of two groups lie in memory column by column, and which of these by delay.
//!
//! A visit goes from column to column, and in each over rows. An array whose first group, the rows, lies innermost is then
//! read from memory in order; one whose columns lie innermost costs a cache line for each element.
//!
//! Of a column, a visit often goes to the elements of one delay. If an array's elements lie in the order of the lists of
//! arrivals, these are next to each other, a few cache lines instead of nearly all lines of the column, and four of them are
//! one load. A replay then looks up where its element lies, in two bytes an element and order of access, so this pays for arrays of
//! some sizes only.
//!
//! Condition: every access to the array is in such visits, at the element that is visited. Exact: values do not move between
//! elements, only between addresses, and the host's order is kept by [`super::Buffer::physical`].

use super::buffer::{Buffer, BufferId, Placed, Role};
use super::nest::{Inst, Lowered, Nest, Walk};
use super::visits::places;
use crate::ir::{Array, DType, Data, Elem};
use crate::passes::Note;

/// Turns the arrays that only visits of columns access; those of so many bytes lie by delay.
pub(super) fn turn(lowered: &mut Lowered, by_delay: [usize; 2]) {
    let mut accesses = vec![Accesses::None; lowered.buffers.len()];
    let replays = lowered.logs.iter().map(|log| &log.replay);
    for nest in lowered.nests.iter().chain(replays) {
        let by_column = by_column(lowered, nest);
        // Loops over columns, entries and rows, or over rows and columns.
        let element = if matches!(nest.walk, Walk::Replay(_)) { [2, 0] } else { [0, 1] };
        for typed in &nest.insts {
            let mut note = |id: BufferId, here: bool| {
                let slot = &mut accesses[id.index()];
                *slot = match (by_column, *slot) {
                    (Some(scan), Accesses::None) if here => Accesses::ByColumn(Some(scan)),
                    (Some(scan), Accesses::ByColumn(before)) if here => {
                        Accesses::ByColumn(before.filter(|before| *before == scan))
                    }
                    _ => Accesses::Others,
                };
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
    // What is settled between two steps is gone over row by row.
    for typed in lowered.settles.iter().flat_map(|nest| &nest.insts) {
        if let Inst::Load { buffer, .. } | Inst::Store { buffer, .. } = typed.inst {
            let slot = &mut accesses[buffer.index()];
            *slot = if let Accesses::ByColumn(_) = slot { Accesses::ByColumn(None) } else { *slot };
        }
    }
    for (buffer, accesses) in lowered.buffers.iter_mut().zip(&accesses) {
        let array = matches!(buffer.role, Role::State(_) | Role::Constant(_)) && buffer.dtype != DType::Bool;
        buffer.turned = array && buffer.shape.groups().len() == 2 && matches!(accesses, Accesses::ByColumn(_));
    }
    place(lowered, &accesses, by_delay);
    turn_histories(lowered);
}

/// Has arrays that only one list's visits access lie as the list goes.
fn place(lowered: &mut Lowered, accesses: &[Accesses], [least, most]: [usize; 2]) {
    let mut made: Vec<Option<Placed>> = vec![None; lowered.scans.len()];
    for (index, accesses) in accesses.iter().enumerate() {
        let buffer = &lowered.buffers[index];
        let &Accesses::ByColumn(Some(scan)) = accesses else { continue };
        let (Some(arrivals), sizes) = (&lowered.scans[scan].delayed, lowered.scans[scan].sizes) else { continue };
        let (pitch, first_delay) = (arrivals.pitch, arrivals.least);
        // Place and delay share two bytes.
        let bits = pitch.next_power_of_two().trailing_zeros();
        let fits =
            (least..=most).contains(&buffer.bytes()) && bits < 16 && first_delay + arrivals.steps <= (1 << 16) >> bits;
        if !buffer.turned || !fits || buffer.dtype.elem() == Elem::I32 {
            continue;
        }
        if made[scan].is_none() {
            let constant = |id: BufferId| match &lowered.buffer(id).role {
                Role::Constant(array) => array.data(),
                _ => crate::bug!("{id} is not constant"),
            };
            let (Data::I32(lists), Data::U16(targets)) = (constant(arrivals.lists), constant(arrivals.targets)) else {
                crate::bug!("lists of arrivals of another type")
            };
            let shape = buffer.shape.clone();
            let table = Data::U16(places(lists, targets, sizes, pitch, |step| ((first_delay + step) << bits) as u16));
            let table = Array::new(shape.clone(), table).expect("one place for each element");
            let mut places = Buffer::new("arrivals.places", Role::Constant(table.clone()), DType::U16, shape);
            places.turned = true;
            let mut add = |buffer: Buffer| {
                lowered.buffers.push(buffer);
                BufferId(lowered.buffers.len() as u32 - 1)
            };
            let across = lowered.logs.iter().any(|log| log.scan == scan).then(|| {
                let across = Buffer { name: "arrivals.places.across".into(), turned: false, ..places.clone() };
                add(across)
            });
            made[scan] = Some(Placed { scan, places: add(places), across, table, bits, pitch });
        }
        lowered.buffers[index].placed.clone_from(&made[scan]);
    }
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
    let what = |buffer: &Buffer| match buffer.placed {
        None => "lies in memory column by column, as it is visited",
        Some(_) => "lies in memory column by column, and in a column by delay, as it is visited",
    };
    lowered.buffers.iter().filter(state).map(|buffer| Note::done("layouts", &buffer.name, what(buffer))).collect()
}

/// How a buffer is accessed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Accesses {
    None,
    /// Only at the elements of visits that go over columns; of those that this list names, if it is one.
    ByColumn(Option<usize>),
    Others,
}

/// The list of the columns that the nest visits, if it never visits rows.
fn by_column(lowered: &Lowered, nest: &Nest) -> Option<usize> {
    match nest.walk {
        Walk::Replay(log) => Some(lowered.logs[log].scan),
        _ => nest.visit().filter(|visit| visit.rows.is_empty())?.scan,
    }
}
