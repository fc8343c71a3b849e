//! What synapses that open conductances share: their parameters, and which conductance a spike opens how.

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

/// The excitatory and the inhibitory conductance of each neuron, with kinetics of one kind.
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct Conductances<K> {
    /// Excitatory conductance, in nS.
    #[module]
    excitatory_tracer: K,
    /// Inhibitory conductance, in nS.
    #[module]
    inhibitory_tracer: K,
}

impl<K: Kinetics> Conductances<K> {
    /// Closed conductances, and the kernel over (units, inputs), for the spikes on the port `spikes`.
    ///
    /// # Errors
    /// If nothing is connected to `spikes`, or a parameter does not fit.
    #[track_caller]
    pub fn build(cx: &mut Build, config: &ConductanceConfig) -> Result<(Real, Conductances<K>)> {
        let kernel = build_kernel(cx, &config.units, &config.kernel)?;
        let units = Shape::units(&config.units);
        let tau_excitatory = cx.param("tau_excitatory", &config.tau_excitatory, &units)?;
        let tau_inhibitory = cx.param("tau_inhibitory", &config.tau_inhibitory, &units)?;
        let excitatory_tracer = K::at_rest(cx, &units, tau_excitatory);
        let inhibitory_tracer = K::at_rest(cx, &units, tau_inhibitory);
        Ok((kernel, Conductances { excitatory_tracer, inhibitory_tracer }))
    }

    /// One step, in which spikes of excitatory neurons open the weights of their synapses in the excitatory conductance, and
    /// those of inhibitory neurons in the inhibitory one: both conductances after it.
    #[track_caller]
    pub fn open(&mut self, kernel: Real, spikes: SpikeArray) -> (ConductanceArray, ConductanceArray) {
        let (open, closed) = (kernel * spikes.to_real(), Real::scalar(0.0));
        let is_inhibitory = spikes.inhibition_mask();
        let excitatory = is_inhibitory.select(closed, open).sum(Axis::PRE);
        let inhibitory = is_inhibitory.select(open, closed).sum(Axis::PRE);
        (self.excitatory_tracer.advance(excitatory).into(), self.inhibitory_tracer.advance(inhibitory).into())
    }
}
