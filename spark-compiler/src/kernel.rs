//! Kernels: compiled programs, and instances that hold their memory.
//!
//! A [`Kernel`] is immutable and cheap to clone; its code is freed with the last clone. An [`Instance`] is one model's
//! memory: inputs are written, steps run, outputs and states are read. A step allocates nothing.

use crate::emit::{self, Code, CodeStats};
use crate::error::RunError;
use crate::ir::{Array, DType, Data, Program, Shape};
use crate::loops::{BufferId, Lowered, Role, lower};
use crate::memory::{Memory, MemoryError};
use crate::passes::{CompileOptions, Optimized, optimize};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A program that cannot be compiled or given memory.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// Code generation failed.
    #[error(transparent)]
    Codegen(#[from] emit::CompileError),
    /// No memory for the program's arrays.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

/// How long each stage took, and what came out.
#[derive(Clone, Debug)]
pub struct KernelStats {
    /// Time of the passes.
    pub optimize: Duration,
    /// Time of lowering to loop nests.
    pub lower: Duration,
    /// Code generation: time and sizes.
    pub code: CodeStats,
    /// Bytes of all arrays of one instance.
    pub memory_bytes: usize,
    /// Operations after the passes.
    pub operations: usize,
}

/// Machine code of one step, and the layout of its memory.
#[derive(Clone, Debug)]
pub struct Kernel {
    lowered: Arc<Lowered>,
    code: Code,
    stats: Arc<KernelStats>,
}

impl Kernel {
    /// Compiles a program for this machine.
    ///
    /// # Errors
    /// If code generation fails.
    pub fn compile(program: Program, options: &CompileOptions) -> Result<Kernel, CompileError> {
        let start = Instant::now();
        let optimized = optimize(program, options);
        Kernel::compile_optimized(&optimized, start.elapsed())
    }

    /// Compiles a program that went through the passes already; `optimize` is the time they took.
    ///
    /// # Errors
    /// If code generation fails.
    pub fn compile_optimized(optimized: &Optimized, optimize: Duration) -> Result<Kernel, CompileError> {
        let start = Instant::now();
        let lowered = lower(optimized);
        let lower = start.elapsed();
        let code = emit::compile(&lowered)?;
        let stats = KernelStats {
            optimize,
            lower,
            code: code.stats(),
            memory_bytes: lowered.bytes(),
            operations: optimized.program().work(),
        };
        Ok(Kernel { lowered: Arc::new(lowered), code, stats: Arc::new(stats) })
    }

    /// The loop nests it was made from.
    pub fn lowered(&self) -> &Lowered {
        &self.lowered
    }

    /// Times and sizes.
    pub fn stats(&self) -> &KernelStats {
        &self.stats
    }

    /// Fresh memory, in the initial state.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn instance(&self) -> Result<Instance, CompileError> {
        let with = |role: fn(&Role) -> bool| -> Vec<BufferId> {
            self.lowered.iter().filter(|(_, b)| role(&b.role)).map(|(id, _)| id).collect()
        };
        let states = with(|r| matches!(r, Role::State(_)))
            .into_iter()
            .map(|id| (self.lowered.buffer(id).name.clone(), id))
            .collect();
        Ok(Instance {
            memory: Memory::new(&self.lowered)?,
            inputs: with(|r| *r == Role::Input),
            outputs: with(|r| *r == Role::Output),
            histories: with(|r| matches!(r, Role::History { .. })),
            states,
            kernel: self.clone(),
        })
    }
}

/// A kernel with memory: one running model.
#[derive(Debug)]
pub struct Instance {
    kernel: Kernel,
    memory: Memory,
    inputs: Vec<BufferId>,
    outputs: Vec<BufferId>,
    histories: Vec<BufferId>,
    states: HashMap<String, BufferId>,
}

impl Instance {
    /// The kernel.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// Runs one step on the inputs written last.
    pub fn step(&mut self) {
        self.kernel.code.step(&mut self.memory).unwrap_or_else(|e| crate::bug!("own memory: {e}"));
    }

    /// Writes the `index`-th input: elements in host order, converted to the port's type.
    ///
    /// # Errors
    /// If there is no such input or the number of elements is wrong.
    pub fn set_input(&mut self, index: usize, data: &Data) -> Result<(), RunError> {
        let found = data.len();
        let Some(&id) = self.inputs.get(index) else {
            return Err(RunError::InputCount { expected: self.inputs.len(), found: index + 1 });
        };
        let buffer = self.kernel.lowered.buffer(id);
        if buffer.shape.size() != found {
            return Err(RunError::InputSize { port: buffer.name.clone(), expected: buffer.shape.clone(), found });
        }
        self.memory.write(&self.kernel.lowered, id, data).unwrap_or_else(|e| crate::bug!("checked input: {e}"));
        Ok(())
    }

    /// The `index`-th output of the last step.
    pub fn output(&self, index: usize) -> Array {
        self.read(self.outputs[index])
    }

    fn read(&self, id: BufferId) -> Array {
        self.memory.read(&self.kernel.lowered, id).unwrap_or_else(|e| crate::bug!("own memory: {e}"))
    }

    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.outputs.len()
    }

    /// The value of a state.
    pub fn state(&self, name: &str) -> Option<Array> {
        self.states.get(name).map(|&id| self.read(id))
    }

    /// Names of the states, sorted.
    pub fn state_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.states.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// Storage type and shape of a state.
    pub fn state_type(&self, name: &str) -> Option<(DType, &Shape)> {
        let buffer = self.kernel.lowered.buffer(*self.states.get(name)?);
        Some((buffer.dtype, &buffer.shape))
    }

    /// Sets a state; elements in host order, converted to the state's type.
    ///
    /// # Errors
    /// If there is no such state or the number of elements is wrong.
    pub fn set_state(&mut self, name: &str, data: &Data) -> Result<(), RunError> {
        let Some(&id) = self.states.get(name) else {
            let known = self.state_names().join(", ");
            return Err(RunError::Unknown { kind: "state", name: name.into(), known });
        };
        let buffer = self.kernel.lowered.buffer(id);
        if buffer.shape.size() != data.len() {
            return Err(RunError::StateSize {
                name: name.into(),
                expected: buffer.shape.clone(),
                expected_dtype: buffer.dtype,
                found: data.len(),
                found_dtype: data.dtype(),
            });
        }
        self.memory.write(&self.kernel.lowered, id, data).unwrap_or_else(|e| crate::bug!("checked state: {e}"));
        Ok(())
    }

    /// Back to the initial state: states, histories and positions.
    pub fn reset(&mut self) {
        self.memory.reset(&self.kernel.lowered).unwrap_or_else(|e| crate::bug!("own memory: {e}"));
    }

    /// Buffers of the histories, for checkpoints.
    pub fn histories(&self) -> &[BufferId] {
        &self.histories
    }
}
