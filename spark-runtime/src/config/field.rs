//! The types a configuration's field may have, and their conversion from and to untyped values.
//!
//! Integers are accepted where a number is asked for, and whole numbers where an integer is; truth values are never
//! numbers. Lists and one-dimensional arrays are interchangeable.

use super::value::{ConfigTree, ConfigValue};
use super::{Config, param};
use crate::error::{Error, Result, unknown_name_help};
use indexmap::IndexMap;
use spark_compiler::ir::{Array, DType};
use std::ops::Deref;

/// A type a configuration's field may have.
pub trait FieldType: Sized {
    /// Converts an untyped value.
    ///
    /// # Errors
    /// If the value is of another kind or outside the type's range; the path of the error is relative to the field.
    fn from_value(value: &ConfigValue) -> Result<Self>;

    /// The untyped form; reading it gives an equal value.
    fn to_value(&self) -> ConfigValue;

    /// The numbers a check looks at; `None` if there is nothing to check.
    fn numbers(&self) -> Option<Vec<f64>> {
        None
    }
}

/// Conversion of a field's value to its untyped form; every [`FieldType`] has it.
pub trait IntoConfigValue {
    /// The untyped form.
    #[allow(clippy::wrong_self_convention, reason = "the name macros emit; the value is kept")]
    fn into_value(&self) -> ConfigValue;
}

impl<T: FieldType> IntoConfigValue for T {
    fn into_value(&self) -> ConfigValue {
        self.to_value()
    }
}

/// The error of a value of the wrong kind.
pub(crate) fn mismatch(expected: &str, value: &ConfigValue) -> Error {
    Error::new(format!("must be {expected}, found {}", value.found()))
}

impl FieldType for f64 {
    fn from_value(value: &ConfigValue) -> Result<f64> {
        match value {
            ConfigValue::Int(x) => Ok(*x as f64),
            ConfigValue::Float(x) => Ok(*x),
            other => Err(mismatch("a number", other)),
        }
    }

    fn to_value(&self) -> ConfigValue {
        ConfigValue::Float(*self)
    }

    fn numbers(&self) -> Option<Vec<f64>> {
        Some(vec![*self])
    }
}

impl FieldType for i64 {
    fn from_value(value: &ConfigValue) -> Result<i64> {
        match value {
            ConfigValue::Int(x) => Ok(*x),
            // Beyond 2⁵³ a float no longer says which integer was meant.
            ConfigValue::Float(x) if x.fract() == 0.0 && x.abs() <= 9_007_199_254_740_992.0 => Ok(*x as i64),
            other => Err(mismatch("an integer", other)),
        }
    }

    fn to_value(&self) -> ConfigValue {
        ConfigValue::Int(*self)
    }

    fn numbers(&self) -> Option<Vec<f64>> {
        Some(vec![*self as f64])
    }
}

macro_rules! integer_field {
    ($($t:ty),*) => {$(
        impl FieldType for $t {
            fn from_value(value: &ConfigValue) -> Result<$t> {
                let wide = i64::from_value(value)?;
                <$t>::try_from(wide).map_err(|_| {
                    Error::new(format!("must be an integer from {} to {}, found {wide}", <$t>::MIN, <$t>::MAX))
                })
            }

            fn to_value(&self) -> ConfigValue {
                // A `usize` beyond `i64` cannot have come from a file and is refused when it is read back.
                i64::try_from(*self).map_or(ConfigValue::Float(*self as f64), ConfigValue::Int)
            }

            fn numbers(&self) -> Option<Vec<f64>> {
                Some(vec![*self as f64])
            }
        }
    )*};
}
integer_field!(i32, u32, usize);

impl FieldType for bool {
    fn from_value(value: &ConfigValue) -> Result<bool> {
        match value {
            ConfigValue::Bool(x) => Ok(*x),
            ConfigValue::Int(0) => Ok(false),
            ConfigValue::Int(1) => Ok(true),
            other => Err(mismatch("true or false", other)),
        }
    }

    fn to_value(&self) -> ConfigValue {
        ConfigValue::Bool(*self)
    }
}

impl FieldType for String {
    fn from_value(value: &ConfigValue) -> Result<String> {
        match value {
            ConfigValue::Text(text) => Ok(text.clone()),
            other => Err(mismatch("a string", other)),
        }
    }

    fn to_value(&self) -> ConfigValue {
        ConfigValue::Text(self.clone())
    }
}

impl FieldType for DType {
    fn from_value(value: &ConfigValue) -> Result<DType> {
        match value {
            ConfigValue::DType(dtype) => Ok(*dtype),
            ConfigValue::Text(name) => parse_dtype(name),
            other => Err(mismatch("a dtype", other)),
        }
    }

    fn to_value(&self) -> ConfigValue {
        ConfigValue::DType(*self)
    }
}

/// Reads the name of a storage type.
pub(crate) fn parse_dtype(name: &str) -> Result<DType> {
    DType::parse(name).ok_or_else(|| {
        let names = DType::ALL.map(DType::long_name);
        Error::new(format!("unsupported dtype `{name}`")).help(unknown_name_help(name, names))
    })
}

impl FieldType for ConfigValue {
    fn from_value(value: &ConfigValue) -> Result<ConfigValue> {
        Ok(value.clone())
    }

    fn to_value(&self) -> ConfigValue {
        self.clone()
    }
}

impl<T: FieldType> FieldType for Option<T> {
    fn from_value(value: &ConfigValue) -> Result<Option<T>> {
        match value {
            ConfigValue::Null => Ok(None),
            other => T::from_value(other).map(Some),
        }
    }

    fn to_value(&self) -> ConfigValue {
        self.as_ref().map_or(ConfigValue::Null, T::to_value)
    }

    fn numbers(&self) -> Option<Vec<f64>> {
        self.as_ref().and_then(T::numbers)
    }
}

impl<T: FieldType> FieldType for Vec<T> {
    fn from_value(value: &ConfigValue) -> Result<Vec<T>> {
        let items = match value {
            ConfigValue::List(items) => items,
            ConfigValue::Array(array) if array.dims().len() == 1 => &param::array_items(array),
            other => return Err(mismatch("a list", other)),
        };
        let mut errors = Vec::new();
        let mut list = Vec::with_capacity(items.len());
        for (i, item) in items.iter().enumerate() {
            match T::from_value(item) {
                Ok(item) => list.push(item),
                Err(error) => errors.push(error.prefixed(&format!("[{i}]"))),
            }
        }
        if errors.is_empty() { Ok(list) } else { Err(Error::many(errors)) }
    }

    fn to_value(&self) -> ConfigValue {
        ConfigValue::List(self.iter().map(T::to_value).collect())
    }

    fn numbers(&self) -> Option<Vec<f64>> {
        let numbers: Option<Vec<Vec<f64>>> = self.iter().map(T::numbers).collect();
        numbers.map(|lists| lists.concat())
    }
}

impl<T: FieldType> FieldType for IndexMap<String, T> {
    fn from_value(value: &ConfigValue) -> Result<IndexMap<String, T>> {
        let ConfigValue::Map(entries) = value else { return Err(mismatch("a map", value)) };
        let read = |(name, item): (&String, &ConfigValue)| match T::from_value(item) {
            Ok(item) => Ok((name.clone(), item)),
            Err(error) => Err(error.prefixed(name)),
        };
        entries.iter().map(read).collect()
    }

    fn to_value(&self) -> ConfigValue {
        ConfigValue::Map(self.iter().map(|(name, item)| (name.clone(), item.to_value())).collect())
    }
}

/// A nested configuration; an untyped map is read as one, since Spark's files leave the type out in places.
impl<C: Config> FieldType for C {
    fn from_value(value: &ConfigValue) -> Result<C> {
        match value {
            ConfigValue::Config(tree) => C::from_tree(tree),
            ConfigValue::Map(values) => C::from_tree(&ConfigTree { type_name: String::new(), values: values.clone() }),
            other => Err(mismatch(&format!("a `{}`", C::spec().name), other)),
        }
    }

    fn to_value(&self) -> ConfigValue {
        ConfigValue::Config(Box::new(self.to_tree()))
    }
}

impl FieldType for Array {
    fn from_value(value: &ConfigValue) -> Result<Array> {
        param::read_array(value)
    }

    fn to_value(&self) -> ConfigValue {
        ConfigValue::Array(param::anonymous(self))
    }

    fn numbers(&self) -> Option<Vec<f64>> {
        Some(self.to_f64())
    }
}

/// The most units of a population: far beyond what a dense kernel onto it could be stored for.
const MOST_UNITS: usize = 1 << 24;

/// The dimensions of a population, outermost first: at least one, each at least 1.
///
/// The conversions into it do not check; reading a configuration, [`Config::validate`] and [`Units::check`] do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Units(pub Vec<usize>);

impl Units {
    /// Checks the invariant.
    ///
    /// # Errors
    /// If there is no dimension, a dimension is 0, or there are more than 2^24 units.
    pub fn check(&self) -> Result<()> {
        if self.0.is_empty() {
            return Err(Error::new("must have at least one dimension, found none"));
        }
        if let Some(i) = self.0.iter().position(|&dim| dim == 0) {
            return Err(Error::new("must be at least 1, found 0").at(format!("[{i}]")));
        }
        match self.0.iter().try_fold(1usize, |n, &dim| n.checked_mul(dim)) {
            Some(n) if n <= MOST_UNITS.min(spark_compiler::array::budget::most_elements()) => Ok(()),
            _ => Err(Error::new(format!("{:?} are too many units", self.0))
                .help("at most 2^24 are possible, fewer under a limit of memory")),
        }
    }

    /// Number of units.
    ///
    /// # Panics
    /// In debug builds, if it does not fit; [`Units::check`] refuses that.
    pub fn size(&self) -> usize {
        self.0.iter().product()
    }
}

impl FieldType for Units {
    fn from_value(value: &ConfigValue) -> Result<Units> {
        let units = match value {
            ConfigValue::Int(_) => Units(vec![usize::from_value(value)?]),
            ConfigValue::List(_) | ConfigValue::Array(_) => Units(Vec::from_value(value)?),
            other => return Err(mismatch("a list of dimensions", other)),
        };
        units.check()?;
        Ok(units)
    }

    fn to_value(&self) -> ConfigValue {
        self.0.to_value()
    }

    fn numbers(&self) -> Option<Vec<f64>> {
        self.0.numbers()
    }
}

impl Deref for Units {
    type Target = [usize];

    fn deref(&self) -> &[usize] {
        &self.0
    }
}

impl From<usize> for Units {
    fn from(size: usize) -> Units {
        Units(vec![size])
    }
}

impl<const N: usize> From<[usize; N]> for Units {
    fn from(dims: [usize; N]) -> Units {
        Units(dims.to_vec())
    }
}

impl From<Vec<usize>> for Units {
    fn from(dims: Vec<usize>) -> Units {
        Units(dims)
    }
}

impl From<&[usize]> for Units {
    fn from(dims: &[usize]) -> Units {
        Units(dims.to_vec())
    }
}
