//! Neurons as Spark ships them: populations with default modules.
//!
//! | neuron | synapses | soma |
//! |---|---|---|
//! | [`LIFNeuron`] | linear | leaky |
//! | [`ALIFNeuron`] | exponential | leaky, adaptive threshold |
//! | [`AdExNeuron`] | exponential | adaptive exponential |
//!
//! Each has neuron-to-neuron delays before its synapses and a Hebbian rule on their kernel.

mod adex;
mod alif;
mod lif;
mod population;

pub use adex::{AdExNeuron, AdExNeuronConfig};
pub use alif::{ALIFNeuron, ALIFNeuronConfig};
pub use lif::{LIFNeuron, LIFNeuronConfig};
