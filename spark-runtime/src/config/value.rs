//! Untyped values and trees: what a file holds, before any type is known.

use indexmap::IndexMap;
use spark_compiler::ir::{Array, DType};

/// One untyped value.
#[derive(Clone, Debug, PartialEq)]
pub enum ConfigValue {
    /// No value.
    Null,
    /// Truth value.
    Bool(bool),
    /// Integer.
    Int(i64),
    /// Number with a fraction or an exponent.
    Float(f64),
    /// Text.
    Text(String),
    /// A list, or one of Python's tuples.
    List(Vec<ConfigValue>),
    /// A storage type.
    DType(DType),
    /// A numeric array over one anonymous axis group that holds all its dimensions.
    Array(Array),
    /// A configuration that names its type, for example an initializer.
    Config(Box<ConfigTree>),
    /// A typed object that is not a configuration: `module_specs`, `port_map`, `port_specs`.
    Object {
        /// Its type as the file names it.
        type_name: String,
        /// Its fields, in file order.
        fields: IndexMap<String, ConfigValue>,
    },
    /// A reference to something registered.
    Class {
        /// The sub-registry: `MODULES`, `NEURONS`, `PAYLOADS`.
        registry: String,
        /// The name there.
        name: String,
    },
    /// Names and values without a type.
    Map(IndexMap<String, ConfigValue>),
}

/// An untyped configuration as read from a file.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigTree {
    /// The registered name of its type, as given (`leaky_soma_config` or `LeakySomaConfig`); empty if the file has none.
    pub type_name: String,
    /// Its fields, in file order. Names that begin with `__` are notes of Spark's and not fields.
    pub values: IndexMap<String, ConfigValue>,
}

impl ConfigTree {
    /// A configuration of type `type_name` without fields.
    pub fn new(type_name: impl Into<String>) -> ConfigTree {
        ConfigTree { type_name: type_name.into(), values: IndexMap::new() }
    }

    /// This tree with one field set.
    pub fn with(mut self, name: impl Into<String>, value: impl Into<ConfigValue>) -> ConfigTree {
        self.values.insert(name.into(), value.into());
        self
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&ConfigValue> {
        self.values.get(name)
    }
}

impl ConfigValue {
    /// What the value is, for messages: `a number`, `a list`, ...
    pub fn kind(&self) -> &'static str {
        match self {
            ConfigValue::Null => "null",
            ConfigValue::Bool(_) => "a truth value",
            ConfigValue::Int(_) => "an integer",
            ConfigValue::Float(_) => "a number",
            ConfigValue::Text(_) => "a string",
            ConfigValue::List(_) => "a list",
            ConfigValue::DType(_) => "a dtype",
            ConfigValue::Array(_) => "an array",
            ConfigValue::Config(_) => "a configuration",
            ConfigValue::Object { .. } => "an object",
            ConfigValue::Class { .. } => "a class",
            ConfigValue::Map(_) => "a map",
        }
    }

    /// What was found, for messages: the kind, and the value itself where it is short.
    pub(crate) fn found(&self) -> String {
        match self {
            ConfigValue::Bool(value) => value.to_string(),
            ConfigValue::Int(value) => value.to_string(),
            ConfigValue::Float(value) => value.to_string(),
            ConfigValue::Text(value) if value.chars().count() <= 40 => format!("the string \"{value}\""),
            ConfigValue::Config(tree) => format!("a `{}`", tree.type_name),
            ConfigValue::Object { type_name, .. } => format!("a `{type_name}`"),
            ConfigValue::Class { name, .. } => format!("the class `{name}`"),
            ConfigValue::Array(array) => format!("an array of dimensions {:?}", array.dims()),
            ConfigValue::Null
            | ConfigValue::Text(_)
            | ConfigValue::List(_)
            | ConfigValue::DType(_)
            | ConfigValue::Map(_) => self.kind().to_owned(),
        }
    }
}
