//! What goes into somas: the ports that several of them have.

use crate::prelude::*;

/// The ports of a soma that a current drives.
#[spark::ports]
#[derive(Clone, Copy, Debug)]
pub struct SomaInputs {
    /// Input current, in pA.
    pub current: CurrentArray,
    /// True for inhibitory neurons.
    pub inhibition_mask: Option<BooleanMask>,
}

/// The ports of a soma with postsynaptic currents of its own.
#[spark::ports]
#[derive(Clone, Copy, Debug)]
pub struct PSCInputs {
    /// Summed weights of the excitatory spikes that arrive, in pA.
    pub excitatory: Option<CurrentArray>,
    /// Summed weights of the inhibitory spikes that arrive, in pA; negative.
    pub inhibitory: Option<CurrentArray>,
    /// Input current, in pA.
    pub current: Option<CurrentArray>,
    /// True for inhibitory neurons.
    pub inhibition_mask: Option<BooleanMask>,
}
