//! The order in which a neuron's modules run, and the check that its wiring makes sense.

use super::interface::Interface;
use super::parts::{Part, Parts};
use super::wiring::{ModuleSpecs, PortMap};
use crate::error::{Error, Result, unknown_name_help};
use crate::spec::Direction;

/// Checks names, origins and ports, and controllers among the modules: their own fields and what is inside. Reports every
/// mistake.
pub(super) fn check(controller: &str, parts: &Parts, own_properties: &[&str]) -> Result<()> {
    let (mut errors, parts) = (Vec::new(), parts.as_slice());
    if parts.is_empty() {
        errors.push(Error::missing(format!("a {controller} needs at least one module")).at("modules_specs"));
    }
    for (i, part) in parts.iter().enumerate() {
        let (module, before) = (&part.specs, &parts[..i]);
        let reserved = module.name == PortMap::CALL || module.name == PortMap::SELF || module.name.is_empty();
        if reserved || module.name.contains('.') {
            errors.push(Error::new(format!("`{}` is not a module's name", module.name)));
        }
        if before.iter().any(|other| other.specs.name == module.name) {
            errors.push(Error::new(format!("two modules are called `{}`", module.name)));
        }
        for output in module.outputs.keys() {
            let taken = before.iter().find(|other| other.specs.outputs.contains_key(output));
            if let Some(other) = taken {
                let message =
                    format!("`{}` and `{}` both provide the output `{output}`", other.specs.name, module.name);
                errors.push(Error::new(message).help("give one of them another name"));
            }
            if output.is_empty() || output.contains('.') {
                errors.push(Error::new(format!("`{output}` is not an output's name")).at(&module.name));
            }
        }
        let mut found = part.unread().to_vec();
        if let (Some(interface), Some(blueprint)) = (part.interface(), part.blueprint()) {
            let wiring = Wiring { parts, own: own_properties };
            found.extend([wiring.check(module, interface), blueprint.check()].into_iter().filter_map(Result::err));
        }
        errors.extend(found.into_iter().map(|error| error.prefixed(&module.name)));
    }
    if errors.is_empty() { Ok(()) } else { Err(Error::many(errors)) }
}

/// The modules of a controller and what they offer.
struct Wiring<'a> {
    parts: &'a [Part],
    own: &'a [&'a str],
}

impl Wiring<'_> {
    fn check(&self, module: &ModuleSpecs, interface: &Interface) -> Result<()> {
        let mut errors = Vec::new();
        for (port, sources) in &module.inputs {
            if interface.find(Direction::Input, port).is_none() {
                errors.push(interface.unknown("input", port, &[Direction::Input]).at(port).prefixed("inputs"));
            }
            for source in sources {
                if let Err(error) = self.check_source(source) {
                    errors.push(error.prefixed(port).prefixed("inputs"));
                }
            }
        }
        for port in module.outputs.values() {
            if interface.readable(port).is_none() {
                let readable = [Direction::Output, Direction::Property];
                errors.push(interface.unknown("output", port, &readable).at(port).prefixed("outputs"));
            }
        }
        for (property, sources) in &module.effects {
            if !interface.find(Direction::Property, property).is_some_and(|p| p.settable) {
                errors.push(interface.no_setter(property).prefixed("effects"));
            }
            if sources.len() != 1 {
                let message = format!("an effect has one source, found {}", sources.len());
                errors.push(Error::new(message).at(property).prefixed("effects"));
            }
            for source in sources {
                if let Err(error) = self.check_source(source) {
                    errors.push(error.prefixed(property).prefixed("effects"));
                }
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(Error::many(errors)) }
    }

    fn check_source(&self, source: &PortMap) -> Result<()> {
        if source.origin == PortMap::CALL {
            let message = format!("`{}` of `__call__` is an input, not a property", source.port);
            return if source.is_property { Err(Error::new(message)) } else { Ok(()) };
        }
        if source.origin == PortMap::SELF {
            if source.is_property && self.own.contains(&source.port.as_str()) {
                return Ok(());
            }
            let message = format!("the controller has no property `{}`", source.port);
            return Err(Error::new(message).help(unknown_name_help(&source.port, self.own.iter().copied())));
        }
        let Some(part) = self.parts.iter().find(|part| part.specs.name == source.origin) else {
            let names = self.parts.iter().map(|part| part.specs.name.as_str()).chain([PortMap::CALL, PortMap::SELF]);
            return Err(Error::new(format!("there is no module `{}`", source.origin))
                .help(unknown_name_help(&source.origin, names)));
        };
        // A type that is not known is reported at the module itself.
        let Some(interface) = part.interface() else { return Ok(()) };
        let (direction, kind) =
            if source.is_property { (Direction::Property, "property") } else { (Direction::Output, "output") };
        match interface.find(direction, &source.port) {
            Some(_) => Ok(()),
            None => Err(interface.unknown(kind, &source.port, &[direction])),
        }
    }
}

/// Indices of modules such that every module comes after those it reads, in the given order where that leaves a choice.
///
/// # Errors
/// If modules read each other in a circle; the error names the circle's modules.
pub(super) fn execution_order(parts: &Parts) -> Result<Vec<usize>> {
    let modules: Vec<&ModuleSpecs> = parts.iter().map(|part| &part.specs).collect();
    let reads =
        |module: &ModuleSpecs, origin: &str| module.inputs.values().flatten().any(|source| source.origin == origin);
    let mut order = Vec::with_capacity(modules.len());
    let mut left: Vec<usize> = (0..modules.len()).collect();
    while !left.is_empty() {
        let ready = left.iter().position(|&i| !left.iter().any(|&j| reads(modules[i], &modules[j].name)));
        match ready {
            Some(at) => order.push(left.remove(at)),
            None => {
                // Modules that only read the circle are not part of it.
                let mut circle = left;
                while let Some(at) =
                    circle.iter().position(|&i| !circle.iter().any(|&j| reads(modules[j], &modules[i].name)))
                {
                    circle.remove(at);
                }
                let names: Vec<&str> = circle.iter().map(|&i| modules[i].name.as_str()).collect();
                let message = format!("the modules {} read each other in a circle", names.join(", "));
                let help = "modules of a neuron run one after another within one step; only effects go back. Modules of a \
                            brain read the previous step's outputs and may form circles";
                return Err(Error::new(message).help(help));
            }
        }
    }
    Ok(order)
}
