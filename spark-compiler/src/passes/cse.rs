//! Common subexpressions: of equal operations (and equal constants) the first is kept.
//!
//! Conditions: same operation on the same operands, same type and shape. Delays of one history are equal if their
//! delays are. Exact.

use super::rewrite::{Rewrite, rebuild};
use crate::ir::{ConstId, DType, Elem, Op, OpId, Program, Shape};
use std::collections::HashMap;

/// Merges equal operations.
pub fn cse(program: &Program) -> Program {
    let constants = merged_constants(program);
    let mut seen: HashMap<(Op, Elem, Shape), OpId> = HashMap::new();
    rebuild(program, |out, mut node| {
        if let Some(id) = node.op.constant_mut() {
            *id = constants[id.index()];
        }
        let key = (node.op.clone(), node.elem, node.shape.clone());
        match seen.get(&key) {
            Some(&id) => Rewrite::Same(id),
            None => {
                seen.insert(key, OpId::from_index(out.nodes.len()));
                Rewrite::Node(node)
            }
        }
    })
}

/// For each constant, the first with the same elements.
fn merged_constants(program: &Program) -> Vec<ConstId> {
    let mut first: HashMap<(DType, Shape), Vec<ConstId>> = HashMap::new();
    let mut map = Vec::with_capacity(program.constants.len());
    for (i, constant) in program.constants.iter().enumerate() {
        let id = ConstId::from_index(i);
        let alike = first.entry((constant.value.dtype(), constant.value.shape().clone())).or_default();
        let same = alike.iter().find(|c| program.constant(**c).value.same_bits(&constant.value));
        match same {
            Some(&known) => map.push(known),
            None => {
                alike.push(id);
                map.push(id);
            }
        }
    }
    map
}
