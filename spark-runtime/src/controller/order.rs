//! The order in which a neuron's modules run, and the check that its wiring makes sense.

use super::wiring::{ModuleSpecs, PortMap};
use crate::error::{Error, Result, unknown_name_help};
use crate::registry::Registry;
use crate::spec::ModuleType;

/// The type of a module.
pub(super) fn spec_of(specs: &ModuleSpecs) -> Result<&'static ModuleType> {
    let found = Registry::global()?.modules.get(&specs.module_cls);
    found.map_err(|e| e.prefixed("module_cls").prefixed(&specs.name))
}

/// Checks names, origins and ports; reports every mistake.
pub(super) fn check(modules: &[ModuleSpecs], own_properties: &[&str]) -> Result<()> {
    let mut errors = Vec::new();
    if modules.is_empty() {
        errors.push(Error::new("a neuron needs at least one module").at("modules_specs"));
    }
    for (i, module) in modules.iter().enumerate() {
        let reserved = module.name == PortMap::CALL || module.name == PortMap::SELF || module.name.is_empty();
        if reserved || module.name.contains('.') {
            errors.push(Error::new(format!("`{}` is not a module's name", module.name)));
        }
        if modules[..i].iter().any(|other| other.name == module.name) {
            errors.push(Error::new(format!("two modules are called `{}`", module.name)));
        }
        for output in module.outputs.keys() {
            let taken = modules[..i].iter().find(|other| other.outputs.contains_key(output));
            if let Some(other) = taken {
                let message = format!("`{}` and `{}` both provide the output `{output}`", other.name, module.name);
                errors.push(Error::new(message).help("give one of them another name"));
            }
            if output.is_empty() || output.contains('.') {
                errors.push(Error::new(format!("`{output}` is not an output's name")).at(&module.name));
            }
        }
        if let Err(error) = check_module(modules, module, own_properties) {
            errors.push(error.prefixed(&module.name));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Error::many(errors)) }
}

fn check_module(modules: &[ModuleSpecs], module: &ModuleSpecs, own: &[&str]) -> Result<()> {
    let spec = Registry::global()?.modules.get(&module.module_cls).map_err(|e| e.prefixed("module_cls"))?;
    let mut errors = Vec::new();
    for (port, sources) in &module.inputs {
        if spec.input(port).is_none() {
            errors.push(unknown_port(spec, "input", port, spec.inputs.iter().map(|p| p.name)).prefixed("inputs"));
        }
        for source in sources {
            if let Err(error) = check_source(modules, source, own) {
                errors.push(error.prefixed(port).prefixed("inputs"));
            }
        }
    }
    for port in module.outputs.values() {
        if spec.output(port).is_none() {
            errors.push(unknown_port(spec, "output", port, spec.outputs.iter().map(|p| p.name)).prefixed("outputs"));
        }
    }
    for (property, sources) in &module.effects {
        if !spec.property(property).is_some_and(|p| p.settable) {
            errors.push(crate::module::no_setter(spec, property).prefixed("effects"));
        }
        if sources.len() != 1 {
            let message = format!("an effect has one source, found {}", sources.len());
            errors.push(Error::new(message).at(property).prefixed("effects"));
        }
        for source in sources {
            if let Err(error) = check_source(modules, source, own) {
                errors.push(error.prefixed(property).prefixed("effects"));
            }
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Error::many(errors)) }
}

fn check_source(modules: &[ModuleSpecs], source: &PortMap, own: &[&str]) -> Result<()> {
    if source.origin == PortMap::CALL {
        let message = format!("`{}` of `__call__` is an input, not a property", source.port);
        return if source.is_property { Err(Error::new(message)) } else { Ok(()) };
    }
    if source.origin == PortMap::SELF {
        if source.is_property && own.contains(&source.port.as_str()) {
            return Ok(());
        }
        let message = format!("the controller has no property `{}`", source.port);
        return Err(Error::new(message).help(unknown_name_help(&source.port, own.iter().copied())));
    }
    let Some(origin) = modules.iter().find(|m| m.name == source.origin) else {
        let names = modules.iter().map(|m| m.name.as_str()).chain([PortMap::CALL, PortMap::SELF]);
        return Err(Error::new(format!("there is no module `{}`", source.origin))
            .help(unknown_name_help(&source.origin, names)));
    };
    // A type that is not registered is reported at the module itself.
    let Ok(spec) = spec_of(origin) else { return Ok(()) };
    if source.is_property && spec.property(&source.port).is_none() {
        return Err(unknown_port(spec, "property", &source.port, spec.properties.iter().map(|p| p.name)));
    }
    if !source.is_property && spec.output(&source.port).is_none() {
        return Err(unknown_port(spec, "output", &source.port, spec.outputs.iter().map(|p| p.name)));
    }
    Ok(())
}

fn unknown_port<'a>(spec: &ModuleType, kind: &str, port: &str, names: impl Iterator<Item = &'a str> + Clone) -> Error {
    Error::new(format!("{} has no {kind} `{port}`", spec.name)).at(port).help(unknown_name_help(port, names))
}

/// Indices of modules such that every module comes after those it reads, in the given order where that leaves a choice.
///
/// # Errors
/// If modules read each other in a circle; the error names the circle's modules.
pub(super) fn execution_order(modules: &[ModuleSpecs]) -> Result<Vec<usize>> {
    let reads =
        |module: &ModuleSpecs, origin: &str| module.inputs.values().flatten().any(|source| source.origin == origin);
    let mut order = Vec::with_capacity(modules.len());
    let mut left: Vec<usize> = (0..modules.len()).collect();
    while !left.is_empty() {
        let ready = left.iter().position(|&i| !left.iter().any(|&j| reads(&modules[i], &modules[j].name)));
        match ready {
            Some(at) => order.push(left.remove(at)),
            None => {
                // Modules that only read the circle are not part of it.
                let mut circle = left;
                while let Some(at) =
                    circle.iter().position(|&i| !circle.iter().any(|&j| reads(&modules[j], &modules[i].name)))
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
