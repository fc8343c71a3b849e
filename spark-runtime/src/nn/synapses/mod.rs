//! Synapses: from presynaptic spikes to postsynaptic currents.

mod linear;

pub use linear::{LinearSynapses, LinearSynapsesConfig};
