//! Types of modules by their names: what a file or a program calls them, and how their configurations are read.

use super::blueprint::Blueprint;
use super::brain::{self, BrainConfig};
use super::neuron::{self, NeuronConfig};
use super::user;
use crate::config::{Config, ConfigErrors, ConfigTree, ConfigValue, FieldSpec, FieldType, Layout, fold};
use crate::error::{Error, Result, unknown_name_help};
use crate::registry::{Registry, snake_case};
use crate::spec::ModuleType;

/// A type of module.
pub(super) enum Class {
    Component(&'static ModuleType),
    /// A neuron of this name, and what its configurations are that leave a field out.
    Neuron(String, ConfigTree),
    Brain,
}

impl Class {
    /// The type called `name`, in camel or snake case.
    pub(super) fn find(name: &str) -> Result<Option<Class>> {
        match Registry::global()?.modules.find(name) {
            Some(spec) => Ok(Some(Class::Component(spec))),
            None => Class::controller(name),
        }
    }

    /// The type whose configuration is called `name`, in camel or snake case.
    ///
    /// # Errors
    /// If there is none; the hint names the nearest.
    pub(super) fn of_config(name: &str) -> Result<Class> {
        let registry = Registry::global()?;
        let wanted = snake_case(name);
        let class = match registry.modules.iter().find(|m| snake_case((m.config)().name) == wanted) {
            Some(spec) => Some(Class::Component(spec)),
            None => Class::controller(wanted.strip_suffix("_config").unwrap_or(&wanted))?,
        };
        class.ok_or_else(|| {
            let modules = registry.modules.iter().map(|m| (m.config)().name.to_string());
            let controllers = Class::controllers(registry).map(|name| format!("{name}Config"));
            let names: Vec<String> = modules.chain(controllers).collect();
            let message = format!("`{name}` is not the configuration of a known module, neuron or brain");
            Error::new(message).help(unknown_type_help(name, names.iter().map(String::as_str)))
        })
    }

    /// Its registered name.
    pub(super) fn name(&self) -> &str {
        match self {
            Class::Component(spec) => spec.name,
            Class::Neuron(name, _) => name,
            Class::Brain => "Brain",
        }
    }

    /// The type of neuron or brain called `name`, in camel or snake case.
    pub(super) fn controller(name: &str) -> Result<Option<Class>> {
        match snake_case(name).as_str() {
            "neuron" => return Ok(Some(Class::neuron("Neuron", ConfigTree::new("")))),
            "brain" => return Ok(Some(Class::Brain)),
            _ => {}
        }
        if let Some(spec) = Registry::global()?.neurons.find(name) {
            let modules = (spec.modules)().iter().map(FieldType::to_value).collect();
            let defaults = ConfigTree::new("").with("modules_specs", ConfigValue::List(modules));
            return Ok(Some(Class::neuron(spec.name, defaults)));
        }
        Ok(user::neuron(name).map(|(name, defaults)| Class::neuron(&name, defaults)))
    }

    pub(super) fn neuron(name: &str, defaults: ConfigTree) -> Class {
        Class::Neuron(name.into(), defaults)
    }

    /// Names of all types of controllers that come with the program.
    pub(super) fn controllers(registry: &'static Registry) -> impl Iterator<Item = &'static str> {
        registry.neurons.iter().map(|n| n.name).chain(["Neuron", "Brain"])
    }

    /// Fields of its configuration.
    pub(super) fn fields(&self) -> &'static [FieldSpec] {
        match self {
            Class::Component(spec) => (spec.config)().fields,
            Class::Neuron(..) => &neuron::FIELDS,
            Class::Brain => &brain::FIELDS,
        }
    }

    /// What its configurations have.
    pub(super) fn layout(&self) -> Layout {
        match self {
            Class::Component(spec) => Layout::of_spec((spec.config)()),
            Class::Neuron(name, defaults) => {
                let known = Registry::global().ok().and_then(|registry| registry.neurons.find(name));
                let description = known.map_or("A population from parts.", |spec| spec.description).to_string();
                let defaults = defaults.values.clone();
                Layout { name: format!("{name}Config"), description, fields: self.fields(), defaults }
            }
            Class::Brain => Layout::of_spec(BrainConfig::spec()),
        }
    }

    /// Reads a configuration of this type as far as it goes: mistakes in a controller's own fields are recorded, with defaults
    /// in place of what is wrong. `None` if a field that is wrong has no default. Its wiring and its modules are not looked
    /// at, nor is a component's configuration.
    pub(super) fn read(self, mut tree: ConfigTree, errors: &mut ConfigErrors) -> Option<Blueprint> {
        if !matches!(self, Class::Component(_)) {
            tree.type_name.clear();
        }
        if let Err(error) = fold(&self.layout(), &mut tree.values) {
            errors.push(error);
        }
        match self {
            Class::Component(spec) => Some(Blueprint::Component(spec, tree)),
            Class::Neuron(name, defaults) => {
                for (field, value) in defaults.values {
                    tree.values.entry(field).or_insert(value);
                }
                NeuronConfig::read_tree(&tree, errors).map(|config| Blueprint::neuron(name, config))
            }
            Class::Brain => BrainConfig::read_tree(&tree, errors).map(Blueprint::brain),
        }
    }
}

/// The hint of an error about an unknown type of module.
pub(super) fn unknown_type_help<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let known = unknown_name_help(name, candidates);
    format!("{known} (a neuron of your own is registered first: register_neuron, or --register NAME=FILE.scfg)")
}

/// What configurations of this type have, if it is that of a module, neuron or brain.
pub(crate) fn layout_of_config(name: &str) -> Option<Layout> {
    Class::of_config(name).ok().map(|class| class.layout())
}

/// What the configurations of modules of this type have.
pub(crate) fn layout_of_class(name: &str) -> Option<Layout> {
    Class::find(name).ok().flatten().map(|class| class.layout())
}
