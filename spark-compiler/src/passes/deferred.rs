//! Deferral: events of rows wait until one of columns touches the same elements.
//!
//! In: a program with visits. A state that is visited by rows and by columns lies in memory by one of them, so the others cost
//! a cache line for each element. Out: the events of rows are written down with what they need to know of their step, and
//! replayed, oldest first, before an event of a column reads or changes an element. Each element sees the same updates in the
//! same order, so clips stay exact.
//!
//! Conditions, for a state `s[row, column]` whose update visits rows and columns:
//! * everything else that reads `s` visits the same columns and delayed events: it sees only elements that are up to date;
//! * what an event of a row does to an element can be told later: it depends on the element, on constants, on values of the row
//!   and of the whole program (they are written down), and on values of the column (their past is kept);
//! * what is written down and kept takes no more memory than the state itself, or a few megabytes.
//!
//! The host sees `s` as if nothing was put off: reading it replays what is pending. Exact.

use super::absent::{Absent, Known};
use super::events::{Later, Visit, Visits};
use super::narrow::elementwise;
use super::ranges::{absorbed, product};
use super::report::Note;
use crate::ir::{BinaryOp, Bounds, DType, Elem, Literal, Node, Op, OpId, Program, Shape, StateId};
use std::collections::HashMap;

/// Values that are written down with an event, at most.
const MOST_VALUES: usize = 8;

/// Delays from the least to the largest, at most: one bit each.
const MOST_DELAYS: f64 = 64.0;

/// Rows, at most: an entry of a log has 16 bits for one.
const MOST_ROWS: usize = 1 << 16;

/// Steps that the past of columns may reach back: it is kept for several times as many, and steps are counted modulo 2^16.
const MOST_PAST: usize = 1 << 12;

/// Steps for which the past of columns is kept, at most and at least, where no delay asks for more.
const LONGEST: usize = 256;
const SHORTEST: usize = 32;

/// Bytes that may be kept beside any state, however small. Beyond, not more than the state has.
const FREE: usize = 1 << 23;

/// Puts events of rows off where that is possible.
pub(super) fn deferred(program: &mut Program, visits: &mut Visits, notes: &mut Vec<Note>) {
    for number in 0..visits.list.len() {
        let visit = &visits.list[number];
        let &[state] = &visit.states[..] else { continue };
        if visit.rows.is_empty() || visit.columns.is_empty() && visit.delayed.is_none() {
            continue;
        }
        let name = program.state(state).name.clone();
        match replayed(program, visits, number, state) {
            Ok((grown, later)) => {
                *program = grown;
                visits.of.resize(program.nodes.len(), None);
                let what = "events of rows wait until one of columns touches the same elements";
                notes.push(Note::done("deferred", &name, what));
                let visit = &mut visits.list[number];
                visit.rows.clear();
                visit.later = Some(later);
            }
            Err(why) => notes.push(Note::left("deferred", &name, why)),
        }
    }
}

/// The program with operations that replay the rows of visit `number`.
fn replayed(program: &Program, visits: &Visits, number: usize, state: StateId) -> Result<(Program, Later), String> {
    let visit = &visits.list[number];
    let rows = program.state(state).init.shape().groups()[0].size();
    if rows > MOST_ROWS {
        return Err(format!("it has {rows} rows, more than {MOST_ROWS}"));
    }
    others_see_columns(program, visits, number, state)?;
    if let Some(delayed) = visit.delayed {
        let Bounds { low, high, .. } = program.constant(delayed.delays).value.bounds();
        if high - low >= MOST_DELAYS {
            return Err(format!("its delays are from {low} to {high} steps"));
        }
    }
    let Some(root) = program.state(state).next else { return Err("it does not change".into()) };
    let domain = program.state(state).init.shape().clone();
    let mut grown = program.clone();
    let became = alone(program, visits, number, &domain, &mut grown);
    let root = became.get(&root).copied().filter(|&root| grown.node(root).shape == domain);
    let Some(root) = root else { return Err("it does not depend on what it was".into()) };
    let nodes = needed(&grown, root, program.nodes.len());
    let kept = told(&grown, &nodes, state, &domain)?.kept(&domain, program.state(state).init.dtype())?;
    // What nothing needs would be computed in every step.
    let mut out = program.clone();
    let mut places: HashMap<OpId, OpId> = HashMap::new();
    for id in nodes {
        let mut node = grown.node(id).clone();
        node.op.map_operands(|operand| places.get(&operand).copied().unwrap_or(operand));
        places.insert(id, out.push(node));
    }
    let nodes = (program.nodes.len()..out.nodes.len()).map(OpId::from_index).collect();
    let root = *places.get(&root).ok_or("its rows do not change it")?;
    Ok((out, Later { rows: visit.rows.clone(), root, nodes, kept }))
}

/// An error if something reads the state at elements that no event of visit `number`'s columns has touched.
fn others_see_columns(program: &Program, visits: &Visits, number: usize, state: StateId) -> Result<(), String> {
    let visit = &visits.list[number];
    let same =
        |other: &Visit| other.rows.is_empty() && other.columns == visit.columns && other.delayed == visit.delayed;
    let read = |id: OpId| program.node(id).op == Op::State(state);
    for (id, node) in program.iter() {
        let mut reads = false;
        node.op.operands(|operand| reads |= read(operand));
        let fine = visits.of[id.index()].is_some_and(|of| of == number || same(&visits.list[of]));
        if reads && !fine {
            return Err(format!("{id} ({}) reads it where its columns have no event", node.location));
        }
    }
    let outputs = program.outputs.iter().any(|output| read(output.value));
    if outputs || program.states.iter().any(|other| other.next.is_some_and(read)) {
        return Err("it is read as a whole in every step".into());
    }
    Ok(())
}

/// Copies the operations of a visit for an element whose row alone has an event; returns what became of each.
fn alone(
    program: &Program,
    visits: &Visits,
    number: usize,
    domain: &Shape,
    grown: &mut Program,
) -> HashMap<OpId, OpId> {
    let visit = &visits.list[number];
    let mine = |id: OpId| visits.of[id.index()] == Some(number);
    let arrives = |id: OpId| match (&program.node(id).op, &visit.delayed) {
        (Op::Delay { history, delays, .. }, Some(d)) => (*history, *delays) == (d.history, d.delays),
        _ => false,
    };
    let mut absent = visit.columns.clone();
    absent.extend(program.iter().map(|(id, _)| id).filter(|&id| mine(id) && arrives(id)));
    // Of one kind of events, it is known which one it was.
    let present: &[OpId] = if visit.rows.len() == 1 { &visit.rows } else { &[] };
    let mut known = Absent::new(program, &visits.ranges, domain, &absent, present);
    let mut became: HashMap<OpId, OpId> = HashMap::new();
    // The operands that operations have the values of: of these, more may be known.
    let mut same: HashMap<OpId, OpId> = HashMap::new();
    for (id, node) in program.iter().filter(|(id, _)| mine(*id)) {
        let mut operands = Vec::new();
        node.op.operands(|operand| operands.push(operand));
        for operand in operands {
            if !mine(operand) && !became.contains_key(&operand) {
                let literal = constant(known.value(operand), program.node(operand));
                let place = literal.map_or(operand, |literal| grown.push(literal));
                became.insert(operand, place);
            }
        }
        let place = match (constant(known.value(id), node), same_as(program, &mut known, &same, &node.op)) {
            (Some(literal), _) => grown.push(literal),
            (None, Some(operand)) => {
                same.insert(id, same.get(&operand).copied().unwrap_or(operand));
                became[&operand]
            }
            (None, None) => {
                let mut node = node.clone();
                node.op.map_operands(|operand| became[&operand]);
                node.shape = spread(grown, &node);
                match one_times(grown, &node.op) {
                    Some(other) => other,
                    None => grown.push(node),
                }
            }
        };
        became.insert(id, place);
    }
    became
}

/// A known value as an operation. A zero has a sign that is not known, so it is none.
fn constant(known: Known, node: &Node) -> Option<Node> {
    let literal = match known {
        Known::Truth(value) => Literal::Bool(value),
        Known::Number(value) => Literal::from_f64(value, node.elem),
        Known::Nothing | Known::Zero | Known::Old(_) | Known::Scaled(..) => return None,
    };
    Some(Node { op: Op::Literal(literal), elem: literal.elem(), shape: Shape::scalar(), location: node.location })
}

/// The operand that an operation has the value of, bit for bit.
fn same_as(program: &Program, known: &mut Absent<'_>, same: &HashMap<OpId, OpId>, op: &Op) -> Option<OpId> {
    let (zero, other) = match *op {
        Op::Select(c, a, b) => {
            return match known.value(c) {
                Known::Truth(truth) => Some(if truth { a } else { b }),
                _ => None,
            };
        }
        Op::MulAdd(a, b, c) => (known.product(a, b), c),
        Op::Binary(op @ (BinaryOp::Min | BinaryOp::Max), a, b) => {
            let Op::Literal(bound) = program.node(b).op else { return None };
            let value = same.get(&a).copied().unwrap_or(a);
            // Of a state times a number, how it was rounded is not known.
            let exact = !matches!(known.value(value), Known::Scaled(..));
            let idle = |range: Bounds| within(range, op, bound.to_f64());
            return (exact && (idle(known.range(value)) || absorbed_sum(program, known, value).is_some_and(idle)))
                .then_some(a);
        }
        Op::Binary(BinaryOp::Add, a, b) if known.value(a) == Known::Zero => (Known::Zero, b),
        Op::Binary(BinaryOp::Add | BinaryOp::Sub, a, b) => (known.value(b), a),
        _ => return None,
    };
    (zero == Known::Zero && !known.range(other).minus_zero).then_some(other)
}

/// The range of a sum of which rounding leaves no more than one operand's.
fn absorbed_sum(program: &Program, known: &mut Absent<'_>, sum: OpId) -> Option<Bounds> {
    let node = program.node(sum);
    // Of a state times a number, how it was rounded is not known.
    let mut exact = |id: OpId| !matches!(known.value(id), Known::Scaled(..));
    match node.op {
        Op::MulAdd(a, b, c) if exact(c) => absorbed(product(known.range(a), known.range(b)), known.range(c), node.elem),
        Op::Binary(BinaryOp::Add, a, b) if exact(a) && exact(b) => {
            let (a, b) = (known.range(a), known.range(b));
            absorbed(a, b, node.elem).or_else(|| absorbed(b, a, node.elem))
        }
        _ => None,
    }
}

/// True if the minimum or maximum of a value and a bound is always the value. Of equal zeros, either may be the result.
fn within(range: Bounds, op: BinaryOp, bound: f64) -> bool {
    let inside = if op == BinaryOp::Max { range.low >= bound } else { range.high <= bound };
    let zeros_alike = bound != 0.0 || bound.is_sign_positive() && !range.minus_zero;
    inside && !range.nan && zeros_alike
}

/// What `x · 1` is.
fn one_times(program: &Program, op: &Op) -> Option<OpId> {
    let Op::Binary(BinaryOp::Mul, a, b) = *op else { return None };
    let one = |id: OpId| matches!(program.node(id).op, Op::Literal(Literal::F32(1.0) | Literal::F64(1.0)));
    if one(a) {
        Some(b)
    } else if one(b) {
        Some(a)
    } else {
        None
    }
}

/// The shape of an operation on single elements, whose operands may have lost groups.
fn spread(program: &Program, node: &Node) -> Shape {
    if !elementwise(&node.op) {
        return node.shape.clone();
    }
    let mut shape = Shape::scalar();
    node.op.operands(|operand| {
        shape = shape.broadcast(&program.node(operand).shape).expect("operands fitted before they lost groups");
    });
    shape
}

/// The operations from `first` on that `root` needs, in order.
fn needed(program: &Program, root: OpId, first: usize) -> Vec<OpId> {
    let mut wanted = vec![false; program.nodes.len()];
    wanted[root.index()] = true;
    for index in (first..program.nodes.len()).rev() {
        if wanted[index] {
            program.nodes[index].op.operands(|operand| wanted[operand.index()] = true);
        }
    }
    (first..wanted.len()).filter(|&index| wanted[index]).map(OpId::from_index).collect()
}

/// What is kept so that operations can be done later.
#[derive(Default)]
struct Told {
    /// Values of rows or single ones: one of each for each event.
    values: Vec<(OpId, Elem)>,
    /// Values of columns: one of each for each column and step.
    pasts: Vec<(OpId, Elem)>,
    /// Steps that delays reach back.
    deepest: usize,
}

impl Told {
    /// Steps for which to keep it: as many as there is memory for, at least those that delays need.
    fn kept(&self, domain: &Shape, dtype: DType) -> Result<usize, String> {
        let (rows, columns) = (domain.groups()[0].size(), domain.groups()[1].size());
        let bytes = |kept: &[(OpId, Elem)]| kept.iter().map(|(_, elem)| elem.dtype().bits().div_ceil(8)).sum::<usize>();
        let each = [4 + bytes(&self.values), bytes(&self.pasts)];
        let taken = |steps: usize| (rows * steps).next_power_of_two() * each[0] + columns * steps * each[1];
        let most = (domain.size() * dtype.bits() / 8).max(FREE);
        let least = (2 * (self.deepest + 4)).next_power_of_two().max(SHORTEST);
        let mut kept = (rows / 2).next_power_of_two().clamp(SHORTEST, LONGEST).max(least);
        while kept > least && taken(kept) > most {
            kept /= 2;
        }
        if taken(kept) > most {
            let taken = taken(kept) >> 20;
            return Err(format!("what is put off in {kept} steps takes {taken} MiB, more than {} MiB", most >> 20));
        }
        Ok(kept)
    }
}

/// What the operations need to be told; an error if that is impossible.
fn told(program: &Program, nodes: &[OpId], state: StateId, domain: &Shape) -> Result<Told, String> {
    let mut told = Told { deepest: 1, ..Told::default() };
    let note = |list: &mut Vec<(OpId, Elem)>, value: OpId| {
        let pair = (value, program.node(value).elem);
        if !list.contains(&pair) {
            list.push(pair);
        }
    };
    for &id in nodes {
        let node = program.node(id);
        let refused = |what: &str| Err(format!("{id} ({}) {what}", node.location));
        match &node.op {
            Op::Literal(_) => continue,
            Op::Lookup { .. } => return refused("looks a number up"),
            Op::Delay { value, history, .. } if program.node(*value).shape.groups() == &domain.groups()[1..] => {
                let kept = program.history(*history).rows;
                if kept > MOST_PAST {
                    return refused(&format!("needs the past of {kept} steps"));
                }
                told.deepest = told.deepest.max(kept);
                note(&mut told.pasts, *value);
                continue;
            }
            op if elementwise(op) => {}
            _ => return refused("is not an operation on single elements"),
        }
        let mut operands = Vec::new();
        node.op.operands(|operand| operands.push(operand));
        for operand in operands.into_iter().filter(|operand| !nodes.contains(operand)) {
            let source = program.node(operand);
            match &source.op {
                Op::Literal(_) | Op::Constant(_) => continue,
                Op::State(other) if *other == state => continue,
                _ => {}
            }
            let shape = source.shape.groups();
            if shape.is_empty() || shape == &domain.groups()[..1] {
                note(&mut told.values, operand);
            } else if shape == &domain.groups()[1..] {
                note(&mut told.pasts, operand);
            } else {
                return Err(format!("{operand} ({}) is a value of single elements", source.location));
            }
        }
    }
    if told.values.len() > MOST_VALUES {
        return Err(format!("{} values of its rows would have to be written down", told.values.len()));
    }
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::Axis;

    /// Steps that are kept for an `f32` state with as many values of rows and of columns, and delays of as many steps.
    fn kept(rows: usize, columns: usize, values: usize, pasts: usize, deepest: usize) -> Result<usize, String> {
        let domain = Shape::of(Axis::anonymous(0), &[rows]).with(Axis::anonymous(1), &[columns]);
        let numbers = |count: usize| (0..count).map(|i| (OpId::from_index(i), Elem::F32)).collect();
        Told { values: numbers(values), pasts: numbers(pasts), deepest }.kept(&domain, DType::F32)
    }

    #[test]
    fn what_is_kept_takes_no_more_than_the_state() {
        assert_eq!(kept(16, 32, 2, 1, 1), Ok(32));
        assert_eq!(kept(512, 1024, 2, 1, 9), Ok(256));
        assert_eq!(kept(2048, 4096, 8, 2, 9), Ok(256));
        // 65 536 rows and 64 columns: 16 MiB.
        assert_eq!(kept(1 << 16, 64, 0, 1, 9), Ok(32));
        assert_eq!(kept(1 << 16, 1024, 0, 1, 9), Ok(256));
        let error = kept(1 << 15, 1024, 0, 1, 4000).unwrap_err();
        assert_eq!(error, "what is put off in 8192 steps takes 1056 MiB, more than 128 MiB");
    }

    #[test]
    fn delays_are_kept_twice() {
        assert_eq!(kept(64, 64, 0, 1, 100), Ok(256));
        assert_eq!(kept(64, 64, 0, 1, 1000), Ok(2048));
    }
}
