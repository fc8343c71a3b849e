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
use std::cell::RefCell;
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

/// Checks that a neuron may be called `name`.
///
/// # Errors
/// If it is not an identifier or belongs to a module or neuron of the program.
pub(crate) fn check_name(name: &str) -> Result<()> {
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
    Ok(())
}

/// Registers a configuration as the neuron type `name`.
///
/// # Errors
/// As [`register_neuron`].
pub(crate) fn register(name: &str, mut tree: ConfigTree) -> Result<()> {
    check_name(name)?;
    let key = snake_case(name);
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
    let find = |neurons: &[(String, ConfigTree)]| neurons.iter().find(|(other, _)| snake_case(other) == key).cloned();
    let scoped = SCOPE.with_borrow(|scope| find(scope));
    scoped.or_else(|| find(&NEURONS.read().unwrap_or_else(PoisonError::into_inner)))
}

thread_local! {
    /// The neurons a model brings along that is being built on this thread; they go before the registered ones.
    static SCOPE: RefCell<Vec<(String, ConfigTree)>> = const { RefCell::new(Vec::new()) };
}

/// Runs `f` where these neurons are known, whatever is registered under their names; nothing stays registered.
pub(crate) fn with_neurons<R>(neurons: &[(String, ConfigTree)], f: impl FnOnce() -> R) -> R {
    /// Puts the former neurons back, also after a panic.
    struct Restore(Vec<(String, ConfigTree)>);
    impl Drop for Restore {
        fn drop(&mut self) {
            SCOPE.set(std::mem::take(&mut self.0));
        }
    }
    let _restore = (!neurons.is_empty()).then(|| Restore(SCOPE.replace(neurons.to_vec())));
    f()
}

/// The registered neurons that a configuration uses, also those inside them: each after those it uses.
pub(crate) fn neurons_of(tree: &ConfigTree) -> Vec<(String, ConfigTree)> {
    let (mut seen, mut used) = (Vec::new(), Vec::new());
    collect(tree, &mut seen, &mut used);
    used
}

fn collect(tree: &ConfigTree, seen: &mut Vec<String>, used: &mut Vec<(String, ConfigTree)>) {
    for name in module_types(tree) {
        let key = snake_case(&name);
        if seen.contains(&key) {
            continue;
        }
        seen.push(key);
        if let Some((name, tree)) = neuron(&name) {
            collect(&tree, seen, used);
            used.push((name, tree));
        }
    }
}

/// Names of the types of modules that a configuration mentions, its own first; each as often as it is there.
pub(crate) fn module_types(tree: &ConfigTree) -> Vec<String> {
    fn values<'a>(values: impl Iterator<Item = &'a ConfigValue>, names: &mut Vec<String>) {
        values.for_each(|value| visit(value, names));
    }
    fn visit(value: &ConfigValue, names: &mut Vec<String>) {
        match value {
            ConfigValue::List(items) => values(items.iter(), names),
            ConfigValue::Config(tree) => values(tree.values.values(), names),
            ConfigValue::Object { fields, .. } | ConfigValue::Map(fields) => {
                if let Some(ConfigValue::Class { name, .. } | ConfigValue::Text(name)) = fields.get("module_cls") {
                    names.push(name.clone());
                }
                values(fields.values(), names);
            }
            ConfigValue::Null
            | ConfigValue::Bool(_)
            | ConfigValue::Int(_)
            | ConfigValue::Float(_)
            | ConfigValue::Text(_)
            | ConfigValue::DType(_)
            | ConfigValue::Array(_)
            | ConfigValue::Class { .. } => {}
        }
    }
    let own = snake_case(&tree.type_name);
    let mut names = vec![own.strip_suffix("_config").unwrap_or(&own).to_string()];
    values(tree.values.values(), &mut names);
    names
}

/// Names of the neurons registered here, in order of registration.
pub fn registered_neurons() -> Vec<String> {
    NEURONS.read().unwrap_or_else(PoisonError::into_inner).iter().map(|(name, _)| name.clone()).collect()
}
