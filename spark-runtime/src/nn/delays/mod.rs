//! Conduction delays.

mod n2n;
mod neuron;
mod steps;

pub use n2n::{N2NDelays, N2NDelaysConfig};
pub use neuron::{NDelays, NDelaysConfig};
