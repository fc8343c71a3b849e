//! The wiring of a controller: which modules it has, and what is connected to their ports.

use super::user;
use crate::config::{Config, ConfigTree, ConfigValue, FieldType};
use crate::error::{Error, Result};
use crate::registry::{Registry, snake_case};
use indexmap::IndexMap;

/// Where a port's data comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PortMap {
    /// A module's name, `__call__` (an input of the controller) or `__self__` (the controller itself).
    pub origin: String,
    /// The port there.
    pub port: String,
    /// The port is a property.
    pub is_property: bool,
}

impl PortMap {
    /// Origin of the controller's own inputs.
    pub const CALL: &'static str = "__call__";
    /// Origin of the controller's own properties.
    pub const SELF: &'static str = "__self__";

    /// An output port of a module, or an input of the controller.
    pub fn output(origin: impl Into<String>, port: impl Into<String>) -> PortMap {
        PortMap { origin: origin.into(), port: port.into(), is_property: false }
    }

    /// A property of a module or of the controller.
    pub fn property(origin: impl Into<String>, port: impl Into<String>) -> PortMap {
        PortMap { origin: origin.into(), port: port.into(), is_property: true }
    }
}

/// One module of a controller.
#[derive(Clone, Debug, PartialEq)]
pub struct ModuleSpecs {
    /// Its name in the controller.
    pub name: String,
    /// Registered name of its type.
    pub module_cls: String,
    /// Sources of each input port.
    pub inputs: IndexMap<String, Vec<PortMap>>,
    /// Outputs of the controller that this module provides: name of the output, port of the module.
    pub outputs: IndexMap<String, String>,
    /// Properties of this module that are set at the end of a step, and what to.
    pub effects: IndexMap<String, Vec<PortMap>>,
    /// Its configuration; fields may be missing where they have defaults.
    pub config: ConfigTree,
}

impl ModuleSpecs {
    /// A module of type `module_cls` without connections.
    pub fn new(name: impl Into<String>, module_cls: impl Into<String>) -> ModuleSpecs {
        ModuleSpecs {
            name: name.into(),
            module_cls: module_cls.into(),
            inputs: IndexMap::new(),
            outputs: IndexMap::new(),
            effects: IndexMap::new(),
            config: ConfigTree::new(""),
        }
    }

    /// Connects `source` to the input `port`.
    pub fn input(mut self, port: impl Into<String>, source: PortMap) -> ModuleSpecs {
        self.inputs.entry(port.into()).or_default().push(source);
        self
    }

    /// Makes the module's output `port` the controller's output `name`.
    pub fn output(mut self, name: impl Into<String>, port: impl Into<String>) -> ModuleSpecs {
        self.outputs.insert(name.into(), port.into());
        self
    }

    /// Sets the property `port` from `source` at the end of each step.
    pub fn effect(mut self, port: impl Into<String>, source: PortMap) -> ModuleSpecs {
        self.effects.entry(port.into()).or_default().push(source);
        self
    }

    /// Uses this configuration.
    pub fn config(mut self, config: &impl Config) -> ModuleSpecs {
        self.config = config.to_tree();
        self
    }
}

type Fields = IndexMap<String, ConfigValue>;

fn object<'a>(value: &'a ConfigValue, expected: &str) -> Result<&'a Fields> {
    match value {
        ConfigValue::Object { type_name, fields } if type_name == expected => Ok(fields),
        ConfigValue::Map(fields) => Ok(fields),
        other => Err(Error::new(format!("expected a `{expected}`, found {}", other.kind()))),
    }
}

fn field<T: FieldType>(fields: &Fields, name: &str) -> Result<T> {
    let value = fields.get(name).ok_or_else(|| Error::missing("missing required field").at(name))?;
    T::from_value(value).map_err(|e| e.prefixed(name))
}

/// An optional table of named things.
fn table<T: FieldType>(fields: &Fields, name: &str) -> Result<IndexMap<String, T>> {
    match fields.get(name) {
        None | Some(ConfigValue::Null) => Ok(IndexMap::new()),
        Some(value) => IndexMap::from_value(value).map_err(|e: Error| e.prefixed(name)),
    }
}

fn known(fields: &Fields, names: &[&str]) -> Result<()> {
    match fields.keys().find(|name| !names.contains(&name.as_str())) {
        Some(unknown) => {
            let help = crate::error::unknown_name_help(unknown, names.iter().copied());
            Err(Error::new("there is no such field").at(unknown).help(help))
        }
        None => Ok(()),
    }
}

impl FieldType for PortMap {
    fn from_value(value: &ConfigValue) -> Result<PortMap> {
        let fields = object(value, "port_map")?;
        known(fields, &["origin", "port", "is_property"])?;
        let is_property = if fields.contains_key("is_property") { field(fields, "is_property")? } else { false };
        Ok(PortMap { origin: field(fields, "origin")?, port: field(fields, "port")?, is_property })
    }

    fn to_value(&self) -> ConfigValue {
        let mut fields = Fields::new();
        fields.insert("origin".into(), ConfigValue::Text(self.origin.clone()));
        fields.insert("port".into(), ConfigValue::Text(self.port.clone()));
        fields.insert("is_property".into(), ConfigValue::Bool(self.is_property));
        ConfigValue::Object { type_name: "port_map".into(), fields }
    }
}

impl FieldType for ModuleSpecs {
    fn from_value(value: &ConfigValue) -> Result<ModuleSpecs> {
        let fields = object(value, "module_specs")?;
        known(fields, &["name", "module_cls", "inputs", "outputs", "effects", "config"])?;
        let name: String = field(fields, "name")?;
        let module_cls = match fields.get("module_cls") {
            Some(ConfigValue::Class { name, .. } | ConfigValue::Text(name)) => name.clone(),
            Some(other) => {
                return Err(Error::new(format!("expected a module, found {}", other.kind())).at("module_cls"));
            }
            None => return Err(Error::missing("missing required field").at("module_cls")),
        };
        let config = match fields.get("config") {
            Some(ConfigValue::Map(values)) => ConfigTree { type_name: String::new(), values: values.clone() },
            Some(ConfigValue::Config(tree)) => (**tree).clone(),
            None | Some(ConfigValue::Null) => ConfigTree::new(""),
            Some(other) => {
                return Err(Error::new(format!("expected a configuration, found {}", other.kind())).at("config"));
            }
        };
        Ok(ModuleSpecs {
            name,
            module_cls,
            inputs: table(fields, "inputs")?,
            outputs: table(fields, "outputs")?,
            effects: table(fields, "effects")?,
            config,
        })
    }

    fn to_value(&self) -> ConfigValue {
        let ports = |table: &IndexMap<String, Vec<PortMap>>| {
            let list = |sources: &Vec<PortMap>| ConfigValue::List(sources.iter().map(FieldType::to_value).collect());
            ConfigValue::Map(table.iter().map(|(port, sources)| (port.clone(), list(sources))).collect())
        };
        let text = |(name, port): (&String, &String)| (name.clone(), ConfigValue::Text(port.clone()));
        // The Python Spark looks named neurons up elsewhere.
        let is_neuron = Registry::global().is_ok_and(|registry| registry.neurons.find(&self.module_cls).is_some())
            || user::neuron(&self.module_cls).is_some();
        let registry = if is_neuron { "NEURONS" } else { "MODULES" }.into();
        let class = ConfigValue::Class { registry, name: snake_case(&self.module_cls) };
        let mut fields = Fields::new();
        fields.insert("name".into(), ConfigValue::Text(self.name.clone()));
        fields.insert("module_cls".into(), class);
        fields.insert("inputs".into(), ports(&self.inputs));
        fields.insert("config".into(), ConfigValue::Map(self.config.values.clone()));
        fields.insert("outputs".into(), ConfigValue::Map(self.outputs.iter().map(text).collect()));
        fields.insert("effects".into(), ports(&self.effects));
        ConfigValue::Object { type_name: "module_specs".into(), fields }
    }
}
