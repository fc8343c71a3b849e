//! Rebuilding a program node by node.

use crate::ir::{Node, OpId, Program};

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
