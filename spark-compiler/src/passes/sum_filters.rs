//! Sums commute with linear filters: the sum of filtered values is the filtered sum.
//!
//! Synaptic currents `x[post, pre]' = a·x + w·s` that are only ever summed over `pre` are kept as their sum over `pre`:
//! O(post·pre) state and work become O(post), and what is left to sum, `w·s`, is zero where no spike is. Conditions on a state:
//! * it starts at zero;
//! * its next value is a linear combination of such states, with coefficients that lack the axis, plus anything, within bounds
//!   that it never reaches;
//! * all that depends on it is summed over the axis.
//!
//! Not exact: the same numbers are added in another order. In half precision the terms are not rounded at all: the sum is kept
//! in single precision.

use super::ranges::{Ranges, ranges};
use super::report::Note;
use super::views::{StateView, View};
use crate::ir::{Array, Axis, BinaryOp, Literal, Node, Op, OpId, Program, ReduceOp, StateId, UnaryOp, infer};
use std::collections::HashMap;

/// Moves sums before linear filters. `views` says for each state how the host sees it.
pub(super) fn sum_filters(program: &Program, views: &mut [StateView], notes: &mut Vec<Note>) -> Program {
    let mut program = program.clone();
    for axis in [Axis::PRE] {
        let mut states = candidates(&program, views, axis);
        let all = states.clone();
        let mut why: HashMap<StateId, String> = HashMap::new();
        while !states.is_empty() {
            match summed(&program, axis, &states) {
                Ok(better) => {
                    for &id in &states {
                        let state = program.state(id);
                        let text = format!("only its sum over `{axis}` is needed, so only that is kept");
                        notes.push(Note::done("sum filters", &state.name, text));
                        views[id.index()] = StateView { shape: state.init.shape().clone(), view: View::Gone };
                    }
                    program = better;
                    break;
                }
                Err((state, text)) => {
                    states.retain(|&s| s != state);
                    why.insert(state, text);
                }
            }
        }
        for id in all {
            if let Some(text) = why.remove(&id) {
                notes.push(Note::left("sum filters", &program.state(id).name, text));
            }
        }
    }
    program
}

/// Floating-point states over `axis` and another one that start at zero and are part of a sum over `axis`.
fn candidates(program: &Program, views: &[StateView], axis: Axis) -> Vec<StateId> {
    let mut behind_sum = vec![false; program.nodes.len()];
    for index in (0..program.nodes.len()).rev() {
        let node = &program.nodes[index];
        let sums = matches!(node.op, Op::Reduce(ReduceOp::Sum, over, _) if over == axis);
        if sums || behind_sum[index] && super::narrow::elementwise(&node.op) {
            node.op.operands(|id| behind_sum[id.index()] = true);
        }
    }
    let read = |id: StateId| {
        let next = program.state(id).next.is_some_and(|next| behind_sum[next.index()]);
        next || program.iter().any(|(at, node)| node.op == Op::State(id) && behind_sum[at.index()])
    };
    let ids = (0..program.states.len()).map(StateId::from_index);
    ids.filter(|&id| {
        let state = program.state(id);
        let shape = state.init.shape();
        views[id.index()].view == View::Whole
            && state.next.is_some()
            && state.init.dtype().is_float()
            && shape.groups().len() > 1
            && shape.group(axis).is_some()
            && state.init.bounds().is_zero()
            && read(id)
    })
    .collect()
}

/// Values over the axis, and their sums.
struct Sums<'p> {
    program: &'p Program,
    out: Program,
    axis: Axis,
    states: &'p [StateId],
    /// Which values depend on the states element by element.
    depends: Vec<Option<StateId>>,
    ranges: Ranges,
    sums: HashMap<OpId, OpId>,
}

/// The program with `states` kept as their sums.
fn summed(program: &Program, axis: Axis, states: &[StateId]) -> Result<Program, (StateId, String)> {
    let mut depends: Vec<Option<StateId>> = Vec::with_capacity(program.nodes.len());
    for node in &program.nodes {
        let mut on = None;
        match &node.op {
            Op::State(id) if states.contains(id) => on = Some(*id),
            // A sum over the axis is where dependence ends.
            Op::Reduce(ReduceOp::Sum, over, _) if *over == axis => {}
            op => op.operands(|id| on = on.or(depends[id.index()])),
        }
        depends.push(on);
    }
    let ranges = ranges(program);
    let mut s = Sums { program, out: program.clone(), axis, states, depends, ranges, sums: HashMap::new() };
    for output in &program.outputs {
        if let Some(state) = s.depends[output.value.index()] {
            return Err((state, format!("the output `{}` needs its elements", output.name)));
        }
    }
    for (index, state) in program.states.iter().enumerate() {
        let Some(next) = state.next else { continue };
        let id = StateId::from_index(index);
        if states.contains(&id) {
            let sum = s.sum(next).map_err(|(from, why)| (from.unwrap_or(id), why))?;
            let kept = &mut s.out.states[index];
            // A sum may be too large for half precision where its terms are not.
            let dtype = kept.init.dtype().elem().dtype();
            kept.init = Array::zeros(kept.init.shape().without(axis), dtype);
            kept.next = Some(sum);
        } else if let Some(from) = s.depends[next.index()] {
            return Err((from, format!("the state `{}` needs its elements", state.name)));
        }
    }
    // Operands come first, so that what is replaced has been replaced inside already.
    let reductions: Vec<(OpId, OpId)> = (program.iter())
        .filter_map(|(id, node)| match node.op {
            Op::Reduce(ReduceOp::Sum, over, a) if over == axis && s.depends[a.index()].is_some() => Some((id, a)),
            _ => None,
        })
        .collect();
    let mut replaced: HashMap<OpId, OpId> = HashMap::new();
    for (id, a) in reductions {
        let sum = s.sum(a).map_err(|(from, why)| (from.or(s.depends[a.index()]).expect("it depends on one"), why))?;
        replaced.insert(id, sum);
    }
    let (out, _) = super::rewrite::renamed(&s.out, |id| replaced.get(&id).copied().unwrap_or(id));
    for node in &out.nodes {
        if let Op::State(id) = node.op
            && states.contains(&id)
            && node.shape.group(axis).is_some()
        {
            return Err((id, "something needs its elements".into()));
        }
    }
    Ok(out)
}

type Why = (Option<StateId>, String);

impl Sums<'_> {
    fn push(&mut self, op: Op, like: &Node) -> Result<OpId, Why> {
        let mut shape = crate::ir::Shape::scalar();
        op.operands(|id| shape = shape.broadcast(&self.out.node(id).shape).unwrap_or_default());
        let (elem, shape) = infer(&self.out, &op, (like.elem, &shape)).map_err(|e| (None, e.to_string()))?;
        Ok(self.out.push(Node { op, elem, shape, location: like.location }))
    }

    /// The number that `id` is, if it is a literal.
    fn number(&self, id: OpId) -> Option<f64> {
        match self.program.node(id).op {
            Op::Literal(Literal::F32(v)) => Some(f64::from(v)),
            Op::Literal(Literal::F64(v)) => Some(v),
            _ => None,
        }
    }

    fn below(&self, id: OpId, most: f64) -> bool {
        let range = self.ranges.of(id);
        !range.nan && range.high <= most
    }

    fn above(&self, id: OpId, least: f64) -> bool {
        let range = self.ranges.of(id);
        !range.nan && range.low >= least
    }

    /// The sum of `id` over the axis.
    fn sum(&mut self, id: OpId) -> Result<OpId, Why> {
        if let Some(&sum) = self.sums.get(&id) {
            return Ok(sum);
        }
        let node = self.program.node(id).clone();
        let state = self.depends[id.index()];
        let constant =
            |s: &Self, id: OpId| s.program.node(id).shape.group(s.axis).is_none() && s.depends[id.index()].is_none();
        let not_linear = || (state, format!("it is not filtered linearly ({})", node.location));
        let sum = match node.op {
            _ if state.is_none() => {
                if node.shape.group(self.axis).is_none() {
                    return Err((None, format!("a number is added to each of its elements ({})", node.location)));
                }
                self.push(Op::Reduce(ReduceOp::Sum, self.axis, id), &node)?
            }
            Op::State(s) if self.states.contains(&s) => {
                let shape = node.shape.without(self.axis);
                self.out.push(Node { shape, ..node })
            }
            Op::Unary(UnaryOp::Neg, a) => {
                let a = self.sum(a)?;
                self.push(Op::Unary(UnaryOp::Neg, a), &node)?
            }
            Op::Binary(op @ (BinaryOp::Add | BinaryOp::Sub), a, b) => {
                let (a, b) = (self.sum(a)?, self.sum(b)?);
                self.push(Op::Binary(op, a, b), &node)?
            }
            Op::Binary(BinaryOp::Mul, c, v) | Op::Binary(BinaryOp::Mul, v, c) if constant(self, c) => {
                let v = self.sum(v)?;
                self.push(Op::Binary(BinaryOp::Mul, c, v), &node)?
            }
            Op::Binary(BinaryOp::Div, v, c) if constant(self, c) => {
                let v = self.sum(v)?;
                self.push(Op::Binary(BinaryOp::Div, v, c), &node)?
            }
            Op::MulAdd(c, v, w) | Op::MulAdd(v, c, w) if constant(self, c) => {
                let (v, w) = (self.sum(v)?, self.sum(w)?);
                self.push(Op::MulAdd(c, v, w), &node)?
            }
            // A product without the states that is added to them.
            Op::MulAdd(a, b, w) if self.depends[a.index()].is_none() && self.depends[b.index()].is_none() => {
                let product = self.push(Op::Binary(BinaryOp::Mul, a, b), &node)?;
                let product = self.push(Op::Reduce(ReduceOp::Sum, self.axis, product), &node)?;
                let w = self.sum(w)?;
                self.push(Op::Binary(BinaryOp::Add, product, w), &node)?
            }
            // A bound that is never reached.
            Op::Binary(BinaryOp::Min, v, bound) | Op::Binary(BinaryOp::Min, bound, v)
                if self.number(bound).is_some_and(|most| self.below(v, most)) =>
            {
                self.sum(v)?
            }
            Op::Binary(BinaryOp::Max, v, bound) | Op::Binary(BinaryOp::Max, bound, v)
                if self.number(bound).is_some_and(|least| self.above(v, least)) =>
            {
                self.sum(v)?
            }
            Op::Select(c, v, w) if constant(self, c) => {
                let (v, w) = (self.sum(v)?, self.sum(w)?);
                self.push(Op::Select(c, v, w), &node)?
            }
            _ => return Err(not_linear()),
        };
        self.sums.insert(id, sum);
        Ok(sum)
    }
}
