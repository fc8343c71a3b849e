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
use crate::with_data;
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
            steps: 0,
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
    steps: u64,
}

impl Instance {
    /// The kernel.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// Runs one step on the inputs written last.
    pub fn step(&mut self) {
        self.kernel.code.step(&mut self.memory).unwrap_or_else(|e| crate::bug!("own memory: {e}"));
        self.steps += 1;
    }

    /// Number of steps since the start, the last reset, or what [`Instance::set_steps`] said.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Says how many steps were done: when states are restored.
    pub fn set_steps(&mut self, steps: u64) {
        self.steps = steps;
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
        self.steps = 0;
    }

    /// Buffers of the histories.
    pub fn histories(&self) -> &[BufferId] {
        &self.histories
    }

    /// Buffer, rows and position buffer of a history.
    fn find_history(&self, name: &str) -> Option<(BufferId, usize, BufferId)> {
        let lowered = &self.kernel.lowered;
        let id = *self.histories.iter().find(|&&id| lowered.buffer(id).name == name)?;
        match lowered.buffer(id).role {
            Role::History { rows, position } => Some((id, rows, position)),
            _ => None,
        }
    }

    /// The past of a delayed value: that of the last step first, then that of the step before, ..., in host order. These are
    /// the rows of the history but one, which the next step overwrites.
    pub fn past(&self, name: &str) -> Option<Data> {
        let (id, rows, position) = self.find_history(name)?;
        let all = self.memory.read_history(&self.kernel.lowered, id).unwrap_or_else(|e| crate::bug!("own memory: {e}"));
        let next = self.read(position).to_i32()[0] as usize;
        let size = all.len() / rows;
        Some(with_data!(&all, v => {
            let ago = |steps: usize| &v[(next + rows - steps) % rows * size..][..size];
            crate::ir::Stored::data((1..rows).flat_map(ago).copied().collect())
        }))
    }

    /// Sets the past of a delayed value as [`Instance::past`] gives it.
    ///
    /// # Errors
    /// If there is no such history or the number of elements is wrong.
    pub fn set_past(&mut self, name: &str, data: &Data) -> Result<(), RunError> {
        let Some((id, rows, position)) = self.find_history(name) else {
            let names = self.histories.iter().map(|&id| self.kernel.lowered.buffer(id).name.clone());
            let known = names.collect::<Vec<_>>().join(", ");
            return Err(RunError::Unknown { kind: "history", name: name.into(), known });
        };
        let buffer = self.kernel.lowered.buffer(id);
        let size = buffer.shape.size();
        if data.len() != size * (rows - 1) {
            return Err(RunError::StateSize {
                name: name.into(),
                expected: buffer.shape.clone(),
                expected_dtype: buffer.dtype,
                found: data.len(),
                found_dtype: data.dtype(),
            });
        }
        // The next step writes row 0, so that of `k` steps ago is row `rows − k`.
        let mut all = Data::zeros(buffer.dtype, size);
        let past = data.convert(buffer.dtype);
        with_data!(&past, v => {
            let ago = |steps: usize| &v[(steps - 1) * size..][..size];
            let part: Data = crate::ir::Stored::data((1..rows).rev().flat_map(ago).copied().collect::<Vec<_>>());
            crate::memory::append(&mut all, &part);
        });
        let (lowered, memory) = (&self.kernel.lowered, &mut self.memory);
        memory.write_history(lowered, id, &all).unwrap_or_else(|e| crate::bug!("checked history: {e}"));
        memory.write(lowered, position, &Data::I32(vec![0])).unwrap_or_else(|e| crate::bug!("checked history: {e}"));
        Ok(())
    }
}
