//! Models: a module or controller with inputs, ready to run.
//!
//! ```
//! use spark::prelude::*;
//!
//! let mut model = Model::component(LeakySomaConfig::default())
//!     .input("current", [3])
//!     .build()?;
//! let outputs = model.step(&[("current", vec![0.0f32, 100.0, 5000.0].into())])?;
//! assert_eq!(outputs.spikes("spikes")?, [false, false, true]);
//! # Ok::<(), spark::Error>(())
//! ```
//!
//! A model is *compiled* (one fused kernel; the default) or *eager* (each operation evaluated at once; for debugging).
//! Both give the same bits.
//!
//! What a model is made from and what it remembers are a [`GraphDef`] and a [`State`](crate::state::State): see [`split`],
//! [`merge`] and [`Model::save`].

mod builder;
mod engine;
mod graphdef;
mod inputs;
mod inspect;
mod read_state;
mod states;

pub use crate::controller::Blueprint;
pub use builder::ModelBuilder;
pub use graphdef::{GraphDef, merge, split};
pub use inputs::InputShape;
pub use states::LoadReport;

use engine::Engine;

use crate::config::{Config, ConfigTree};
use crate::error::{Error, Result, unknown_name_help};
use crate::module::{DynModule, trace_errors};
use crate::payload::{HostPayload, PartType, Payload, PayloadKind, PayloadType, SpikeArray};
use crate::port::Args;
use indexmap::IndexMap;
use spark_compiler::array::{Mode, Recorded, Session, tape};
use spark_compiler::ir::{Array, DType, Elem, Program, Shape};
use spark_compiler::kernel::Instance;
use spark_compiler::loops::Lowered;
use std::path::Path;
use std::time::Duration;

/// An array the model reads in every step: the value of an input port, or its inhibition mask.
#[derive(Clone, Debug)]
struct InputPart {
    /// `port`, or `port.part`.
    name: String,
    dtype: DType,
    shape: Shape,
}

/// Bytes that building a model of a `.scfg` file may take, if nothing else is said ([`ModelBuilder::memory_limit`]): 2^27
/// numbers at 8 bytes.
pub const FILE_MEMORY: u64 = 1 << 30;

/// An input port of a model.
#[derive(Clone, Debug)]
struct ModelInput {
    name: String,
    /// The root's port it feeds.
    port: String,
    kind: &'static PayloadKind,
    async_spikes: bool,
    /// One entry per part of the payload; `None` is constant `false` or 0.
    parts: Vec<Option<InputPart>>,
}

/// An output of a model: a port of the root, or something recorded.
#[derive(Clone, Debug)]
struct ModelOutput {
    name: String,
    /// Index and name of each part among the program's outputs.
    parts: Vec<usize>,
}

/// How long it took to get ready.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timings {
    /// Reading the configuration, drawing parameters, building modules.
    pub build: Duration,
    /// Recording one step as a program.
    pub trace: Duration,
    /// Passes, lowering and code generation.
    pub compile: Duration,
}

/// A module or controller with inputs, ready to run.
pub struct Model {
    root: Box<dyn DynModule>,
    inputs: Vec<ModelInput>,
    outputs: Vec<ModelOutput>,
    graphdef: GraphDef,
    program: Program,
    engine: Engine,
    timings: Timings,
    /// Values of the inputs for eager steps, by part name.
    held: IndexMap<String, Array>,
    given: Vec<bool>,
}

/// What a step gives.
#[derive(Clone, Debug)]
pub struct Outputs {
    named: Vec<(String, HostPayload)>,
}

impl Outputs {
    /// The payload of an output port.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn get(&self, name: &str) -> Result<&HostPayload> {
        let found = self.named.iter().find(|(n, _)| n == name);
        found.map(|(_, payload)| payload).ok_or_else(|| {
            let names = self.named.iter().map(|(n, _)| n.as_str());
            Error::new(format!("there is no output `{name}`")).help(unknown_name_help(name, names))
        })
    }

    /// The spikes of an output port, row-major.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn spikes(&self, name: &str) -> Result<Vec<bool>> {
        Ok(self.get(name)?.value().to_bool())
    }

    /// Names and payloads, in port order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &HostPayload)> {
        self.named.iter().map(|(name, payload)| (name.as_str(), payload))
    }
}

impl Model {
    /// Starts a model from a component's typed configuration.
    pub fn component(config: impl Config) -> ModelBuilder {
        ModelBuilder::from_tree(config.to_tree())
    }

    /// Starts a model from an untyped configuration; its type must be registered.
    pub fn from_tree(tree: ConfigTree) -> ModelBuilder {
        ModelBuilder::from_tree(tree)
    }

    /// Starts a model from a `.scfg` file. It may take [`FILE_MEMORY`], if [`ModelBuilder::memory_limit`] says no other: a few
    /// digits of a file could ask for terabytes.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn from_file(path: impl AsRef<Path>) -> Result<ModelBuilder> {
        Ok(ModelBuilder::from_tree(crate::scfg::read_path(path.as_ref())?).memory_limit(FILE_MEMORY))
    }

    /// The recorded program of one step, before the passes.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The loop nests of the kernel; `None` in eager mode.
    pub fn lowered(&self) -> Option<&Lowered> {
        match &self.engine {
            Engine::Compiled(instance) => Some(instance.kernel().lowered()),
            Engine::Eager { .. } => None,
        }
    }

    /// The kernel's instance; `None` in eager mode.
    pub fn instance(&self) -> Option<&Instance> {
        match &self.engine {
            Engine::Compiled(instance) => Some(instance),
            Engine::Eager { .. } => None,
        }
    }

    /// The kernel's instance, to step without reading outputs; `None` in eager mode.
    pub fn instance_mut(&mut self) -> Option<&mut Instance> {
        match &mut self.engine {
            Engine::Compiled(instance) => Some(instance),
            Engine::Eager { .. } => None,
        }
    }

    /// How long build, trace and compilation took.
    pub fn timings(&self) -> Timings {
        self.timings
    }

    /// The configuration it was built from.
    pub fn config(&self) -> ConfigTree {
        self.root.config()
    }

    /// The root module.
    pub fn root(&self) -> &dyn DynModule {
        self.root.as_ref()
    }

    /// Names of the input ports.
    pub fn inputs(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().map(|input| input.name.as_str())
    }

    /// Names of the outputs: the root's ports, then what is recorded.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.outputs.iter().map(|output| output.name.as_str())
    }

    /// Runs one step.
    ///
    /// # Errors
    /// If an input is missing, unknown, or has another size than its port.
    pub fn step(&mut self, inputs: &[(&str, HostPayload)]) -> Result<Outputs> {
        self.set_inputs(inputs)?;
        self.advance()
    }

    /// Runs `steps` steps with the same inputs and gives the last step's outputs.
    ///
    /// # Errors
    /// As [`Model::step`], and if `steps` is 0.
    pub fn run(&mut self, steps: usize, inputs: &[(&str, HostPayload)]) -> Result<Outputs> {
        if steps == 0 {
            return Err(Error::new("a run of 0 steps").help("run at least one step"));
        }
        self.set_inputs(inputs)?;
        for _ in 1..steps {
            match &mut self.engine {
                Engine::Compiled(instance) => instance.step(),
                Engine::Eager { .. } => drop(self.advance()?),
            }
        }
        self.advance()
    }

    /// Sets the inputs of the steps that follow.
    ///
    /// # Errors
    /// If an input is missing, unknown, or has another size than its port.
    pub fn set_inputs(&mut self, inputs: &[(&str, HostPayload)]) -> Result<()> {
        for (i, (name, payload)) in inputs.iter().enumerate() {
            if inputs[..i].iter().any(|(other, _)| other == name) {
                return Err(Error::new(format!("the input `{name}` is given twice")));
            }
            self.set_input(name, payload)?;
        }
        let missing = self.inputs.iter().zip(&self.given).find(|(_, given)| !**given);
        match missing {
            Some((input, _)) => {
                let message = format!("the input `{}` was not given", input.name);
                let names: Vec<&str> = self.inputs.iter().map(|i| i.name.as_str()).collect();
                Err(Error::new(message).help(format!("the model's inputs are {}", names.join(", "))))
            }
            None => Ok(()),
        }
    }

    /// Sets one input of the steps that follow. Values have the port's dimensions, or are a flat list of as many; spikes
    /// without an inhibition mask are all excitatory.
    ///
    /// # Errors
    /// If there is no such input, the payload has other dimensions than the port, or a value does not fit: NaN, a number
    /// too large for the port's type, or spikes and masks other than 0 and 1.
    pub fn set_input(&mut self, name: &str, payload: &HostPayload) -> Result<()> {
        let Some(at) = self.inputs.iter().position(|input| input.name == name) else {
            let names = self.inputs.iter().map(|i| i.name.as_str());
            let error = Error::new(format!("the model has no input `{name}`"));
            return Err(error.help(unknown_name_help(name, names)));
        };
        let Model { inputs, engine, held, given, .. } = self;
        let kind = inputs[at].kind;
        if payload.inhibition_mask().is_some() && !has_mask(kind) {
            let message = format!("`{name}` takes a {}, which has no inhibition mask", kind.name);
            return Err(Error::new(message));
        }
        let first: usize = inputs[..at].iter().map(|i| i.parts.iter().flatten().count()).sum();
        let mut parts = inputs[at].parts.iter().flatten();
        if let Some(value) = parts.next() {
            write_part(engine, held, first, value, payload.value()).map_err(|e| e.at(name))?;
        }
        match (parts.next(), payload.inhibition_mask()) {
            (Some(part), Some(mask)) => {
                write_part(engine, held, first + 1, part, mask).map_err(|e| e.at(&part.name))?;
            }
            // Without a mask all neurons are excitatory, whatever an earlier step said.
            (Some(part), None) => {
                let none = Array::zeros(part.shape.clone(), DType::Bool);
                write_part(engine, held, first + 1, part, &none)?;
            }
            (None, Some(mask)) if mask.to_bool().contains(&true) => {
                let message = format!("`{name}` was built without an inhibition mask");
                return Err(Error::new(message).help("say so when the model is built: InputShape::with_mask"));
            }
            (None, _) => {}
        }
        given[at] = true;
        Ok(())
    }

    /// Runs one step on the inputs set last.
    ///
    /// # Errors
    /// In eager mode, if the body has a mistake that depends on values.
    pub fn advance(&mut self) -> Result<Outputs> {
        let arrays: Vec<Array> = match &mut self.engine {
            Engine::Compiled(instance) => {
                instance.step();
                (0..instance.outputs()).map(|i| instance.output(i)).collect()
            }
            Engine::Eager { memory, steps } => {
                let before = std::mem::take(memory);
                let GraphDef { record: paths, contract, .. } = &self.graphdef;
                let mode = (Mode::Eager, *contract);
                let (recorded, _) = record(self.root.as_mut(), &self.inputs, paths, mode, before, &self.held)?;
                *memory = recorded.memory;
                *steps += 1;
                recorded.outputs.into_iter().map(|(_, array)| array).collect()
            }
        };
        let payload = |output: &ModelOutput| {
            let value = arrays[output.parts[0]].clone();
            let mask = output.parts.get(1).map(|&i| arrays[i].clone());
            (output.name.clone(), HostPayload::spikes(value, mask))
        };
        Ok(Outputs { named: self.outputs.iter().map(payload).collect() })
    }
}

/// Sets one part of an input for the steps that follow.
fn write_part(
    engine: &mut Engine,
    held: &mut IndexMap<String, Array>,
    index: usize,
    part: &InputPart,
    array: &Array,
) -> Result<()> {
    inputs::check_values(array, &part.shape, part.dtype)?;
    match engine {
        Engine::Compiled(instance) => instance.set_input(index, array.data()).map_err(|e| Error::new(e.to_string())),
        Engine::Eager { .. } => {
            let value = array.clone().reshaped(part.shape.clone()).map_err(|e| Error::new(e.to_string()))?;
            held.insert(part.name.clone(), value);
            Ok(())
        }
    }
}

/// Records one step of `root`.
fn record(
    root: &mut dyn DynModule,
    inputs: &[ModelInput],
    paths: &[String],
    (mode, contract): (Mode, bool),
    memory: tape::Memory,
    held: &IndexMap<String, Array>,
) -> Result<(Recorded, Vec<ModelOutput>)> {
    let float: Elem = root.dtype().elem();
    let name = root.type_name().to_string();
    let session = Session::begin(&name, mode, float, memory);
    if contract {
        session.fuse_functions();
        session.contract();
    }
    let mut args = Args::new();
    for input in inputs {
        let part = |(at, part): (usize, &Option<InputPart>)| match part {
            Some(part) => {
                let zeros = Array::zeros(part.shape.clone(), part.dtype);
                let value = (mode == Mode::Eager).then(|| held.get(&part.name).unwrap_or(&zeros));
                tape::input(&part.name, part.dtype, part.shape.clone(), value)
            }
            None => {
                let elem = input.kind.parts[at].1.dtype(root.dtype()).elem();
                tape::literal(spark_compiler::ir::Literal::from_f64(0.0, elem))
            }
        };
        let parts = input.parts.iter().enumerate().map(part).collect();
        let payload = Payload { kind: input.kind, parts, async_spikes: input.async_spikes };
        args = args.with_source(&input.port, payload);
    }
    root.bind("");
    let payloads = root.call(args)?;
    root.commit();
    let names: Vec<String> =
        root.ports().into_iter().filter(|p| p.direction == crate::spec::Direction::Output).map(|p| p.name).collect();
    let mut named: Vec<(String, Payload)> = names.into_iter().zip(payloads).collect();
    for path in paths {
        let payload = root.read(path).ok_or_else(|| {
            let known = readable(root, "");
            let error = Error::new(format!("there is no port or property `{path}`"));
            error.help(unknown_name_help(path, known.iter().map(String::as_str)))
        })?;
        named.push((path.clone(), payload));
    }
    let mut outputs: Vec<ModelOutput> = Vec::new();
    let mut count = 0;
    for (name, payload) in named {
        if outputs.iter().any(|o| o.name == name) {
            continue;
        }
        let mut parts = Vec::new();
        let shape = payload.shape();
        for (&value, (part, part_type)) in payload.parts.iter().zip(payload.kind.parts) {
            let full = if parts.is_empty() { name.clone() } else { format!("{name}.{part}") };
            let value = crate::port::filled(value, &shape);
            tape::output(&full, stored(*part_type, value, root.dtype()), value);
            // A mask belongs to its spikes; other further parts are outputs of their own.
            if parts.is_empty() || has_mask(payload.kind) {
                parts.push(count);
            } else {
                outputs.push(ModelOutput { name: full, parts: vec![count] });
            }
            count += 1;
        }
        outputs.push(ModelOutput { name, parts });
    }
    Ok((session.finish().map_err(trace_errors)?, outputs))
}

/// Paths of all output ports and properties of `module` and of the modules inside.
fn readable(module: &dyn DynModule, path: &str) -> Vec<String> {
    let ports = module.ports().into_iter().filter(|p| p.direction != crate::spec::Direction::Input);
    let mut paths: Vec<String> = ports.map(|p| crate::module::join(path, &p.name)).collect();
    for (name, child) in module.children() {
        paths.extend(readable(child, &crate::module::join(path, name)));
    }
    paths
}

/// Storage type of an output: the model's precision, but never narrower than what a module of higher precision gives.
fn stored(part: PartType, value: tape::Value, dtype: DType) -> DType {
    match (part, tape::describe(value).0) {
        (PartType::Real, Elem::F64) => DType::F64,
        _ => part.dtype(dtype),
    }
}

/// True for spike payloads, whose second part is the inhibition mask.
fn has_mask(kind: &PayloadKind) -> bool {
    kind == SpikeArray::KIND
}
