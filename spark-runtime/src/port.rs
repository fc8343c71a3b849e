//! Port arguments: how payloads reach a module's step.
//!
//! A payload arrives with the axes of whoever made it: a population's spikes have `units`. A port that declares
//! `#[axis(pre)]` sees the same elements as `pre`. Several sources on one port are flattened and concatenated in the
//! order given.

use crate::error::{Error, Result, unknown_name_help};
use crate::module::Port;
use crate::payload::{Payload, PayloadType};
use crate::spec::{Direction, ModuleType, PortSpecs};
use indexmap::IndexMap;
use spark_compiler::array::{Value, tape};
use spark_compiler::ir::{Axis, Shape};

/// The arguments of one step, by port.
#[derive(Clone, Debug, Default)]
pub struct Args {
    named: Vec<(String, Vec<Payload>)>,
    ordered: Vec<Vec<Payload>>,
    ports: &'static [PortSpecs],
}

impl Args {
    /// No arguments yet.
    pub fn new() -> Args {
        Args::default()
    }

    /// Adds the payloads of the sources of input `port`.
    pub fn with(mut self, port: impl Into<String>, sources: Vec<Payload>) -> Args {
        self.named.push((port.into(), sources));
        self
    }

    /// Adds one more source of input `port`, after those it has.
    pub fn with_source(mut self, port: &str, source: Payload) -> Args {
        match self.named.iter_mut().find(|(name, _)| name == port) {
            Some((_, sources)) => sources.push(source),
            None => self.named.push((port.into(), vec![source])),
        }
        self
    }

    /// The payloads of each port.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[Payload])> {
        self.named.iter().map(|(name, sources)| (name.as_str(), sources.as_slice()))
    }

    /// Removes and returns the single payload of `port`.
    ///
    /// # Errors
    /// If several sources cannot be joined.
    pub fn take(&mut self, port: &str) -> Result<Option<Payload>> {
        let Some(at) = self.named.iter().position(|(name, _)| name == port) else { return Ok(None) };
        let (_, sources) = self.named.remove(at);
        if sources.is_empty() { Ok(None) } else { concatenate(sources).map(Some) }
    }

    /// Removes and returns the payloads of the input ports among `ports`, by name.
    ///
    /// # Errors
    /// If several sources of one cannot be joined.
    pub(crate) fn inputs_of(&mut self, ports: &[Port]) -> Result<IndexMap<String, Payload>> {
        let mut call = IndexMap::new();
        for port in ports.iter().filter(|port| port.direction == Direction::Input) {
            if let Some(payload) = self.take(&port.name)? {
                call.insert(port.name.clone(), payload);
            }
        }
        Ok(call)
    }

    /// In the order and axes of a module's ports.
    ///
    /// # Errors
    /// If a port is missing or unknown, or a payload does not fit its port.
    pub(crate) fn adapted(mut self, spec: &'static ModuleType) -> Result<Args> {
        let mut ordered = Vec::with_capacity(spec.inputs.len());
        for port in spec.inputs {
            let at = self.named.iter().position(|(name, _)| name == port.name);
            let sources = at.map(|at| self.named.remove(at).1).unwrap_or_default();
            if sources.is_empty() && !port.optional && !port.variadic {
                return Err(Error::new(format!("nothing is connected to the input `{}`", port.name)).at(port.name));
            }
            let joined = if port.variadic || sources.len() < 2 { sources } else { vec![concatenate(sources)?] };
            let adapt = |p: Payload| adapt(p, port).map_err(|e| e.prefixed(port.name));
            ordered.push(joined.into_iter().map(adapt).collect::<Result<Vec<_>>>()?);
        }
        if let Some((name, _)) = self.named.first() {
            let known = spec.inputs.iter().map(|p| p.name);
            return Err(Error::new(format!("{} has no input `{name}`", spec.name)).help(unknown_name_help(name, known)));
        }
        Ok(Args { named: Vec::new(), ordered, ports: spec.inputs })
    }

    /// The payload of the `index`-th port.
    ///
    /// # Errors
    /// If it is missing or of another kind.
    pub fn required<T: PayloadType>(&mut self, index: usize) -> Result<T> {
        self.optional(index)?.ok_or_else(|| {
            let name = self.ports.get(index).map_or("?", |p| p.name);
            Error::new(format!("nothing is connected to the input `{name}`")).at(name)
        })
    }

    /// The payload of the `index`-th port, if something is connected.
    ///
    /// # Errors
    /// If it is of another kind.
    pub fn optional<T: PayloadType>(&mut self, index: usize) -> Result<Option<T>> {
        let name = self.ports.get(index).map_or("?", |p| p.name);
        let sources = self.ordered.get_mut(index).map(std::mem::take).unwrap_or_default();
        sources.into_iter().next().map(T::unpack).transpose().map_err(|e| e.prefixed(name))
    }

    /// The payloads of every source of the `index`-th port.
    ///
    /// # Errors
    /// If one is of another kind.
    pub fn variadic<T: PayloadType>(&mut self, index: usize) -> Result<Vec<T>> {
        let name = self.ports.get(index).map_or("?", |p| p.name);
        let sources = self.ordered.get_mut(index).map(std::mem::take).unwrap_or_default();
        sources.into_iter().map(T::unpack).collect::<Result<_>>().map_err(|e: Error| e.prefixed(name))
    }
}

/// The ports of a module type.
pub(crate) fn ports_of(spec: &'static ModuleType) -> Vec<Port> {
    let named =
        |direction: Direction| move |p: &'static PortSpecs| Port { name: p.name.to_string(), direction, spec: *p };
    let inputs = spec.inputs.iter().map(named(Direction::Input));
    let outputs = spec.outputs.iter().map(named(Direction::Output));
    let properties = spec.properties.iter().map(named(Direction::Property));
    inputs.chain(outputs).chain(properties).collect()
}

/// `payload` in the axes of `port`.
pub(crate) fn adapt(payload: Payload, port: &PortSpecs) -> Result<Payload> {
    let mut parts = Vec::with_capacity(payload.parts.len());
    for &part in &payload.parts {
        let shape = tape::describe(part).1;
        let target = seen_as(&shape, port.axes);
        if shape.groups().len() > 2 || port.axes.len() > 1 && shape.groups().len() == 1 {
            let message = format!("takes values over {:?}, found shape {shape}", port.axes);
            return Err(Error::new(message));
        }
        parts.push(regroup(part, &target));
    }
    Ok(Payload { parts, ..payload })
}

/// A shape as a port with `axes` sees it: a single group takes the port's axis, values over synapses stay.
pub(crate) fn seen_as(shape: &Shape, axes: &[Axis]) -> Shape {
    match (shape.groups(), axes) {
        ([group], [axis]) => Shape::of(*axis, &group.dims),
        _ => shape.clone(),
    }
}

fn regroup(value: Value, target: &Shape) -> Value {
    let (elem, shape) = tape::describe(value);
    if shape == *target || shape.is_scalar() {
        return value;
    }
    tape::regroup(value, elem, target)
}

/// Several payloads of one kind as one: each part flattened, one after another.
///
/// # Errors
/// If the kinds differ.
pub fn concatenate(mut sources: Vec<Payload>) -> Result<Payload> {
    if sources.len() == 1 {
        return Ok(sources.remove(0));
    }
    let kind = sources[0].kind;
    if let Some(other) = sources.iter().find(|p| p.kind != kind) {
        let message = format!("cannot join a {} and a {} on one port", kind.name, other.kind.name);
        return Err(Error::new(message));
    }
    if sources.iter().any(|p| p.async_spikes) {
        return Err(Error::new("cannot join spikes over synapses with other sources on one port"));
    }
    let total: usize = sources.iter().map(|p| p.shape().size()).sum();
    let shape = Shape::units(&[total]);
    let part = |index: usize| {
        let values: Vec<Value> = sources.iter().map(|p| filled(p.parts[index], &p.shape())).collect();
        tape::concat(&values, &shape)
    };
    let parts = (0..kind.parts.len()).map(part).collect();
    Ok(Payload { kind, parts, async_spikes: false })
}

/// `value` over all of `shape`: a part may be smaller than its payload (one mask value for all neurons).
pub(crate) fn filled(value: Value, shape: &Shape) -> Value {
    let (_, mine) = tape::describe(value);
    if mine == *shape {
        return value;
    }
    tape::expand(value, shape)
}
