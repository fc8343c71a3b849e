//! Building models: from a configuration and input shapes to something that runs.

use super::inputs::{self, InputShape};
use super::{Engine, InputPart, Model, ModelInput, Timings, has_mask, record};
use crate::config::{ConfigTree, ConfigValue, FieldType, Units};
use crate::controller::{Neuron, NeuronConfig};
use crate::error::{Error, Result, unknown_name_help};
use crate::module::{Build, DynModule, InputInfo};
use crate::registry::{Registry, snake_case};
use crate::spec::{ModuleType, PortSpecs};
use indexmap::IndexMap;
use spark_compiler::array::{Mode, tape};
use spark_compiler::ir::DType;
use spark_compiler::kernel::Kernel;
use spark_compiler::passes::CompileOptions;
use std::time::Instant;

/// A configuration whose type has been found: what a model will be built from.
pub enum Blueprint {
    /// A single module.
    Component(&'static ModuleType, ConfigTree),
    /// A population from parts.
    Neuron(String, NeuronConfig),
}

impl Blueprint {
    /// Finds the type of a configuration.
    ///
    /// # Errors
    /// If it is not registered, or a neuron's configuration is ill-formed.
    pub fn new(tree: ConfigTree) -> Result<Blueprint> {
        let registry = Registry::global()?;
        let wanted = snake_case(&tree.type_name);
        if wanted == "neuron_config" {
            return Ok(Blueprint::Neuron("Neuron".into(), NeuronConfig::checked(&tree)?));
        }
        if let Some(spec) = registry.neurons.iter().find(|n| snake_case((n.config)().name) == wanted) {
            return Ok(Blueprint::Neuron(spec.name.into(), NeuronConfig::of_type(spec, &tree)?));
        }
        if let Some(spec) = registry.modules.iter().find(|m| snake_case((m.config)().name) == wanted) {
            return Ok(Blueprint::Component(spec, tree));
        }
        let modules = registry.modules.iter().map(|m| (m.config)().name);
        let names: Vec<&str> = modules.chain(registry.neurons.iter().map(|n| (n.config)().name)).collect();
        let message = format!("`{}` is not the configuration of a known module or neuron", tree.type_name);
        Err(Error::new(message).help(unknown_name_help(&tree.type_name, names.iter().copied())))
    }

    /// The mistakes that show without building: those of the modules' configurations.
    fn errors(&self) -> Vec<Error> {
        match self {
            Blueprint::Component(spec, tree) => (spec.validate)(tree).err().into_iter().collect(),
            Blueprint::Neuron(_, config) => config.module_errors(),
        }
    }

    /// Registered name of the type.
    pub fn type_name(&self) -> &str {
        match self {
            Blueprint::Component(spec, _) => spec.name,
            Blueprint::Neuron(name, _) => name,
        }
    }

    /// Input ports.
    pub fn inputs(&self) -> Vec<(String, PortSpecs)> {
        match self {
            Blueprint::Component(spec, _) => spec.inputs.iter().map(|p| (p.name.to_string(), *p)).collect(),
            Blueprint::Neuron(_, config) => config.inputs(),
        }
    }

    /// Shape of the population, where the configuration gives it.
    pub fn units(&self) -> Option<Units> {
        match self {
            Blueprint::Component(_, tree) => tree.get("units").and_then(|v| Units::from_value(v).ok()),
            Blueprint::Neuron(_, config) => Some(config.units.clone()),
        }
    }

    /// Sets the storage type of every module's floating-point values.
    pub fn set_dtype(&mut self, dtype: DType) {
        let set = |tree: &mut ConfigTree| tree.values.insert("dtype".into(), ConfigValue::DType(dtype));
        match self {
            Blueprint::Component(_, tree) => drop(set(tree)),
            Blueprint::Neuron(_, config) => config.modules_specs.iter_mut().for_each(|m| drop(set(&mut m.config))),
        }
    }

    fn dtype(&self) -> DType {
        let of = |tree: &ConfigTree| tree.get("dtype").and_then(|v| DType::from_value(v).ok()).unwrap_or_default();
        match self {
            Blueprint::Component(_, tree) => of(tree),
            Blueprint::Neuron(_, config) => config.modules_specs.first().map_or(DType::F32, |m| of(&m.config)),
        }
    }

    fn build(self, inputs: &IndexMap<String, InputInfo>) -> Result<Box<dyn DynModule>> {
        match self {
            Blueprint::Component(spec, tree) => spec.build(&mut Build::new(spec.name, inputs), &tree),
            Blueprint::Neuron(name, config) => Ok(Box::new(Neuron::build(name, config, inputs)?)),
        }
    }
}

/// Collects what a model needs before it can be built.
pub struct ModelBuilder {
    tree: ConfigTree,
    inputs: IndexMap<String, InputShape>,
    record: Vec<String>,
    eager: bool,
    dtype: Option<DType>,
    options: CompileOptions,
}

impl ModelBuilder {
    pub(super) fn from_tree(tree: ConfigTree) -> ModelBuilder {
        ModelBuilder {
            tree,
            inputs: IndexMap::new(),
            record: Vec::new(),
            eager: false,
            dtype: None,
            options: CompileOptions::default(),
        }
    }

    /// Declares an input port and the shape of what it will be fed.
    pub fn input(mut self, port: impl Into<String>, shape: impl Into<InputShape>) -> ModelBuilder {
        self.inputs.insert(port.into(), shape.into());
        self
    }

    /// Makes a port or property of a module inside (`synapses.currents`) an output of the model.
    pub fn record(mut self, path: impl Into<String>) -> ModelBuilder {
        self.record.push(path.into());
        self
    }

    /// Evaluates each operation at once instead of compiling.
    pub fn eager(mut self, eager: bool) -> ModelBuilder {
        self.eager = eager;
        self
    }

    /// Overrides the storage type of every module.
    pub fn dtype(mut self, dtype: DType) -> ModelBuilder {
        self.dtype = Some(dtype);
        self
    }

    /// Chooses the passes.
    pub fn options(mut self, options: CompileOptions) -> ModelBuilder {
        self.options = options;
        self
    }

    /// The configuration's type, to ask for its ports.
    ///
    /// # Errors
    /// If it is not registered.
    pub fn blueprint(&self) -> Result<Blueprint> {
        Blueprint::new(self.tree.clone())
    }

    /// Builds and compiles the model.
    ///
    /// # Errors
    /// If the configuration is ill-formed, an input is missing or does not fit, a recorded path does not exist, or the
    /// step has a mistake.
    pub fn build(self) -> Result<Model> {
        let start = Instant::now();
        let mut blueprint = Blueprint::new(self.tree)?;
        if let Some(dtype) = self.dtype {
            if !dtype.is_float() {
                return Err(Error::new(format!("`{dtype}` is not a floating-point type")).at("dtype"));
            }
            blueprint.set_dtype(dtype);
        }
        let ports = blueprint.inputs();
        let units = blueprint.units();
        let shapes = inputs::resolve(blueprint.type_name(), &ports, units.as_deref(), &self.inputs);
        // Without the inputs' shapes nothing can be built, but the configurations can be checked.
        let shapes = shapes.map_err(|error| Error::many([vec![error], blueprint.errors()].concat()))?;
        let dtype = blueprint.dtype();
        let infos = shapes.iter().map(|(name, (info, _))| (name.clone(), info.clone())).collect();
        let mut root = blueprint.build(&infos)?;
        let build = start.elapsed();

        let model_inputs: Vec<ModelInput> =
            shapes.into_iter().map(|(name, (info, mask))| model_input(name, info, mask, dtype)).collect();
        let start = Instant::now();
        let empty = tape::Memory::default();
        let (recorded, outputs) =
            record(root.as_mut(), &model_inputs, &self.record, Mode::Traced, empty, &IndexMap::new())?;
        let program = recorded.program;
        spark_compiler::ir::verify(&program).map_err(|e| Error::new(e.to_string()))?;
        let trace = start.elapsed();

        let start = Instant::now();
        let engine = if self.eager {
            Engine::Eager(tape::Memory::default())
        } else {
            let kernel = Kernel::compile(program.clone(), &self.options).map_err(|e| Error::new(e.to_string()))?;
            Engine::Compiled(Box::new(kernel.instance().map_err(|e| Error::new(e.to_string()))?))
        };
        let timings = Timings { build, trace, compile: start.elapsed() };
        let given = vec![false; model_inputs.len()];
        Ok(Model {
            root,
            inputs: model_inputs,
            outputs,
            record: self.record,
            program,
            engine,
            timings,
            held: IndexMap::new(),
            given,
        })
    }
}

fn model_input(name: String, info: InputInfo, mask: Option<spark_compiler::ir::Shape>, dtype: DType) -> ModelInput {
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
    ModelInput { name, kind, async_spikes: info.async_spikes, parts }
}
