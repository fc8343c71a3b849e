//! Synapses: from presynaptic spikes to postsynaptic currents.

mod kernel;
mod linear;
mod rise_decay;
mod rise_fast_slow;
mod traced;

pub use kernel::KernelConfig;
pub use linear::{LinearSynapses, LinearSynapsesConfig};
pub use rise_decay::{RDTracedSynapses, RDTracedSynapsesConfig};
pub use rise_fast_slow::{RFSTracedSynapses, RFSTracedSynapsesConfig};
pub use traced::{TracedSynapses, TracedSynapsesConfig};
