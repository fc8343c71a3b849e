//! The brain controller: neurons and interfaces that read each other's outputs of the previous step.

use super::blueprint::{self, Blueprint, recorded};
use super::children::{self, Children, Exported, Inherited, Sources, Table};
use super::neuron::FIELDS as NEURON_FIELDS;
use super::order;
use super::parts::Parts;
use super::wiring::{ModuleSpecs, PortMap};
use crate::build::Holder;
use crate::config::{Config, ConfigErrors, ConfigSpec, ConfigTree, ConfigValues, FieldSpec};
use crate::error::{Error, Result};
use crate::module::{DynModule, InputInfo, Port, join, trace_errors};
use crate::payload::Payload;
use crate::port::Args;
use indexmap::IndexMap;
use spark_compiler::array::{Value, tape};
use spark_compiler::ir::{Array, DType, Elem, Location};

/// Parameters of a [`Brain`].
#[derive(Clone, Debug, PartialEq)]
pub struct BrainConfig {
    /// The brain's modules and their connections.
    pub modules_specs: Vec<ModuleSpecs>,
    /// Seed of the modules that have none of their own.
    pub seed: u32,
    /// Time step, in ms, of everything inside.
    pub dt: f64,
}

/// Fields of [`BrainConfig`].
pub(crate) static FIELDS: [FieldSpec; 3] = [
    FieldSpec { description: "The brain's modules and their connections.", ..NEURON_FIELDS[0] },
    FieldSpec { description: "Seed of the modules that have none of their own.", ..NEURON_FIELDS[1] },
    NEURON_FIELDS[2],
];

impl Config for BrainConfig {
    fn spec() -> &'static ConfigSpec {
        static SPEC: ConfigSpec =
            ConfigSpec { name: "BrainConfig", description: "Neurons and interfaces, wired.", fields: &FIELDS };
        &SPEC
    }

    fn from_values(values: &ConfigValues, errors: &mut ConfigErrors) -> Option<BrainConfig> {
        let modules_specs = values.read(&FIELDS[0], errors);
        let seed = values.read(&FIELDS[1], errors);
        let dt = values.read(&FIELDS[2], errors);
        Some(BrainConfig { modules_specs: modules_specs?, seed: seed?, dt: dt? })
    }

    fn to_values(&self) -> ConfigValues {
        let mut values = ConfigValues::new(Self::spec());
        values.write("modules_specs", &self.modules_specs);
        values.write("seed", &self.seed);
        values.write("dt", &self.dt);
        values
    }

    fn seed(&self) -> u32 {
        self.seed
    }

    fn dt(&self) -> f64 {
        self.dt
    }

    /// Checks the wiring and every module's parameters, too.
    fn validate(&self) -> Result<()> {
        self.to_tree().validate()
    }
}

impl BrainConfig {
    /// A brain with these modules.
    pub fn new(modules: Vec<ModuleSpecs>) -> BrainConfig {
        BrainConfig { modules_specs: modules, seed: 0, dt: 1.0 }
    }

    /// Checks that the wiring makes sense: names, types of modules, ports, effects.
    ///
    /// # Errors
    /// Every mistake at once.
    pub fn check_wiring(&self) -> Result<()> {
        Brain::check_wiring(&Parts::of(&self.modules_specs, &self.inherited()))
    }

    /// What its modules have from it.
    pub(super) fn inherited(&self) -> Inherited<'_> {
        Inherited { seed: self.seed, dt: self.dt, units: None, holder: Holder::Brain }
    }
}

/// One part of a payload that modules read in the next step.
struct CachedPart {
    /// Its value where that never changes (the inhibition mask of a population); otherwise the value before the first
    /// step.
    value: Array,
    constant: bool,
    bound: Option<Value>,
    path: String,
}

/// An output that modules read in the next step.
struct Cached {
    module: String,
    port: String,
    /// What the probing step gave; its parts belong to a session that is over.
    shape: Payload,
    parts: Vec<CachedPart>,
}

/// Neurons and interfaces that work side by side: every module reads the outputs that the others had in the previous
/// step, and inputs and properties of this step. So modules may read each other in circles, and themselves.
///
/// Order of a step: modules, in the order given → effects → outputs, which are this step's. Before the first step every
/// output was zero: no spikes.
pub struct Brain {
    config: BrainConfig,
    ports: Vec<Port>,
    children: Children,
    outputs: Vec<Exported>,
    cache: Vec<Cached>,
}

impl Brain {
    /// Builds every module from what its sources will give. Where modules read each other in a circle, one of them must
    /// say what it puts out before it is built: populations do, a value per unit.
    ///
    /// # Errors
    /// If the wiring is ill-formed or modules refuse their configurations; the error names the modules, and has every mistake.
    pub fn build(config: BrainConfig, inputs: &IndexMap<String, InputInfo>) -> Result<Brain> {
        let blueprint = Blueprint::brain(config);
        blueprint::complete(|errors| Brain::attempt(blueprint, inputs, errors))
    }

    /// Checks names, types of modules, ports and effects.
    pub(super) fn check_wiring(parts: &Parts) -> Result<()> {
        order::check("brain", parts, &[])
    }

    /// Builds it as far as that goes: mistakes are recorded. `None` if a module cannot be built, even from what stands in for
    /// wrong parameters.
    pub(super) fn attempt(
        blueprint: Blueprint,
        inputs: &IndexMap<String, InputInfo>,
        errors: &mut Vec<Error>,
    ) -> Option<Brain> {
        let (ports, dtype) = (blueprint.ports(), blueprint.dtype());
        let Blueprint::Brain(config, parts) = blueprint else { return None };
        recorded(Brain::check_wiring(&parts), errors)?;
        let probe = tape::Session::begin("probe", tape::Mode::Traced, Elem::F32, tape::Memory::default());
        let call = inputs.iter().map(|(name, info)| (name.clone(), children::placeholder(name, info, dtype))).collect();
        let mut building = Building {
            parts: &parts,
            holder: config.inherited().holder,
            children: Children::default(),
            left: (0..parts.as_slice().len()).collect(),
            done: Table::new(),
            promised: Table::new(),
        };
        while !building.left.is_empty() {
            let Some(at) = recorded(building.next(), errors) else {
                let inside = |&index: &usize| parts.as_slice()[index].parameter_errors();
                errors.extend(building.left.iter().flat_map(inside));
                return None;
            };
            let index = building.left.remove(at);
            building.module(index, &call, errors);
        }
        building.keep_promises(errors);
        let Building { mut children, done, .. } = building;
        let names: Vec<&str> = parts.iter().map(|part| part.specs.name.as_str()).collect();
        children.arrange(&names);
        let cache = cached(&config.modules_specs, &children, &done);
        let complete = children.len() == names.len();
        recorded(probe.finish().map_err(trace_errors), errors)?;
        let outputs = recorded(Exported::of(&parts), errors)?;
        complete.then_some(Brain { config, ports, children, outputs, cache })
    }
}

/// A brain whose modules are being built.
struct Building<'a> {
    parts: &'a Parts,
    holder: Holder,
    children: Children,
    /// The modules whose turn has not come.
    left: Vec<usize>,
    /// Outputs of the modules that are built.
    done: Table,
    /// Outputs of modules that are not, as their configurations promise them.
    promised: Table,
}

impl Building<'_> {
    /// Sources of a module that are outputs or properties of other modules.
    fn sources(specs: &ModuleSpecs) -> impl Iterator<Item = &PortMap> {
        let inside = |source: &&PortMap| source.origin != PortMap::CALL && source.origin != PortMap::SELF;
        specs.inputs.values().flatten().filter(inside)
    }

    fn is_built(&self, source: &PortMap) -> bool {
        self.done.contains_key(&source.origin)
    }

    fn contract(&self, source: &PortMap) -> Option<InputInfo> {
        let origin = self.parts.find(&source.origin)?;
        if source.is_property { None } else { origin.blueprint()?.contract(&source.port) }
    }

    /// The place in `left` of a module that can be built: one whose sources are built, or else promised. One whose source's
    /// turn has come in vain can be looked at, too.
    fn next(&self) -> Result<usize> {
        let (parts, left) = (self.parts.as_slice(), &self.left);
        let had_its_turn = |s: &PortMap| !left.iter().any(|&i| parts[i].specs.name == s.origin);
        let ready = left.iter().position(|&i| Self::sources(&parts[i].specs).all(had_its_turn));
        let known = |s: &PortMap| had_its_turn(s) || self.contract(s).is_some();
        let promised = || left.iter().position(|&i| Self::sources(&parts[i].specs).all(known));
        ready.or_else(promised).ok_or_else(|| {
            let names: Vec<&str> = left.iter().map(|&i| parts[i].specs.name.as_str()).collect();
            let message = format!("cannot tell what the modules {} will read from each other", names.join(", "));
            Error::new(message).help(
                "in a circle, at least one module must know the shape of its output before it is built: a neuron does, or \
                 any module whose configuration has `units`",
            )
        })
    }

    fn module(&mut self, index: usize, call: &IndexMap<String, Payload>, errors: &mut Vec<Error>) {
        let part = &self.parts.as_slice()[index];
        let specs = &part.specs;
        for source in Self::sources(specs) {
            if self.is_built(source) {
                continue;
            }
            let Some(info) = self.contract(source) else { continue };
            let origin = self.parts.find(&source.origin).and_then(|origin| origin.blueprint());
            let dtype = origin.map_or(DType::F32, Blueprint::dtype);
            let name = format!("{}.{}", source.origin, source.port);
            let ports = self.promised.entry(source.origin.clone()).or_default();
            ports.entry(source.port.clone()).or_insert_with(|| children::placeholder(&name, &info, dtype));
        }
        let mut outputs = self.promised.clone();
        outputs.extend(self.done.clone());
        let from = Sources { call, own: &|_| None, outputs: &outputs };
        let given = self.children.build(part, self.holder, &from, errors);
        self.done.extend(given.map(|given| (specs.name.clone(), given)));
    }

    /// Checks that every module puts out what others were built for.
    fn keep_promises(&self, errors: &mut Vec<Error>) {
        let promises = self.promised.iter().flat_map(|(module, ports)| ports.iter().map(move |p| (module, p)));
        for (module, (port, promise)) in promises {
            let Some(given) = self.done.get(module).and_then(|ports| ports.get(port)) else { continue };
            let (found, expected) = (given.shape().dims(), promise.shape().dims());
            if found != expected || given.kind != promise.kind || given.async_spikes {
                let message = format!("puts out values of dimensions {found:?}, and {expected:?} were expected of it");
                let help = "modules that read each other in a circle give one value per unit";
                errors.push(Error::new(message).at(format!("{module}.{port}")).help(help));
            }
        }
    }
}

/// The outputs that modules read from each other, as the probing step gave them.
fn cached(modules: &[ModuleSpecs], children: &Children, done: &Table) -> Vec<Cached> {
    let mut cache: Vec<Cached> = Vec::new();
    for source in modules.iter().flat_map(Building::sources).filter(|s| !s.is_property) {
        if cache.iter().any(|c| c.module == source.origin && c.port == source.port) {
            continue;
        }
        let Some(payload) = done.get(&source.origin).and_then(|ports| ports.get(&source.port)) else { continue };
        let dtype = children.dtype_of(&source.origin);
        let part = |(&value, (_, part)): (&Value, &(&str, crate::payload::PartType))| {
            let known = tape::known(value);
            let constant = known.is_some();
            let zeros = || Array::zeros(tape::describe(value).1, part.dtype(dtype));
            CachedPart { value: known.unwrap_or_else(zeros), constant, bound: None, path: String::new() }
        };
        let parts = payload.parts.iter().zip(payload.kind.parts).map(part).collect();
        let (module, port) = (source.origin.clone(), source.port.clone());
        cache.push(Cached { module, port, shape: payload.clone(), parts });
    }
    cache
}

impl DynModule for Brain {
    fn type_name(&self) -> &str {
        "Brain"
    }

    fn ports(&self) -> Vec<Port> {
        self.ports.clone()
    }

    fn dtype(&self) -> DType {
        self.children.dtype()
    }

    fn bind(&mut self, path: &str) {
        self.children.bind(path);
        for cached in &mut self.cache {
            let names = cached.shape.kind.parts;
            for (part, (name, _)) in cached.parts.iter_mut().zip(names) {
                // No field can have a name with `#`: these are the brain's own.
                part.path = join(path, &format!("#previous.{}.{}.{name}", cached.module, cached.port));
                let bind = if part.constant { tape::constant } else { tape::state };
                part.bound = Some(bind(&part.path, &part.value));
            }
        }
    }

    fn call(&mut self, mut args: Args) -> Result<Vec<Payload>> {
        let Brain { ports, children, outputs, cache, .. } = self;
        let call = args.inputs_of(ports)?;
        let mut previous = Table::new();
        for cached in cache.iter() {
            let parts = cached.parts.iter().filter_map(|part| part.bound).collect();
            let payload = Payload { parts, ..cached.shape.clone() };
            previous.entry(cached.module.clone()).or_default().insert(cached.port.clone(), payload);
        }
        let mut done = Table::new();
        for index in 0..children.len() {
            let given = children.call(index, &Sources { call: &call, own: &|_| None, outputs: &previous })?;
            done.insert(children.name(index).to_string(), given);
        }
        for cached in cache.iter() {
            let Some(payload) = done.get(&cached.module).and_then(|ports| ports.get(&cached.port)) else { continue };
            for (part, &value) in cached.parts.iter().zip(&payload.parts).filter(|(part, _)| !part.constant) {
                tape::set_state(&part.path, value, Location::UNKNOWN);
            }
        }
        let sources = Sources { call: &call, own: &|_| None, outputs: &done };
        children.apply_effects(&sources)?;
        children.exported(outputs, &sources)
    }

    fn commit(&mut self) {
        self.children.commit();
    }

    fn get(&self, _property: &str) -> Option<Payload> {
        None
    }

    fn set(&mut self, property: &str, _value: Payload) -> Result<()> {
        Err(Error::new(format!("a brain has no property `{property}`")))
    }

    fn read(&self, path: &str) -> Option<Payload> {
        self.children.read(path, &self.outputs)
    }

    fn config(&self) -> ConfigTree {
        self.config.to_tree()
    }

    fn children(&self) -> Vec<(&str, &dyn DynModule)> {
        self.children.named()
    }
}
