//! A program: one time step of a model.
//!
//! In: inputs, constants, state at the start of the step. Out: outputs, and one value per written state. The
//! operations are in dependency order; the same program is printed, verified, evaluated, optimised and lowered.

use super::{Array, ConstId, DType, Elem, HistoryId, InputId, Node, Op, OpId, Shape, StateId};

/// A constant array.
#[derive(Clone, PartialEq, Debug)]
pub struct Constant {
    /// Path of what it came from, for people.
    pub name: String,
    /// Its elements.
    pub value: Array,
}

/// A state variable.
#[derive(Clone, PartialEq, Debug)]
pub struct State {
    /// Its path, e.g. `soma.potential`; unique.
    pub name: String,
    /// Value before the first step and after a reset; its shape and storage type are the state's.
    pub init: Array,
    /// Value at the end of the step (converted to the storage type); `None` keeps it.
    pub next: Option<OpId>,
}

/// The last `rows` values of a delayed value.
#[derive(Clone, PartialEq, Debug)]
pub struct History {
    /// Its path; unique.
    pub name: String,
    /// Type of the rows.
    pub elem: Elem,
    /// Shape of one row.
    pub shape: Shape,
    /// Number of rows: the longest delay + 1.
    pub rows: usize,
}

/// An input port.
#[derive(Clone, PartialEq, Debug)]
pub struct Input {
    /// Its name; unique.
    pub name: String,
    /// Storage type on the host side.
    pub dtype: DType,
    /// Its shape.
    pub shape: Shape,
}

/// An output port.
#[derive(Clone, PartialEq, Debug)]
pub struct Output {
    /// Its name; unique.
    pub name: String,
    /// Storage type on the host side.
    pub dtype: DType,
    /// Its value.
    pub value: OpId,
}

/// One time step of a model.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Program {
    /// Name of the model.
    pub name: String,
    /// Constant arrays.
    pub constants: Vec<Constant>,
    /// State variables.
    pub states: Vec<State>,
    /// Histories.
    pub histories: Vec<History>,
    /// Input ports.
    pub inputs: Vec<Input>,
    /// Operations, operands first.
    pub nodes: Vec<Node>,
    /// Output ports.
    pub outputs: Vec<Output>,
}

impl Program {
    /// An empty program.
    pub fn new(name: impl Into<String>) -> Program {
        Program { name: name.into(), ..Program::default() }
    }

    /// The operation `id`.
    pub fn node(&self, id: OpId) -> &Node {
        &self.nodes[id.index()]
    }

    /// Appends an operation.
    pub fn push(&mut self, node: Node) -> OpId {
        self.nodes.push(node);
        OpId::from_index(self.nodes.len() - 1)
    }

    /// The constant `id`.
    pub fn constant(&self, id: ConstId) -> &Constant {
        &self.constants[id.index()]
    }

    /// The state `id`.
    pub fn state(&self, id: StateId) -> &State {
        &self.states[id.index()]
    }

    /// The history `id`.
    pub fn history(&self, id: HistoryId) -> &History {
        &self.histories[id.index()]
    }

    /// The input `id`.
    pub fn input(&self, id: InputId) -> &Input {
        &self.inputs[id.index()]
    }

    /// Ids and operations in order.
    pub fn iter(&self) -> impl Iterator<Item = (OpId, &Node)> {
        self.nodes.iter().enumerate().map(|(i, node)| (OpId::from_index(i), node))
    }

    /// Values that must exist at the end of a step: outputs, state writes and history pushes.
    pub fn roots(&self) -> Vec<OpId> {
        let mut roots: Vec<OpId> = self.outputs.iter().map(|o| o.value).collect();
        roots.extend(self.states.iter().filter_map(|s| s.next));
        roots
    }

    /// Number of operations that compute something (all but literals and reads).
    pub fn work(&self) -> usize {
        let reads =
            |op: &Op| matches!(op, Op::Literal(_) | Op::Constant(_) | Op::Input(_) | Op::State(_) | Op::Regroup(_));
        self.nodes.iter().filter(|n| !reads(&n.op)).count()
    }
}
