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

use super::narrow::elementwise;
use super::ranges::{Range, Ranges, ranges};
use super::report::Note;
use super::rewrite::{behind_regroup, renamed};
use crate::ir::{
    BinaryOp, CompareOp, ConstId, DType, Elem, HistoryId, Literal, Op, OpId, Program, ReduceOp, Shape, StateId, UnaryOp,
};
use crate::loops::MOST_ROWS;
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
    /// The state that is updated; `None` for a sum.
    pub state: Option<StateId>,
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
pub(super) fn events(program: &Program, notes: &mut Vec<Note>) -> (Program, Visits) {
    let ranges = ranges(program);
    let mut found: Vec<(OpId, Visit)> = Vec::new();
    for (id, node) in program.iter() {
        if let Op::Reduce(ReduceOp::Sum, axis, a) = node.op {
            let shape = &program.node(a).shape;
            let float = node.elem.is_float();
            if float && shape.groups().len() == 2 && shape.position(axis) == Some(1) && shape.size() >= WORTHWHILE {
                let what = format!("the sum at {}", node.location);
                match visit(program, &ranges, a, None) {
                    Ok(visit) => {
                        notes.push(Note::done("events", &what, told(program, &visit)));
                        found.push((id, visit));
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
                found.push((next, visit));
            }
            Err(why) => notes.push(Note::left("events", &state.name, why)),
        }
    }
    if found.is_empty() {
        return (program.clone(), Visits { of: vec![None; program.nodes.len()], ..Visits::default() });
    }
    let (program, mut visits) = apart(program, found);
    visits.ranges = ranges;
    (program, visits)
}

/// Domains of fewer elements are not worth lists of events.
const WORTHWHILE: usize = 64;

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
    let what = if visit.state.is_some() { "changes only" } else { "adds only" };
    format!("{what} {}", parts.join(" and "))
}

/// The events without which `root` is idle: zero, or the old value of `state`.
fn visit(program: &Program, ranges: &Ranges, root: OpId, state: Option<StateId>) -> Result<Visit, String> {
    let domain = &program.node(root).shape;
    let events = candidates(program, root, domain)?;
    if events.is_empty() {
        return Err("it does not depend on truth values of its rows or columns".into());
    }
    let idle = |events: &[OpId]| {
        let mut absent = Absent { program, ranges, events, domain, known: HashMap::new() };
        let value = absent.value(root);
        let idle = match (state, value) {
            (None, Known::Zero) => true,
            (Some(state), Known::Old(old)) => state == old,
            _ => false,
        };
        if idle { Ok(()) } else { Err(absent.why(root, state.is_some())) }
    };
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
    let mut found = Visit { rows: Vec::new(), columns: Vec::new(), delayed: None, state };
    for event in kept {
        let node = program.node(event);
        match &node.op {
            Op::Delay { history, value, delays } if node.shape == *domain => {
                if domain.groups()[0].size() > MOST_ROWS {
                    return Err(format!("events are delayed, and there are more than {MOST_ROWS} rows"));
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

/// What is known of a value at an element without events.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Known {
    Nothing,
    Truth(bool),
    /// Zero of either sign.
    Zero,
    Number(f64),
    /// A state as it was.
    Old(StateId),
}

/// Values where all events are absent.
struct Absent<'a> {
    program: &'a Program,
    ranges: &'a Ranges,
    events: &'a [OpId],
    domain: &'a Shape,
    known: HashMap<OpId, Known>,
}

impl Absent<'_> {
    fn value(&mut self, id: OpId) -> Known {
        if let Some(&known) = self.known.get(&id) {
            return known;
        }
        let known = if self.events.contains(&id) { Known::Truth(false) } else { self.computed(id) };
        self.known.insert(id, known);
        known
    }

    fn range(&mut self, id: OpId) -> Range {
        match self.value(id) {
            Known::Old(state) => self.ranges.of_state(state),
            _ => self.ranges.of(id),
        }
    }

    fn computed(&mut self, id: OpId) -> Known {
        let program = self.program;
        let node = program.node(id);
        match &node.op {
            Op::Literal(Literal::Bool(v)) => Known::Truth(*v),
            Op::Literal(Literal::F32(v)) => number(f64::from(*v)),
            Op::Literal(Literal::F64(v)) => number(*v),
            Op::Literal(Literal::I32(v)) => number(f64::from(*v)),
            Op::State(state) if node.shape == *self.domain => Known::Old(*state),
            Op::Select(c, a, b) => match self.value(*c) {
                Known::Truth(true) => self.value(*a),
                Known::Truth(false) => self.value(*b),
                _ => match (self.value(*a), self.value(*b)) {
                    (Known::Nothing, _) => Known::Nothing,
                    (a, b) if a == b => a,
                    _ => Known::Nothing,
                },
            },
            Op::Cast(a) => match (self.value(*a), node.elem) {
                (Known::Truth(v), Elem::F32 | Elem::F64 | Elem::I32) => number(f64::from(u8::from(v))),
                (Known::Zero, Elem::Bool) => Known::Truth(false),
                (Known::Zero, _) => Known::Zero,
                _ => Known::Nothing,
            },
            Op::Unary(UnaryOp::Not, a) => match self.value(*a) {
                Known::Truth(v) => Known::Truth(!v),
                _ => Known::Nothing,
            },
            Op::Unary(UnaryOp::Neg | UnaryOp::Abs | UnaryOp::Sqrt, a) => match self.value(*a) {
                Known::Zero => Known::Zero,
                _ => Known::Nothing,
            },
            Op::Binary(op, a, b) => self.binary(*op, *a, *b, node.elem),
            Op::MulAdd(a, b, c) => match self.product(*a, *b) {
                Known::Zero => self.sum(Known::Zero, *c),
                _ => Known::Nothing,
            },
            Op::Compare(op, a, b) => {
                let number = |known: Known| match known {
                    Known::Zero => Some(0.0),
                    Known::Number(v) => Some(v),
                    _ => None,
                };
                match (number(self.value(*a)), number(self.value(*b))) {
                    (Some(a), Some(b)) => Known::Truth(match op {
                        CompareOp::Eq => a == b,
                        CompareOp::Ne => a != b,
                        CompareOp::Lt => a < b,
                        CompareOp::Le => a <= b,
                        CompareOp::Gt => a > b,
                        CompareOp::Ge => a >= b,
                    }),
                    _ => Known::Nothing,
                }
            }
            _ => Known::Nothing,
        }
    }

    fn product(&mut self, a: OpId, b: OpId) -> Known {
        for (zero, other) in [(a, b), (b, a)] {
            if self.value(zero) == Known::Zero && (self.range(other).is_finite() || self.value(other) == Known::Zero) {
                return Known::Zero;
            }
        }
        Known::Nothing
    }

    /// A zero plus `c`.
    fn sum(&mut self, zero: Known, c: OpId) -> Known {
        debug_assert_eq!(zero, Known::Zero);
        match self.value(c) {
            Known::Old(_) if self.range(c).minus_zero => Known::Nothing,
            known => known,
        }
    }

    fn binary(&mut self, op: BinaryOp, a: OpId, b: OpId, elem: Elem) -> Known {
        let (x, y) = (self.value(a), self.value(b));
        match op {
            BinaryOp::Mul if elem.is_float() => self.product(a, b),
            BinaryOp::Add if x == Known::Zero => self.sum(x, b),
            BinaryOp::Add | BinaryOp::Sub if y == Known::Zero => self.sum(y, a),
            BinaryOp::Div if x == Known::Zero => {
                let by = self.range(b);
                if !by.nan && (by.low > 0.0 || by.high < 0.0) { Known::Zero } else { Known::Nothing }
            }
            // `if y < x { x } else { y }`: x or y, if the other is never beyond.
            BinaryOp::Max | BinaryOp::Min => {
                if x == Known::Zero && y == Known::Zero {
                    return Known::Zero;
                }
                let (left, right) = (self.range(a), self.range(b));
                let beyond = |inner: Range, bound: Range| {
                    let inside = if op == BinaryOp::Max { bound.high <= inner.low } else { bound.low >= inner.high };
                    inside && !inner.nan && !bound.nan && !inner.minus_zero && !bound.minus_zero
                };
                match (x, y) {
                    (Known::Old(_), _) if beyond(left, right) => x,
                    (_, Known::Old(_)) if beyond(right, left) => y,
                    _ => Known::Nothing,
                }
            }
            BinaryOp::And => match (x, y) {
                (Known::Truth(false), _) | (_, Known::Truth(false)) => Known::Truth(false),
                (Known::Truth(true), other) | (other, Known::Truth(true)) => other,
                _ => Known::Nothing,
            },
            BinaryOp::Or => match (x, y) {
                (Known::Truth(true), _) | (_, Known::Truth(true)) => Known::Truth(true),
                (Known::Truth(false), other) | (other, Known::Truth(false)) => other,
                _ => Known::Nothing,
            },
            BinaryOp::Add
            | BinaryOp::Sub
            | BinaryOp::Mul
            | BinaryOp::Div
            | BinaryOp::Xor
            | BinaryOp::Shl
            | BinaryOp::Shr => Known::Nothing,
        }
    }

    /// Which expression prevents `root` from being idle: the deepest whose operands are known and which is not.
    fn why(&mut self, root: OpId, state: bool) -> String {
        let mut at = root;
        loop {
            let mut next = None;
            let program = self.program;
            program.node(at).op.operands(|id| {
                let inside = program.node(id).shape == *self.domain && elementwise(&program.node(id).op);
                if next.is_none() && inside && self.value(id) == Known::Nothing {
                    next = Some(id);
                }
            });
            match next {
                Some(id) => at = id,
                None => break,
            }
        }
        let node = self.program.node(at);
        let should = if state { "change the state" } else { "be other than zero" };
        format!("without a spike, {at} ({}) may still {should}", node.location)
    }
}

fn number(value: f64) -> Known {
    if value == 0.0 { Known::Zero } else { Known::Number(value) }
}

/// Copies, for each visit, the operations over its domain that its root needs.
fn apart(program: &Program, found: Vec<(OpId, Visit)>) -> (Program, Visits) {
    let mut out = program.clone();
    let mut of = vec![None; program.nodes.len()];
    let mut replaced: HashMap<OpId, OpId> = HashMap::new();
    for (number, (root, visit)) in found.iter().enumerate() {
        let mut copies: HashMap<OpId, OpId> = HashMap::new();
        for id in slice(program, *root, visit) {
            let mut node = program.node(id).clone();
            node.op.map_operands(|operand| copies.get(&operand).copied().unwrap_or(operand));
            copies.insert(id, out.push(node));
            of.push(Some(number));
        }
        match visit.state {
            Some(state) => out.states[state.index()].next = Some(copies[root]),
            None => drop(replaced.insert(*root, copies[root])),
        }
    }
    let (out, places) = renamed(&out, |id| replaced.get(&id).copied().unwrap_or(id));
    let at = |id: OpId| places[id.index()].expect("what a visit needs is needed");
    let mut visits = Visits { of: vec![None; out.nodes.len()], ..Visits::default() };
    for (id, number) in of.iter().enumerate() {
        if let (Some(number), Some(place)) = (number, places[id]) {
            visits.of[place.index()] = Some(*number);
        }
    }
    for (_, mut visit) in found {
        visit.rows.iter_mut().chain(&mut visit.columns).for_each(|id| *id = at(*id));
        if let Some(delayed) = &mut visit.delayed {
            delayed.value = at(delayed.value);
        }
        visits.list.push(visit);
    }
    (out, visits)
}

/// The root, and the operations over the whole domain that it needs, in order.
fn slice(program: &Program, root: OpId, visit: &Visit) -> Vec<OpId> {
    let top = match program.node(root).op {
        Op::Reduce(_, _, a) if visit.state.is_none() => a,
        _ => root,
    };
    let domain = &program.node(top).shape;
    let mut inside = vec![false; root.index() + 1];
    inside[root.index()] = true;
    let mut open = vec![top];
    while let Some(id) = open.pop() {
        let node = program.node(id);
        let computed =
            elementwise(&node.op) && !matches!(node.op, Op::Literal(_)) || matches!(node.op, Op::Delay { .. });
        if computed && node.shape == *domain && (id == root || !std::mem::replace(&mut inside[id.index()], true)) {
            node.op.operands(|operand| open.push(operand));
        }
    }
    (0..inside.len()).filter(|&i| inside[i]).map(OpId::from_index).collect()
}
