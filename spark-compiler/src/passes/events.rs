//! Zero support: work over `post × pre` is done only where a spike is.
//!
//! In: an optimised program. Out: the same program with *visits*: for some sums over the innermost axis and some states
//! over two axes, the truth values (*events*) without which an element contributes zero or stays as it is. Loops over such
//! a domain visit the elements with events, and do there what they would have done anyway: the dense loop with the idle
//! rounds left out, not another algorithm.
//!
//! Conditions. Let every event be false at an element; then, by arithmetic on zeros and by the ranges of values,
//! * a term of a sum is zero;
//! * the next value of a state is its old one: nothing is added, and bounds that it respects already do not move it.
//!
//! `0 · x` is zero only if x is finite, `x + 0` is x only if x is not −0, `max(x, low)` is x only if x is not below: that is
//! what [`super::ranges`] proves. Events are truth values over the rows, over the columns, or over columns after a delay for
//! each element.
//!
//! Exact: sums skip zeros only and keep their order.

use super::absent::{Absent, Known};
use super::dce::live;
use super::narrow::elementwise;
use super::ranges::{Ranges, ranges};
use super::report::Note;
use super::rewrite::{behind_regroup, renamed};
use crate::ir::{Bounds, ConstId, DType, Elem, HistoryId, Op, OpId, Program, ReduceOp, Shape, StateId};
use crate::loops::{MOST_LISTED, MOST_ROWS};
use std::collections::HashMap;

/// Truth values over columns, delayed for each element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Delayed {
    /// Where their past is.
    pub history: HistoryId,
    /// What is pushed there.
    pub value: OpId,
    /// Steps for each element of the domain.
    pub delays: ConstId,
}

/// The elements of a domain of rows and columns that one loop visits: the union of these events.
#[derive(Clone, PartialEq, Debug)]
pub struct Visit {
    /// Whole rows.
    pub rows: Vec<OpId>,
    /// Whole columns.
    pub columns: Vec<OpId>,
    /// Single elements.
    pub delayed: Option<Delayed>,
    /// The states that are updated; none for a sum.
    pub states: Vec<StateId>,
    /// Rows whose events are put off, in place of [`Visit::rows`].
    pub later: Option<Later>,
}

/// Events of rows that change a state only when one of columns next touches it.
#[derive(Clone, PartialEq, Debug)]
pub struct Later {
    /// The events.
    pub rows: Vec<OpId>,
    /// The state after such an event alone.
    pub root: OpId,
    /// Operations over the domain that `root` needs, in order. They belong to no visit and are not computed in a step.
    pub nodes: Vec<OpId>,
    /// Steps after which an event is replayed at the latest, and for which the past of columns is kept: a power of two.
    pub kept: usize,
}

/// A program, and which of its operations belong to which visit.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Visits {
    /// All visits.
    pub list: Vec<Visit>,
    /// For each operation, the visit that alone computes it.
    pub of: Vec<Option<usize>>,
    /// The ranges that visits rely on, of the states and histories: outside of them, all elements have to be visited.
    pub ranges: Ranges,
}

/// Finds visits; what they compute is copied for each, so that no two loops share a value.
/// States with the same events are visited together.
pub(super) fn events(program: &Program, notes: &mut Vec<Note>) -> (Program, Visits) {
    let ranges = ranges(program);
    let live = live(program);
    let mut found: Vec<Found> = Vec::new();
    for (id, node) in program.iter() {
        if let Op::Reduce(ReduceOp::Sum, axis, a) = node.op
            && live[id.index()]
        {
            let shape = &program.node(a).shape;
            let float = node.elem.is_float();
            if float && shape.groups().len() == 2 && shape.position(axis) == Some(1) && shape.size() >= WORTHWHILE {
                let what = format!("the sum at {}", node.location);
                match visit(program, &ranges, a, None) {
                    Ok(visit) => {
                        notes.push(Note::done("events", &what, told(program, &visit)));
                        found.push(Found { roots: vec![id], visit });
                    }
                    Err(why) => notes.push(Note::left("events", &what, why)),
                }
            }
        }
    }
    for (index, state) in program.states.iter().enumerate() {
        let (id, shape) = (StateId::from_index(index), state.init.shape());
        let Some(next) = state.next else { continue };
        let numbers = state.init.dtype() != DType::Bool;
        let whole = shape.groups().len() == 2 && program.node(next).shape == *shape && shape.size() >= WORTHWHILE;
        let whole = whole && numbers;
        if !whole || program.node(next).op == Op::State(id) {
            continue;
        }
        match visit(program, &ranges, next, Some(id)) {
            Ok(visit) => {
                notes.push(Note::done("events", &state.name, told(program, &visit)));
                join(program, &mut found, next, visit);
            }
            Err(why) => notes.push(Note::left("events", &state.name, why)),
        }
    }
    if found.is_empty() {
        return (program.clone(), Visits { of: vec![None; program.nodes.len()], ..Visits::default() });
    }
    apart(program, ordered(program, found), ranges)
}

/// A visit, and what is computed there: a sum, or the next values of its states.
struct Found {
    roots: Vec<OpId>,
    visit: Visit,
}

/// Adds the visit of a state whose next value is `root`. States with the same events are updated by one visit, unless their
/// events of rows may be put off, which is done for each state on its own.
fn join(program: &Program, found: &mut Vec<Found>, root: OpId, visit: Visit) {
    let events = |visit: &Visit| (visit.rows.clone(), visit.columns.clone(), visit.delayed);
    let domain = |id: OpId| &program.node(id).shape;
    let both = !visit.rows.is_empty() && (!visit.columns.is_empty() || visit.delayed.is_some());
    let same = |other: &&mut Found| {
        !other.visit.states.is_empty()
            && events(&other.visit) == events(&visit)
            && domain(other.roots[0]) == domain(root)
    };
    match found.iter_mut().find(same).filter(|_| !both) {
        Some(other) => {
            other.roots.push(root);
            other.visit.states.extend(visit.states);
        }
        None => found.push(Found { roots: vec![root], visit }),
    }
}

/// Visits of states come one after another: those that read what another one writes come before it, if that is possible.
fn ordered(program: &Program, mut left: Vec<Found>) -> Vec<Found> {
    let reads = |found: &Found, states: &[StateId]| {
        let state = |id: OpId| matches!(program.node(id).op, Op::State(state) if states.contains(&state));
        slice(program, found).into_iter().any(|id| {
            let mut reads = false;
            program.node(id).op.operands(|operand| reads |= state(operand));
            reads
        })
    };
    let mut ordered = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let free = |at: &usize| {
            let others = left.iter().enumerate().filter(|(other, _)| other != at);
            !others.into_iter().any(|(_, other)| reads(other, &left[*at].visit.states))
        };
        let next = (0..left.len()).find(free).unwrap_or(0);
        ordered.push(left.remove(next));
    }
    ordered
}

/// Domains of fewer elements are not worth lists of events.
pub(super) const WORTHWHILE: usize = 64;

fn told(program: &Program, visit: &Visit) -> String {
    let mut parts = Vec::new();
    if let Some(d) = &visit.delayed {
        parts.push(format!("where `{}` arrives", program.history(d.history).name));
    }
    let lines = |kind: &str, ids: &[OpId]| {
        ids.iter().map(|&id| format!("{kind} of {id} ({})", program.node(id).location)).collect::<Vec<_>>()
    };
    parts.extend(lines("in rows", &visit.rows));
    parts.extend(lines("in columns", &visit.columns));
    let what = if !visit.states.is_empty() { "changes only" } else { "adds only" };
    format!("{what} {}", parts.join(" and "))
}

/// The events without which `root` is idle: zero, or the old value of `state`.
fn visit(program: &Program, ranges: &Ranges, root: OpId, state: Option<StateId>) -> Result<Visit, String> {
    let domain = &program.node(root).shape;
    let idle = |events: &[OpId]| {
        let mut absent = Absent::new(program, ranges, domain, events, &[]);
        let value = absent.value(root);
        let idle = match (state, value) {
            (None, Known::Zero) => true,
            (Some(state), Known::Old(old)) => state == old,
            _ => false,
        };
        if idle { Ok(()) } else { Err(absent.why(root, state.is_some())) }
    };
    let events = fewest(program, root, idle)?;
    let states = state.into_iter().collect();
    let mut found = Visit { rows: Vec::new(), columns: Vec::new(), delayed: None, states, later: None };
    for event in events {
        let node = program.node(event);
        match &node.op {
            Op::Delay { history, value, delays } if node.shape == *domain => {
                if domain.groups()[0].size() > MOST_ROWS {
                    return Err(format!("events are delayed, and there are more than {MOST_ROWS} rows"));
                }
                // Every list of a column and a delay may be filled up by three.
                let Bounds { low, high, .. } = program.constant(*delays).value.bounds();
                let lists = domain.groups()[1].size().saturating_mul((high - low) as usize + 1);
                if domain.size().saturating_add(lists.saturating_mul(3)) > MOST_LISTED {
                    return Err(format!("events are delayed, and there are more than {MOST_LISTED} elements"));
                }
                let delayed = Delayed { history: *history, value: *value, delays: *delays };
                if found.delayed.replace(delayed).is_some_and(|before| before != delayed) {
                    return Err("two kinds of delayed events reach it".into());
                }
            }
            _ if node.shape.groups() == &domain.groups()[..1] => found.rows.push(event),
            _ => found.columns.push(event),
        }
    }
    if found.rows.is_empty() && found.columns.is_empty() && found.delayed.is_none() {
        return Err("it is idle at all times".into());
    }
    Ok(found)
}

/// The fewest truth values, of those that `root` is computed from, with which `idle` holds if they are absent.
pub(super) fn fewest(
    program: &Program,
    root: OpId,
    mut idle: impl FnMut(&[OpId]) -> Result<(), String>,
) -> Result<Vec<OpId>, String> {
    let events = candidates(program, root, &program.node(root).shape)?;
    if events.is_empty() {
        return Err("it does not depend on truth values of its rows or columns".into());
    }
    idle(&events)?;
    // Fewer events, fewer visits: those that come as they are (inputs, states, constants) are spared first.
    let mut kept = events;
    let computed = |id: OpId| {
        !matches!(program.node(behind_regroup(program, id)).op, Op::Input(_) | Op::State(_) | Op::Constant(_))
    };
    for spare in [false, true] {
        for event in kept.clone() {
            if computed(event) == spare {
                let fewer: Vec<OpId> = kept.iter().copied().filter(|&other| other != event).collect();
                if idle(&fewer).is_ok() {
                    kept = fewer;
                }
            }
        }
    }
    Ok(kept)
}

/// Truth values that `root` is computed from, element by element, whose elements can be listed.
fn candidates(program: &Program, root: OpId, domain: &Shape) -> Result<Vec<OpId>, String> {
    let mut seen = vec![false; program.nodes.len()];
    let mut open = vec![root];
    let mut found = Vec::new();
    while let Some(id) = open.pop() {
        if std::mem::replace(&mut seen[id.index()], true) {
            continue;
        }
        let node = program.node(id);
        let whole = node.shape == *domain;
        if whole
            && !(elementwise(&node.op)
                || matches!(node.op, Op::Delay { .. } | Op::State(_) | Op::Constant(_) | Op::Input(_)))
        {
            return Err(format!("it needs all of what {} computes", node.location));
        }
        if node.elem == Elem::Bool {
            let one_group = node.shape.groups().len() == 1 && node.shape.fits(domain);
            let delayed = match &node.op {
                Op::Delay { value, delays, .. } => {
                    whole
                        && program.node(*value).shape.groups() == &domain.groups()[1..]
                        && program.constant(*delays).value.shape() == domain
                }
                _ => false,
            };
            if one_group && !matches!(node.op, Op::Constant(_)) || delayed {
                found.push(id);
                continue;
            }
        }
        // What moves elements (a regrouping may rename rows to columns) is where events end.
        if elementwise(&node.op) {
            node.op.operands(|operand| open.push(operand));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Copies, for each visit, the operations over its domain that its root needs; their ranges are those of the originals.
fn apart(program: &Program, found: Vec<Found>, ranges: Ranges) -> (Program, Visits) {
    let mut out = program.clone();
    let mut originals: Vec<OpId> = program.iter().map(|(id, _)| id).collect();
    let mut of = vec![None; program.nodes.len()];
    let mut replaced: HashMap<OpId, OpId> = HashMap::new();
    for (number, one) in found.iter().enumerate() {
        let mut copies: HashMap<OpId, OpId> = HashMap::new();
        for id in slice(program, one) {
            let mut node = program.node(id).clone();
            node.op.map_operands(|operand| copies.get(&operand).copied().unwrap_or(operand));
            copies.insert(id, out.push(node));
            originals.push(id);
            of.push(Some(number));
        }
        if one.visit.states.is_empty() {
            replaced.extend(one.roots.iter().map(|root| (*root, copies[root])));
        }
        for (state, root) in one.visit.states.iter().zip(&one.roots) {
            out.states[state.index()].next = Some(copies[root]);
        }
    }
    let (out, places) = renamed(&out, |id| replaced.get(&id).copied().unwrap_or(id));
    let at = |id: OpId| places[id.index()].expect("all that something needed needs is needed");
    let moved = originals.iter().zip(&places).filter_map(|(&original, &place)| Some((original, place?)));
    let ranges = ranges.moved(out.nodes.len(), moved);
    let mut visits = Visits { of: vec![None; out.nodes.len()], ranges, ..Visits::default() };
    for (id, number) in of.iter().enumerate() {
        if let (Some(number), Some(place)) = (number, places[id]) {
            visits.of[place.index()] = Some(*number);
        }
    }
    for Found { mut visit, .. } in found {
        visit.rows.iter_mut().chain(&mut visit.columns).for_each(|id| *id = at(*id));
        if let Some(delayed) = &mut visit.delayed {
            delayed.value = at(delayed.value);
        }
        visits.list.push(visit);
    }
    (out, visits)
}

/// The roots, and the operations over the whole domain that they need, in order.
fn slice(program: &Program, Found { roots, visit }: &Found) -> Vec<OpId> {
    let top = |root: OpId| match program.node(root).op {
        Op::Reduce(_, _, a) if visit.states.is_empty() => a,
        _ => root,
    };
    let mut open: Vec<OpId> = roots.iter().map(|&root| top(root)).collect();
    let domain = &program.node(open[0]).shape;
    let mut inside = vec![false; program.nodes.len()];
    roots.iter().for_each(|root| inside[root.index()] = true);
    let mut entered = vec![false; program.nodes.len()];
    while let Some(id) = open.pop() {
        let node = program.node(id);
        let computed =
            elementwise(&node.op) && !matches!(node.op, Op::Literal(_)) || matches!(node.op, Op::Delay { .. });
        if computed && node.shape == *domain && !std::mem::replace(&mut entered[id.index()], true) {
            inside[id.index()] = true;
            node.op.operands(|operand| open.push(operand));
        }
    }
    (0..inside.len()).filter(|&i| inside[i]).map(OpId::from_index).collect()
}
