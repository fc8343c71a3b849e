//! Configurations with everything in place that they leave out.

use super::layout::{Layout, MODULES, Node, Values};
use super::merge::{each_inside, fold};
use super::spec::FieldSpec;
use super::value::{ConfigTree, ConfigValue};
use super::{FieldType, Units};
use crate::rng::Key;

/// What a controller hands down to the configurations of its modules.
#[derive(Clone, Debug)]
pub(crate) struct HandedDown {
    /// The controller's seed: modules without a seed of their own get distinct ones, by their place in it.
    pub(crate) seed: u32,
    /// Time step, in ms.
    pub(crate) dt: f64,
    /// Shape of the population, in a neuron: its components have its size and time step whatever they say.
    pub(crate) units: Option<Units>,
}

impl HandedDown {
    /// Puts it into the values of module `index`, whose configuration has these fields.
    pub(crate) fn apply(&self, fields: &[FieldSpec], values: &mut Values, index: usize) {
        let has = |name: &str| fields.iter().any(|field| field.name == name);
        if has("seed") && !values.contains_key("seed") {
            let seed = Key::new(self.seed).fold_in(index as u32).0[0];
            values.insert("seed".into(), ConfigValue::Int(i64::from(seed)));
        }
        if has("dt") && (self.units.is_some() || !values.contains_key("dt")) {
            values.insert("dt".into(), ConfigValue::Float(self.dt));
        }
        if let Some(units) = self.units.as_ref().filter(|_| has("units")) {
            values.insert("units".into(), units.to_value());
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

fn complete(node: &mut Node<'_>) {
    // What cannot be resolved stays; `validate` reports it.
    let folded = node.values.clone();
    if fold(&node.layout, node.values).is_err() {
        *node.values = folded;
    }
    let handed_down = HandedDown::of(node);
    let Layout { fields, .. } = node.layout;
    let mut values: Values =
        node.values.iter().filter(|(name, _)| name.starts_with("__")).map(|(n, v)| (n.clone(), v.clone())).collect();
    for field in fields {
        if let Some(key) = node.materialize(field.name) {
            values.extend(node.values.get(&key).map(|value| (field.name.to_string(), value.clone())));
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
