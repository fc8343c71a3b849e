//! What the fields of an untyped configuration are: found by its type's name, or by that of the module it is for.

use super::spec::{ConfigSpec, FieldSpec};
use super::value::{ConfigTree, ConfigValue};
use crate::controller;
use crate::error::{Error, Result, unknown_name_help};
use crate::registry::{Registry, snake_case};
use indexmap::IndexMap;

/// Names and values.
pub(crate) type Values = IndexMap<String, ConfigValue>;

/// The field that holds a controller's modules.
pub(super) const MODULES: &str = "modules_specs";

/// The fields of a configuration.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// Name of the configuration's type; empty if nothing is known about it, and any field may be there.
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) fields: &'static [FieldSpec],
    /// Values of fields that are not given, over the fields' own defaults: the modules of a neuron type.
    pub(crate) defaults: Values,
}

impl Layout {
    /// The layout of a typed configuration.
    pub(crate) fn of_spec(spec: &'static ConfigSpec) -> Layout {
        let description = spec.description.to_string();
        Layout { name: spec.name.into(), description, fields: spec.fields, defaults: Values::new() }
    }

    /// The layout of the configuration type `name`, in camel or snake case.
    pub(crate) fn of_config(name: &str) -> Layout {
        let registered = || {
            let registry = Registry::global().ok()?;
            let wanted = snake_case(name);
            // The initializer's own name stands for its configuration's.
            let initializer = registry.initializers.iter().find(|spec| snake_case(spec.name) == wanted);
            let spec = registry.configs.find(name).or_else(|| initializer.map(|spec| (spec.config)()));
            spec.map(Layout::of_spec)
        };
        controller::layout_of_config(name).or_else(registered).unwrap_or_else(Layout::unknown)
    }

    /// The layout of the configurations of modules of type `class`.
    pub(crate) fn of_class(class: &str) -> Layout {
        controller::layout_of_class(class).unwrap_or_else(Layout::unknown)
    }

    /// The layout of an untyped map, which may have any field.
    pub(super) fn unknown() -> Layout {
        Layout { name: String::new(), description: String::new(), fields: &[], defaults: Values::new() }
    }

    pub(super) fn is_known(&self) -> bool {
        !self.name.is_empty()
    }

    /// The field called `name`, or with this alias.
    pub(crate) fn field(&self, name: &str) -> Option<&'static FieldSpec> {
        self.fields.iter().find(|field| field.name == name || field.alias == Some(name))
    }

    /// The key under which `values` has or would have the field `name`; `None` if there is no such field.
    pub(super) fn key(&self, name: &str, values: &Values) -> Option<String> {
        if values.contains_key(name) {
            return Some(name.into());
        }
        let Some(field) = self.field(name) else { return (!self.is_known()).then(|| name.into()) };
        let alias = field.alias.filter(|alias| values.contains_key(*alias));
        Some(alias.filter(|_| !values.contains_key(field.name)).unwrap_or(field.name).into())
    }

    /// What a field means that `values` do not give.
    pub(super) fn default(&self, field: &FieldSpec, values: &Values) -> Option<ConfigValue> {
        if let Some(value) = self.defaults.get(field.name) {
            return Some(value.clone());
        }
        // Only the Python Spark writes this note.
        let python = field.python_default.filter(|_| values.contains_key("__config_delimiter__"));
        python.or(field.default).map(|make| make())
    }

    /// The error of a name that is neither a field nor a module.
    pub(super) fn no_such_field(&self, name: &str, values: &Values) -> Error {
        let modules = modules_of(self, values);
        let fields = self.fields.iter().map(|field| field.name);
        let known: Vec<&str> = fields.chain(modules.iter().map(String::as_str)).collect();
        let what = if modules.is_empty() { "field" } else { "field or module" };
        let error = Error::new(format!("`{}` has no such {what}", self.name)).at(name);
        error.help(unknown_name_help(name, known.iter().copied()))
    }
}

/// Names of the modules inside.
fn modules_of(layout: &Layout, values: &Values) -> Vec<String> {
    let list = values.get(MODULES).cloned().or_else(|| layout.defaults.get(MODULES).cloned());
    let Some(ConfigValue::List(items)) = list else { return Vec::new() };
    items.iter().filter_map(|item| module_name(item).map(str::to_string)).collect()
}

/// The name of a module among a controller's.
pub(super) fn module_name(item: &ConfigValue) -> Option<&str> {
    match module_fields(item)?.get("name") {
        Some(ConfigValue::Text(name)) => Some(name),
        _ => None,
    }
}

/// The type of a module among a controller's.
pub(super) fn module_class(fields: &Values) -> &str {
    match fields.get("module_cls") {
        Some(ConfigValue::Class { name, .. } | ConfigValue::Text(name)) => name,
        _ => "",
    }
}

/// The entries of a module among a controller's.
pub(super) fn module_fields(item: &ConfigValue) -> Option<&Values> {
    match item {
        ConfigValue::Object { type_name, fields } if type_name == "module_specs" => Some(fields),
        ConfigValue::Map(fields) if fields.contains_key("module_cls") => Some(fields),
        _ => None,
    }
}

/// A configuration inside a tree: its values, and what they are.
pub(super) struct Node<'a> {
    pub(super) layout: Layout,
    pub(super) values: &'a mut Values,
}

impl<'a> Node<'a> {
    /// The root.
    pub(super) fn root(tree: &'a mut ConfigTree) -> Node<'a> {
        Node { layout: Layout::of_config(&tree.type_name), values: &mut tree.values }
    }

    /// The configuration that a value is.
    pub(super) fn of_value(value: &'a mut ConfigValue) -> Result<Node<'a>, &'a mut ConfigValue> {
        match value {
            ConfigValue::Config(tree) => Ok(Node::root(tree)),
            ConfigValue::Map(values) => Ok(Node { layout: Layout::unknown(), values }),
            other => Err(other),
        }
    }

    /// The configuration of a module among a controller's.
    pub(super) fn of_module(item: &'a mut ConfigValue) -> Option<Node<'a>> {
        module_fields(item)?;
        let (ConfigValue::Object { fields, .. } | ConfigValue::Map(fields)) = item else { return None };
        let layout = Layout::of_class(module_class(fields));
        let config = fields.entry("config".into()).or_insert(ConfigValue::Null);
        if *config == ConfigValue::Null {
            *config = ConfigValue::Map(Values::new());
        }
        match config {
            ConfigValue::Config(tree) => Some(Node { layout, values: &mut tree.values }),
            ConfigValue::Map(values) => Some(Node { layout, values }),
            _ => None,
        }
    }

    /// Puts the default of a field where it is not given; gives the key under which the value is. `None` if there is no
    /// value.
    pub(super) fn materialize(&mut self, name: &str) -> Option<String> {
        let key = self.layout.key(name, self.values)?;
        if !self.values.contains_key(&key) {
            let default = self.layout.default(self.layout.field(name)?, self.values)?;
            self.values.insert(key.clone(), default);
        }
        Some(key)
    }

    /// The modules, if it is a controller's.
    pub(super) fn modules(self) -> &'a mut [ConfigValue] {
        let mut node = self;
        let key = node.materialize(MODULES);
        match key.and_then(|key| node.values.get_mut(&key)) {
            Some(ConfigValue::List(items)) => items,
            _ => &mut [],
        }
    }

    /// The same node, borrowed for a while.
    pub(super) fn reborrow(&mut self) -> Node<'_> {
        Node { layout: self.layout.clone(), values: self.values }
    }

    /// Names of the fields, those of the type before others that are given; notes left out.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.layout.fields.iter().map(|field| field.name.to_string()).collect();
        let extra = self.values.keys().filter(|key| !key.starts_with("__") && self.layout.field(key).is_none());
        names.extend(extra.cloned());
        names
    }
}
