//! Constant folding: an operation whose operands are all constant becomes a literal or a constant array.
//!
//! Conditions: every operand is a literal or a constant, and the result is worth its memory ([`worth_storing`]). Exact:
//! the evaluator that folds is the oracle for kernels.

use super::rewrite::{Rewrite, rebuild};
use crate::eval;
use crate::ir::{Array, ConstId, Constant, Node, Op, Program, Shape};

/// True if a value computed from constants of these sizes should become a constant itself: one that is much larger than
/// what it is computed from costs memory, and reading it costs more than computing it.
pub(crate) fn worth_storing(shape: &Shape, operands: impl Iterator<Item = usize>) -> bool {
    const SMALL: usize = 1 << 16;
    shape.size() <= operands.max().unwrap_or(0).max(SMALL)
}

/// A computed value as an operation: a literal if it is a scalar, else a new constant of the program.
pub(crate) fn stored(program: &mut Program, value: &Array) -> Op {
    let scalar = if value.shape().is_scalar() { value.as_literal() } else { None };
    scalar.map(Op::Literal).unwrap_or_else(|| {
        let name = format!("folded{}", program.constants.len());
        program.constants.push(Constant { name, value: value.clone() });
        Op::Constant(ConstId::from_index(program.constants.len() - 1))
    })
}

/// Folds operations on constants.
pub fn fold(program: &Program) -> Program {
    rebuild(program, |out, node| {
        if matches!(node.op, Op::Literal(_) | Op::Constant(_) | Op::Input(_) | Op::State(_) | Op::Delay { .. }) {
            return Rewrite::Node(node);
        }
        let mut operands: Option<Vec<Array>> = Some(Vec::new());
        node.op.operands(|id| {
            let value = match &out.node(id).op {
                Op::Literal(value) => Some(Array::scalar(*value)),
                Op::Constant(id) => Some(out.constant(*id).value.widen()),
                _ => None,
            };
            operands = operands.take().zip(value).map(|(mut list, value)| {
                list.push(value);
                list
            });
        });
        let Some(operands) = operands else { return Rewrite::Node(node) };
        if !worth_storing(&node.shape, operands.iter().map(Array::len)) {
            return Rewrite::Node(node);
        }
        let value = eval::apply(out, &node, &operands.iter().collect::<Vec<_>>());
        let op = stored(out, &value);
        Rewrite::Node(Node { op, ..node })
    })
}
