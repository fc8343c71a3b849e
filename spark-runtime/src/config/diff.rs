//! Differences between configurations.

use super::layout::{MODULES, Values, module_class, module_fields, module_name};
use super::param::read_array;
use super::value::{ConfigTree, ConfigValue};
use crate::registry::snake_case;
use std::fmt;

/// A place where two configurations differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where: `soma.potential_tau`; `soma` for a module that only one of them has (its type), `soma.inputs.current` for a connection.
    pub path: String,
    /// What the first has there.
    pub left: Option<ConfigValue>,
    /// What the other has there.
    pub right: Option<ConfigValue>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<ConfigValue>| value.as_ref().map_or("nothing".into(), ToString::to_string);
        write!(f, "{}: {} | {}", self.path, shown(&self.left), shown(&self.right))
    }
}

impl ConfigTree {
    /// Where this configuration and `other` mean different things. Defaults count as given; notes (`__metadata__`), the
    /// order of fields, and the form of a value (`1` or `1.0`, a list or an array) make no difference.
    ///
    /// ```
    /// use spark::config::ConfigTree;
    ///
    /// let neuron = ConfigTree::new("LIFNeuronConfig").with("units", [10]);
    /// let other = neuron.clone().with("dt", 1).merged(&ConfigTree::partial().with("soma.potential_tau", 33.0))?;
    /// let differences = neuron.diff(&other);
    /// assert_eq!(differences.len(), 1);
    /// assert_eq!(differences[0].to_string(), "soma.potential_tau: 20 | 33");
    /// # Ok::<(), spark::Error>(())
    /// ```
    pub fn diff(&self, other: &ConfigTree) -> Vec<Difference> {
        let mut found = Found::default();
        if !same_name(&self.type_name, &other.type_name) {
            found.push("__type__", Some(self.type_name.as_str().into()), Some(other.type_name.as_str().into()));
        }
        found.configs("", &self.completed().values, &other.completed().values);
        found.differences
    }

    /// True if this configuration and `other` mean the same: there is no [`diff`](ConfigTree::diff). `==` compares what is
    /// written.
    pub fn is_equivalent(&self, other: &ConfigTree) -> bool {
        self.diff(other).is_empty()
    }
}

/// Names are compared in snake case; a name that is left out is any.
fn same_name(left: &str, right: &str) -> bool {
    left.is_empty() || right.is_empty() || snake_case(left) == snake_case(right)
}

/// The differences found so far.
#[derive(Default)]
struct Found {
    differences: Vec<Difference>,
}

impl Found {
    fn push(&mut self, path: impl Into<String>, left: Option<ConfigValue>, right: Option<ConfigValue>) {
        self.differences.push(Difference { path: path.into(), left, right });
    }

    fn configs(&mut self, path: &str, left: &Values, right: &Values) {
        let only_right = right.keys().filter(|name| !left.contains_key(*name));
        for name in left.keys().chain(only_right).filter(|name| !name.starts_with("__")) {
            let inner = crate::module::join(path, name);
            match (left.get(name), right.get(name)) {
                (Some(ConfigValue::List(left)), Some(ConfigValue::List(right))) if name == MODULES => {
                    self.modules(path, left, right);
                }
                (Some(left), Some(right)) => self.values(&inner, left, right),
                (left, right) => self.push(inner, left.cloned(), right.cloned()),
            }
        }
    }

    fn values(&mut self, path: &str, left: &ConfigValue, right: &ConfigValue) {
        match (left, right) {
            (ConfigValue::Config(a), ConfigValue::Config(b)) if same_name(&a.type_name, &b.type_name) => {
                self.configs(path, &a.values, &b.values);
            }
            (ConfigValue::Config(tree), ConfigValue::Map(map)) => self.configs(path, &tree.values, map),
            (ConfigValue::Map(map), ConfigValue::Config(tree)) => self.configs(path, map, &tree.values),
            (ConfigValue::Map(left), ConfigValue::Map(right)) => self.configs(path, left, right),
            (left, right) if !same(left, right) => self.push(path, Some(left.clone()), Some(right.clone())),
            _ => {}
        }
    }

    fn modules(&mut self, path: &str, left: &[ConfigValue], right: &[ConfigValue]) {
        let named = |list: &[ConfigValue]| -> Vec<String> {
            list.iter().filter_map(|item| module_name(item).map(str::to_string)).collect()
        };
        let (names, others) = (named(left), named(right));
        let of = |list: &[ConfigValue], name: &str| {
            list.iter().find(|item| module_name(item) == Some(name)).and_then(module_fields).cloned()
        };
        for name in names.iter().chain(others.iter().filter(|name| !names.contains(name))) {
            let inner = crate::module::join(path, name);
            match (of(left, name), of(right, name)) {
                (Some(left), Some(right)) => self.module(&inner, &left, &right),
                (left, right) => {
                    let class = |fields: Option<Values>| fields.and_then(|fields| fields.get("module_cls").cloned());
                    self.push(inner, class(left), class(right));
                }
            }
        }
        let common = |names: &[String], others: &[String]| -> Vec<String> {
            names.iter().filter(|name| others.contains(name)).cloned().collect()
        };
        let (order, other) = (common(&names, &others), common(&others, &names));
        if order != other {
            self.push(crate::module::join(path, MODULES), Some(order.into()), Some(other.into()));
        }
    }

    fn module(&mut self, path: &str, left: &Values, right: &Values) {
        let classes = [left, right].map(module_class);
        if !same_name(classes[0], classes[1]) {
            let [left, right] = classes.map(|class| Some(class.into()));
            self.push(format!("{path}.module_cls"), left, right);
        }
        for table in ["inputs", "outputs", "effects"] {
            let entries = |fields: &Values| match fields.get(table) {
                Some(ConfigValue::Map(entries)) => entries.clone(),
                _ => Values::new(),
            };
            self.configs(&format!("{path}.{table}"), &entries(left), &entries(right));
        }
        let empty = ConfigValue::Map(Values::new());
        let config = |fields: &Values| fields.get("config").cloned().unwrap_or(empty.clone());
        self.values(path, &config(left), &config(right));
    }
}

/// True if two values mean the same.
fn same(left: &ConfigValue, right: &ConfigValue) -> bool {
    use ConfigValue::{Array, Class, DType, Float, Int, List, Object, Text};
    match (left, right) {
        (Int(a), Float(b)) | (Float(b), Int(a)) => *a as f64 == *b,
        (Array(_), Array(_) | List(_)) | (List(_), Array(_)) => match (read_array(left), read_array(right)) {
            (Ok(a), Ok(b)) => a.dims() == b.dims() && a.to_f64() == b.to_f64(),
            _ => false,
        },
        (List(a), List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (DType(dtype), Text(name)) | (Text(name), DType(dtype)) => super::parse_dtype(name).ok() == Some(*dtype),
        (Class { name: a, .. }, Class { name: b, .. }) => same_name(a, b),
        (Object { type_name: a, fields: x }, Object { type_name: b, fields: y }) => {
            let defaulted = |fields: &Values, name: &str| fields.get(name).cloned().unwrap_or(ConfigValue::Bool(false));
            let one = |name: &String| same(&defaulted(x, name), &defaulted(y, name));
            a == b && x.keys().all(one) && y.keys().all(one)
        }
        (a, b) => a == b,
    }
}
