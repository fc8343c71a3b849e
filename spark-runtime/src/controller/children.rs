//! The modules of a controller: reading what is connected to them, effects, state. What neurons and brains share.

use super::blueprint::recorded;
use super::class::Class;
use super::parts::{Part, Parts};
use super::wiring::{ModuleSpecs, PortMap};
use crate::build::Holder;
use crate::config::{FieldType, HandedDown, Units};
use crate::error::{Error, Result};
use crate::module::{DynModule, InputInfo, Port, join, trace_errors};
use crate::payload::Payload;
use crate::port::{self, Args, concatenate};
use crate::spec::{Direction, PortSpecs};
use indexmap::IndexMap;
use spark_compiler::array::tape;
use spark_compiler::ir::DType;

/// Payloads by module and output port.
pub(super) type Table = IndexMap<String, IndexMap<String, Payload>>;

/// Where a step's payloads come from.
pub(super) struct Sources<'a> {
    /// Inputs of the controller.
    pub(super) call: &'a IndexMap<String, Payload>,
    /// Properties of the controller.
    pub(super) own: &'a dyn Fn(&str) -> Option<Payload>,
    /// Outputs of modules: this step's in a neuron, the previous one's in a brain.
    pub(super) outputs: &'a Table,
}

/// An output of the controller.
#[derive(Clone, Debug)]
pub(super) struct Exported {
    pub(super) name: String,
    /// Module and port it comes from.
    pub(super) source: PortMap,
    pub(super) spec: PortSpecs,
}

impl Exported {
    /// The outputs that modules provide.
    pub(super) fn of(parts: &Parts) -> Result<Vec<Exported>> {
        Exported::each(parts).collect()
    }

    fn each(parts: &Parts) -> impl Iterator<Item = Result<Exported>> {
        parts.iter().flat_map(|part| {
            let exported = move |(name, port): (&String, &String)| {
                let (_, interface) = part.readable()?;
                let unknown = || interface.unknown("output", port, &[Direction::Output, Direction::Property]);
                let (spec, is_property) = interface.readable(port).ok_or_else(unknown)?;
                let source = PortMap { origin: part.specs.name.clone(), port: port.clone(), is_property };
                Ok(Exported { name: name.clone(), source, spec: *spec })
            };
            part.specs.outputs.iter().map(exported)
        })
    }
}

/// The ports of a controller with these modules, outputs and properties of its own.
pub(super) fn ports(parts: &Parts, properties: &[PortSpecs]) -> Vec<Port> {
    let mut ports: Vec<Port> = Vec::new();
    let mut call = |source: &PortMap, spec: &PortSpecs| {
        let known = |port: &Port| port.name == source.port;
        if source.origin == PortMap::CALL && !ports.iter().any(known) {
            let spec = PortSpecs { axes: &[spark_compiler::ir::Axis::UNITS], ..*spec };
            ports.push(Port { name: source.port.clone(), direction: Direction::Input, spec });
        }
    };
    for part in parts.iter() {
        // What is wrong is left out; the check of the wiring reports it.
        let Some(interface) = part.interface() else { continue };
        let tables = [(Direction::Input, &part.specs.inputs), (Direction::Property, &part.specs.effects)];
        for (direction, table) in tables {
            for (port, sources) in table {
                let Some(spec) = interface.find(direction, port) else { continue };
                sources.iter().for_each(|source| call(source, spec));
            }
        }
    }
    ports.extend(Exported::each(parts).flatten().map(|output| Port {
        name: output.name,
        direction: Direction::Output,
        spec: output.spec,
    }));
    let own = |spec: &PortSpecs| Port { name: spec.name.into(), direction: Direction::Property, spec: *spec };
    ports.extend(properties.iter().map(own));
    ports
}

/// What a controller hands down to its modules' configurations.
pub(super) struct Inherited<'a> {
    /// The controller's seed: modules without a seed of their own get distinct ones, by their place in it.
    pub(super) seed: u32,
    /// Time step, in ms.
    pub(super) dt: f64,
    /// Shape of the population, in a neuron.
    pub(super) units: Option<&'a Units>,
    /// The controller.
    pub(super) holder: Holder,
}

impl Inherited<'_> {
    /// Module `index` with a configuration that has what the controller hands down.
    pub(super) fn completed(&self, specs: &ModuleSpecs, index: usize) -> ModuleSpecs {
        let mut specs = specs.clone();
        // A type that is not known is the wiring's mistake.
        let Ok(Some(class)) = Class::find(&specs.module_cls) else { return specs };
        let units = self.units.map(FieldType::to_value);
        HandedDown { seed: self.seed, dt: self.dt, units }.apply(class.fields(), &mut specs.config.values, index);
        specs
    }
}

struct Child {
    specs: ModuleSpecs,
    module: Box<dyn DynModule>,
    outputs: Vec<String>,
}

/// The modules of a controller, in the order they run in.
#[derive(Default)]
pub(super) struct Children {
    list: Vec<Child>,
}

impl Children {
    /// Builds a module for the sources it has in the probing session and gives what it puts out.
    ///
    /// Its mistakes are recorded, also where it can be built from what stands in for wrong parameters, so that the modules
    /// after it can be built, too; `None` if it cannot.
    pub(super) fn build(
        &mut self,
        part: &Part,
        holder: Holder,
        from: &Sources<'_>,
        errors: &mut Vec<Error>,
    ) -> Option<IndexMap<String, Payload>> {
        let mut mistakes = Vec::new();
        let built = self.attempt(part, holder, from, &mut mistakes);
        let traced = recorded(tape::take_errors().map_err(trace_errors), &mut mistakes);
        errors.extend(mistakes.into_iter().map(|error| error.prefixed(&part.specs.name)));
        let (child, given) = built.filter(|_| traced.is_some())?;
        self.list.push(child);
        Some(given)
    }

    fn attempt(
        &self,
        part: &Part,
        holder: Holder,
        from: &Sources<'_>,
        errors: &mut Vec<Error>,
    ) -> Option<(Child, IndexMap<String, Payload>)> {
        let specs = part.specs.clone();
        let (blueprint, interface) = recorded(part.readable(), errors)?;
        if !specs.inputs.values().flatten().all(|source| self.is_there(source, from)) {
            // A module it reads could not be built, so its inputs are not known.
            errors.extend(blueprint.parameter_errors());
            return None;
        }
        let args = recorded(self.args(&specs, from), errors)?;
        let mut known = IndexMap::new();
        for (name, sources) in args.iter() {
            let Some(spec) = interface.find(Direction::Input, name) else { continue };
            if let Some(info) = recorded(described(sources.to_vec(), spec), errors)? {
                known.insert(name.to_string(), info);
            }
        }
        let mut module = blueprint.clone().attempt(holder, &known, errors)?;
        module.bind(&specs.name);
        let outputs = interface.names(Direction::Output).map(str::to_string).collect();
        let mut child = Child { specs, module, outputs };
        let given = recorded(child.call(args), errors)?;
        Some((child, given))
    }

    /// Puts the modules in the order of `names`.
    pub(super) fn arrange(&mut self, names: &[&str]) {
        self.list.sort_by_key(|child| names.iter().position(|name| *name == child.specs.name));
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn name(&self, index: usize) -> &str {
        &self.list[index].specs.name
    }

    /// Storage type of the first module's numbers.
    pub(super) fn dtype(&self) -> DType {
        self.list.first().map_or(DType::F32, |child| child.module.dtype())
    }

    /// Storage type of a module's numbers.
    pub(super) fn dtype_of(&self, name: &str) -> DType {
        self.find(name).map_or(DType::F32, |child| child.module.dtype())
    }

    fn find(&self, name: &str) -> Option<&Child> {
        self.list.iter().find(|child| child.specs.name == name)
    }

    /// One step of a module: its outputs by port.
    pub(super) fn call(&mut self, index: usize, from: &Sources<'_>) -> Result<IndexMap<String, Payload>> {
        let args = self.args(&self.list[index].specs, from);
        let child = &mut self.list[index];
        args.and_then(|args| child.call(args)).map_err(|e| e.prefixed(&child.specs.name))
    }

    /// What is connected to a module's inputs.
    fn args(&self, specs: &ModuleSpecs, from: &Sources<'_>) -> Result<Args> {
        let mut args = Args::new();
        for (port, sources) in &specs.inputs {
            let mut payloads = Vec::new();
            for source in sources {
                if let Some(payload) = self.source(source, from).map_err(|e| e.prefixed(port))? {
                    payloads.push(payload);
                }
            }
            args = args.with(port, payloads);
        }
        Ok(args)
    }

    /// What a source gives; nothing if it is an input of the controller that is not connected.
    pub(super) fn source(&self, source: &PortMap, from: &Sources<'_>) -> Result<Option<Payload>> {
        if source.origin == PortMap::CALL {
            return Ok(from.call.get(&source.port).cloned());
        }
        if source.origin == PortMap::SELF {
            return Ok((from.own)(&source.port));
        }
        let found = match source.is_property {
            true => self.find(&source.origin).and_then(|child| child.module.get(&source.port)),
            false => from.outputs.get(&source.origin).and_then(|ports| ports.get(&source.port)).cloned(),
        };
        let missing = || Error::new(format!("`{}.{}` is not there yet", source.origin, source.port));
        found.ok_or_else(missing).map(Some)
    }

    /// Whether a source's module is built, or its output promised.
    fn is_there(&self, source: &PortMap, from: &Sources<'_>) -> bool {
        match source.origin.as_str() {
            PortMap::CALL | PortMap::SELF => true,
            origin if source.is_property => self.find(origin).is_some(),
            origin => from.outputs.get(origin).is_some_and(|ports| ports.contains_key(&source.port)),
        }
    }

    /// Sets the properties that are effects of outputs. Every source is read before any property is set: effects do not
    /// see each other.
    pub(super) fn apply_effects(&mut self, from: &Sources<'_>) -> Result<()> {
        let mut effects = Vec::new();
        for (index, child) in self.list.iter().enumerate() {
            for (property, sources) in &child.specs.effects {
                for source in sources {
                    if let Some(payload) = self.source(source, from)? {
                        effects.push((index, property.clone(), payload));
                    }
                }
            }
        }
        for (index, property, payload) in effects {
            let child = &mut self.list[index];
            let payload = match child.module.get(&property) {
                Some(now) => in_axes_of(payload, &now),
                None => payload,
            };
            child.module.set(&property, payload).map_err(|e| e.prefixed(&child.specs.name))?;
        }
        Ok(())
    }

    /// The controller's outputs.
    pub(super) fn exported(&self, outputs: &[Exported], from: &Sources<'_>) -> Result<Vec<Payload>> {
        let missing = |output: &Exported| Error::new(format!("the output `{}` has no source", output.name));
        outputs.iter().map(|output| self.source(&output.source, from)?.ok_or_else(|| missing(output))).collect()
    }

    pub(super) fn bind(&mut self, path: &str) {
        for child in &mut self.list {
            child.module.bind(&join(path, &child.specs.name));
        }
    }

    pub(super) fn commit(&mut self) {
        self.list.iter_mut().for_each(|child| child.module.commit());
    }

    /// A port or property inside by path, after a step was recorded: `soma.potential`, or the name of an output.
    pub(super) fn read(&self, path: &str, outputs: &[Exported]) -> Option<Payload> {
        if let Some((name, rest)) = path.split_once('.') {
            return self.find(name)?.module.read(rest);
        }
        let output = outputs.iter().find(|output| output.name == path)?;
        self.find(&output.source.origin)?.module.read(&output.source.port)
    }

    pub(super) fn named(&self) -> Vec<(&str, &dyn DynModule)> {
        self.list.iter().map(|child| (child.specs.name.as_str(), child.module.as_ref())).collect()
    }
}

impl Child {
    fn call(&mut self, args: Args) -> Result<IndexMap<String, Payload>> {
        Ok(self.outputs.iter().cloned().zip(self.module.call(args)?).collect())
    }
}

/// `payload` in the axes of `now`, if it has its dimensions: values of dimensions (units, inputs) are those of a kernel.
fn in_axes_of(payload: Payload, now: &Payload) -> Payload {
    let (given, wanted) = (payload.shape(), now.shape());
    if given != wanted && given.dims() == wanted.dims() { payload.regroup(&wanted) } else { payload }
}

/// What a module's `build` may know of a port with these sources.
fn described(sources: Vec<Payload>, port: &PortSpecs) -> Result<Option<InputInfo>> {
    if sources.is_empty() {
        return Ok(None);
    }
    let payload = port::adapt(concatenate(sources)?, port)?;
    Ok(Some(InputInfo { kind: payload.kind, shape: payload.shape(), async_spikes: payload.async_spikes }))
}

/// A payload of the given shape without values, for the probing session.
pub(super) fn placeholder(name: &str, info: &InputInfo, dtype: DType) -> Payload {
    let part = |(part, part_type): &(&str, crate::payload::PartType)| {
        tape::input(&join(name, part), part_type.dtype(dtype), info.shape.clone(), None)
    };
    Payload { kind: info.kind, parts: info.kind.parts.iter().map(part).collect(), async_spikes: info.async_spikes }
}
