//! Scheduling: which loop nest each operation belongs to.
//!
//! A nest is named by a *level* and its group sizes. Operations of one level and size share a nest; levels run in order.
//! An operation's earliest level follows from its operands: what a nest of another size, a reduction, a gather or a
//! delay reads must be complete, so it lies one level below. Afterwards operations sink to the level where they are
//! first needed, so that as few values as possible live in memory between nests.
//!
//! Operations of a visit (see [`crate::passes::Visits`]) have nests of their own. Those that update a state come last, one
//! after another, so that everything else reads the old one before.

use crate::ir::{Op, OpId, Program};
use crate::passes::Visits;
use std::collections::HashMap;

/// Where an operation is computed.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) struct Place {
    /// Nests run in order of their levels.
    pub(super) level: usize,
    /// Group sizes of the nest.
    pub(super) sizes: Vec<usize>,
    /// The visit that the nest makes; `None` for all elements.
    pub(super) visit: Option<usize>,
}

/// The place of every operation that computes something; `None` for reads (literals, constants, inputs, states) and for
/// regroupings that are mere views.
pub(super) fn schedule(program: &Program, visits: &Visits) -> Vec<Option<Place>> {
    let n = program.nodes.len();
    let mut earliest = vec![0usize; n];
    for (id, node) in program.iter() {
        let sizes = home(program, id);
        let mut level = 0;
        node.op.operands(|operand| {
            let source = resolve(program, operand);
            if !is_read(program, source) {
                level = level.max(earliest[source.index()] + distance(program, id, &sizes, source));
            }
        });
        for (source, distance) in events(program, visits, id) {
            level = level.max(earliest[source.index()] + distance);
        }
        // A delayed value is pushed in its own nest before it is read back, also if it is a mere read.
        if let Op::Delay { value, .. } = node.op
            && is_read(program, resolve(program, value))
        {
            level = level.max(1);
        }
        earliest[id.index()] = level;
    }
    // What is replayed later has a nest of its own, which is made elsewhere.
    let mut later = vec![false; n];
    let replayed = visits.list.iter().filter_map(|visit| visit.later.as_ref());
    replayed.flat_map(|later| &later.nodes).for_each(|id| later[id.index()] = true);
    let computes = |program: &Program, id: OpId| computes(program, id) && !later[id.index()];
    let mut deepest: HashMap<Vec<usize>, usize> = HashMap::new();
    let visit = |id: OpId| visits.of[id.index()];
    for (id, _) in program.iter().filter(|(id, _)| computes(program, *id) && visit(*id).is_none()) {
        let slot = deepest.entry(home(program, id)).or_default();
        *slot = earliest[id.index()].max(*slot);
    }
    let last = earliest.iter().max().map_or(0, |level| level + 1);
    // Latest level each operation may have, from its consumers; values only the end of the step needs go where their
    // size occurs last.
    let mut latest: Vec<Option<usize>> = vec![None; n];
    let mut levels = earliest.clone();
    for index in (0..n).rev() {
        let id = OpId::from_index(index);
        if !computes(program, id) {
            continue;
        }
        let sizes = home(program, id);
        let level = match (visit(id), latest[index]) {
            (Some(number), _) if !visits.list[number].states.is_empty() => last + number,
            (_, Some(level)) => level,
            (Some(_), None) => earliest[index],
            (None, None) => deepest[&sizes],
        };
        levels[index] = level.max(earliest[index]);
        let node = program.node(id);
        node.op.operands(|operand| {
            let source = resolve(program, operand);
            if is_read(program, source) {
                return;
            }
            let bound = levels[index] - distance(program, id, &sizes, source);
            let slot = &mut latest[source.index()];
            *slot = Some(slot.map_or(bound, |b| b.min(bound)));
        });
        for (source, distance) in events(program, visits, id) {
            let bound = levels[index] - distance;
            let slot = &mut latest[source.index()];
            *slot = Some(slot.map_or(bound, |b| b.min(bound)));
        }
    }
    (0..n)
        .map(OpId::from_index)
        .map(|id| {
            let place = || Place { level: levels[id.index()], sizes: home(program, id), visit: visit(id) };
            computes(program, id).then(place)
        })
        .collect()
}

/// What must be in memory before the visit that `id` belongs to, and how many levels before.
fn events(program: &Program, visits: &Visits, id: OpId) -> Vec<(OpId, usize)> {
    let Some(number) = visits.of[id.index()] else { return Vec::new() };
    let visit = &visits.list[number];
    let later = visit.later.iter().flat_map(|later| &later.rows);
    let lines = visit.rows.iter().chain(&visit.columns).chain(later).map(|&event| (event, 1));
    let delayed = visit.delayed.iter().map(|d| {
        let copied = complete_only(program, resolve(program, d.value));
        (d.value, if copied { 2 } else { 1 })
    });
    let sources = lines.chain(delayed).map(|(event, distance)| (resolve(program, event), distance));
    sources.filter(|(source, _)| !is_read(program, *source)).collect()
}

/// The value behind views.
pub(super) fn resolve(program: &Program, mut id: OpId) -> OpId {
    while let Op::Regroup(source) = program.node(id).op {
        if !is_view(program, id) {
            break;
        }
        id = source;
    }
    id
}

/// True if `id` regroups without moving elements: group sizes stay the same.
pub(super) fn is_view(program: &Program, id: OpId) -> bool {
    match program.node(id).op {
        Op::Regroup(source) => program.node(source).shape.sizes() == program.node(id).shape.sizes(),
        _ => false,
    }
}

/// True for values that need no computing.
pub(super) fn is_read(program: &Program, id: OpId) -> bool {
    matches!(program.node(id).op, Op::Literal(_) | Op::Constant(_) | Op::Input(_) | Op::State(_))
}

fn computes(program: &Program, id: OpId) -> bool {
    !is_read(program, id) && !is_view(program, id)
}

/// Group sizes of the nest that computes `id`: for reductions and segment sums those of the operand.
pub(super) fn home(program: &Program, id: OpId) -> Vec<usize> {
    match program.node(id).op {
        Op::Reduce(_, _, a) | Op::SegmentSum { source: a, .. } => program.node(a).shape.sizes(),
        _ => program.node(id).shape.sizes(),
    }
}

/// How many levels `id`, computed in a nest of `sizes`, lies below its operand `source`: none if it reads it in a
/// register, one if through memory, two if a nest in between copies it into a history.
fn distance(program: &Program, id: OpId, sizes: &[usize], source: OpId) -> usize {
    let copied = matches!(program.node(id).op, Op::Delay { .. }) && complete_only(program, source);
    let memory = through_memory(program, id) || complete_only(program, source) || home(program, source) != sizes;
    if copied { 2 } else { usize::from(memory) }
}

/// True for operations that read their operand at other places than their own.
pub(super) fn through_memory(program: &Program, id: OpId) -> bool {
    matches!(program.node(id).op, Op::Gather { .. } | Op::Concat(_) | Op::Delay { .. } | Op::Regroup(_))
}

/// True for values that exist only once their nest is done.
pub(super) fn complete_only(program: &Program, id: OpId) -> bool {
    matches!(program.node(id).op, Op::Reduce(..) | Op::SegmentSum { .. } | Op::Concat(_))
}
