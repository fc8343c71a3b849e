//! The static description of a configuration type, and values under it.

use super::field::{FieldType, IntoConfigValue};
use super::validate::{self, ValidatorSpec};
use super::value::{ConfigTree, ConfigValue};
use crate::error::{Error, Result, unknown_name_help};
use indexmap::IndexMap;

/// What a configuration type is: emitted by `#[spark::config]`.
#[derive(Debug)]
pub struct ConfigSpec {
    /// Registered name: the struct's.
    pub name: &'static str,
    /// The struct's documentation.
    pub description: &'static str,
    /// The fields, in declaration order.
    pub fields: &'static [FieldSpec],
}

/// What one field of a configuration is.
#[derive(Clone, Copy, Debug)]
pub struct FieldSpec {
    /// Its name, in files as well.
    pub name: &'static str,
    /// Another name accepted when reading.
    pub alias: Option<&'static str>,
    /// Its Rust type, for messages.
    pub type_name: &'static str,
    /// Unit of its number or numbers.
    pub units: Option<&'static str>,
    /// The field's documentation.
    pub description: &'static str,
    /// What every number must pass ([`validate`]).
    pub checks: &'static [&'static ValidatorSpec],
    /// Gives the default; `None` if the field is required.
    pub default: Option<fn() -> ConfigValue>,
    /// What a file written by the Python Spark means that lacks this field, where that is not the default: fields that
    /// Spark has and the Python Spark has not.
    pub python_default: Option<fn() -> ConfigValue>,
}

impl ConfigSpec {
    /// The field called `name`, or with this alias.
    pub fn field(&self, name: &str) -> Option<&'static FieldSpec> {
        self.fields.iter().find(|field| field.name == name || field.alias == Some(name))
    }
}

/// Values for the fields of one configuration type, not yet converted.
#[derive(Clone, Debug)]
pub struct ConfigValues {
    spec: &'static ConfigSpec,
    values: IndexMap<String, ConfigValue>,
}

impl ConfigValues {
    /// No values yet.
    pub fn new(spec: &'static ConfigSpec) -> ConfigValues {
        ConfigValues { spec, values: IndexMap::new() }
    }

    /// The values of a tree, whatever its type name.
    pub fn from_tree(spec: &'static ConfigSpec, tree: &ConfigTree) -> ConfigValues {
        ConfigValues { spec, values: tree.values.clone() }
    }

    /// The description these values are for.
    pub fn spec(&self) -> &'static ConfigSpec {
        self.spec
    }

    /// The value given for `name`.
    pub fn get(&self, name: &str) -> Option<&ConfigValue> {
        self.values.get(name)
    }

    /// Sets a field.
    pub fn write(&mut self, name: &str, value: &(impl IntoConfigValue + ?Sized)) {
        self.values.insert(name.to_owned(), value.into_value());
    }

    /// The tree of these values.
    pub fn into_tree(self) -> ConfigTree {
        ConfigTree { type_name: self.spec.name.to_owned(), values: self.values }
    }

    /// Reads one field: its value, else the value under its alias, else its default; converted and checked.
    ///
    /// A mistake is recorded in `errors`. The field's default then stands in, so that who finds more mistakes can go on;
    /// `None` if there is none.
    pub fn read<T: FieldType>(&self, field: &FieldSpec, errors: &mut ConfigErrors) -> Option<T> {
        match self.convert(field) {
            Ok(value) => Some(value),
            Err(error) => {
                errors.push(error.prefixed(field.name));
                field.default.and_then(|make| T::from_value(&make()).ok())
            }
        }
    }

    fn convert<T: FieldType>(&self, field: &FieldSpec) -> Result<T> {
        let default;
        let value = match self.given(field)? {
            Some(value) => value,
            None => {
                // Only the Python Spark writes this note.
                let python = self.values.contains_key("__config_delimiter__");
                let legacy = field.python_default.filter(|_| python);
                let make = legacy.or(field.default).ok_or_else(|| missing(field))?;
                default = make();
                &default
            }
        };
        let converted = T::from_value(value)?;
        if let Some(numbers) = converted.numbers() {
            validate::check(&numbers, field)?;
        }
        Ok(converted)
    }

    fn given(&self, field: &FieldSpec) -> Result<Option<&ConfigValue>> {
        let named = self.values.get(field.name);
        let aliased = field.alias.and_then(|alias| self.values.get(alias));
        match (named, aliased, field.alias) {
            (Some(_), Some(_), Some(alias)) => {
                Err(Error::new(format!("given twice, as `{}` and as `{alias}`", field.name))
                    .help("remove one of the two"))
            }
            _ => Ok(named.or(aliased)),
        }
    }

    /// Records an error for every value that no field of the description takes. Names that begin with `__` are notes of
    /// Spark's and pass.
    pub fn unknown(&self, errors: &mut ConfigErrors) {
        for name in self.values.keys() {
            if !name.starts_with("__") && self.spec.field(name).is_none() {
                let known = self.spec.fields.iter().map(|field| field.name);
                let error = Error::new(format!("`{}` has no such field", self.spec.name)).at(name);
                errors.push(error.help(unknown_name_help(name, known)));
            }
        }
    }
}

pub(super) fn missing(field: &FieldSpec) -> Error {
    let about = if field.description.is_empty() { String::new() } else { format!(": {}", field.description) };
    Error::missing("missing required field").help(format!("give a value ({}{about})", field.type_name))
}

/// The mistakes found while a configuration is read.
#[derive(Debug, Default)]
pub struct ConfigErrors {
    errors: Vec<Error>,
}

impl ConfigErrors {
    /// None yet.
    pub fn new() -> ConfigErrors {
        ConfigErrors::default()
    }

    /// Records one more.
    pub fn push(&mut self, error: Error) {
        self.errors.push(error);
    }

    /// True as long as nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// The recorded mistakes.
    pub fn into_errors(self) -> Vec<Error> {
        self.errors
    }

    /// `Ok` if nothing was recorded.
    ///
    /// # Errors
    /// All recorded mistakes as one error.
    pub fn into_result(self) -> Result<()> {
        if self.errors.is_empty() { Ok(()) } else { Err(Error::many(self.errors)) }
    }
}
