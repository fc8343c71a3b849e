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
//!   and of the whole program (they are written down), and on values of the column (their past is kept).
//!
//! The host sees `s` as if nothing was put off: reading it replays what is pending. Exact.

use super::absent::{Absent, Known};
use super::events::{Later, Visit, Visits};
use super::narrow::elementwise;
use super::report::Note;
use crate::ir::{BinaryOp, Bounds, Literal, Node, Op, OpId, Program, Shape, StateId};
use std::collections::HashMap;

/// Values that are written down with an event, at most.
const MOST_VALUES: usize = 8;

/// Delays from the least to the largest, at most: one bit each.
const MOST_DELAYS: f64 = 64.0;

/// Rows, at most: an entry of a log has 16 bits for one.
const MOST_ROWS: usize = 1 << 16;

/// Steps that the past of columns may reach back: it is kept for several times as many, and steps are counted modulo 2^16.
const MOST_PAST: usize = 1 << 12;

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
    told(&grown, &nodes, state, &domain)?;
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
    Ok((out, Later { rows: visit.rows.clone(), root, nodes }))
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
        let place = match (constant(known.value(id), node), same_as(&mut known, &node.op)) {
            (Some(literal), _) => grown.push(literal),
            (None, Some(operand)) => became[&operand],
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
fn same_as(known: &mut Absent<'_>, op: &Op) -> Option<OpId> {
    let (zero, other) = match *op {
        Op::Select(c, a, b) => {
            return match known.value(c) {
                Known::Truth(truth) => Some(if truth { a } else { b }),
                _ => None,
            };
        }
        Op::MulAdd(a, b, c) => (known.product(a, b), c),
        Op::Binary(BinaryOp::Add, a, b) if known.value(a) == Known::Zero => (Known::Zero, b),
        Op::Binary(BinaryOp::Add | BinaryOp::Sub, a, b) => (known.value(b), a),
        _ => return None,
    };
    (zero == Known::Zero && !known.range(other).minus_zero).then_some(other)
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

/// An error if what the operations need cannot be told later.
fn told(program: &Program, nodes: &[OpId], state: StateId, domain: &Shape) -> Result<(), String> {
    let mut values = Vec::new();
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
                if !values.contains(&operand) {
                    values.push(operand);
                }
            } else if shape != &domain.groups()[1..] {
                return Err(format!("{operand} ({}) is a value of single elements", source.location));
            }
        }
    }
    if values.len() > MOST_VALUES {
        return Err(format!("{} values of its rows would have to be written down", values.len()));
    }
    Ok(())
}
