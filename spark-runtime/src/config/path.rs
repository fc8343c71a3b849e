//! Dotted paths into configurations: `soma.threshold_tau`.
//!
//! A name is a field, or a module of a controller, whose configuration the path then goes on in; `synapses.kernel.scale` goes
//! through a neuron's module and its initializer. `[2]` is an element of a list. The Python Spark's delimiter `__`
//! (`soma__threshold_tau`) means the same as the dot. What is not given is read, and changed, from its default.

use super::field::FieldType;
use super::layout::{Node, module_fields, module_name};
use super::value::{ConfigTree, ConfigValue};
use super::{mismatch, param};
use crate::error::{Error, Result};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    Name(String),
    Index(usize),
}

/// Takes a path apart.
///
/// # Errors
/// If a name is empty or an index is none.
pub(super) fn parse(path: &str) -> Result<Vec<Segment>> {
    let wrong = |what: &str| {
        let error = Error::new(format!("`{path}` is not a path: {what}"));
        error.help("for example `soma.threshold_tau`, `soma__threshold_tau` or `units[0]`")
    };
    let mut segments = Vec::new();
    for part in path.split('.') {
        let (mut names, mut indices) = (part, "");
        if let Some(at) = part.find('[') {
            (names, indices) = part.split_at(at);
        }
        let mut rest = names;
        while let Some((name, after)) = delimited(rest) {
            segments.push(Segment::Name(name.into()));
            rest = after;
        }
        if rest.is_empty() {
            return Err(wrong("a name is missing"));
        }
        segments.push(Segment::Name(rest.into()));
        while !indices.is_empty() {
            let index = indices.strip_prefix('[').and_then(|text| text.split_once(']'));
            let (index, after) = index.ok_or_else(|| wrong("an index is [0], [1], ..."))?;
            segments.push(Segment::Index(index.parse().map_err(|_| wrong("an index is [0], [1], ..."))?));
            indices = after;
        }
    }
    Ok(segments)
}

/// A name before the Python Spark's delimiter, and what comes after it. Names that begin with it are notes.
fn delimited(name: &str) -> Option<(&str, &str)> {
    let at = name.get(1..)?.find("__").filter(|_| !name.starts_with("__"))? + 1;
    Some((&name[..at], &name[at + 2..]))
}

/// True if a key of a configuration is a path into it rather than a field's name.
pub(super) fn is_path(key: &str) -> bool {
    !key.starts_with("__") && (key.contains('.') || key.contains('[') || delimited(key).is_some())
}

/// Where a path leads.
pub(super) enum Place<'a> {
    Config(Node<'a>),
    Value(&'a mut ConfigValue),
}

impl<'a> Place<'a> {
    fn of(value: &'a mut ConfigValue) -> Place<'a> {
        match Node::of_value(value) {
            Ok(node) => Place::Config(node),
            Err(value) => Place::Value(value),
        }
    }

    /// One step further. The error's path is that of the step.
    pub(super) fn step(self, segment: &Segment) -> Result<Place<'a>> {
        match (self, segment) {
            (Place::Config(node), Segment::Name(name)) => step_into(node, name),
            (Place::Value(item), Segment::Name(name)) if module_fields(item).is_some() => {
                if name == "config" {
                    return Node::of_module(item).map(Place::Config).ok_or_else(|| not_a_config(name));
                }
                let (ConfigValue::Object { fields, .. } | ConfigValue::Map(fields)) = item else {
                    return Err(not_a_config(name));
                };
                fields.get_mut(name).map(Place::of).ok_or_else(|| Error::new("a module has no such entry").at(name))
            }
            (Place::Value(value), Segment::Name(name)) => {
                Err(mismatch(&format!("a configuration with a field `{name}`"), value))
            }
            (Place::Value(value), Segment::Index(index)) => element(value, *index),
            (Place::Config(_), Segment::Index(index)) => {
                Err(Error::new("a configuration has no elements").at(format!("[{index}]")))
            }
        }
    }
}

fn not_a_config(name: &str) -> Error {
    Error::new("expected a configuration").at(name)
}

fn step_into<'a>(mut node: Node<'a>, name: &str) -> Result<Place<'a>> {
    if node.layout.key(name, node.values).is_none() {
        let unknown = node.layout.no_such_field(name, node.values);
        let module = node.modules().iter_mut().find(|item| module_name(item) == Some(name));
        return module.and_then(Node::of_module).map(Place::Config).ok_or(unknown);
    }
    let key = node.materialize(name);
    let value = key.and_then(|key| node.values.get_mut(&key));
    value.map(Place::of).ok_or_else(|| Error::new("is not given and has no default").at(name))
}

fn element(value: &mut ConfigValue, index: usize) -> Result<Place<'_>> {
    if let ConfigValue::Array(array) = value {
        if array.dims().len() != 1 {
            return Err(Error::new("only lists and arrays of one dimension have elements"));
        }
        *value = ConfigValue::List(param::array_items(array));
    }
    let outside = |len: usize| Error::new(format!("there are {len} elements")).at(format!("[{index}]"));
    match value {
        ConfigValue::List(items) => {
            let len = items.len();
            items.get_mut(index).map(Place::of).ok_or_else(|| outside(len))
        }
        other => Err(mismatch("a list", other)),
    }
}

/// Follows a path.
///
/// # Errors
/// If it leads nowhere; with the whole path up to there.
pub(super) fn follow<'a>(tree: &'a mut ConfigTree, segments: &[Segment]) -> Result<Place<'a>> {
    let mut place = Place::Config(Node::root(tree));
    for (at, segment) in segments.iter().enumerate() {
        place = place.step(segment).map_err(|error| {
            let error = if error.path().is_empty() { error } else { error.at("") };
            error.at(text(&segments[..=at]))
        })?;
    }
    Ok(place)
}

/// A path as it is written.
pub(super) fn text(segments: &[Segment]) -> String {
    let mut text = String::new();
    for segment in segments {
        match segment {
            Segment::Name(name) if text.is_empty() => text.push_str(name),
            Segment::Name(name) => text += &format!(".{name}"),
            Segment::Index(index) => text += &format!("[{index}]"),
        }
    }
    text
}

impl ConfigTree {
    /// The value at a dotted path, given or by default.
    ///
    /// ```
    /// use spark::config::{ConfigTree, ConfigValue};
    ///
    /// let neuron = ConfigTree::new("LIFNeuronConfig").with("units", [10]);
    /// assert_eq!(neuron.lookup("soma.potential_tau")?, ConfigValue::Float(20.0));
    /// assert_eq!(neuron.lookup("soma__potential_tau")?, ConfigValue::Float(20.0));
    /// let error = neuron.lookup("soma.potental_tau").unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "soma.potental_tau: `LeakySomaConfig` has no such field\n  help: did you mean `potential_tau`?"
    /// );
    /// # Ok::<(), spark::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the path leads nowhere, or to a field that is not given and has no default.
    pub fn lookup(&self, path: &str) -> Result<ConfigValue> {
        let mut tree = self.clone();
        Ok(match follow(&mut tree, &parse(path)?)? {
            Place::Value(value) => value.clone(),
            Place::Config(node) if !node.layout.is_known() => ConfigValue::Map(node.values.clone()),
            Place::Config(Node { layout, values }) => {
                ConfigValue::Config(Box::new(ConfigTree { type_name: layout.name, values: values.clone() }))
            }
        })
    }

    /// The value at a dotted path as a field's type.
    ///
    /// ```
    /// use spark::config::ConfigTree;
    ///
    /// let neuron = ConfigTree::new("LIFNeuronConfig").with("units", [10]);
    /// let eta: f64 = neuron.read("hebbian_rule.eta")?;
    /// assert_eq!(eta, 0.01);
    /// # Ok::<(), spark::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`ConfigTree::lookup`], and if the value is of another type.
    pub fn read<T: FieldType>(&self, path: &str) -> Result<T> {
        T::from_value(&self.lookup(path)?).map_err(|error| error.prefixed(path))
    }

    /// Sets the value at a dotted path. What the path goes through is taken from its default where it is not given.
    ///
    /// ```
    /// use spark::config::ConfigTree;
    /// use spark::prelude::*;
    ///
    /// let mut neuron = ConfigTree::new("LIFNeuronConfig").with("units", [10]);
    /// neuron.set("synapses.kernel", Uniform::default().with_scale(3.0))?;
    /// neuron.set("synapses.kernel.scale", 4.0)?;
    /// assert_eq!(neuron.read::<f64>("synapses.kernel.scale")?, 4.0);
    /// # Ok::<(), spark::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the path leads nowhere. The value itself is judged by [`ConfigTree::validate`].
    pub fn set(&mut self, path: &str, value: impl Into<ConfigValue>) -> Result<()> {
        let segments = parse(path)?;
        let mut changed = self.clone();
        assign(&mut changed, &segments, value.into())?;
        *self = changed;
        Ok(())
    }
}

/// Sets what `segments` lead to.
pub(super) fn assign(tree: &mut ConfigTree, segments: &[Segment], value: ConfigValue) -> Result<()> {
    let Some((last, before)) = segments.split_last() else { return Err(Error::new("the path is empty")) };
    let parent = follow(tree, before)?;
    let set = |parent| match (parent, last) {
        (Place::Config(node), Segment::Name(name)) => put(node, name, value),
        (parent, last) => match parent.step(last)? {
            Place::Value(old) => {
                *old = value;
                Ok(())
            }
            Place::Config(_) => Err(Error::new("cannot replace a configuration in a list")),
        },
    };
    set(parent).map_err(|error| error.at(text(segments)))
}

/// Sets a field, or replaces the configuration of a module.
pub(super) fn put(node: Node<'_>, name: &str, value: ConfigValue) -> Result<()> {
    if let Some(key) = node.layout.key(name, node.values) {
        node.values.insert(key, value);
        return Ok(());
    }
    let unknown = node.layout.no_such_field(name, node.values);
    let module = node.modules().iter_mut().find(|item| module_name(item) == Some(name));
    let config = module.and_then(Node::of_module).ok_or(unknown)?;
    *config.values = match value {
        ConfigValue::Config(tree) => tree.values,
        ConfigValue::Map(values) => values,
        other => return Err(mismatch("a configuration", &other).at(name)),
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Segment, is_path, parse, text};

    #[track_caller]
    fn check(path: &str, expected: &[&str]) {
        let found = parse(path).unwrap();
        let shown = |segment: &Segment| match segment {
            Segment::Name(name) => name.clone(),
            Segment::Index(index) => format!("[{index}]"),
        };
        assert_eq!(found.iter().map(shown).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn both_delimiters_and_indices_are_read() {
        check("units", &["units"]);
        check("soma.threshold_tau", &["soma", "threshold_tau"]);
        check("soma__threshold_tau", &["soma", "threshold_tau"]);
        check("pool__synapses.kernel__scale", &["pool", "synapses", "kernel", "scale"]);
        check("soma___s_dt", &["soma", "_s_dt"]);
        check("modules_specs[1].config.units[0]", &["modules_specs", "[1]", "config", "units", "[0]"]);
        check("__metadata__.author", &["__metadata__", "author"]);
        assert_eq!(text(&parse("a__b[2].c").unwrap()), "a.b[2].c");
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for path in ["", "a.", ".a", "a..b", "a__", "a[x]", "a[1", "[0]"] {
            assert!(parse(path).is_err(), "{path}");
        }
    }

    #[test]
    fn notes_are_not_paths() {
        assert!(is_path("soma__tau") && is_path("soma.tau") && !is_path("soma_tau") && !is_path("__metadata__"));
    }
}
