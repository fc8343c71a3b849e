//! Partial configurations, and what a configuration becomes with one.
//!
//! A partial configuration is a tree whose keys are fields or paths (`soma.threshold_tau`, the Python Spark's
//! `soma__threshold_tau`), or *shared parameters*: `_s_dt` is `dt` of the configuration and of everything inside that has such
//! a field. A shared parameter wins over the same field given otherwise, as in the Python Spark.

use super::layout::{Layout, Node, Values, module_name};
use super::path::{self, Place, Segment};
use super::value::{ConfigTree, ConfigValue};
use crate::error::{Error, Result};

/// What the names of shared parameters begin with.
const SHARED: &str = "_s_";

impl ConfigTree {
    /// A partial configuration without fields.
    pub fn partial() -> ConfigTree {
        ConfigTree::new("")
    }

    /// Takes over what `partial` gives. Its keys are fields, paths, or shared parameters (`_s_units`); a map is taken over field
    /// by field, a configuration or a list as a whole.
    ///
    /// ```
    /// use spark::config::ConfigTree;
    ///
    /// let mut neuron = ConfigTree::new("LIFNeuronConfig").with("units", [10]);
    /// let partial = ConfigTree::partial().with("_s_dt", 0.5).with("soma.potential_tau", 33.0);
    /// neuron.merge(&partial)?;
    /// assert_eq!(neuron.read::<f64>("synapses.dt")?, 0.5);
    /// assert_eq!(neuron.read::<f64>("soma.potential_tau")?, 33.0);
    /// # Ok::<(), spark::Error>(())
    /// ```
    ///
    /// # Errors
    /// If `partial` is of another type, or names what is not there; all such names at once, and nothing is changed then.
    pub fn merge(&mut self, partial: &ConfigTree) -> Result<()> {
        let mine = Layout::of_config(&self.type_name);
        if !partial.type_name.is_empty() {
            let theirs = Layout::of_config(&partial.type_name);
            if theirs.name != mine.name {
                let message = format!("cannot merge a `{}` into a `{}`", partial.type_name, self.type_name);
                return Err(Error::new(message));
            }
        }
        let mut changed = self.clone();
        merge_into(&mut Node { layout: mine, values: &mut changed.values }, &partial.values)?;
        *self = changed;
        Ok(())
    }

    /// This configuration with what `partial` gives; see [`ConfigTree::merge`].
    ///
    /// # Errors
    /// As [`ConfigTree::merge`].
    pub fn merged(mut self, partial: &ConfigTree) -> Result<ConfigTree> {
        self.merge(partial)?;
        Ok(self)
    }
}

/// Resolves the paths and shared parameters among the keys of a configuration.
///
/// # Errors
/// Every key that names what is not there.
pub(crate) fn fold(layout: &Layout, values: &mut Values) -> Result<()> {
    let special = |key: &str| key.starts_with(SHARED) || path::is_path(key);
    if !values.keys().any(|key| special(key)) {
        return Ok(());
    }
    let (partial, rest): (Values, Values) = std::mem::take(values).into_iter().partition(|(key, _)| special(key));
    *values = rest;
    merge_into(&mut Node { layout: layout.clone(), values }, &partial)
}

fn merge_into(node: &mut Node<'_>, partial: &Values) -> Result<()> {
    let mut errors = Vec::new();
    let shared = |key: &str| key.strip_prefix(SHARED).map(str::to_string);
    for (key, value) in partial.iter().filter(|(key, _)| shared(key).is_none()) {
        errors.extend(take_over(node, key, value).err());
    }
    for (key, value) in partial {
        let Some(name) = shared(key) else { continue };
        if share(node, &name, value) == 0 {
            let error = Error::new(format!("nothing here has a field `{name}`")).at(key);
            let known = names_inside(node);
            errors.push(error.help(crate::error::unknown_name_help(&name, known.iter().map(String::as_str))));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Error::many(errors)) }
}

/// Takes over one entry of a partial configuration.
fn take_over(node: &mut Node<'_>, key: &str, value: &ConfigValue) -> Result<()> {
    if key.starts_with("__") {
        node.values.insert(key.into(), value.clone());
        return Ok(());
    }
    let segments = path::parse(key)?;
    let Some((last, before)) = segments.split_last() else { return Ok(()) };
    let mut place = Place::Config(node.reborrow());
    for (at, segment) in before.iter().enumerate() {
        place = place.step(segment).map_err(|error| error.at(path::text(&segments[..=at])))?;
    }
    let here = |error: Error| error.at(path::text(&segments));
    match (place, last, value) {
        (Place::Config(mut parent), Segment::Name(name), value) => {
            if name.starts_with(SHARED) {
                let partial = Values::from_iter([(name.clone(), value.clone())]);
                return merge_into(&mut parent, &partial).map_err(here);
            }
            if let ConfigValue::Map(partial) = value {
                // Field by field, if there is a configuration.
                if let Ok(Place::Config(mut inner)) = Place::Config(parent.reborrow()).step(last) {
                    return merge_into(&mut inner, partial).map_err(|error| error.prefixed(&path::text(&segments)));
                }
            }
            path::put(parent, name, value.clone()).map_err(here)
        }
        (place, last, value) => match place.step(last).map_err(here)? {
            Place::Value(old) => {
                *old = value.clone();
                Ok(())
            }
            Place::Config(_) => Err(here(Error::new("cannot replace a configuration in a list"))),
        },
    }
}

/// Sets the field `name` here and everywhere inside; gives how many there were.
fn share(node: &mut Node<'_>, name: &str, value: &ConfigValue) -> usize {
    let mut count = 0;
    if node.layout.field(name).is_some() || (!node.layout.is_known() && node.values.contains_key(name)) {
        let key = node.layout.key(name, node.values);
        node.values.insert(key.unwrap_or_else(|| name.into()), value.clone());
        count += 1;
    }
    each_inside(node, &mut |_, inside| {
        let found = share(inside, name, value);
        count += found;
        found > 0
    });
    count
}

/// Names of all fields here and inside, each once.
fn names_inside(node: &mut Node<'_>) -> Vec<String> {
    let mut names = node.names();
    each_inside(node, &mut |_, inside| {
        names.extend(names_inside(inside));
        false
    });
    names.sort();
    names.dedup();
    names
}

/// Shows the modules and nested configurations of `node` to `visit`, by name, in order: modules come where their list is. A
/// default becomes a given value only if `visit` says that it changed it.
pub(super) fn each_inside(node: &mut Node<'_>, visit: &mut dyn FnMut(&str, &mut Node<'_>) -> bool) {
    for name in node.names() {
        let Some(key) = node.layout.key(&name, node.values) else { continue };
        let given = node.values.get(&key).cloned();
        let default = || node.layout.default(node.layout.field(&name)?, node.values);
        let Some(mut value) = given.clone().or_else(default) else { continue };
        let mut changed = false;
        match &mut value {
            ConfigValue::List(items) => {
                for item in items {
                    let module = module_name(item).map(str::to_string);
                    let inside = match module.is_some() {
                        true => Node::of_module(item),
                        false => Node::of_value(item).ok(),
                    };
                    if let Some(mut inside) = inside {
                        changed |= visit(module.as_deref().unwrap_or(&name), &mut inside);
                    }
                }
            }
            ConfigValue::Config(_) => {
                if let Ok(mut inside) = Node::of_value(&mut value) {
                    changed = visit(&name, &mut inside);
                }
            }
            _ => {}
        }
        if changed {
            node.values.insert(key, value);
        }
    }
}
