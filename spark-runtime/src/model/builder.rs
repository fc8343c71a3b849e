//! Building models: from a configuration and input shapes to something that runs.

use super::inputs::{self, InputShape, Resolved};
use super::{Engine, GraphDef, InputPart, Model, ModelInput, Timings, has_mask, record};
use crate::config::ConfigTree;
use crate::controller::{Blueprint, with_neurons};
use crate::error::{Error, Result};
use indexmap::IndexMap;
use spark_compiler::array::{Mode, budget, tape};
use spark_compiler::ir::DType;
use spark_compiler::kernel::Plan;
use spark_compiler::passes::CompileOptions;
use std::time::Instant;

/// Collects what a model needs before it can be built.
pub struct ModelBuilder {
    graphdef: GraphDef,
    eager: bool,
    memory_limit: Option<u64>,
}

impl ModelBuilder {
    pub(super) fn from_tree(tree: ConfigTree) -> ModelBuilder {
        ModelBuilder::new(GraphDef::of(tree))
    }

    pub(super) fn new(graphdef: GraphDef) -> ModelBuilder {
        ModelBuilder { graphdef, eager: false, memory_limit: None }
    }

    /// Declares an input port and the shape of what it will be fed. The sources of a port that takes any number are
    /// inputs of their own: `inputs[0]`, `inputs[1]`, ...
    pub fn input(mut self, port: impl Into<String>, shape: impl Into<InputShape>) -> ModelBuilder {
        self.graphdef.inputs.insert(port.into(), shape.into());
        self
    }

    /// Makes a port or property of a module inside (`synapses.currents`) an output of the model.
    pub fn record(mut self, path: impl Into<String>) -> ModelBuilder {
        self.graphdef.record.push(path.into());
        self
    }

    /// Evaluates each operation at once instead of compiling.
    pub fn eager(mut self, eager: bool) -> ModelBuilder {
        self.eager = eager;
        self
    }

    /// Overrides the storage type of every module.
    pub fn dtype(mut self, dtype: DType) -> ModelBuilder {
        self.graphdef.dtype = Some(dtype);
        self
    }

    /// Whether a·b + c is rounded once, as a fused multiply-add (the default), or after the product, too. One rounding is
    /// more precise, faster, and what Spark on JAX does; two give the same bits on machines without the instruction at no
    /// loss of speed.
    pub fn contract(mut self, contract: bool) -> ModelBuilder {
        self.graphdef.contract = contract;
        self
    }

    /// Chooses the passes of the compiler. By default all are on. Three change results: `sum_filters`, in the last bits, as it adds
    /// the same numbers in another order; `lazy_decay`, in the last bits, as it rounds a power of a decay once instead of each
    /// product; and `flush_subnormals`, which has numbers below 1.2·10⁻³⁸ count as zero, as Spark on JAX does. With [`CompileOptions::exact`] a compiled model has the bits of an eager one.
    pub fn options(mut self, options: CompileOptions) -> ModelBuilder {
        self.graphdef.options = options;
        self
    }

    /// Refuses a model that takes more than about so many bytes, instead of taking them: for configurations of unknown
    /// origin. What counts are all arrays made on the way, at 8 bytes an element, and the memory of the kernel. Models of files
    /// ([`Model::from_file`]) and checkpoints have a limit unless this sets another, models made in code have none.
    pub fn memory_limit(mut self, bytes: u64) -> ModelBuilder {
        self.memory_limit = Some(bytes);
        self
    }

    /// The configuration's type, to ask for its ports.
    ///
    /// # Errors
    /// If it is not registered.
    pub fn blueprint(&self) -> Result<Blueprint> {
        let GraphDef { config, neurons, .. } = &self.graphdef;
        with_neurons(neurons, || Blueprint::new(config.clone()))
    }

    /// Builds and compiles the model.
    ///
    /// # Errors
    /// If the configuration is ill-formed, an input is missing or does not fit, a recorded path does not exist, or the
    /// step has a mistake.
    pub fn build(mut self) -> Result<Model> {
        self.graphdef.complete();
        let neurons = std::mem::take(&mut self.graphdef.neurons);
        let memory_limit = self.memory_limit;
        let build = || with_neurons(&neurons, || self.build_here());
        let mut model = match memory_limit {
            Some(bytes) => budget::with_limit(bytes, build)?,
            None => build()?,
        };
        model.graphdef.neurons = neurons;
        Ok(model)
    }

    /// Builds the model where the neurons it uses are known.
    fn build_here(self) -> Result<Model> {
        let ModelBuilder { graphdef, eager, memory_limit } = self;
        let start = Instant::now();
        let mut blueprint = Blueprint::new(graphdef.config.clone())?;
        if let Some(dtype) = graphdef.dtype {
            if !dtype.is_float() {
                return Err(Error::new(format!("`{dtype}` is not a floating-point type")).at("dtype"));
            }
            blueprint.set_dtype(dtype);
        }
        let ports = blueprint.inputs();
        let units = blueprint.units();
        let shapes = inputs::resolve(blueprint.type_name(), &ports, units.as_deref(), &graphdef.inputs);
        // Without the inputs' shapes nothing can be built, but the configurations can be checked.
        let shapes = shapes.map_err(|error| Error::many([vec![error], blueprint.parameter_errors()].concat()))?;
        let dtype = blueprint.dtype();
        let mut root = blueprint.build(&inputs::joined(&shapes)?)?;
        let build = start.elapsed();

        let model_inputs: Vec<ModelInput> =
            shapes.into_iter().map(|(name, resolved)| model_input(name, resolved, dtype)).collect();
        let start = Instant::now();
        let mode = (Mode::Traced, graphdef.contract);
        let empty = tape::Memory::default();
        let (recorded, outputs) =
            record(root.as_mut(), &model_inputs, &graphdef.record, mode, empty, &IndexMap::new())?;
        let program = recorded.program;
        spark_compiler::ir::verify(&program).map_err(|e| Error::new(e.to_string()))?;
        let trace = start.elapsed();

        let start = Instant::now();
        let engine = if eager {
            Engine::eager()
        } else {
            let plan = Plan::new(program.clone(), &graphdef.options);
            let bytes = plan.memory_bytes() as u64;
            if let Some(limit) = memory_limit.filter(|&limit| bytes > limit) {
                let message = format!("the model takes {bytes} bytes of memory, more than the limit of {limit}");
                return Err(Error::new(message).help("raise it (ModelBuilder::memory_limit, --memory-limit)"));
            }
            let instance = plan.start(&graphdef.options).map_err(|e| Error::new(e.to_string()))?;
            Engine::Compiled(Box::new(instance))
        };
        let timings = Timings { build, trace, compile: start.elapsed() };
        let given = vec![false; model_inputs.len()];
        Ok(Model {
            root,
            inputs: model_inputs,
            outputs,
            graphdef,
            program,
            engine,
            timings,
            held: IndexMap::new(),
            given,
        })
    }
}

fn model_input(name: String, Resolved { port, info, mask }: Resolved, dtype: DType) -> ModelInput {
    let kind = info.kind;
    let parts = kind
        .parts
        .iter()
        .enumerate()
        .map(|(i, (part, part_type))| {
            let dtype = part_type.dtype(dtype);
            match (i, has_mask(kind)) {
                (0, _) => Some(InputPart { name: name.clone(), dtype, shape: info.shape.clone() }),
                (1, true) => mask.clone().map(|shape| InputPart { name: format!("{name}.{part}"), dtype, shape }),
                _ => None,
            }
        })
        .collect();
    ModelInput { name, port, kind, async_spikes: info.async_spikes, parts }
}
