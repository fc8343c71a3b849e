//! Dead code: operations, constants and histories that no output and no state write depends on go.
//!
//! States, inputs and outputs stay: they are the program's interface. Exact.

use crate::ir::{ConstId, HistoryId, Op, OpId, Program};

/// Removes what nothing depends on.
pub fn dce(program: &Program) -> Program {
    let live = live(program);
    let mut out = Program {
        constants: Vec::new(),
        histories: Vec::new(),
        nodes: Vec::new(),
        name: program.name.clone(),
        states: program.states.clone(),
        inputs: program.inputs.clone(),
        outputs: program.outputs.clone(),
    };
    let mut ids = vec![OpId(0); program.nodes.len()];
    let mut constants: Vec<Option<ConstId>> = vec![None; program.constants.len()];
    let mut histories: Vec<Option<HistoryId>> = vec![None; program.histories.len()];
    for (id, node) in program.iter().filter(|(id, _)| live[id.index()]) {
        let mut node = node.clone();
        node.op.map_operands(|operand| ids[operand.index()]);
        if let Some(c) = node.op.constant_mut() {
            *c = keep_constant(program, &mut out, &mut constants, *c);
        }
        if let Op::Delay { history, .. } = &mut node.op {
            *history = *histories[history.index()].get_or_insert_with(|| {
                out.histories.push(program.history(*history).clone());
                HistoryId::from_index(out.histories.len() - 1)
            });
        }
        ids[id.index()] = out.push(node);
    }
    for state in &mut out.states {
        state.next = state.next.map(|id| ids[id.index()]);
    }
    for output in &mut out.outputs {
        output.value = ids[output.value.index()];
    }
    out
}

/// For each operation, whether an output or a state write depends on it.
pub(super) fn live(program: &Program) -> Vec<bool> {
    let mut live = vec![false; program.nodes.len()];
    for root in program.roots() {
        live[root.index()] = true;
    }
    for index in (0..program.nodes.len()).rev() {
        if live[index] {
            program.nodes[index].op.operands(|id| live[id.index()] = true);
        }
    }
    live
}

fn keep_constant(program: &Program, out: &mut Program, map: &mut [Option<ConstId>], id: ConstId) -> ConstId {
    *map[id.index()].get_or_insert_with(|| {
        out.constants.push(program.constant(id).clone());
        ConstId::from_index(out.constants.len() - 1)
    })
}
