//! Weights of a fixed number of inputs per neuron.

use super::{InitOverrides, Initializer, partial_sums, size, stored};
use crate::config::Param;
use crate::error::{Error, Result};
use crate::rng::Key;
use spark_compiler::ir::{Array, Axis, DType, Data, MOST_ELEMENTS, Shape};

/// Every postsynaptic neuron has exactly `indegree` connections, from presynaptic neurons chosen at random; all other
/// weights are zero.
///
/// Without `multapses` the presynaptic neurons of one neuron are all different; with them a pair may be connected several
/// times, and its weight is the sum over its connections. `weight` is one number, an array of dimensions
/// (neurons, `indegree`), or an initializer that draws one number for each connection. Nothing keeps a neuron of a
/// recurrent population from being connected to itself.
///
/// This is the rule `fixed_indegree` of NEST: Gewaltig, Diesmann, *NEST (NEural Simulation Tool)*, Scholarpedia 2(4), 2007;
/// Senk et al., *Connectivity concepts in neuronal network modeling*, PLoS Computational Biology 18(9), 2022.
///
/// ```
/// use spark::prelude::*;
///
/// let kernel = FixedIndegree::new(10).with_weight(0.5);
/// let synapses = LinearSynapsesConfig::new(4).with_kernel(kernel);
/// let mut model = Model::component(synapses).input("spikes", [100]).build()?;
/// let outputs = model.run(1, &[("spikes", vec![true; 100].into())])?;
/// assert_eq!(outputs.get("currents")?.value().to_f32(), [5.0; 4]);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::initializer(name = "FixedIndegreeInitializer")]
pub struct FixedIndegree {
    /// Number of connections of each postsynaptic neuron.
    pub indegree: usize,
    /// Weight of a connection.
    #[param(default = 1.0)]
    pub weight: Param,
    /// Whether two neurons may be connected more than once.
    #[param(default = false)]
    pub multapses: bool,
    /// Axes of the postsynaptic neurons; synapses set them.
    #[param(default = [0usize])]
    pub post_axes: Vec<usize>,
}

/// The most connections of one neuron.
const MOST_CONNECTIONS: usize = 1 << 24;

impl Initializer for FixedIndegree {
    fn init(&self, key: Key, shape: &[usize], dtype: DType, overrides: &InitOverrides) -> Result<Array> {
        let post_axes = overrides.norm_axes.as_deref().unwrap_or(&self.post_axes);
        super::check_axes(post_axes, shape).map_err(|error| error.at("post_axes"))?;
        let posts = size(&post_axes.iter().map(|&axis| shape[axis]).collect::<Vec<_>>())?;
        let pres = size(shape)?.checked_div(posts).unwrap_or(0);
        if self.indegree > pres && !(self.multapses && pres > 0) {
            let message = format!("must be at most {pres}, the number of inputs, found {}", self.indegree);
            return Err(Error::new(message)
                .at("indegree")
                .help("with `multapses` neurons may be connected repeatedly"));
        }
        let connections = posts.checked_mul(self.indegree).filter(|&connections| connections <= MOST_ELEMENTS);
        if connections.is_none() || self.indegree > MOST_CONNECTIONS {
            let message = format!("{posts} neurons with {} connections each are too many", self.indegree);
            return Err(Error::new(message)
                .at("indegree")
                .help("at most 2^24 of a neuron and 2^30 in all are possible"));
        }
        let (choice_key, weight_key) = key.split2();
        let weights = self.weights(weight_key, posts, dtype, overrides)?;
        let mut values = vec![0.0f64; size(shape)?];
        let elements = elements(shape, post_axes, posts);
        for (post, key) in choice_key.split(posts).into_iter().enumerate() {
            for (connection, pre) in self.choose(key, pres).into_iter().enumerate() {
                values[elements[post][pre]] += weights(post * self.indegree + connection);
            }
        }
        stored(Data::F64(values), shape, dtype)
    }
}

impl FixedIndegree {
    /// The weight of each connection, by its number.
    fn weights(
        &self,
        key: Key,
        posts: usize,
        dtype: DType,
        overrides: &InitOverrides,
    ) -> Result<impl Fn(usize) -> f64 + use<>> {
        // The initializer inside sees the neurons' connections in rows, and what the module demands of all numbers.
        let overrides = InitOverrides { norm_axes: Some(vec![0]), ..overrides.clone() };
        let shape = Shape::of(Axis::anonymous(0), &[posts, self.indegree]);
        let weights = match size(&[posts, self.indegree])? {
            0 => Vec::new(),
            _ => {
                self.weight.resolve(key, &shape, dtype, &overrides).map_err(|error| error.prefixed("weight"))?.to_f64()
            }
        };
        Ok(move |connection: usize| if weights.len() == 1 { weights[0] } else { weights[connection] })
    }

    /// The presynaptic neurons of one neuron.
    fn choose(&self, key: Key, pres: usize) -> Vec<usize> {
        let words = key.bits64(self.indegree);
        // The high half of a 128-bit product: uniform below `n` but for a bias of n/2⁶⁴.
        let below = |word: u64, n: usize| ((u128::from(word) * n as u128) >> 64) as usize;
        if self.multapses {
            return words.into_iter().map(|word| below(word, pres)).collect();
        }
        // The beginning of a Fisher-Yates shuffle.
        let mut order: Vec<usize> = (0..pres).collect();
        for (at, word) in words.into_iter().enumerate() {
            order.swap(at, at + below(word, pres - at));
        }
        order.truncate(self.indegree);
        order
    }
}

/// Indices of the elements that belong to each postsynaptic neuron, in memory order.
fn elements(shape: &[usize], post_axes: &[usize], posts: usize) -> Vec<Vec<usize>> {
    let group = partial_sums::groups(shape, post_axes);
    let mut elements = vec![Vec::new(); posts];
    for index in 0..shape.iter().product() {
        elements[group(index)].push(index);
    }
    elements
}
