//! From configuration trees to bytes, in the layout of the Python Spark.

use crate::config::{ConfigTree, ConfigValue};
use crate::error::{Error, Result};
use crate::registry::snake_case;
use indexmap::IndexMap;
use lzma_rust2::{XzOptions, XzWriter};
use serde::ser::{Serialize, SerializeMap, Serializer};
use spark_compiler::ir::{Array, DType};
use std::io::Write;

/// Entries Spark puts first in every configuration.
const NOTES: [&str; 4] =
    ["__config_delimiter__", "__shared_config_delimiter__", "__metadata__", "__graph_editor_metadata__"];

/// The bytes of a configuration file, plain or compressed.
///
/// Type names are written in snake case, as Spark registers them.
///
/// # Errors
/// If a number is not finite: JSON has none for it.
pub fn write(tree: &ConfigTree, compressed: bool) -> Result<Vec<u8>> {
    tree.values.iter().try_for_each(|(name, value)| finite(value).map_err(|error| error.prefixed(name)))?;
    let cannot = |e: &dyn std::fmt::Display| Error::new(format!("cannot write the configuration: {e}"));
    let mut text = Vec::new();
    let layout = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, layout);
    Tree(tree).serialize(&mut serializer).map_err(|e| cannot(&e))?;
    if !compressed {
        return Ok(text);
    }
    let mut writer = XzWriter::new(Vec::new(), XzOptions::with_preset(6)).map_err(|e| cannot(&e))?;
    writer.write_all(&text).map_err(|e| cannot(&e))?;
    writer.finish().map_err(|e| cannot(&e))
}

fn finite(value: &ConfigValue) -> Result<()> {
    let entries = |entries: &IndexMap<String, ConfigValue>| {
        entries.iter().try_for_each(|(name, value)| finite(value).map_err(|error| error.prefixed(name)))
    };
    match value {
        ConfigValue::Float(x) if !x.is_finite() => Err(Error::new(format!("{x} cannot be written: it is not finite"))),
        ConfigValue::Array(array) => match array.to_f64().into_iter().find(|x| !x.is_finite()) {
            Some(x) => Err(Error::new(format!("{x} cannot be written: it is not finite"))),
            None => Ok(()),
        },
        ConfigValue::List(items) => {
            let item = |(i, item)| finite(item).map_err(|error| error.prefixed(&format!("[{i}]")));
            items.iter().enumerate().try_for_each(item)
        }
        ConfigValue::Config(tree) => entries(&tree.values),
        ConfigValue::Object { fields, .. } => entries(fields),
        ConfigValue::Map(map) => entries(map),
        ConfigValue::Null
        | ConfigValue::Bool(_)
        | ConfigValue::Int(_)
        | ConfigValue::Float(_)
        | ConfigValue::Text(_)
        | ConfigValue::DType(_)
        | ConfigValue::Class { .. } => Ok(()),
    }
}

/// `{"__type__": .., "__cfg__": {..}}`.
struct Tree<'a>(&'a ConfigTree);

impl Serialize for Tree<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("__type__", &snake_case(&self.0.type_name))?;
        map.serialize_entry("__cfg__", &Fields(&self.0.values))?;
        map.end()
    }
}

/// The fields of a configuration after the notes Spark expects.
struct Fields<'a>(&'a IndexMap<String, ConfigValue>);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for name in NOTES {
            match (self.0.get(name), name) {
                (Some(value), _) => map.serialize_entry(name, &Value(value))?,
                (None, "__config_delimiter__") => map.serialize_entry(name, "__")?,
                (None, "__shared_config_delimiter__") => map.serialize_entry(name, "_s_")?,
                (None, _) => map.serialize_entry(name, &Map(&IndexMap::new()))?,
            }
        }
        for (name, value) in self.0.iter().filter(|(name, _)| !NOTES.contains(&name.as_str())) {
            map.serialize_entry(name, &Value(value))?;
        }
        map.end()
    }
}

struct Map<'a>(&'a IndexMap<String, ConfigValue>);

impl Serialize for Map<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, Value(value))))
    }
}

struct Value<'a>(&'a ConfigValue);

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            ConfigValue::Null => serializer.serialize_unit(),
            ConfigValue::Bool(value) => serializer.serialize_bool(*value),
            ConfigValue::Int(value) => serializer.serialize_i64(*value),
            ConfigValue::Float(value) => serializer.serialize_f64(*value),
            ConfigValue::Text(text) => serializer.serialize_str(text),
            ConfigValue::List(items) => serializer.collect_seq(items.iter().map(Value)),
            ConfigValue::DType(dtype) => serializer.collect_map([("__type__", "dtype"), ("name", dtype.long_name())]),
            ConfigValue::Array(array) => array_object(array, serializer),
            ConfigValue::Config(tree) => Tree(tree).serialize(serializer),
            ConfigValue::Object { type_name, fields } => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("__type__", type_name)?;
                map.serialize_entry("__data__", &Map(fields))?;
                map.end()
            }
            ConfigValue::Class { registry, name } if registry == "PAYLOADS" => {
                serializer.collect_map([("__payload_type__", name)])
            }
            ConfigValue::Class { registry, name } => {
                serializer.collect_map([("__module_type__", name), ("__subregistry__", registry)])
            }
            ConfigValue::Map(map) => Map(map).serialize(serializer),
        }
    }
}

fn array_object<S: Serializer>(array: &Array, serializer: S) -> Result<S::Ok, S::Error> {
    let (dims, numbers) = (array.dims(), array.to_f64());
    let mut map = serializer.serialize_map(Some(4))?;
    map.serialize_entry("__type__", "jax_array")?;
    map.serialize_entry("dtype", array.dtype().long_name())?;
    map.serialize_entry("shape", &dims)?;
    map.serialize_entry("data", &Nested { dims: &dims, numbers: &numbers, dtype: array.dtype() })?;
    map.end()
}

/// Numbers as lists nested as `dims` says.
struct Nested<'a> {
    dims: &'a [usize],
    numbers: &'a [f64],
    dtype: DType,
}

impl Serialize for Nested<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some((&dim, inner)) = self.dims.split_first() else {
            let number = self.numbers.first().copied().unwrap_or_default();
            return match self.dtype {
                DType::F16 | DType::BF16 | DType::F32 | DType::F64 => serializer.serialize_f64(number),
                DType::U8 | DType::U16 | DType::I32 => serializer.serialize_i64(number as i64),
                DType::Bool => serializer.serialize_bool(number != 0.0),
            };
        };
        let row: usize = inner.iter().product();
        let rows =
            (0..dim).map(|i| Nested { dims: inner, numbers: &self.numbers[i * row..][..row], dtype: self.dtype });
        serializer.collect_seq(rows)
    }
}
