//! The neuron controller: a population's components, run in dependency order within one step.

use super::order;
use super::wiring::{ModuleSpecs, PortMap};
use crate::config::validate::{Validator, checks};
use crate::config::{
    Config, ConfigErrors, ConfigSpec, ConfigTree, ConfigValue, ConfigValues, FieldSpec, FieldType, Units,
};
use crate::error::{Error, Result};
use crate::module::{Build, DynModule, InputInfo, Port, join, trace_errors};
use crate::payload::{BooleanMask, Payload, PayloadKind, PayloadType};
use crate::port::{self, Args, concatenate};
use crate::rng::{Key, RngStream};
use crate::spec::{Direction, ModuleType, NeuronType, PortSpecs};
use indexmap::IndexMap;
use spark_compiler::array::{Bool, tape};
use spark_compiler::ir::{Array, Axis, DType, Data, Elem, Shape};

/// Parameters of a [`Neuron`].
#[derive(Clone, Debug, PartialEq)]
pub struct NeuronConfig {
    /// The population's modules and their connections.
    pub modules_specs: Vec<ModuleSpecs>,
    /// Seed of the inhibition mask.
    pub seed: u32,
    /// Time step, in ms.
    pub dt: f64,
    /// Shape of the population.
    pub units: Units,
    /// Share of inhibitory neurons.
    pub inhibitory_rate: f64,
}

/// Fields of [`NeuronConfig`]; registered neuron types share them.
pub(crate) static FIELDS: [FieldSpec; 5] = [
    FieldSpec {
        name: "modules_specs",
        alias: None,
        type_name: "Vec<ModuleSpecs>",
        units: None,
        description: "The population's modules and their connections.",
        checks: &[],
        default: None,
        python_default: None,
    },
    FieldSpec {
        name: "seed",
        alias: None,
        type_name: "u32",
        units: None,
        description: "Seed of the inhibition mask.",
        checks: &[],
        default: Some(|| ConfigValue::Int(0)),
        python_default: None,
    },
    FieldSpec {
        name: "dt",
        alias: None,
        type_name: "f64",
        units: Some("ms"),
        description: "Time step.",
        checks: &[checks::positive::SPEC],
        default: Some(|| ConfigValue::Float(1.0)),
        python_default: None,
    },
    FieldSpec {
        name: "units",
        alias: None,
        type_name: "Units",
        units: None,
        description: "Shape of the population.",
        checks: &[],
        default: None,
        python_default: None,
    },
    FieldSpec {
        name: "inhibitory_rate",
        alias: None,
        type_name: "f64",
        units: None,
        description: "Share of inhibitory neurons.",
        checks: &[checks::zero_one::SPEC],
        default: Some(|| ConfigValue::Float(0.2)),
        python_default: None,
    },
];

impl Config for NeuronConfig {
    fn spec() -> &'static ConfigSpec {
        static SPEC: ConfigSpec =
            ConfigSpec { name: "NeuronConfig", description: "A population from parts.", fields: &FIELDS };
        &SPEC
    }

    fn from_values(values: &ConfigValues, errors: &mut ConfigErrors) -> Option<NeuronConfig> {
        let modules_specs = values.read(&FIELDS[0], errors);
        let seed = values.read(&FIELDS[1], errors);
        let dt = values.read(&FIELDS[2], errors);
        let units = values.read(&FIELDS[3], errors);
        let inhibitory_rate = values.read(&FIELDS[4], errors);
        Some(NeuronConfig {
            modules_specs: modules_specs?,
            seed: seed?,
            dt: dt?,
            units: units?,
            inhibitory_rate: inhibitory_rate?,
        })
    }

    fn to_values(&self) -> ConfigValues {
        let mut values = ConfigValues::new(Self::spec());
        values.write("modules_specs", &self.modules_specs);
        values.write("seed", &self.seed);
        values.write("dt", &self.dt);
        values.write("units", &self.units);
        values.write("inhibitory_rate", &self.inhibitory_rate);
        values
    }

    fn seed(&self) -> u32 {
        self.seed
    }

    fn dt(&self) -> f64 {
        self.dt
    }
}

impl NeuronConfig {
    /// A neuron of `units` with these modules.
    pub fn new(units: impl Into<Units>, modules: Vec<ModuleSpecs>) -> NeuronConfig {
        NeuronConfig { modules_specs: modules, seed: 0, dt: 1.0, units: units.into(), inhibitory_rate: 0.2 }
    }

    /// Reads the configuration of a registered neuron type: modules it does not give are the type's own.
    ///
    /// # Errors
    /// As [`NeuronConfig::checked`].
    pub fn of_type(spec: &NeuronType, tree: &ConfigTree) -> Result<NeuronConfig> {
        let mut tree = ConfigTree { type_name: String::new(), values: tree.values.clone() };
        if !tree.values.contains_key("modules_specs") {
            let modules = (spec.modules)().iter().map(FieldType::to_value).collect();
            tree.values.insert("modules_specs".into(), ConfigValue::List(modules));
        }
        NeuronConfig::checked(&tree)
    }

    /// Reads a neuron's configuration and checks its wiring.
    ///
    /// # Errors
    /// Every mistake at once: of the neuron's own fields, of the wiring, and then also of its modules' configurations.
    pub fn checked(tree: &ConfigTree) -> Result<NeuronConfig> {
        let mut errors = ConfigErrors::new();
        let config = NeuronConfig::read_tree(tree, &mut errors);
        if let Some(Err(error)) = config.as_ref().map(NeuronConfig::check_wiring) {
            errors.push(error);
        }
        match config {
            Some(config) if errors.is_empty() => Ok(config),
            config => {
                let inside = config.as_ref().map(NeuronConfig::module_errors);
                inside.into_iter().flatten().for_each(|error| errors.push(error));
                Err(Error::many(errors.into_errors()))
            }
        }
    }

    /// Checks that the wiring makes sense: names, types of modules, ports, effects.
    ///
    /// # Errors
    /// Every mistake at once.
    pub fn check_wiring(&self) -> Result<()> {
        order::check(&self.modules_specs, &Neuron::PROPERTIES.map(|p| p.name))
    }

    /// The mistakes of its modules' configurations, as far as they show without building. Modules of unknown types are
    /// left out; the wiring's check reports them.
    pub fn module_errors(&self) -> Vec<Error> {
        let errors = self.modules_specs.iter().enumerate().filter_map(|(index, module)| {
            let spec = order::spec_of(module).ok()?;
            let error = (spec.validate)(&self.module_tree(spec, index)).err()?;
            Some(error.prefixed(&module.name))
        });
        errors.collect()
    }

    /// The configuration of a module, with what it has from the neuron: shape, time step, and a seed if it has none.
    fn module_tree(&self, spec: &ModuleType, index: usize) -> ConfigTree {
        let mut tree = self.modules_specs[index].config.clone();
        let fields = (spec.config)();
        if fields.field("seed").is_some() && !tree.values.contains_key("seed") {
            // Modules without a seed of their own get distinct ones, derived from the neuron's.
            let seed = Key::new(self.seed).fold_in(index as u32).0[0];
            tree.values.insert("seed".into(), ConfigValue::Int(i64::from(seed)));
        }
        for (field, value) in [("units", self.units.to_value()), ("dt", ConfigValue::Float(self.dt))] {
            if fields.field(field).is_some() {
                tree.values.insert(field.into(), value);
            }
        }
        tree
    }

    /// The inputs of the whole neuron: what its modules and effects read from `__call__`, and what they carry.
    ///
    /// Modules of unknown types are left out; building reports them.
    pub fn inputs(&self) -> Vec<(String, PortSpecs)> {
        let mut inputs: Vec<(String, PortSpecs)> = Vec::new();
        for module in &self.modules_specs {
            let Ok(spec) = order::spec_of(module) else { continue };
            let inputs_of = module.inputs.iter().map(|(port, sources)| (spec.input(port), sources));
            let effects_of = module.effects.iter().map(|(port, sources)| (spec.property(port), sources));
            for (port, sources) in inputs_of.chain(effects_of) {
                let Some(port) = port else { continue };
                for source in sources.iter().filter(|s| s.origin == PortMap::CALL) {
                    if !inputs.iter().any(|(name, _)| *name == source.port) {
                        inputs.push((source.port.clone(), PortSpecs { axes: &[Axis::UNITS], ..*port }));
                    }
                }
            }
        }
        inputs
    }
}

struct Child {
    specs: ModuleSpecs,
    module: Box<dyn DynModule>,
}

/// A population: modules that run in dependency order within one step.
///
/// Order of a step: inputs → modules, each after those it reads → effects (a rule's new kernel becomes the synapses'
/// kernel) → outputs.
pub struct Neuron {
    type_name: String,
    config: NeuronConfig,
    /// In execution order.
    children: Vec<Child>,
    outputs: Vec<(String, usize, String, PortSpecs)>,
    inhibition_mask: Array,
    bound_mask: Option<Bool>,
}

impl Neuron {
    /// Properties of every neuron.
    const PROPERTIES: [PortSpecs; 1] = [PortSpecs {
        name: "inhibition_mask",
        payload: BooleanMask::KIND,
        axes: &[Axis::UNITS],
        optional: false,
        variadic: false,
        settable: false,
        description: "True for inhibitory neurons.",
    }];

    /// Builds every module, in execution order, from what its sources give.
    ///
    /// # Errors
    /// If the wiring is ill-formed or a module refuses its configuration; the error names the module.
    pub fn build(
        type_name: impl Into<String>,
        config: NeuronConfig,
        inputs: &IndexMap<String, InputInfo>,
    ) -> Result<Neuron> {
        config.check_wiring()?;
        let order = order::execution_order(&config.modules_specs)?;
        let mut neuron = Neuron {
            type_name: type_name.into(),
            inhibition_mask: inhibition_mask(&config),
            config,
            children: Vec::new(),
            outputs: Vec::new(),
            bound_mask: None,
        };
        // A session that is thrown away: modules are built from the shapes of what the ones before them compute.
        let probe = tape::Session::begin("probe", tape::Mode::Traced, Elem::F32, tape::Memory::default());
        neuron.bind_mask("");
        let call = probe_inputs(inputs, neuron.config.modules_specs.first());
        let mut done: IndexMap<String, Vec<Payload>> = IndexMap::new();
        let mut errors = Vec::new();
        for index in order {
            if let Some(child) = neuron.build_child(index, &call, &mut done, &mut errors) {
                neuron.children.push(child);
            }
        }
        let probed = probe.finish().map_err(trace_errors);
        errors.extend(probed.err());
        if !errors.is_empty() {
            return Err(Error::many(errors));
        }
        for (i, child) in neuron.children.iter().enumerate() {
            for (name, port) in &child.specs.outputs {
                let spec = order::spec_of(&child.specs)?;
                let port_spec = *spec.output(port).expect("checked above");
                neuron.outputs.push((name.clone(), i, port.clone(), port_spec));
            }
        }
        Ok(neuron)
    }

    /// Builds one module and probes its step. Its mistakes are recorded, also where it can be built from what stands in for
    /// wrong parameters, so that the modules after it can be built, too; `None` if it cannot.
    fn build_child(
        &self,
        index: usize,
        call: &IndexMap<String, Payload>,
        done: &mut IndexMap<String, Vec<Payload>>,
        errors: &mut Vec<Error>,
    ) -> Option<Child> {
        let specs = &self.config.modules_specs[index];
        let mut mistakes = Vec::new();
        let child = self.attempt_child(index, call, done, &mut mistakes);
        let child = child.and_then(|child| tape::take_errors().map_err(trace_errors).map(|()| child));
        let (child, outputs) = match child {
            Ok(built) => built.unzip(),
            Err(error) => {
                mistakes.push(error);
                (None, None)
            }
        };
        errors.extend(mistakes.into_iter().map(|error| error.prefixed(&specs.name)));
        done.extend(outputs.map(|outputs| (specs.name.clone(), outputs)));
        child
    }

    /// The module and its outputs; `None` if a module it reads could not be built, so that its inputs are not known.
    fn attempt_child(
        &self,
        index: usize,
        call: &IndexMap<String, Payload>,
        done: &IndexMap<String, Vec<Payload>>,
        mistakes: &mut Vec<Error>,
    ) -> Result<Option<(Child, Vec<Payload>)>> {
        let specs = self.config.modules_specs[index].clone();
        let spec = order::spec_of(&specs)?;
        let tree = self.config.module_tree(spec, index);
        let built = |origin: &str| {
            self.children.iter().any(|child| child.specs.name == origin)
                || [PortMap::CALL, PortMap::SELF].contains(&origin)
        };
        if !specs.inputs.values().flatten().all(|source| built(&source.origin)) {
            return (spec.validate)(&tree).map(|()| None);
        }
        let args = self.args(&specs, call, done)?;
        let mut known = IndexMap::new();
        for (name, sources) in args.iter() {
            let Some(port) = spec.input(name) else { continue };
            if let Some(info) = described(sources.to_vec(), port)? {
                known.insert(name.to_string(), info);
            }
        }
        let mut cx = Build::new(spec.name, &known);
        let module = (spec.attempt)(&mut cx, &tree);
        mistakes.extend(cx.take_errors());
        let mut module = module?;
        module.bind(&specs.name);
        let outputs = module.call(args)?;
        Ok(Some((Child { specs, module }, outputs)))
    }

    /// What is connected to a module's inputs.
    fn args(
        &self,
        specs: &ModuleSpecs,
        call: &IndexMap<String, Payload>,
        done: &IndexMap<String, Vec<Payload>>,
    ) -> Result<Args> {
        let mut args = Args::new();
        for (port, sources) in &specs.inputs {
            let mut payloads = Vec::new();
            for source in sources {
                if let Some(payload) = self.source(source, call, done).map_err(|e| e.prefixed(port))? {
                    payloads.push(payload);
                }
            }
            args = args.with(port, payloads);
        }
        Ok(args)
    }

    fn source(
        &self,
        source: &PortMap,
        call: &IndexMap<String, Payload>,
        done: &IndexMap<String, Vec<Payload>>,
    ) -> Result<Option<Payload>> {
        if source.origin == PortMap::CALL {
            return Ok(call.get(&source.port).cloned());
        }
        if source.origin == PortMap::SELF {
            return Ok(self.get(&source.port));
        }
        let missing = || Error::new(format!("`{}.{}` is not there yet", source.origin, source.port));
        let child = self.children.iter().find(|c| c.specs.name == source.origin).ok_or_else(missing)?;
        if source.is_property {
            return child.module.get(&source.port).ok_or_else(missing).map(Some);
        }
        let at =
            order::spec_of(&child.specs)?.outputs.iter().position(|p| p.name == source.port).ok_or_else(missing)?;
        done.get(&source.origin).and_then(|outputs| outputs.get(at)).cloned().ok_or_else(missing).map(Some)
    }

    fn bind_mask(&mut self, path: &str) {
        let value = tape::constant(&join(path, "inhibition_mask"), &self.inhibition_mask);
        self.bound_mask = Some(Bool::from_value(value));
    }
}

/// Placeholder payloads with the inputs' shapes.
fn probe_inputs(inputs: &IndexMap<String, InputInfo>, first: Option<&ModuleSpecs>) -> IndexMap<String, Payload> {
    let dtype = first.map_or(DType::F32, |m| dtype_of(&m.config));
    inputs.iter().map(|(name, info)| (name.clone(), placeholder(name, info, dtype))).collect()
}

fn dtype_of(tree: &ConfigTree) -> DType {
    tree.get("dtype").and_then(|v| DType::from_value(v).ok()).unwrap_or_default()
}

fn placeholder(name: &str, info: &InputInfo, dtype: DType) -> Payload {
    let part = |(part, part_type): &(&str, crate::payload::PartType)| {
        tape::input(&join(name, part), part_type.dtype(dtype), info.shape.clone(), None)
    };
    Payload { kind: info.kind, parts: info.kind.parts.iter().map(part).collect(), async_spikes: info.async_spikes }
}

/// What a module's `build` may know of a port with these sources.
fn described(sources: Vec<Payload>, port: &PortSpecs) -> Result<Option<InputInfo>> {
    if sources.is_empty() {
        return Ok(None);
    }
    let payload = port::adapt(concatenate(sources)?, port)?;
    let kind: &'static PayloadKind = payload.kind;
    Ok(Some(InputInfo { kind, shape: payload.shape(), async_spikes: payload.async_spikes }))
}

/// A random choice of inhibitory neurons, as Spark draws it: the first ⌊units·rate⌋ of a permutation.
fn inhibition_mask(config: &NeuronConfig) -> Array {
    let size = config.units.size();
    let inhibitory = (size as f64 * config.inhibitory_rate) as usize;
    let mut mask = vec![false; size];
    let key = RngStream::new(config.seed).next_key();
    for index in key.permutation(size).into_iter().take(inhibitory) {
        mask[index] = true;
    }
    Array::new(Shape::units(&config.units), Data::Bool(mask)).expect("one value per unit")
}

impl DynModule for Neuron {
    fn type_name(&self) -> &str {
        &self.type_name
    }

    fn ports(&self) -> Vec<Port> {
        let inputs = self.config.inputs();
        let inputs = inputs.into_iter().map(|(name, spec)| Port { name, direction: Direction::Input, spec });
        let output = |(name, _, _, spec): &(String, usize, String, PortSpecs)| Port {
            name: name.clone(),
            direction: Direction::Output,
            spec: *spec,
        };
        let own = Self::PROPERTIES.map(|spec| Port { name: spec.name.into(), direction: Direction::Property, spec });
        inputs.chain(self.outputs.iter().map(output)).chain(own).collect()
    }

    fn dtype(&self) -> DType {
        self.children.first().map_or(DType::F32, |child| child.module.dtype())
    }

    fn bind(&mut self, path: &str) {
        self.bind_mask(path);
        for child in &mut self.children {
            child.module.bind(&join(path, &child.specs.name));
        }
    }

    fn call(&mut self, mut args: Args) -> Result<Vec<Payload>> {
        let mut call = IndexMap::new();
        for (name, _) in self.config.inputs() {
            if let Some(payload) = args.take(&name)? {
                call.insert(name, payload);
            }
        }
        let mut done: IndexMap<String, Vec<Payload>> = IndexMap::new();
        for index in 0..self.children.len() {
            let args = self.args(&self.children[index].specs, &call, &done)?;
            let child = &mut self.children[index];
            let outputs = child.module.call(args).map_err(|e| e.prefixed(&child.specs.name))?;
            done.insert(child.specs.name.clone(), outputs);
        }
        // Every source is read before any property is set: effects do not see each other.
        let mut effects = Vec::new();
        for (index, child) in self.children.iter().enumerate() {
            for (property, sources) in &child.specs.effects {
                for source in sources {
                    if let Some(payload) = self.source(source, &call, &done)? {
                        effects.push((index, property.clone(), payload));
                    }
                }
            }
        }
        for (index, property, payload) in effects {
            let child = &mut self.children[index];
            child.module.set(&property, payload).map_err(|e| e.prefixed(&child.specs.name))?;
        }
        let output = |(_, index, port, _): &(String, usize, String, PortSpecs)| {
            let source = PortMap::output(&self.children[*index].specs.name, port);
            self.source(&source, &call, &done)?.ok_or_else(|| Error::new(format!("no output `{port}`")))
        };
        self.outputs.iter().map(output).collect()
    }

    fn commit(&mut self) {
        for child in &mut self.children {
            child.module.commit();
        }
    }

    fn get(&self, property: &str) -> Option<Payload> {
        match (property, self.bound_mask) {
            ("inhibition_mask", Some(mask)) => Some(BooleanMask::new(mask).pack()),
            _ => None,
        }
    }

    fn set(&mut self, property: &str, _value: Payload) -> Result<()> {
        Err(Error::new(format!("{} has no property `{property}` that can be set", self.type_name)))
    }

    fn read(&self, path: &str) -> Option<Payload> {
        if let Some((name, rest)) = path.split_once('.') {
            return self.children.iter().find(|c| c.specs.name == name)?.module.read(rest);
        }
        let output = self.outputs.iter().find(|(name, ..)| name == path);
        match output {
            Some((_, index, port, _)) => self.children[*index].module.read(port),
            None => self.get(path),
        }
    }

    fn config(&self) -> ConfigTree {
        ConfigTree { type_name: format!("{}Config", self.type_name), ..self.config.to_tree() }
    }

    fn children(&self) -> Vec<(&str, &dyn DynModule)> {
        self.children.iter().map(|c| (c.specs.name.as_str(), c.module.as_ref())).collect()
    }
}
