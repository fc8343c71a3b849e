//! Synapses: from presynaptic spikes to postsynaptic currents or conductances.
//!
//! | synapses | a spike gives | shape in time |
//! |---|---|---|
//! | [`LinearSynapses`] | a current | one step |
//! | [`TracedSynapses`] | a current | exponential |
//! | [`RDTracedSynapses`] | a current | rise and decay |
//! | [`RFSTracedSynapses`] | a current | rise, fast and slow decay |
//! | [`TsodyksMarkramSynapses`] | a current that depends on the spikes before it | exponential, or one step |
//! | [`ExponentialConductanceSynapses`] | a conductance, excitatory or inhibitory | exponential |
//! | [`AlphaConductanceSynapses`] | a conductance, excitatory or inhibitory | alpha function |

mod alpha_conductance;
mod conductance;
mod exponential_conductance;
mod exponentials;
mod kernel;
mod linear;
mod rise_decay;
mod rise_fast_slow;
mod traced;
mod tsodyks_markram;

pub use alpha_conductance::{AlphaConductanceSynapses, AlphaConductanceSynapsesConfig};
pub use conductance::{ConductanceConfig, Conductances};
pub use exponential_conductance::{ExponentialConductanceSynapses, ExponentialConductanceSynapsesConfig};
pub use exponentials::RiseConfig;
pub use kernel::KernelConfig;
pub use linear::{LinearSynapses, LinearSynapsesConfig};
pub use rise_decay::{RDTracedSynapses, RDTracedSynapsesConfig};
pub use rise_fast_slow::{RFSTracedSynapses, RFSTracedSynapsesConfig};
pub use traced::{TracedSynapses, TracedSynapsesConfig};
pub use tsodyks_markram::{TsodyksMarkramSynapses, TsodyksMarkramSynapsesConfig};
