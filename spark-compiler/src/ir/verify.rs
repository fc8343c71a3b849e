//! Checks a whole program: run between any two phases in debug builds, and on every program read from text.

use super::{Group, Op, OpId, Program, Shape, TypeError, infer};
use crate::loops::BLOCK;
use std::collections::HashMap;

/// What is wrong with a program, and where.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum VerifyError {
    /// An operand that does not come before its use.
    #[error("{node} uses {operand}, which is not defined before it")]
    Order {
        /// The operation.
        node: OpId,
        /// Its operand.
        operand: OpId,
    },
    /// An id that names nothing.
    #[error("{node} names {what}, which the program does not have")]
    Dangling {
        /// The operation.
        node: OpId,
        /// The missing entity.
        what: String,
    },
    /// An ill-formed operation.
    #[error("{node}: {error}")]
    Type {
        /// The operation.
        node: OpId,
        /// Why.
        error: TypeError,
    },
    /// A node whose recorded type or shape is not what its operation yields.
    #[error("{node} is recorded as {recorded}, its operation yields {inferred}")]
    Recorded {
        /// The operation.
        node: OpId,
        /// What the node says.
        recorded: String,
        /// What follows from the operands.
        inferred: String,
    },
    /// An axis without elements, or more elements than memory can hold.
    #[error("{what} has shape {shape}: every axis needs at least one element, and all together must fit in memory")]
    Size {
        /// The entity.
        what: String,
        /// Its shape.
        shape: String,
    },
    /// Two entities of one kind with one name.
    #[error("two {kind} are called `{name}`")]
    Duplicate {
        /// The kind of entity.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// A state or output that cannot take its value.
    #[error("`{name}` cannot take {value}: {why}")]
    Write {
        /// The state or output.
        name: String,
        /// The value.
        value: OpId,
        /// Why not.
        why: String,
    },
    /// Two values pushed into one history.
    #[error("history `{name}` is fed by both {first} and {second}")]
    History {
        /// The history.
        name: String,
        /// One value.
        first: OpId,
        /// Another.
        second: OpId,
    },
}

/// Largest number of elements of one array, and of all rows of a history.
pub const MOST_ELEMENTS: usize = 1 << 30;

/// Largest number of elements of one array with its padding: what fits 32-bit offsets.
const MOST_PADDED: usize = i32::MAX as usize;

/// Checks that a program is well-formed.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify(program: &Program) -> Result<(), VerifyError> {
    sizes(program)?;
    names(program)?;
    let mut fed: HashMap<u32, OpId> = HashMap::new();
    for (id, node) in program.iter() {
        exists(program, id, &node.op)?;
        let mut late = None;
        node.op.operands(|operand| {
            if operand >= id {
                late = late.or(Some(operand));
            }
        });
        if let Some(operand) = late {
            return Err(VerifyError::Order { node: id, operand });
        }
        let (elem, shape) = infer(program, &node.op, (node.elem, &node.shape))
            .map_err(|error| VerifyError::Type { node: id, error })?;
        if elem != node.elem || shape != node.shape {
            return Err(VerifyError::Recorded {
                node: id,
                recorded: format!("{}{}", node.elem, node.shape),
                inferred: format!("{elem}{shape}"),
            });
        }
        if let Op::Delay { history, value, .. } = &node.op {
            let first = *fed.entry(history.0).or_insert(*value);
            if first != *value {
                let name = program.history(*history).name.clone();
                return Err(VerifyError::History { name, first, second: *value });
            }
        }
    }
    writes(program)
}

fn sizes(program: &Program) -> Result<(), VerifyError> {
    let constants = program.constants.iter().map(|c| (&c.name, c.value.shape(), 1));
    let states = program.states.iter().map(|s| (&s.name, s.init.shape(), 1));
    let histories = program.histories.iter().map(|h| (&h.name, &h.shape, h.rows));
    let inputs = program.inputs.iter().map(|i| (&i.name, &i.shape, 1));
    let named = constants.chain(states).chain(histories).chain(inputs);
    let nodes = program.iter().map(|(id, node)| (id.to_string(), &node.shape, 1));
    for (what, shape, rows) in named.map(|(n, s, r)| (n.clone(), s, r)).chain(nodes) {
        let size = shape.checked_size().and_then(|n| n.checked_mul(rows));
        if size.is_none_or(|n| n == 0 || n > MOST_ELEMENTS) || padded_size(shape) > MOST_PADDED {
            return Err(VerifyError::Size { what, shape: shape.to_string() });
        }
    }
    Ok(())
}

/// Elements with the innermost group padded, as in a kernel's memory; of a shape of at most [`MOST_ELEMENTS`].
fn padded_size(shape: &Shape) -> usize {
    let inner = shape.groups().last().map_or(1, Group::size);
    shape.size() / inner * inner.next_multiple_of(BLOCK)
}

fn names(program: &Program) -> Result<(), VerifyError> {
    fn unique<'a>(kind: &'static str, names: impl Iterator<Item = &'a String>) -> Result<(), VerifyError> {
        let mut seen = std::collections::HashSet::new();
        for name in names {
            if !seen.insert(name) {
                return Err(VerifyError::Duplicate { kind, name: name.clone() });
            }
        }
        Ok(())
    }
    unique("states", program.states.iter().map(|s| &s.name))?;
    unique("histories", program.histories.iter().map(|h| &h.name))?;
    unique("inputs", program.inputs.iter().map(|i| &i.name))?;
    unique("outputs", program.outputs.iter().map(|o| &o.name))
}

fn exists(program: &Program, node: OpId, op: &Op) -> Result<(), VerifyError> {
    let missing = |what: String| Err(VerifyError::Dangling { node, what });
    if let Some(id) = op.clone().constant_mut()
        && id.index() >= program.constants.len()
    {
        return missing(id.to_string());
    }
    match op {
        Op::Input(id) if id.index() >= program.inputs.len() => missing(id.to_string()),
        Op::State(id) if id.index() >= program.states.len() => missing(id.to_string()),
        Op::Delay { history, .. } if history.index() >= program.histories.len() => missing(history.to_string()),
        _ => Ok(()),
    }
}

fn writes(program: &Program) -> Result<(), VerifyError> {
    for state in &program.states {
        let Some(value) = state.next else { continue };
        let name = state.name.clone();
        let Some(node) = program.nodes.get(value.index()) else {
            return Err(VerifyError::Write { name, value, why: "there is no such value".into() });
        };
        if !node.shape.fits(state.init.shape()) {
            let why = format!("its shape is {}, the state's is {}", node.shape, state.init.shape());
            return Err(VerifyError::Write { name, value, why });
        }
        if node.elem != state.init.elem() {
            let why = format!("it is {}, the state holds {}", node.elem, state.init.dtype());
            return Err(VerifyError::Write { name, value, why });
        }
    }
    for output in &program.outputs {
        let (name, value) = (output.name.clone(), output.value);
        let Some(node) = program.nodes.get(value.index()) else {
            return Err(VerifyError::Write { name, value, why: "there is no such value".into() });
        };
        if node.elem != output.dtype.elem() {
            let why = format!("it is {}, the output is {}", node.elem, output.dtype);
            return Err(VerifyError::Write { name, value, why });
        }
    }
    Ok(())
}
