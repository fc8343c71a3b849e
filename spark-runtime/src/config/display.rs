//! Values in print.

use super::spec::FieldSpec;
use super::value::ConfigValue;
use crate::registry::snake_case;
use std::fmt;

/// Longest array that is printed number by number.
const SHORT: usize = 6;

/// As people read it: `0.5`, `[4, 2]`, `uniform(scale = 3)`; long arrays by type and dimensions.
impl fmt::Display for ConfigValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields =
            |f: &mut fmt::Formatter<'_>, name: &str, pairs: &mut dyn Iterator<Item = (&String, &ConfigValue)>| {
                // Notes, and fields that only repeat that nothing was said, are left out.
                let said = pairs.filter(|(key, value)| !key.starts_with("__") && **value != ConfigValue::Null);
                let said: Vec<String> = said.map(|(key, value)| format!("{key} = {value}")).collect();
                write!(f, "{name}({})", said.join(", "))
            };
        match self {
            ConfigValue::Null => f.write_str("none"),
            ConfigValue::Bool(value) => value.fmt(f),
            ConfigValue::Int(value) => value.fmt(f),
            ConfigValue::Float(value) => value.fmt(f),
            ConfigValue::Text(text) => f.write_str(text),
            ConfigValue::List(items) => list(f, items),
            ConfigValue::DType(dtype) => f.write_str(dtype.long_name()),
            ConfigValue::Array(array) if array.len() <= SHORT => list(f, &array.to_f64()),
            ConfigValue::Array(array) => {
                let dims: Vec<String> = array.dims().iter().map(ToString::to_string).collect();
                write!(f, "{} array of {}", array.dtype().long_name(), dims.join("x"))
            }
            ConfigValue::Config(tree) => {
                let name = snake_case(&tree.type_name);
                let name = name.trim_end_matches("_config").trim_end_matches("_initializer");
                fields(f, name, &mut tree.values.iter().filter(|(key, _)| *key != "dtype"))
            }
            ConfigValue::Object { type_name, fields: inner } => fields(f, type_name, &mut inner.iter()),
            ConfigValue::Class { name, .. } => f.write_str(name),
            ConfigValue::Map(map) => fields(f, "", &mut map.iter()),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, items: &[impl fmt::Display]) -> fmt::Result {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    write!(f, "[{}]", items.join(", "))
}

impl FieldSpec {
    /// A value of this field with its unit.
    pub fn show(&self, value: &ConfigValue) -> String {
        with_unit(value, self.units)
    }
}

/// A value with its unit.
pub(crate) fn with_unit(value: &ConfigValue, units: Option<&str>) -> String {
    match units.filter(|&unit| unit != "1" && *value != ConfigValue::Null) {
        Some(unit) => format!("{value} {unit}"),
        None => value.to_string(),
    }
}
