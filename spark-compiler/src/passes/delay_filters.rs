//! Delays commute with filters: a filter of a delayed value is the delayed filter of the value.
//!
//! A trace of spikes that arrive after a delay of their own, `trace[post, pre]`, repeats for each `post` what one trace per
//! `pre` has been `delays[post, pre]` steps ago. So the trace is kept over `pre` alone, and a history of its last rows is
//! read in its place: O(post·pre) state and work become O(pre·rows). Conditions on a state:
//! * it starts at zero;
//! * its next value is computed element by element from itself, from values with one common array of delays, and from
//!   literals and constants that lack the axis the delays add;
//! * with zeros for all of those it stays zero, as histories are before the first step.
//!
//! Exact: the same operations on the same numbers, done once and earlier.

use super::narrow::elementwise;
use super::report::Note;
use super::rewrite::renamed;
use super::views::{StateView, View};
use crate::eval;
use crate::ir::{Array, ConstId, History, HistoryId, Node, Op, OpId, Program, Shape, StateId, infer};
use std::collections::HashMap;

/// Moves filters before the delays of what they filter. `views` says for each state how the host sees it.
pub(super) fn delay_filters(program: &Program, views: &mut [StateView], notes: &mut Vec<Note>) -> Program {
    let mut program = program.clone();
    for (index, view) in views.iter_mut().enumerate() {
        let id = StateId::from_index(index);
        if view.view != View::Whole {
            continue;
        }
        let Some((delays, rows, before)) = delays_behind(&program, id) else { continue };
        let name = program.state(id).name.clone();
        let shape = program.state(id).init.shape().clone();
        match commute(&program, id, delays, (before, rows)) {
            Ok((better, history)) => {
                let kept = better.state(id).init.shape();
                notes.push(Note::done(
                    "delay filters",
                    &name,
                    format!("kept over {kept}, before the delays, with its last {rows} values"),
                ));
                let delays = program.constant(delays).value.clone();
                *view = StateView { shape, view: View::Delayed { history, delays } };
                program = better;
            }
            Err(why) => notes.push(Note::left("delay filters", &name, why)),
        }
    }
    program
}

/// The delays of what the state's next value is computed from, element by element, the rows of their history, and the shape
/// of what is delayed: the first found that add an axis.
fn delays_behind(program: &Program, id: StateId) -> Option<(ConstId, usize, Shape)> {
    let shape = program.state(id).init.shape();
    let mut open = vec![program.state(id).next?];
    let mut seen = vec![false; program.nodes.len()];
    let mut itself = false;
    let mut found = None;
    while let Some(at) = open.pop() {
        if std::mem::replace(&mut seen[at.index()], true) {
            continue;
        }
        match &program.node(at).op {
            Op::Delay { history, value, delays } if program.node(at).shape == *shape => {
                let before = &program.node(*value).shape;
                let adds = before != shape && before.fits(shape);
                found = adds.then_some((*delays, program.history(*history).rows, before.clone())).or(found);
            }
            Op::State(state) => itself |= *state == id,
            op if elementwise(op) => op.operands(|operand| open.push(operand)),
            _ => {}
        }
    }
    found.filter(|_| itself)
}

/// The state's filter over what is not delayed yet.
struct Undelayed<'p> {
    program: &'p Program,
    out: Program,
    state: StateId,
    delays: ConstId,
    /// Shape of what is delayed.
    shape: Shape,
    /// For each value of the class: the same before the delays.
    before: HashMap<OpId, OpId>,
    /// Which of them depend on the state.
    filtered: HashMap<OpId, bool>,
}

fn commute(
    program: &Program,
    state: StateId,
    delays: ConstId,
    (shape, rows): (Shape, usize),
) -> Result<(Program, String), String> {
    let whole = program.state(state).init.shape().clone();
    let next = program.state(state).next.expect("checked: it has one");
    if !program.state(state).init.bounds().is_zero() {
        return Err("it does not start at zero".into());
    }
    let dtype = program.state(state).init.dtype();
    let mut u = Undelayed {
        program,
        out: program.clone(),
        state,
        delays,
        shape: shape.clone(),
        before: HashMap::new(),
        filtered: HashMap::new(),
    };
    let filtered = u.before(next)?;
    u.rests(filtered, state)?;
    for (id, node) in program.iter() {
        if node.op == Op::State(state) {
            u.before(id)?;
        }
    }
    u.out.states[state.index()].init = Array::zeros(shape.clone(), dtype);
    u.out.states[state.index()].next = Some(filtered);

    // What reads a filtered value reads the history of the undelayed one instead.
    let depends: Vec<OpId> = u.filtered.iter().filter(|(_, depends)| **depends).map(|(&id, _)| id).collect();
    let mut needed: Vec<OpId> = Vec::new();
    for (id, node) in program.iter() {
        if !depends.contains(&id) {
            node.op.operands(|operand| needed.extend(depends.contains(&operand).then_some(operand)));
        }
    }
    let roots = program.outputs.iter().map(|o| o.value);
    let others = program.states.iter().enumerate().filter(|(i, _)| *i != state.index()).filter_map(|(_, s)| s.next);
    needed.extend(roots.chain(others).filter(|id| depends.contains(id)));
    needed.sort_unstable();
    needed.dedup();
    let mut delayed: HashMap<OpId, OpId> = HashMap::new();
    let mut name = String::new();
    needed.retain(|id| u.before.contains_key(id));
    for id in needed {
        let before = u.before[&id];
        u.rests(before, state)?;
        let node = program.node(id);
        let history = HistoryId::from_index(u.out.histories.len());
        let own = format!(
            "{}.undelayed{}",
            program.state(state).name,
            if id == next { String::new() } else { id.to_string() }
        );
        if id == next {
            name.clone_from(&own);
        }
        u.out.histories.push(History { name: own, elem: node.elem, shape: shape.clone(), rows });
        let op = Op::Delay { history, value: before, delays };
        let made = u.out.push(Node { op, elem: node.elem, shape: whole.clone(), location: node.location });
        delayed.insert(id, made);
    }
    // Its own next value is the undelayed one, which nothing renames.
    let (program, _) = renamed(&u.out, |id| delayed.get(&id).copied().unwrap_or(id));
    Ok((program, name))
}

impl Undelayed<'_> {
    /// The value of which `id` is the delayed one.
    fn before(&mut self, id: OpId) -> Result<OpId, String> {
        if let Some(&before) = self.before.get(&id) {
            return Ok(before);
        }
        let node = self.program.node(id).clone();
        let lacks = node.shape.fits(&self.shape);
        let mut depends = false;
        let made = match &node.op {
            Op::Delay { value, delays, .. }
                if *delays == self.delays && self.program.node(*value).shape == self.shape =>
            {
                *value
            }
            Op::State(state) if *state == self.state => {
                depends = true;
                self.out.push(Node { shape: self.shape.clone(), ..node })
            }
            Op::Literal(_) | Op::Constant(_) if lacks => id,
            op if elementwise(op) => {
                let mut op = op.clone();
                let mut error = None;
                op.map_operands(|operand| match self.before(operand) {
                    Ok(before) => {
                        depends |= self.filtered.get(&operand).copied().unwrap_or(false);
                        before
                    }
                    Err(why) => {
                        error.get_or_insert(why);
                        operand
                    }
                });
                if let Some(why) = error {
                    return Err(why);
                }
                let mut shape = Shape::scalar();
                op.operands(|operand| shape = shape.broadcast(&self.out.node(operand).shape).unwrap_or_default());
                let (elem, shape) = infer(&self.out, &op, (node.elem, &shape)).map_err(|e| e.to_string())?;
                self.out.push(Node { op, elem, shape, location: node.location })
            }
            _ => return Err(format!("it depends on {id} ({}), which is not delayed alike", node.location)),
        };
        self.before.insert(id, made);
        self.filtered.insert(id, depends);
        Ok(made)
    }

    /// Checks that a value is zero as long as what it is computed from is.
    fn rests(&self, id: OpId, state: StateId) -> Result<(), String> {
        let mut values: HashMap<OpId, Array> = HashMap::new();
        let value = self.at_rest(id, state, &mut values);
        let message = || format!("its filter does not rest at zero ({})", self.out.node(id).location);
        value.bounds().is_zero().then_some(()).ok_or_else(message)
    }

    fn at_rest(&self, id: OpId, state: StateId, values: &mut HashMap<OpId, Array>) -> Array {
        if let Some(value) = values.get(&id) {
            return value.clone();
        }
        let node = self.out.node(id);
        let made_here = id.index() >= self.program.nodes.len();
        let value = match &node.op {
            Op::State(s) if *s == state => Array::zeros(node.shape.clone(), node.elem.dtype()),
            op @ (Op::Literal(_) | Op::Constant(_)) => {
                debug_assert!(!elementwise(op) || matches!(op, Op::Literal(_)));
                eval::apply(&self.out, node, &[])
            }
            op if made_here && elementwise(op) => {
                let mut operands = Vec::new();
                op.operands(|operand| operands.push(self.at_rest(operand, state, values)));
                eval::apply(&self.out, node, &operands.iter().collect::<Vec<_>>())
            }
            // What is delayed: histories are zero before the first step.
            _ => Array::zeros(node.shape.clone(), node.elem.dtype()),
        };
        values.insert(id, value.clone());
        value
    }
}
