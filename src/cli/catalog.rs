//! `spark list` and `spark describe`: what is registered in this program.

use super::print;
use spark::config::ConfigSpec;
use spark::config::validate::ValidatorSpec;
use spark::error::{Error, Result, suggest};
use spark::inspect::{prose, summary};
use spark::payload::PartType;
use spark::registry::{Registry, snake_case};
use spark::spec::{ModuleType, PortSpecs};

/// Lists the registered modules, neurons and initializers with a line on each.
///
/// # Errors
/// If two crates register the same name.
pub(crate) fn list() -> Result<()> {
    let registry = Registry::global()?;
    let mut out = String::new();
    let mut section = |title: &str, entries: Vec<(&str, &str)>| {
        if entries.is_empty() {
            return;
        }
        let width = entries.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let rows: Vec<String> =
            entries.iter().map(|(name, about)| format!("  {name:width$}  {}\n", summary(about))).collect();
        out += &format!("{title}\n{}\n", rows.concat());
    };
    section("Modules", registry.modules.iter().map(|m| (m.name, m.description)).collect());
    section("Neurons", registry.neurons.iter().map(|n| (n.name, n.description)).collect());
    section("Initializers", registry.initializers.iter().map(|i| (i.name, (i.config)().description)).collect());
    section("Payloads", registry.payloads.iter().map(|p| (p.name, p.description)).collect());
    let checks: Vec<(&str, String)> = registry.validators.iter().map(|v| (v.name, must(v))).collect();
    section("Checks of parameters", checks.iter().map(|(name, must)| (*name, must.as_str())).collect());
    print(&(out + "`spark describe NAME` tells more.\n"))
}

/// Describes what is registered under `name`: ports and parameters with defaults, units and checks.
///
/// # Errors
/// If nothing is; the hint names the nearest.
pub(crate) fn describe(name: &str) -> Result<()> {
    let registry = Registry::global()?;
    // A configuration's name stands for what it configures.
    let key = snake_case(name);
    let key = key.strip_suffix("_config").unwrap_or(&key);
    if let Some(spec) = registry.modules.find(key) {
        return print(&module(spec));
    }
    if let Some(spec) = registry.neurons.find(key) {
        let mut out = format!("{} (neuron)\n\n{}\n", spec.name, prose(spec.description));
        out += "\nModules, unless the configuration names others\n";
        for part in (spec.modules)() {
            out += &format!("  {}: {}\n", part.name, part.module_cls);
        }
        return print(&(out + &parameters((spec.config)(), &["modules_specs"])));
    }
    if let Some(spec) = registry.initializers.find(key) {
        let config = (spec.config)();
        let out = format!("{} (initializer)\n\n{}\n", spec.name, prose(config.description));
        return print(&(out + &parameters(config, &[])));
    }
    if let Some(kind) = registry.payloads.find(key) {
        let part = |(name, part): &(&str, PartType)| {
            let what = match part {
                PartType::Real => "floating point",
                PartType::Int => "integer",
                PartType::Bool => "truth value",
            };
            format!("  {name}: {what}\n")
        };
        let parts: String = kind.parts.iter().map(part).collect();
        return print(&format!("{} (payload)\n\n{}\n\nParts\n{parts}", kind.name, kind.description));
    }
    if let Some(check) = registry.validators.find(key) {
        return print(&validator(check, registry));
    }
    let modules = registry.modules.iter().map(|m| m.name).chain(registry.neurons.iter().map(|n| n.name));
    let others = registry.initializers.iter().map(|i| i.name).chain(registry.payloads.iter().map(|p| p.name));
    let names: Vec<&str> = modules.chain(others).chain(registry.validators.iter().map(|v| v.name)).collect();
    let near = suggest(name, names.iter().copied()).or_else(|| suggest(key, names.iter().copied()));
    let help = near.map_or("`spark list` shows what there is".to_string(), |near| format!("did you mean `{near}`?"));
    Err(Error::new(format!("nothing called `{name}` is registered")).help(help))
}

fn module(spec: &ModuleType) -> String {
    let mut out = format!("{} ({})\n\n{}\n", spec.name, spec.category, prose(spec.description));
    for (title, list) in [("Inputs", spec.inputs), ("Outputs", spec.outputs), ("Properties", spec.properties)] {
        if !list.is_empty() {
            out += &format!("\n{title}\n{}", list.iter().map(port).collect::<String>());
        }
    }
    out + &parameters((spec.config)(), &[])
}

/// What a check demands.
fn must(check: &ValidatorSpec) -> String {
    format!("Numbers must {}.", check.allowed)
}

/// A check, and the parameters it is made of.
fn validator(check: &ValidatorSpec, registry: &Registry) -> String {
    let mut out = format!("{} (check of parameters)\n\n{}\n", check.name, must(check));
    let checked = |config: &&'static ConfigSpec| {
        let fields = config.fields.iter().filter(|field| field.checks.iter().any(|made| made.name == check.name));
        let names: Vec<&str> = fields.map(|field| field.name).collect();
        (!names.is_empty()).then(|| format!("  {}: {}\n", config.name, names.join(", ")))
    };
    let users: String = registry.configs.iter().filter_map(|config| checked(&config)).collect();
    if !users.is_empty() {
        out += &format!("\nChecked\n{users}");
    }
    out
}

fn port(port: &PortSpecs) -> String {
    let axes: Vec<String> = port.axes.iter().map(ToString::to_string).collect();
    let notes =
        [(port.optional, ", optional"), (port.variadic, ", any number of sources"), (port.settable, ", settable")];
    let notes: String = notes.iter().filter(|(is, _)| *is).map(|(_, note)| *note).collect();
    // A port that says nothing carries what its payload stands for.
    let about = if port.description.is_empty() { port.payload.description } else { port.description };
    format!("  {}: {} over ({}){notes}\n      {}\n", port.name, port.payload.name, axes.join(", "), summary(about))
}

/// The parameters of a configuration, without those that were said before.
fn parameters(spec: &ConfigSpec, said: &[&str]) -> String {
    let mut out = format!("\nParameters ({})\n", spec.name);
    for field in spec.fields.iter().filter(|field| !said.contains(&field.name)) {
        let default = match field.default {
            Some(default) => format!("default {}", field.show(&default())),
            None => "required".into(),
        };
        let unit = if field.default.is_none() { field.units.map(|u| format!(", in {u}")) } else { None };
        let checks: Vec<&str> = field.checks.iter().map(|check| check.allowed).collect();
        let checks = if checks.is_empty() { String::new() } else { format!("; must {}", checks.join(" and ")) };
        let python = field.python_default.map(|d| format!("; {} in files of the Python Spark", field.show(&d())));
        let alias = field.alias.map(|alias| format!("; also called {alias}")).unwrap_or_default();
        out += &format!(
            "  {}: {}, {default}{}{checks}{}{alias}\n",
            field.name,
            field.type_name.replace(' ', ""),
            unit.unwrap_or_default(),
            python.unwrap_or_default()
        );
        if !field.description.is_empty() {
            out += &format!("      {}\n", prose(field.description).replace('\n', "\n      "));
        }
    }
    out
}
