//! How much a checkpoint's neurons expand to: a few lines could ask for more modules than there are atoms, each neuron being
//! made of two of the one before.

use super::key;
use crate::config::ConfigTree;
use crate::controller::{check_name, module_types};
use crate::error::{Error, Result};
use std::collections::HashMap;

/// The most modules a model is built from.
const MODULES: usize = 100_000;
/// The most levels of neurons within neurons.
const DEPTH: usize = 32;

/// What a neuron expands to.
#[derive(Clone, Copy, Default)]
struct Size {
    modules: usize,
    depth: usize,
}

/// Checks that neurons have names of their own, each is made of the ones before it only, and `model` stays within bounds.
///
/// # Errors
/// If one of these does not hold.
pub(super) fn check(neurons: &[(String, ConfigTree)], model: &ConfigTree) -> Result<()> {
    let mut known: HashMap<String, Option<Size>> = neurons.iter().map(|(name, _)| (key(name), None)).collect();
    if known.len() != neurons.len() {
        return Err(Error::new("two of the checkpoint's neurons have the same name"));
    }
    for (name, tree) in neurons {
        let size = check_name(name).and_then(|()| size(tree, &known)).map_err(|e| e.prefixed(name))?;
        known.insert(key(name), Some(size));
    }
    size(model, &known).map(drop)
}

fn size(tree: &ConfigTree, known: &HashMap<String, Option<Size>>) -> Result<Size> {
    let mut total = Size::default();
    for name in module_types(tree) {
        let inner = match known.get(&key(&name)) {
            None => Size::default(),
            Some(Some(size)) => *size,
            Some(None) => {
                return Err(Error::new(format!("uses the neuron `{name}`, which comes after it")));
            }
        };
        total.modules = total.modules.saturating_add(inner.modules).saturating_add(1);
        total.depth = total.depth.max(inner.depth + 1);
    }
    if total.modules > MODULES || total.depth > DEPTH {
        let message = format!("neurons within neurons are {} modules and {} deep", total.modules, total.depth);
        return Err(Error::new(message).help(format!("at most {MODULES} modules and a depth of {DEPTH} are possible")));
    }
    Ok(total)
}
