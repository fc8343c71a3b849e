//! Conversion of numbers, texts, lists and configurations to untyped values.

use super::Config;
use super::field::{FieldType, Units};
use super::param::Param;
use super::value::{ConfigTree, ConfigValue};
use spark_compiler::ir::{Array, DType};

macro_rules! from_field_type {
    ($($t:ty),*) => {$(
        impl From<$t> for ConfigValue {
            fn from(value: $t) -> ConfigValue {
                value.to_value()
            }
        }
    )*};
}
from_field_type!(bool, i32, i64, u32, usize, f64, String, DType, Array, Units, Param);

impl From<&str> for ConfigValue {
    fn from(text: &str) -> ConfigValue {
        ConfigValue::Text(text.into())
    }
}

impl From<ConfigTree> for ConfigValue {
    fn from(tree: ConfigTree) -> ConfigValue {
        ConfigValue::Config(Box::new(tree))
    }
}

impl<C: Config> From<C> for ConfigValue {
    fn from(config: C) -> ConfigValue {
        config.to_tree().into()
    }
}

impl<T: Into<ConfigValue>> From<Vec<T>> for ConfigValue {
    fn from(items: Vec<T>) -> ConfigValue {
        ConfigValue::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<ConfigValue>, const N: usize> From<[T; N]> for ConfigValue {
    fn from(items: [T; N]) -> ConfigValue {
        ConfigValue::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<ConfigValue>> From<Option<T>> for ConfigValue {
    fn from(value: Option<T>) -> ConfigValue {
        value.map_or(ConfigValue::Null, Into::into)
    }
}
