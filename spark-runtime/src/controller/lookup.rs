//! What the names in a program's connections mean.
//!
//! Modules whose types are found go in; sources, targets and outputs are looked up among their ports and written into their
//! specs. Every mistake has the valid names, or the nearest of them.

use super::endpoint::{Source, Target};
use super::interface::Interface;
use super::parts::{Part, Parts};
use super::wiring::{ModuleSpecs, PortMap};
use crate::error::{Error, Result, unknown_name_help};
use crate::payload::{Payload, PayloadKind, PayloadType};
use crate::spec::{Direction, PortSpecs};
use indexmap::IndexMap;

/// The modules, inputs and properties that connections may name.
pub(super) struct Lookup<'p> {
    names: Vec<String>,
    /// `None` for a module of unknown type, which is reported elsewhere.
    interfaces: Vec<Option<&'p Interface>>,
    own: &'static [PortSpecs],
    inputs: Vec<String>,
    /// Inputs that are connected, and what kind they must be of.
    pub(super) used: IndexMap<String, &'static PayloadKind>,
}

impl<'p> Lookup<'p> {
    pub(super) fn new<'a>(
        parts: &'p Parts,
        own: &'static [PortSpecs],
        declared: impl Iterator<Item = &'a str>,
    ) -> Lookup<'p> {
        let names = parts.iter().map(|part| part.specs.name.clone()).collect();
        let interfaces: Vec<Option<&Interface>> = parts.iter().map(Part::interface).collect();
        let mut inputs: Vec<String> = declared.map(str::to_string).collect();
        let mut used = IndexMap::new();
        // Modules that came with connections may bring inputs.
        for (module, interface) in parts.iter().map(|part| &part.specs).zip(&interfaces) {
            let tables = [(Direction::Input, &module.inputs), (Direction::Property, &module.effects)];
            for (direction, (port, sources)) in tables.into_iter().flat_map(|(d, t)| t.iter().map(move |p| (d, p))) {
                for source in sources.iter().filter(|source| source.origin == PortMap::CALL) {
                    inputs.push(source.port.clone());
                    let spec = interface.as_ref().and_then(|interface| interface.find(direction, port));
                    used.entry(source.port.clone()).or_insert(spec.map_or(Payload::KIND, |spec| spec.payload));
                }
            }
        }
        Lookup { names, interfaces, own, inputs, used }
    }

    /// The place of a module.
    fn module(&self, name: &str) -> Result<usize> {
        self.names.iter().position(|other| other == name).ok_or_else(|| {
            let help = unknown_name_help(name, self.names.iter().map(String::as_str));
            Error::new(format!("there is no module `{name}`")).help(help)
        })
    }

    /// Where a source is, and the kind of its payload where that is known.
    fn source(&self, source: &Source) -> Result<(PortMap, Option<&'static PayloadKind>)> {
        let (origin, port, property) = match source {
            Source::Port(port) => (port.origin.as_str(), port.port.as_str(), Some(port.is_property)),
            Source::Named(name) => match name.split_once('.') {
                Some((origin, port)) => (origin, port, None),
                None if self.inputs.contains(name) => (PortMap::CALL, name.as_str(), None),
                None if self.own.iter().any(|own| own.name == name) => (PortMap::SELF, name.as_str(), None),
                None => return Err(self.unknown_input(name)),
            },
        };
        match origin {
            PortMap::CALL if self.inputs.iter().any(|input| input == port) => {
                Ok((PortMap::output(origin, port), self.used.get(port).copied()))
            }
            PortMap::CALL => Err(self.unknown_input(port)),
            PortMap::SELF => {
                let own = self.own.iter().find(|own| own.name == port);
                let unknown = || {
                    let help = unknown_name_help(port, self.own.iter().map(|own| own.name));
                    Error::new(format!("the controller has no property `{port}`")).help(help)
                };
                own.map(|own| (PortMap::property(origin, port), Some(own.payload))).ok_or_else(unknown)
            }
            _ => {
                let Some(interface) = &self.interfaces[self.module(origin)?] else {
                    let is_property = property == Some(true);
                    return Ok((PortMap { origin: origin.into(), port: port.into(), is_property }, None));
                };
                let directions: &[Direction] = match property {
                    None => &[Direction::Output, Direction::Property],
                    Some(true) => &[Direction::Property],
                    Some(false) => &[Direction::Output],
                };
                let found = directions.iter().find_map(|&d| Some((d, interface.find(d, port)?)));
                let kind = if property == Some(true) { "property" } else { "output" };
                let unknown = || interface.unknown(kind, port, directions).at(format!("{origin}.{port}"));
                let (direction, spec) = found.ok_or_else(unknown)?;
                let is_property = direction == Direction::Property;
                Ok((PortMap { origin: origin.into(), port: port.into(), is_property }, Some(spec.payload)))
            }
        }
    }

    fn unknown_input(&self, name: &str) -> Error {
        let ports = self.names.iter().zip(&self.interfaces).flat_map(|(module, interface)| {
            let outputs = interface.iter().flat_map(|interface| interface.names(Direction::Output));
            outputs.map(move |port| format!("{module}.{port}"))
        });
        let known: Vec<String> = self.inputs.iter().cloned().chain(ports).collect();
        let help = unknown_name_help(name, known.iter().map(String::as_str));
        Error::new(format!("there is no input `{name}`")).help(format!("{help}; inputs are declared with `input`"))
    }

    /// Makes one connection.
    pub(super) fn connect(
        &mut self,
        modules: &mut [ModuleSpecs],
        sources: &[Source],
        target: &Target,
        is_effect: bool,
    ) -> Result<()> {
        let name = &target.0;
        let Some((module, port)) = name.split_once('.') else {
            let error = Error::new(format!("`{name}` is not a port of a module"));
            return Err(error.help("name it as \"module.port\""));
        };
        let mut errors = Vec::new();
        let found =
            self.module(module).and_then(|at| Ok((at, self.target(at, port, is_effect).map_err(|e| e.at(name))?)));
        let (at, spec) = match found {
            Ok((at, spec)) => (Some(at), spec),
            Err(error) => {
                errors.push(error);
                (None, None)
            }
        };
        if sources.is_empty() {
            errors.push(Error::new("there is no source").at(name));
        }
        for source in sources {
            let (source_at, kind) = match self.source(source) {
                Ok(found) => found,
                Err(error) => {
                    errors.push(error);
                    continue;
                }
            };
            let any = Payload::KIND;
            if let (Some(kind), Some(spec)) = (kind, spec)
                && ![kind, spec.payload].contains(&any)
                && kind != spec.payload
            {
                let message = format!("takes a {}, and `{source}` is a {}", spec.payload.name, kind.name);
                errors.push(Error::new(message).at(name));
            }
            if source_at.origin == PortMap::CALL {
                let kind = spec.map_or(any, |spec| spec.payload);
                let used = self.used.entry(source_at.port.clone()).or_insert(kind);
                *used = if *used == any { kind } else { *used };
            }
            if let Some(at) = at {
                let specs = &mut modules[at];
                let table = if is_effect { &mut specs.effects } else { &mut specs.inputs };
                table.entry(port.to_string()).or_default().push(source_at);
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(Error::many(errors)) }
    }

    /// The port a connection ends at; `None` if the module's type is not known.
    fn target(&self, at: usize, port: &str, is_effect: bool) -> Result<Option<PortSpecs>> {
        let Some(interface) = &self.interfaces[at] else { return Ok(None) };
        let property = interface.find(Direction::Property, port).filter(|spec| spec.settable);
        match (is_effect, interface.find(Direction::Input, port)) {
            (true, _) => property.copied().map(Some).ok_or_else(|| interface.no_setter(port)),
            (false, Some(spec)) => Ok(Some(*spec)),
            (false, None) => {
                let error = interface.unknown("input", port, &[Direction::Input]);
                Err(if property.is_some() { error.help("it is a property: set it with `effect`") } else { error })
            }
        }
    }

    pub(super) fn output(&self, modules: &mut [ModuleSpecs], name: &str, source: &Source) -> Result<()> {
        let (source_at, _) = self.source(source)?;
        if [PortMap::CALL, PortMap::SELF].contains(&source_at.origin.as_str()) {
            let error = Error::new(format!("the output `{name}` must come from a module, and `{source}` does not"));
            return Err(error.help("name it as \"module.port\""));
        }
        if modules.iter().any(|module| module.outputs.contains_key(name)) {
            return Err(Error::new(format!("the output `{name}` is given twice")).help("give one of them another name"));
        }
        modules[self.module(&source_at.origin)?].outputs.insert(name.to_string(), source_at.port);
        Ok(())
    }

    /// Required inputs without a source.
    pub(super) fn unconnected(&self, modules: &[ModuleSpecs]) -> Vec<Error> {
        let mut errors = Vec::new();
        for (module, interface) in modules.iter().zip(&self.interfaces) {
            let Some(interface) = interface else { continue };
            for port in interface.names(Direction::Input) {
                let required = interface.find(Direction::Input, port).is_some_and(|p| !p.optional && !p.variadic);
                if required && !module.inputs.contains_key(port) {
                    let name = format!("{}.{port}", module.name);
                    errors.push(
                        Error::new("nothing is connected to this input")
                            .at(&name)
                            .help(format!("{} needs it: connect something to \"{name}\"", interface.type_name)),
                    );
                }
            }
        }
        errors
    }
}
