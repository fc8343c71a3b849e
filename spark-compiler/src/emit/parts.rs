//! Parts of a step that are functions of their own, so that their loops have all registers: lists of events, replays of what was put
//! off, and visits of what is listed.
//!
//! They take the memory and four numbers: an `i64` and three `i32`.

use super::access::Memories;
use super::{replay, scan, visits};
use crate::loops::Lowered;
use cranelift::codegen::ir::{AbiParam, Signature};
use cranelift::prelude::*;
use types::{I32, I64};

/// What a function does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// Replays a column of this log: its number, the entries from which and to which, and the step.
    Column(usize),
    /// Replays the columns of [`crate::loops::Log::recent`] of this log: how many there are, the entries, and the step.
    Recent(usize),
    /// Makes this list of events; takes nothing.
    List(usize),
    /// Visits what is listed for this nest: how many pairs, and whether everything is visited; the rest is 0.
    Listed(usize),
}

impl Part {
    /// True if it does everything for one element at a time: then it needs no vectors.
    pub(super) fn of_single_elements(self) -> bool {
        matches!(self, Part::Column(_) | Part::Recent(_))
    }
}

/// All of them. A function calls them by their places here.
pub(super) fn parts(lowered: &Lowered) -> Vec<Part> {
    let replays = lowered.logs.iter().enumerate().flat_map(|(number, log)| {
        let recent = lowered.scans[log.scan].delayed.as_ref().map(|_| Part::Recent(number));
        std::iter::once(Part::Column(number)).chain(recent)
    });
    let nests = lowered.nests.iter().enumerate();
    let visits = nests.filter(|(_, nest)| nest.visit().is_some_and(|visit| visit.scan.is_some()));
    let lists = (0..lowered.scans.len()).map(Part::List);
    lists.chain(replays).chain(visits.map(|(number, _)| Part::Listed(number))).collect()
}

/// Emits one of them, given its numbers.
pub(super) fn emit(m: &mut Memories<'_, '_>, part: Part, numbers: [Value; 4]) {
    match part {
        Part::Column(log) => replay::column(m, log, numbers),
        Part::Recent(log) => replay::recent(m, log, numbers),
        Part::List(scan) => scan::emit(m, &m.lowered.scans[scan]),
        Part::Listed(nest) => visits::listed_pairs(m, nest, numbers),
    }
}

/// Adds the numbers to the signature of a function that takes the memory.
pub(super) fn with_numbers(mut signature: Signature) -> Signature {
    signature.params.extend([I64, I32, I32, I32].map(AbiParam::new));
    signature
}
