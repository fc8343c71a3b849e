//! What synapses that open conductances share: their parameters, and which conductance a spike opens.

use super::kernel::build_kernel;
use crate::prelude::*;

/// Parameters of synapses that open conductances.
#[spark::config(group)]
pub struct ConductanceConfig {
    /// Shape of the postsynaptic population.
    #[param]
    pub units: Units,
    /// Synaptic weights, of shape (units, inputs): the largest conductance a spike opens. Conductances are not negative;
    /// whether a synapse is inhibitory is said by its neuron.
    #[param(default = SparseUniform::default(), units = "nS")]
    pub kernel: Param,
    /// Time constant of the excitatory conductance.
    #[param(default = 5.0, units = "ms", check = positive)]
    pub tau_excitatory: Param,
    /// Time constant of the inhibitory conductance.
    #[param(default = 10.0, units = "ms", check = positive)]
    pub tau_inhibitory: Param,
}

/// The values of [`ConductanceConfig`].
pub(super) struct Conductances {
    /// Over (units, inputs).
    pub(super) kernel: Real,
    pub(super) units: Shape,
    pub(super) tau_excitatory: Real,
    pub(super) tau_inhibitory: Real,
}

impl ConductanceConfig {
    /// The values for the spikes on the port `spikes`.
    pub(super) fn build(&self, cx: &mut Build) -> Result<Conductances> {
        let kernel = build_kernel(cx, &self.units, &self.kernel)?;
        let units = Shape::units(&self.units);
        let tau_excitatory = cx.param("tau_excitatory", &self.tau_excitatory, &units)?;
        let tau_inhibitory = cx.param("tau_inhibitory", &self.tau_inhibitory, &units)?;
        Ok(Conductances { kernel, units, tau_excitatory, tau_inhibitory })
    }
}

/// What the spikes of a step open in each neuron: the weights of synapses from excitatory neurons, and from inhibitory
/// ones.
#[track_caller]
pub(super) fn opened(kernel: Real, spikes: SpikeArray) -> (Real, Real) {
    let (open, closed) = (kernel * spikes.to_real(), Real::scalar(0.0));
    let is_inhibitory = spikes.inhibition_mask();
    let excitatory = is_inhibitory.select(closed, open).sum(Axis::PRE);
    let inhibitory = is_inhibitory.select(open, closed).sum(Axis::PRE);
    (excitatory, inhibitory)
}
