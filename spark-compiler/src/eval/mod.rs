//! The evaluator: runs a program operation by operation on host arrays.
//!
//! In: a [`Program`]; out: the same bits a compiled kernel gives, slowly and obviously. It is the oracle for code
//! generation, the engine of eager mode (where each operation is evaluated when it is recorded) and of constant folding.
//!
//! Sums are taken in the kernel's order (see [`crate::loops`]): over the innermost group in 16 partial sums, over other
//! groups one element after another.

mod apply;
mod reduce;

pub use apply::{Past, apply, delay};

use crate::error::RunError;
use crate::ir::{Array, DType, Op, Program};

/// State of a program being evaluated.
#[derive(Clone, Debug)]
pub struct Evaluator {
    states: Vec<Array>,
    histories: Vec<Ring>,
}

/// The past rows of one history, in arithmetic type.
#[derive(Clone, Debug, PartialEq)]
pub struct Ring {
    rows: Vec<Array>,
    position: usize,
}

impl Ring {
    /// The rows in storage order.
    pub fn rows(&self) -> &[Array] {
        &self.rows
    }

    /// The row the next step writes.
    pub fn position(&self) -> usize {
        self.position
    }
}

impl Evaluator {
    /// The state before the first step.
    pub fn new(program: &Program) -> Evaluator {
        let states = program.states.iter().map(|s| s.init.clone()).collect();
        let histories = program
            .histories
            .iter()
            .map(|h| Ring { rows: vec![Array::zeros(h.shape.clone(), h.elem.dtype()); h.rows], position: 0 })
            .collect();
        Evaluator { states, histories }
    }

    /// Runs one step: one array per input port in, one per output port out.
    ///
    /// # Errors
    /// If an input is missing or has another size than its port.
    pub fn step(&mut self, program: &Program, inputs: &[Array]) -> Result<Vec<Array>, RunError> {
        if inputs.len() != program.inputs.len() {
            return Err(RunError::InputCount { expected: program.inputs.len(), found: inputs.len() });
        }
        for (port, input) in program.inputs.iter().zip(inputs) {
            if port.shape.size() != input.len() {
                return Err(RunError::InputSize {
                    port: port.name.clone(),
                    expected: port.shape.clone(),
                    found: input.len(),
                });
            }
        }
        let mut values: Vec<Array> = Vec::with_capacity(program.nodes.len());
        for node in &program.nodes {
            let value = match &node.op {
                Op::Constant(id) => program.constant(*id).value.widen(),
                Op::State(id) => self.states[id.index()].widen(),
                Op::Input(id) => {
                    let port = program.input(*id);
                    let stored = inputs[id.index()].convert(port.dtype);
                    stored.widen().reshaped(port.shape.clone()).expect("sizes checked above")
                }
                Op::Delay { history, value, delays } => {
                    let ring = &mut self.histories[history.index()];
                    ring.rows[ring.position] = values[value.index()].clone();
                    let past = Past { rows: &ring.rows, position: ring.position };
                    apply::delay(&past, &program.constant(*delays).value, node)
                }
                op => {
                    let mut operands = Vec::with_capacity(3);
                    op.operands(|id| operands.push(&values[id.index()]));
                    apply(program, node, &operands)
                }
            };
            values.push(value);
        }
        for (state, slot) in program.states.iter().zip(&mut self.states) {
            if let Some(next) = state.next {
                *slot = apply::stored(&values[next.index()], state.init.shape(), state.init.dtype());
            }
        }
        for ring in &mut self.histories {
            ring.position = (ring.position + 1) % ring.rows.len();
        }
        Ok(program.outputs.iter().map(|o| values[o.value.index()].convert(o.dtype)).collect())
    }

    /// Value of every state, in storage type.
    pub fn states(&self) -> &[Array] {
        &self.states
    }

    /// Replaces a state's value.
    pub fn set_state(&mut self, index: usize, value: Array) {
        self.states[index] = value;
    }

    /// Every history.
    pub fn histories(&self) -> &[Ring] {
        &self.histories
    }

    /// Replaces a history's rows and position.
    pub fn set_history(&mut self, index: usize, rows: Vec<Array>, position: usize) {
        self.histories[index] = Ring { rows, position };
    }
}

/// `value` broadcast to `shape` and rounded to storage type `dtype`: what a state write stores.
pub fn store(value: &Array, shape: &crate::ir::Shape, dtype: DType) -> Array {
    apply::stored(value, shape, dtype)
}
