//! States that are the same all along an axis are stored once per index of the other axes.
//!
//! A rule that writes `trace[post, pre]` from postsynaptic spikes alone holds one number per postsynaptic neuron, `pre`
//! times over. Conditions, for a group of a state's shape: its initial value is the same along the group; and its next value
//! is, if the states narrowed with it are. What reads the state broadcasts it by name; if something needs its whole shape
//! (an output, a gather, a reduction over the group, a next value that is computed for all of it), or a sum would be taken in
//! another order because another group became the innermost, it stays.
//!
//! Exact: the same operations on the same numbers, done once.

use super::report::Note;
use super::views::{StateView, View};
use crate::ir::{Array, Axis, Data, Node, Op, OpId, Program, ReduceOp, Shape, State, StateId, infer};

/// Narrows what can be narrowed. `views` says for each state how the host sees it.
pub(super) fn narrow(program: &Program, views: &mut [StateView], notes: &mut Vec<Note>) -> Program {
    let mut program = program.clone();
    for axis in [Axis::PRE, Axis::UNITS] {
        let mut left = uniform(&program, axis);
        while !left.is_empty() {
            // All at once; else one that can do without the others.
            let alone =
                left.iter().filter(|&&id| uniform_with(&program, axis, vec![id]).contains(&id)).map(|&id| vec![id]);
            let found =
                std::iter::once(left.clone()).chain(alone).find_map(|set| Some((without(&program, axis, &set)?, set)));
            let Some((better, set)) = found else { break };
            for &id in &set {
                let state = program.state(id);
                notes.push(Note::done(
                    "narrow",
                    &state.name,
                    format!("the same along `{axis}`: kept once for all of it"),
                ));
                views[id.index()] = StateView { shape: state.init.shape().clone(), view: View::Broadcast };
            }
            left.retain(|id| !set.contains(id));
            left = uniform_with(&better, axis, left);
            program = better;
        }
        for id in left {
            let why = format!("the same along `{axis}`, but something needs all of it");
            notes.push(Note::left("narrow", &program.state(id).name, why));
        }
    }
    program
}

/// States over `axis` and another one that stay the same along `axis`.
fn uniform(program: &Program, axis: Axis) -> Vec<StateId> {
    let ids = (0..program.states.len()).map(StateId::from_index);
    let candidates = ids.filter(|&id| {
        let shape = program.state(id).init.shape();
        let groups = shape.groups().len();
        // What no step writes is there for the host to set.
        program.state(id).next.is_some()
            && groups > 1
            && shape.group(axis).is_some_and(|g| g.size() > 1)
            && same_along(&program.state(id).init, axis)
    });
    uniform_with(program, axis, candidates.collect())
}

/// Those of `states` that stay the same along `axis` if all of them are at the start of the step.
fn uniform_with(program: &Program, axis: Axis, mut states: Vec<StateId>) -> Vec<StateId> {
    loop {
        let varies = varying(program, axis, &states);
        let before = states.len();
        states.retain(|&id| program.state(id).next.is_none_or(|next| !varies[next.index()]));
        if states.len() == before {
            return states;
        }
    }
}

/// Which values may differ along `axis`.
fn varying(program: &Program, axis: Axis, states: &[StateId]) -> Vec<bool> {
    let mut varies: Vec<bool> = Vec::with_capacity(program.nodes.len());
    for node in &program.nodes {
        let mut operands = false;
        node.op.operands(|id| operands |= varies[id.index()]);
        let has = node.shape.group(axis).is_some();
        varies.push(match &node.op {
            Op::State(id) => has && !states.contains(id),
            Op::Constant(id) => has && !same_along(&program.constant(*id).value, axis),
            Op::Delay { delays, .. } => operands || has && !same_along(&program.constant(*delays).value, axis),
            op if elementwise(op) => operands,
            Op::Reduce(_, over, _) => operands && *over != axis,
            _ => has,
        });
    }
    varies
}

/// Operations whose elements depend on their operands' elements at the same indices only.
pub(super) fn elementwise(op: &Op) -> bool {
    match op {
        Op::Literal(_)
        | Op::Unary(..)
        | Op::Binary(..)
        | Op::MulAdd(..)
        | Op::Compare(..)
        | Op::Select(..)
        | Op::Cast(_)
        | Op::Bitcast(_)
        | Op::Lookup { .. }
        | Op::Threefry { .. } => true,
        Op::Constant(_)
        | Op::Input(_)
        | Op::State(_)
        | Op::Reduce(..)
        | Op::Delay { .. }
        | Op::Index
        | Op::Gather { .. }
        | Op::SegmentSum { .. }
        | Op::Concat(_)
        | Op::Regroup(_) => false,
    }
}

/// Positions along the groups before, in and after `axis`.
fn strides(shape: &Shape, axis: Axis) -> Option<(usize, usize, usize)> {
    let (at, sizes) = (shape.position(axis)?, shape.sizes());
    Some((sizes[..at].iter().product(), sizes[at], sizes[at + 1..].iter().product()))
}

/// True if `array` has the same bits at every index of `axis`.
fn same_along(array: &Array, axis: Axis) -> bool {
    let Some((outer, len, inner)) = strides(array.shape(), axis) else { return true };
    if array.bounds().is_one_number() {
        return true;
    }
    let all = |same: &dyn Fn(usize, usize) -> bool| {
        (0..outer).all(|o| {
            let first = o * len * inner;
            (first + inner..first + len * inner).all(|at| same(at, first + (at - first) % inner))
        })
    };
    match array.data() {
        Data::F16(v) => all(&|a, b| v[a].to_bits() == v[b].to_bits()),
        Data::BF16(v) => all(&|a, b| v[a].to_bits() == v[b].to_bits()),
        Data::F32(v) => all(&|a, b| v[a].to_bits() == v[b].to_bits()),
        Data::F64(v) => all(&|a, b| v[a].to_bits() == v[b].to_bits()),
        Data::U8(v) => all(&|a, b| v[a] == v[b]),
        Data::U16(v) => all(&|a, b| v[a] == v[b]),
        Data::I32(v) => all(&|a, b| v[a] == v[b]),
        Data::Bool(v) => all(&|a, b| v[a] == v[b]),
    }
}

/// The array at index 0 of `axis`.
pub(super) fn first_along(array: &Array, axis: Axis) -> Array {
    let Some((outer, len, inner)) = strides(array.shape(), axis) else { return array.clone() };
    let data = crate::with_data!(array.data(), v => {
        let picked = (0..outer).flat_map(|o| v[o * len * inner..o * len * inner + inner].iter().copied());
        crate::ir::Stored::data(picked.collect())
    });
    Array::new(array.shape().without(axis), data).expect("one element per element of the shape")
}

/// The program with `states` without `axis`; `None` if something needs them whole.
fn without(program: &Program, axis: Axis, states: &[StateId]) -> Option<Program> {
    let mut out = Program { nodes: Vec::with_capacity(program.nodes.len()), ..program.clone() };
    for &id in states {
        let state = &mut out.states[id.index()];
        state.init = first_along(&state.init, axis);
    }
    let changed = |out: &Program, id: OpId| out.node(id).shape != program.node(id).shape;
    for node in &program.nodes {
        let mut node: Node = node.clone();
        let mut touched = false;
        node.op.operands(|id| touched |= changed(&out, id));
        match &node.op {
            Op::State(id) if states.contains(id) => node.shape = out.state(*id).init.shape().clone(),
            op if touched && elementwise(op) => {
                let mut shape = Shape::scalar();
                let mut fits = true;
                op.operands(|id| match shape.broadcast(&out.node(id).shape) {
                    Ok(wider) => shape = wider,
                    Err(_) => fits = false,
                });
                node.shape = infer(&out, op, (node.elem, &shape)).ok().filter(|_| fits)?.1;
            }
            Op::Reduce(how, over, a) if touched => {
                // Over the innermost axis, sums are taken in another order than over others.
                let innermost = |shape: &Shape| shape.groups().last().is_some_and(|group| group.axis == *over);
                let ordered = !matches!(how, ReduceOp::Any | ReduceOp::All);
                if ordered && innermost(&program.node(*a).shape) != innermost(&out.node(*a).shape) {
                    return None;
                }
                node.shape = infer(&out, &node.op, (node.elem, &node.shape)).ok()?.1;
            }
            _ if touched => return None,
            _ => {}
        }
        out.push(node);
    }
    let whole = program.outputs.iter().all(|o| !changed(&out, o.value));
    let fits = |state: &State| state.next.is_none_or(|next| out.node(next).shape.fits(state.init.shape()));
    (whole && out.states.iter().all(fits)).then_some(out)
}
