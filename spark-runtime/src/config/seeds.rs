//! New seeds for a configuration and everything inside, as the Python Spark draws them.
//!
//! A key is made of the seed and split once for every module, for the configuration's own seed, and for every nested
//! configuration, in this order; the new seed is the first word of the key that is split off. Modules and nested
//! configurations go on from their new seeds in the same way.

use super::layout::Node;
use super::merge::each_inside;
use super::value::{ConfigTree, ConfigValue};
use crate::rng::Key;

/// The field of the seed.
const SEED: &str = "seed";

impl ConfigTree {
    /// This configuration with new seeds everywhere, for a further population of the same kind: the same seeds as
    /// `with_new_seeds` of the Python Spark gives.
    ///
    /// ```
    /// use spark::config::ConfigTree;
    ///
    /// let neuron = ConfigTree::new("LIFNeuronConfig").with("units", [4]).with_new_seeds(7);
    /// assert_eq!(neuron.read::<u32>("seed")?, 400014582);
    /// assert_eq!(neuron.read::<u32>("delays.seed")?, 4153476479);
    /// # Ok::<(), spark::Error>(())
    /// ```
    #[must_use]
    pub fn with_new_seeds(&self, seed: u32) -> ConfigTree {
        let mut tree = self.clone();
        renew(&mut Node::root(&mut tree), seed);
        tree
    }
}

/// Gives `node` new seeds; true if it has any.
fn renew(node: &mut Node<'_>, seed: u32) -> bool {
    let mut key = Key::new(seed);
    let mut draw = || {
        let (rest, drawn) = key.split2();
        key = rest;
        drawn.0[0]
    };
    let is_controller = node.layout.field(super::layout::MODULES).is_some();
    let mut changed = false;
    if is_controller {
        each_inside(node, &mut |_, inside| {
            let renewed = renew(inside, draw());
            changed |= renewed;
            renewed
        });
    }
    let own = node.layout.field(SEED).is_some() || node.values.contains_key(SEED);
    if own {
        node.values.insert(SEED.into(), ConfigValue::Int(i64::from(draw())));
    }
    if !is_controller {
        each_inside(node, &mut |_, inside| {
            let renewed = renew(inside, draw());
            changed |= renewed;
            renewed
        });
    }
    changed || own
}
