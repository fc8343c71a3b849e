//! Rebuilding a program node by node.

use crate::ir::{Node, Op, OpId, Program};

/// What becomes of a node.
pub(super) enum Rewrite {
    /// It stays, or is replaced by this one.
    Node(Node),
    /// An earlier value of the new program has the same value.
    Same(OpId),
}

/// Rebuilds `program`: `rewrite` sees the new program so far and each node with its operands renamed.
pub(super) fn rebuild(program: &Program, mut rewrite: impl FnMut(&mut Program, Node) -> Rewrite) -> Program {
    let mut out = Program { nodes: Vec::with_capacity(program.nodes.len()), ..program.clone() };
    let mut map: Vec<OpId> = Vec::with_capacity(program.nodes.len());
    for node in &program.nodes {
        let mut node = node.clone();
        node.op.map_operands(|id| map[id.index()]);
        let id = match rewrite(&mut out, node) {
            Rewrite::Node(node) => out.push(node),
            Rewrite::Same(id) => id,
        };
        map.push(id);
    }
    for state in &mut out.states {
        state.next = state.next.map(|id| map[id.index()]);
    }
    for output in &mut out.outputs {
        output.value = map[output.value.index()];
    }
    out
}

/// `program` with every operand, output and next value `id` replaced by `rename(id)`, and operands before their uses.
/// Operations that nothing needs go. With it, where each operation is now.
pub(super) fn renamed(program: &Program, rename: impl Fn(OpId) -> OpId) -> (Program, Vec<Option<OpId>>) {
    let mut out = Program { nodes: Vec::with_capacity(program.nodes.len()), ..program.clone() };
    let mut places: Vec<Option<OpId>> = vec![None; program.nodes.len()];
    let mut place = |out: &mut Program, root: OpId| {
        // A stack of its own: programs may be deeper than the thread's.
        let mut open = vec![rename(root)];
        while let Some(&id) = open.last() {
            if places[id.index()].is_some() {
                open.pop();
                continue;
            }
            let mut node = program.node(id).clone();
            let before = open.len();
            node.op
                .operands(|operand| open.extend(places[rename(operand).index()].is_none().then_some(rename(operand))));
            if open.len() == before {
                node.op.map_operands(|operand| places[rename(operand).index()].expect("placed before"));
                places[id.index()] = Some(out.push(node));
                open.pop();
            }
        }
        places[rename(root).index()].expect("placed now")
    };
    for (index, output) in program.outputs.iter().enumerate() {
        out.outputs[index].value = place(&mut out, output.value);
    }
    for (index, state) in program.states.iter().enumerate() {
        out.states[index].next = state.next.map(|next| place(&mut out, next));
    }
    (out, places)
}

/// The value that `id` regroups, if it does.
pub(super) fn behind_regroup(program: &Program, mut id: OpId) -> OpId {
    while let Op::Regroup(source) = program.node(id).op {
        id = source;
    }
    id
}
