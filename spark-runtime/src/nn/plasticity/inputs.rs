//! What goes into rules: the ports that all of them have.

use crate::prelude::*;

/// The spikes on both sides of the synapses, and their weights.
#[spark::ports]
#[derive(Clone, Copy, Debug)]
pub struct RuleInputs {
    /// Presynaptic spikes.
    #[axis(pre)]
    pub pre_spikes: SpikeArray,
    /// Postsynaptic spikes.
    pub post_spikes: SpikeArray,
    /// Weights now.
    #[axis(post, pre)]
    pub kernel: FloatArray,
}
