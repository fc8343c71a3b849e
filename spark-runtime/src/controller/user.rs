//! Neurons registered while the program runs: from code, a configuration or a file.
//!
//! What `#[spark::module]` registers is known when the program is linked. A neuron that a user puts together later gets
//! its name here, and brains may then use it like those that come with Spark.

use super::blueprint::Blueprint;
use super::class::Class;
use super::neuron::NeuronConfig;
use super::wiring::ModuleSpecs;
use crate::config::{Config, ConfigTree, ConfigValue, FieldType, Units};
use crate::error::{Error, Result};
use crate::registry::{Registry, snake_case};
use std::path::Path;
use std::sync::{PoisonError, RwLock};

/// Names and configurations; what is missing there, a brain gives.
static NEURONS: RwLock<Vec<(String, ConfigTree)>> = RwLock::new(Vec::new());

/// Registers `config` as the neuron type `name`: brains may have modules of this type, whose configurations change what
/// they like. A name registered here before gets the new meaning; models built already are not touched.
///
/// # Errors
/// If the name is not an identifier or belongs to a module or neuron of the program, or the wiring is ill-formed.
pub fn register_neuron(name: &str, config: NeuronConfig) -> Result<()> {
    register(name, config.to_tree())
}

fn register(name: &str, mut tree: ConfigTree) -> Result<()> {
    let identifier = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !identifier {
        let help = "a letter, then letters, digits and underscores";
        return Err(Error::new(format!("`{name}` is not a name for a neuron")).help(help));
    }
    let (registry, key) = (Registry::global()?, snake_case(name));
    if registry.modules.find(name).is_some()
        || registry.neurons.find(name).is_some()
        || ["neuron", "brain"].contains(&key.as_str())
    {
        return Err(Error::new(format!("`{name}` is the name of a type that comes with the program")));
    }
    tree.type_name.clear();
    let population = |units: &ConfigValue| !matches!(units, ConfigValue::List(dims) if dims.is_empty());
    if !tree.get("units").is_some_and(population) {
        // A file may leave the size to the brain that uses the neuron.
        tree.values.shift_remove("units");
    }
    let mut whole = tree.clone();
    whole.values.entry("units".into()).or_insert_with(|| Units::from(1).to_value());
    Blueprint::checked(Class::neuron(name, ConfigTree::new("")), whole).map_err(|e| e.prefixed(name))?;
    if is_inside(&key, &tree, &mut Vec::new()) {
        return Err(Error::new(format!("`{name}` would have itself inside")).help("give the neuron another name"));
    }
    let mut neurons = NEURONS.write().unwrap_or_else(PoisonError::into_inner);
    neurons.retain(|(other, _)| snake_case(other) != key);
    neurons.push((name.to_string(), tree));
    Ok(())
}

/// True if a neuron of this configuration has one of type `key` inside, however deep.
fn is_inside(key: &str, tree: &ConfigTree, seen: &mut Vec<String>) -> bool {
    let modules = tree.get("modules_specs").map(Vec::<ModuleSpecs>::from_value);
    let Some(Ok(modules)) = modules else { return false };
    modules.into_iter().any(|module| {
        let class = snake_case(&module.module_cls);
        if class == key || is_inside(key, &module.config, seen) {
            return true;
        }
        if seen.contains(&class) {
            return false;
        }
        let registered = neuron(&class);
        seen.push(class);
        registered.is_some_and(|(_, tree)| is_inside(key, &tree, seen))
    })
}

/// Registers the neuron of a `.scfg` file as the neuron type `name`.
///
/// # Errors
/// If the file cannot be read or holds something else than a neuron, and as [`register_neuron`].
pub fn register_neuron_from_file(name: &str, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let tree = crate::scfg::read_path(path)?;
    register(name, tree).map_err(|e| e.in_file(path))
}

/// Name and configuration of a neuron registered here, by its name in camel or snake case.
pub(super) fn neuron(name: &str) -> Option<(String, ConfigTree)> {
    let key = snake_case(name);
    let neurons = NEURONS.read().unwrap_or_else(PoisonError::into_inner);
    neurons.iter().find(|(other, _)| snake_case(other) == key).cloned()
}

/// Names of the neurons registered here, in order of registration.
pub fn registered_neurons() -> Vec<String> {
    NEURONS.read().unwrap_or_else(PoisonError::into_inner).iter().map(|(name, _)| name.clone()).collect()
}
