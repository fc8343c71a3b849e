//! Configurations with everything in place that they leave out.

use super::FieldType;
use super::layout::{Layout, MODULES, Node, Values};
use super::merge::{each_inside, fold};
use super::param::read_array;
use super::spec::FieldSpec;
use super::validate::check;
use super::value::{ConfigTree, ConfigValue};
use crate::rng::Key;
use spark_compiler::ir::DType;

/// What a controller hands down to the configurations of its modules.
#[derive(Clone, Debug)]
pub(crate) struct HandedDown {
    /// The controller's seed: modules without a seed of their own get distinct ones, by their place in it.
    pub(crate) seed: u32,
    /// Time step, in ms, of everything inside: modules step together.
    pub(crate) dt: f64,
    /// Shape of the population, in a neuron: its components have its size whatever they say.
    pub(crate) units: Option<ConfigValue>,
}

impl HandedDown {
    /// Puts it into the values of module `index`, whose configuration has these fields.
    pub(crate) fn apply(&self, fields: &[FieldSpec], values: &mut Values, index: usize) {
        let has = |name: &str| fields.iter().any(|field| field.name == name);
        if has("seed") && !values.contains_key("seed") {
            let seed = Key::new(self.seed).fold_in(index as u32).0[0];
            values.insert("seed".into(), ConfigValue::Int(i64::from(seed)));
        }
        // One that is wrong stays, for the module to refuse.
        let sound =
            |dt: &ConfigValue, field: &FieldSpec| f64::from_value(dt).and_then(|dt| check(&[dt], field)).is_ok();
        let dt = fields.iter().find(|field| field.name == "dt");
        if dt.is_some_and(|field| values.get("dt").is_none_or(|dt| sound(dt, field))) {
            values.insert("dt".into(), ConfigValue::Float(self.dt));
        }
        if let Some(units) = self.units.as_ref().filter(|_| has("units")) {
            values.insert("units".into(), units.clone());
        }
    }

    /// What a controller with these values hands down; `None` if it is none.
    fn of(node: &Node<'_>) -> Option<HandedDown> {
        fn read<T: FieldType>(node: &Node<'_>, name: &str) -> Option<T> {
            let value = node.values.get(name).cloned();
            T::from_value(&value.or_else(|| node.layout.default(node.layout.field(name)?, node.values))?).ok()
        }
        node.layout.field(MODULES)?;
        let (seed, dt) = (read(node, "seed").unwrap_or_default(), read(node, "dt").unwrap_or(1.0));
        Some(HandedDown { seed, dt, units: read(node, "units") })
    }
}

impl ConfigTree {
    /// This configuration with a value for every field that has a default, here and inside, and with what controllers hand
    /// down to their modules: what a model is built from.
    ///
    /// ```
    /// use spark::config::ConfigTree;
    ///
    /// let neuron = ConfigTree::new("LIFNeuronConfig").with("units", [4]).with("dt", 0.5).completed();
    /// assert_eq!(neuron.get("inhibitory_rate"), Some(&0.2.into()));
    /// assert_eq!(neuron.lookup("soma.dt")?, 0.5.into());
    /// # Ok::<(), spark::Error>(())
    /// ```
    #[must_use]
    pub fn completed(&self) -> ConfigTree {
        let mut tree = self.clone();
        complete(&mut Node::root(&mut tree));
        tree
    }
}

/// A value in the form that the Python Spark reads: arrays where it takes no lists, dimensions as a list.
///
/// Numbers of arrays are rounded to single precision, as a module of that precision (or less) reads them.
fn in_form(field: &FieldSpec, value: &ConfigValue, dtype: DType) -> ConfigValue {
    let is = |name: &str| field.type_name == name || field.type_name == format!("Option<{name}>");
    let array = match value {
        ConfigValue::List(_) if is("Param") || is("Array") => read_array(value).ok(),
        ConfigValue::Array(array) if array.dtype() == DType::F64 => Some(array.clone()),
        ConfigValue::Int(_) if is("Units") => return ConfigValue::List(vec![value.clone()]),
        ConfigValue::Text(name) if is("DType") => {
            return super::parse_dtype(name).map_or_else(|_| value.clone(), ConfigValue::DType);
        }
        _ => None,
    };
    let Some(array) = array else { return value.clone() };
    let floats = is("Param") || array.dtype().is_float();
    ConfigValue::Array(if floats && dtype != DType::F64 { array.convert(DType::F32) } else { array })
}

fn complete(node: &mut Node<'_>) {
    // What cannot be resolved stays; `validate` reports it.
    let folded = node.values.clone();
    if fold(&node.layout, node.values).is_err() {
        *node.values = folded;
    }
    let handed_down = HandedDown::of(node);
    let Layout { fields, .. } = node.layout;
    let dtype = node.values.get("dtype").and_then(|dtype| DType::from_value(dtype).ok()).unwrap_or_default();
    let mut values: Values =
        node.values.iter().filter(|(name, _)| name.starts_with("__")).map(|(n, v)| (n.clone(), v.clone())).collect();
    for field in fields {
        if let Some(key) = node.materialize(field.name) {
            values.extend(node.values.get(&key).map(|value| (field.name.to_string(), in_form(field, value, dtype))));
        }
    }
    let extra = node.values.iter().filter(|(name, _)| node.layout.field(name).is_none() && !name.starts_with("__"));
    values.extend(extra.map(|(name, value)| (name.clone(), value.clone())));
    *node.values = values;
    let mut index = 0;
    each_inside(node, &mut |_, inside| {
        if let Some(handed_down) = &handed_down {
            handed_down.apply(inside.layout.fields, inside.values, index);
            index += 1;
        }
        complete(inside);
        true
    });
}
