//! Kernels: compiled programs, and instances that hold their memory.
//!
//! A [`Kernel`] is immutable and cheap to clone; its code is freed with the last clone. An [`Instance`] is one model's
//! memory: inputs are written, steps run, outputs and states are read. A step allocates nothing.

use crate::emit::{self, Code, CodeStats};
use crate::error::RunError;
use crate::ir::{Array, Bounds, DType, Data, HistoryId, Program, Shape, StateId};
use crate::loops::{BufferId, Lowered, Role, layouts, lower};
use crate::memory::{Memory, MemoryError};
use crate::passes::ranges::{Range, Ranges, largest_input};
use crate::passes::{CompileOptions, Keeper, Note, Optimized, StateView, View, optimize};
use crate::with_data;
use std::collections::HashMap;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;
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
    forms: Arc<Forms>,
}

/// What the passes left to the host: how it sees states, and what values the code relies on.
#[derive(Debug)]
struct Forms {
    views: Vec<StateView>,
    notes: Vec<Note>,
    ranges: Ranges,
}

/// A program whose memory is laid out, and whose code is not made yet.
#[derive(Debug)]
pub struct Plan {
    lowered: Lowered,
    forms: Forms,
    optimize: Duration,
    lower: Duration,
    operations: usize,
}

impl Plan {
    /// That of a program.
    pub fn new(program: Program, options: &CompileOptions) -> Plan {
        let start = Instant::now();
        let optimized = optimize(program, options);
        Plan::of(&optimized, start.elapsed())
    }

    /// That of a program that went through the passes already; `optimize` is the time they took.
    pub fn of(optimized: &Optimized, optimize: Duration) -> Plan {
        let start = Instant::now();
        let lowered = lower(optimized);
        let lower = start.elapsed();
        let forms = Forms {
            views: optimized.views().to_vec(),
            notes: optimized.notes().iter().cloned().chain(layouts(&lowered)).collect(),
            ranges: optimized.visits().ranges.clone(),
        };
        Plan { lowered, forms, optimize, lower, operations: optimized.program().work() }
    }

    /// Bytes of all arrays of one instance.
    pub fn memory_bytes(&self) -> usize {
        self.lowered.bytes()
    }

    /// Makes the code.
    ///
    /// # Errors
    /// If code generation fails.
    pub fn compile(self, options: &CompileOptions) -> Result<Kernel, CompileError> {
        let code = emit::compile(&self.lowered, options)?;
        Ok(self.with(code))
    }

    /// Makes the code and an instance. Much memory is filled while the code is made.
    ///
    /// # Errors
    /// If code generation fails, or there is not enough memory.
    pub fn start(self, options: &CompileOptions) -> Result<Instance, CompileError> {
        /// Bytes from which on a thread pays.
        const MUCH: usize = 1 << 22;
        let lowered = &self.lowered;
        let (code, memory) = thread::scope(|scope| {
            let fill = || Memory::new(lowered);
            let filling = (lowered.bytes() >= MUCH).then(|| thread::Builder::new().spawn_scoped(scope, fill).ok());
            let code = emit::compile(lowered, options);
            let memory = match filling.flatten() {
                Some(filling) => filling.join().unwrap_or_else(|panic| resume_unwind(panic)),
                None => fill(),
            };
            (code, memory)
        });
        Ok(self.with(code?).with(memory?))
    }

    fn with(self, code: Code) -> Kernel {
        let stats = KernelStats {
            optimize: self.optimize,
            lower: self.lower,
            code: code.stats(),
            memory_bytes: self.lowered.bytes(),
            operations: self.operations,
        };
        Kernel { lowered: Arc::new(self.lowered), code, stats: Arc::new(stats), forms: Arc::new(self.forms) }
    }
}

impl Kernel {
    /// Compiles a program for this machine.
    ///
    /// # Errors
    /// If code generation fails.
    pub fn compile(program: Program, options: &CompileOptions) -> Result<Kernel, CompileError> {
        Plan::new(program, options).compile(options)
    }

    /// Compiles a program that went through the passes already; `optimize` is the time they took.
    ///
    /// # Errors
    /// If code generation fails.
    pub fn compile_optimized(
        optimized: &Optimized,
        options: &CompileOptions,
        optimize: Duration,
    ) -> Result<Kernel, CompileError> {
        Plan::of(optimized, optimize).compile(options)
    }

    /// What the passes did, and what kept them from doing more.
    pub fn notes(&self) -> &[Note] {
        &self.forms.notes
    }

    /// The loop nests it was made from.
    pub fn lowered(&self) -> &Lowered {
        &self.lowered
    }

    /// Times and sizes.
    pub fn stats(&self) -> &KernelStats {
        &self.stats
    }

    /// Whether subnormal numbers count as zero while a step runs.
    pub(crate) fn flushes_subnormals(&self) -> bool {
        self.code.flushes_subnormals()
    }

    /// The ranges of what is kept between steps, if the code relies on them.
    pub(crate) fn ranges(&self) -> Vec<(BufferId, Range)> {
        if self.lowered.dense.is_none() {
            return Vec::new();
        }
        let with = |role: fn(&Role) -> bool| self.lowered.iter().filter(move |(_, b)| role(&b.role)).map(|(id, _)| id);
        let ranges = &self.forms.ranges;
        let states = with(|r| matches!(r, Role::State(_))).enumerate();
        let states = states.map(|(i, id)| (id, ranges.of_state(StateId::from_index(i))));
        let histories = with(|r| matches!(r, Role::History { depth: 1.., .. })).enumerate();
        states.chain(histories.map(|(i, id)| (id, ranges.of_history(HistoryId::from_index(i))))).collect()
    }

    /// Fresh memory, in the initial state.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn instance(&self) -> Result<Instance, CompileError> {
        Ok(self.clone().with(Memory::new(&self.lowered)?))
    }

    /// An instance with fresh memory of this program.
    fn with(self, memory: Memory) -> Instance {
        let with = |role: fn(&Role) -> bool| -> Vec<BufferId> {
            self.lowered.iter().filter(|(_, b)| role(&b.role)).map(|(id, _)| id).collect()
        };
        let states = with(|r| matches!(r, Role::State(_)));
        let named = |(index, &id): (usize, &BufferId)| (self.lowered.buffer(id).name.clone(), (id, index));
        let states = states.iter().enumerate().map(named).collect();
        let inputs = with(|r| *r == Role::Input);
        Instance {
            memory,
            beyond: vec![false; inputs.len()],
            outside: false,
            visiting_all: false,
            inputs,
            outputs: with(|r| *r == Role::Output),
            histories: with(|r| matches!(r, Role::History { depth: 1.., .. })),
            states,
            steps: 0,
            kernel: self,
        }
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
    /// Buffers, and positions among the program's states.
    states: HashMap<String, (BufferId, usize)>,
    steps: u64,
    /// Which inputs are larger than the code relies on.
    beyond: Vec<bool>,
    /// Whether a state or history may be outside of its range.
    outside: bool,
    /// What the switch says.
    visiting_all: bool,
}

impl Instance {
    /// The kernel.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// All buffers.
    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Runs one step on the inputs written last.
    pub fn step(&mut self) {
        let whole = self.outside || self.beyond.contains(&true);
        self.visit_all(whole);
        self.kernel.code.step(&mut self.memory).unwrap_or_else(|e| crate::bug!("own memory: {e}"));
        self.steps += 1;
        if whole {
            self.outside = !self.is_inside();
        }
    }

    /// Has the next step go over all elements, or only those with events.
    fn visit_all(&mut self, all: bool) {
        let Some(switch) = self.kernel.lowered.dense else { return };
        if std::mem::replace(&mut self.visiting_all, all) == all {
            return;
        }
        let value = Data::I32(vec![i32::from(all)]);
        self.memory.write(&self.kernel.lowered, switch, &value).unwrap_or_else(|e| crate::bug!("own switch: {e}"));
    }

    /// True if all states and histories are inside the ranges that the code relies on.
    pub(crate) fn is_inside(&self) -> bool {
        if self.kernel.lowered.dense.is_none() {
            return true;
        }
        let ranges = &self.kernel.forms.ranges;
        let mut states = self.states.values();
        states.all(|&(id, index)| self.read(id).bounds().fits(&ranges.of_state(StateId::from_index(index))))
            && self.histories.iter().enumerate().all(|(index, &id)| {
                let rows = self.memory.read_history(&self.kernel.lowered, id);
                let rows = Bounds::of(&rows.unwrap_or_else(|e| crate::bug!("own memory: {e}")));
                rows.fits(&ranges.of_history(HistoryId::from_index(index)))
            })
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
        if self.kernel.lowered.dense.is_some() && buffer.dtype.is_float() {
            let most = largest_input(buffer.dtype);
            let found = Bounds::of(data);
            self.beyond[index] = found.nan || found.low < -most || found.high > most;
        }
        Ok(())
    }

    /// The `index`-th output of the last step.
    pub fn output(&self, index: usize) -> Array {
        self.read(self.outputs[index])
    }

    /// A buffer; of a state, as it is with all that was put off.
    fn read(&self, id: BufferId) -> Array {
        let lowered = &self.kernel.lowered;
        if lowered.logs.iter().any(|log| log.state == id) && self.is_behind() {
            let flushed = self.kernel.code.flushed(&self.memory);
            let flushed = flushed.unwrap_or_else(|e| crate::bug!("own memory: {e}"));
            let bytes = self.memory.bytes_in(&flushed, id);
            return self.memory.decode(lowered, id, bytes).unwrap_or_else(|e| crate::bug!("own memory: {e}"));
        }
        self.memory.read(&self.kernel.lowered, id).unwrap_or_else(|e| crate::bug!("own memory: {e}"))
    }

    /// True if events are put off.
    fn is_behind(&self) -> bool {
        let lowered = &self.kernel.lowered;
        let numbers = |id| self.memory.read(lowered, id).unwrap_or_else(|e| crate::bug!("own memory: {e}")).to_i32();
        lowered.logs.iter().any(|log| {
            let head = numbers(log.head)[0];
            numbers(log.columns).iter().step_by(4).any(|&replayed| replayed != head)
        })
    }

    /// Does what was put off, so that values it depends on may be changed.
    fn catch_up(&mut self) {
        self.kernel.code.flush(&mut self.memory).unwrap_or_else(|e| crate::bug!("own memory: {e}"));
    }

    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.outputs.len()
    }

    /// The value of a state as it was declared; `None` if there is no such state, or the passes keep it in a form that does not
    /// tell its elements (see [`Instance::kept`]).
    pub fn state(&self, name: &str) -> Option<Array> {
        let &(id, index) = self.states.get(name)?;
        self.kernel.forms.views[index].whole(&self.read(id), self)
    }

    /// How a state is kept, and how it was declared.
    pub fn view(&self, name: &str) -> Option<&StateView> {
        self.states.get(name).map(|&(_, index)| &self.kernel.forms.views[index])
    }

    /// A state as the passes keep it: what a checkpoint has to hold.
    pub fn kept(&self, name: &str) -> Option<Array> {
        self.states.get(name).map(|&(id, _)| self.read(id))
    }

    /// Names of the states, sorted.
    pub fn state_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.states.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// Storage type and declared shape of a state.
    pub fn state_type(&self, name: &str) -> Option<(DType, &Shape)> {
        let &(id, index) = self.states.get(name)?;
        Some((self.kernel.lowered.buffer(id).dtype, &self.kernel.forms.views[index].shape))
    }

    /// Sets a state; elements in host order, converted to the state's type.
    ///
    /// # Errors
    /// If there is no such state, the number of elements is wrong, or the passes keep the state in a form that cannot hold them.
    pub fn set_state(&mut self, name: &str, data: &Data) -> Result<(), RunError> {
        let (id, index) = self.find_state(name)?;
        let (buffer, view) = (self.kernel.lowered.buffer(id), &self.kernel.forms.views[index]);
        self.check_size(name, &view.shape, id, data)?;
        let whole = Array::new(view.shape.clone(), data.convert(buffer.dtype)).expect("checked above");
        let Some(kept) = view.kept(&whole, &buffer.shape) else {
            return Err(RunError::Form { name: name.into(), kept: buffer.shape.clone() });
        };
        if matches!(view.view, View::Decayed { .. }) {
            // It has changed last now.
            self.kernel.code.settle(&mut self.memory).unwrap_or_else(|e| crate::bug!("own memory: {e}"));
        }
        self.write_state(id, index, kept.data());
        Ok(())
    }

    /// Sets a state as [`Instance::kept`] gives it.
    ///
    /// # Errors
    /// If there is no such state, or the number of elements is wrong.
    pub fn set_kept(&mut self, name: &str, data: &Data) -> Result<(), RunError> {
        let (id, index) = self.find_state(name)?;
        self.check_size(name, &self.kernel.lowered.buffer(id).shape.clone(), id, data)?;
        self.write_state(id, index, data);
        Ok(())
    }

    fn find_state(&self, name: &str) -> Result<(BufferId, usize), RunError> {
        self.states.get(name).copied().ok_or_else(|| {
            let known = self.state_names().join(", ");
            RunError::Unknown { kind: "state", name: name.into(), known }
        })
    }

    fn check_size(&self, name: &str, shape: &Shape, id: BufferId, data: &Data) -> Result<(), RunError> {
        if shape.size() == data.len() {
            return Ok(());
        }
        Err(RunError::StateSize {
            name: name.into(),
            expected: shape.clone(),
            expected_dtype: self.kernel.lowered.buffer(id).dtype,
            found: data.len(),
            found_dtype: data.dtype(),
        })
    }

    fn write_state(&mut self, id: BufferId, index: usize, data: &Data) {
        self.catch_up();
        self.memory.write(&self.kernel.lowered, id, data).unwrap_or_else(|e| crate::bug!("checked state: {e}"));
        if self.kernel.lowered.dense.is_some() {
            let range = self.kernel.forms.ranges.of_state(StateId::from_index(index));
            self.outside |= !self.read(id).bounds().fits(&range);
        }
    }

    /// Back to the initial state: states, histories and positions.
    pub fn reset(&mut self) {
        self.memory.reset(&self.kernel.lowered).unwrap_or_else(|e| crate::bug!("own memory: {e}"));
        self.steps = 0;
        self.outside = false;
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
            Role::History { rows, position, .. } => Some((id, rows, position)),
            _ => None,
        }
    }

    /// The number of steps whose values [`Instance::past`] gives: one less than the rows of the history, for the next step
    /// overwrites the oldest, or all where a state is read from them ([`View::Delayed`]).
    pub fn past_steps(&self, name: &str) -> Option<usize> {
        let (id, ..) = self.find_history(name)?;
        let is_read = self
            .kernel
            .forms
            .views
            .iter()
            .any(|view| matches!(&view.view, View::Delayed { history, .. } if history == name));
        Some(self.kernel.lowered.buffer(id).depth() - usize::from(!is_read))
    }

    /// The past of a delayed value: that of the last step first, then that of the step before, ..., in host order.
    pub fn past(&self, name: &str) -> Option<Data> {
        let (id, rows, position) = self.find_history(name)?;
        let all = self.memory.read_history(&self.kernel.lowered, id).unwrap_or_else(|e| crate::bug!("own memory: {e}"));
        let next = self.read(position).to_i32()[0] as usize;
        let (size, steps) = (all.len() / rows, self.past_steps(name)?);
        Some(with_data!(&all, v => {
            let ago = |steps: usize| &v[(next + rows - steps) % rows * size..][..size];
            crate::ir::Stored::data((1..=steps).flat_map(ago).copied().collect())
        }))
    }

    /// Sets the past of a delayed value as [`Instance::past`] gives it, with or without the row that the next step overwrites.
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
        let (kept, depth) = (rows, buffer.depth());
        let Some(rows) = [depth - 1, depth].into_iter().find(|rows| data.len() == size * rows) else {
            return Err(RunError::StateSize {
                name: name.into(),
                expected: buffer.shape.clone(),
                expected_dtype: buffer.dtype,
                found: data.len(),
                found_dtype: data.dtype(),
            });
        };
        // The next step writes row 0, so that of `k` steps ago is row `kept − k`. Rows from `depth` on are read only for what is
        // put off, which is nothing now.
        let mut all = Data::zeros(buffer.dtype, size * (kept - rows));
        let past = data.convert(buffer.dtype);
        with_data!(&past, v => {
            let ago = |steps: usize| &v[(steps - 1) * size..][..size];
            let part: Data = crate::ir::Stored::data((1..=rows).rev().flat_map(ago).copied().collect::<Vec<_>>());
            all.extend(&part);
        });
        self.catch_up();
        let (lowered, memory) = (&self.kernel.lowered, &mut self.memory);
        memory.write_history(lowered, id, &all).unwrap_or_else(|e| crate::bug!("checked history: {e}"));
        memory.write(lowered, position, &Data::I32(vec![0])).unwrap_or_else(|e| crate::bug!("checked history: {e}"));
        // The next step finds out.
        self.outside = true;
        Ok(())
    }
}

impl Keeper for Instance {
    fn rows(&self, history: &str) -> Option<(Vec<Array>, usize)> {
        let (id, rows, position) = self.find_history(history)?;
        let all = self.memory.read_history(&self.kernel.lowered, id).unwrap_or_else(|e| crate::bug!("own memory: {e}"));
        let (shape, size) = (&self.kernel.lowered.buffer(id).shape, all.len() / rows);
        let row = |row: usize| with_data!(&all, v => crate::ir::Stored::data(v[row * size..][..size].to_vec()));
        let rows: Vec<Array> = (0..rows).map(|r| Array::new(shape.clone(), row(r)).expect("one row")).collect();
        let next = self.read(position).to_i32()[0] as usize;
        let newest = (next + rows.len() - 1) % rows.len();
        Some((rows, newest))
    }

    fn state(&self, name: &str) -> Option<Array> {
        self.kept(name)
    }
}
