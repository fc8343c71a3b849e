//! From plain JSON to configuration trees.
//!
//! Every error carries the path inside the configuration (`modules_specs[1].config.kernel.density`), without the wrappers
//! `__cfg__` and `__data__`. Entries whose names begin with `__` are notes of Spark's, the graph editor's for example: what
//! cannot be decoded there is kept as it is.

use super::read::Json;
use crate::config::{ConfigTree, ConfigValue};
use crate::error::{Error, Result, unknown_name_help};
use indexmap::IndexMap;
use spark_compiler::ir::{Array, Axis, DType, Data, Shape};

/// The versions of the wrapper `{"__version__": .., "__data__": ..}` that are read.
const VERSIONS: [&str; 1] = ["1.0"];
/// The types of objects that are not configurations.
const OBJECTS: [&str; 3] = ["module_specs", "port_map", "port_specs"];

type Entries = IndexMap<String, Json>;

/// Decodes a whole file.
pub(super) fn config(json: Json) -> Result<ConfigTree> {
    match value(json)? {
        ConfigValue::Config(tree) => Ok(*tree),
        other => {
            let message = format!(
                "not a configuration: an object with `__type__` and `__cfg__` is needed, found {}",
                other.found()
            );
            Err(Error::new(message))
        }
    }
}

fn value(json: Json) -> Result<ConfigValue> {
    Ok(match json {
        Json::Null => ConfigValue::Null,
        Json::Bool(value) => ConfigValue::Bool(value),
        Json::Int(value) => ConfigValue::Int(value),
        Json::Float(value) => ConfigValue::Float(value),
        Json::Text(text) => ConfigValue::Text(text.into()),
        Json::List(items) => {
            let item = |(i, item)| value(item).map_err(|error| error.prefixed(&format!("[{i}]")));
            ConfigValue::List(items.into_iter().enumerate().map(item).collect::<Result<_>>()?)
        }
        Json::Map(entries) => object(*entries)?,
    })
}

/// An object, by the entry that says what it is.
fn object(mut entries: Entries) -> Result<ConfigValue> {
    if entries.contains_key("__version__") && entries.contains_key("__data__") {
        version(&entries)?;
        return value(take(&mut entries, "__data__"));
    }
    if let Some(name) = text(&entries, "__payload_type__")? {
        return Ok(ConfigValue::Class { registry: "PAYLOADS".to_owned(), name });
    }
    if let Some(name) = text(&entries, "__module_type__")? {
        let registry = text(&entries, "__subregistry__")?.unwrap_or_else(|| "MODULES".to_owned());
        return Ok(ConfigValue::Class { registry, name });
    }
    let Some(type_name) = text(&entries, "__type__")? else {
        return match entries.contains_key("__cfg__") {
            true => Err(Error::new("a configuration needs a `__type__`")),
            false => Ok(ConfigValue::Map(fields(entries)?)),
        };
    };
    if entries.contains_key("__cfg__") {
        let values = fields(map(take(&mut entries, "__cfg__"), "__cfg__")?)?;
        return Ok(ConfigValue::Config(Box::new(ConfigTree { type_name, values })));
    }
    match type_name.as_str() {
        "dtype" => Ok(ConfigValue::DType(dtype(&required_text(&entries, "name")?)?)),
        "jax_array" | "numpy_array" => array(&mut entries).map(ConfigValue::Array),
        name if OBJECTS.contains(&name) => {
            let fields = fields(map(take(&mut entries, "__data__"), "__data__")?)?;
            Ok(ConfigValue::Object { type_name, fields })
        }
        name => {
            let known = OBJECTS.into_iter().chain(["dtype", "jax_array", "numpy_array"]);
            let known: Vec<&str> = known.collect();
            let error = Error::new(format!("unknown `__type__` `{name}` of an object without `__cfg__`"));
            Err(error.help(unknown_name_help(name, known)))
        }
    }
}

fn version(entries: &Entries) -> Result<()> {
    let version = required_text(entries, "__version__")?;
    if VERSIONS.contains(&version.as_str()) {
        return Ok(());
    }
    Err(Error::new(format!("unsupported version `{version}`")).help(format!("supported: {}", VERSIONS.join(", "))))
}

fn fields(entries: Entries) -> Result<IndexMap<String, ConfigValue>> {
    let field = |(name, json): (String, Json)| {
        let decoded = if name.starts_with("__") {
            value(json.clone()).unwrap_or_else(|_| plain(json))
        } else {
            value(json).map_err(|error| error.prefixed(&name))?
        };
        Ok((name, decoded))
    };
    entries.into_iter().map(field).collect()
}

/// JSON without interpretation.
fn plain(json: Json) -> ConfigValue {
    match json {
        Json::Null => ConfigValue::Null,
        Json::Bool(value) => ConfigValue::Bool(value),
        Json::Int(value) => ConfigValue::Int(value),
        Json::Float(value) => ConfigValue::Float(value),
        Json::Text(text) => ConfigValue::Text(text.into()),
        Json::List(items) => ConfigValue::List(items.into_iter().map(plain).collect()),
        Json::Map(entries) => ConfigValue::Map(entries.into_iter().map(|(name, json)| (name, plain(json))).collect()),
    }
}

fn dtype(name: &str) -> Result<DType> {
    // NumPy's name of its truth value type.
    let name = if name == "bool_" { "bool" } else { name };
    crate::config::parse_dtype(name)
}

fn array(entries: &mut Entries) -> Result<Array> {
    let name = required_text(entries, "dtype")?;
    let dims = dims(take(entries, "shape"))?;
    let size = dims.iter().try_fold(1usize, |n, &dim| n.checked_mul(dim));
    let size = size.ok_or_else(|| Error::new("too many elements").at("shape"))?;
    // The size is a claim of the file's: the memory grows with the elements that are there.
    let mut numbers = Vec::new();
    flatten(take(entries, "data"), &dims, &mut numbers).map_err(|error| error.prefixed("data"))?;
    if numbers.len() != size {
        return Err(Error::new(format!("{} numbers do not fill the shape {dims:?}", numbers.len())).at("data"));
    }
    let dtype = match name.as_str() {
        // NumPy's index arrays have 64 bits; Spark's are small.
        "int64" | "uint32" | "int16" | "int8" => DType::I32,
        name => dtype(name).map_err(|error| error.at("dtype"))?,
    };
    let numbers = Data::F64(numbers);
    let stored = numbers.convert(dtype);
    // Floating-point numbers round; integers must be what the file says.
    let changed = |&i: &usize| !dtype.is_float() && stored.get_f64(i) != numbers.get_f64(i);
    if let Some(i) = (0..size).find(changed) {
        return Err(Error::new(format!("{} does not fit {dtype}", numbers.get_f64(i))).at("data"));
    }
    let shape = if dims.is_empty() { Shape::scalar() } else { Shape::of(Axis::anonymous(0), &dims) };
    Array::new(shape, stored).map_err(|e| Error::new(e.to_string()))
}

fn dims(json: Json) -> Result<Vec<usize>> {
    let error = || Error::new("must be a list of dimensions").at("shape");
    let Json::List(items) = json else { return Err(error()) };
    let dim = |item| match item {
        Json::Int(dim) => usize::try_from(dim).map_err(|_| error()),
        _ => Err(error()),
    };
    items.into_iter().map(dim).collect()
}

/// Appends the numbers of lists nested as `dims` says.
fn flatten(json: Json, dims: &[usize], numbers: &mut Vec<f64>) -> Result<()> {
    match (json, dims) {
        (Json::Int(x), []) => numbers.push(x as f64),
        (Json::Float(x), []) => numbers.push(x),
        (Json::Bool(x), []) => numbers.push(f64::from(u8::from(x))),
        (Json::List(items), [dim, inner @ ..]) if items.len() == *dim => {
            for (i, item) in items.into_iter().enumerate() {
                flatten(item, inner, numbers).map_err(|error| error.prefixed(&format!("[{i}]")))?;
            }
        }
        (_, []) => return Err(Error::new("must be a number")),
        (Json::List(items), [dim, ..]) => {
            return Err(Error::new(format!("must be a list of {dim}, as `shape` says, found {}", items.len())));
        }
        (_, [dim, ..]) => return Err(Error::new(format!("must be a list of {dim}, as `shape` says"))),
    }
    Ok(())
}

/// Moves an entry out; null if there is none.
fn take(entries: &mut Entries, name: &str) -> Json {
    entries.get_mut(name).map_or(Json::Null, |json| std::mem::replace(json, Json::Null))
}

fn map(json: Json, name: &str) -> Result<Entries> {
    match json {
        Json::Map(entries) => Ok(*entries),
        _ => Err(Error::new(format!("`{name}` must be an object"))),
    }
}

fn text(entries: &Entries, name: &str) -> Result<Option<String>> {
    match entries.get(name) {
        None => Ok(None),
        Some(Json::Text(text)) if !text.is_empty() => Ok(Some(text.to_string())),
        Some(_) => Err(Error::new(format!("`{name}` must be a non-empty string"))),
    }
}

fn required_text(entries: &Entries, name: &str) -> Result<String> {
    text(entries, name)?.ok_or_else(|| Error::new(format!("`{name}` is missing")))
}
