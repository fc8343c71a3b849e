//! The membrane of the somas of NEST's `iaf_psc_*` kind, a part that they hold.

use super::drive::{drive, population};
use super::refractory_membrane::RefractoryMembrane;
use crate::prelude::*;

/// Membrane and refractory period with the defaults of NEST's `iaf_psc_*` models.
#[spark::config(group)]
pub struct PSCNeuronConfig {
    #[flatten(
        potential_rest = -70.0,
        potential_reset = -70.0,
        potential_tau = 10.0,
        resistance = 0.04,
        threshold = -55.0,
    )]
    pub membrane: LeakyMembraneConfig,
    #[flatten]
    pub refractory: RefractoryConfig,
}

/// A leaky membrane with a refractory period that takes what comes in during a step at the step's end.
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct PSCMembrane {
    /// Current that came in last, in pA.
    #[variable]
    current: Real,
    #[module(flatten)]
    membrane: RefractoryMembrane<LeakyMembrane>,
}

impl PSCMembrane {
    /// The membrane of each of `units` neurons, and what it was made of.
    ///
    /// # Errors
    /// If a parameter does not fit `units`.
    #[track_caller]
    pub fn build(cx: &mut Build, config: &PSCNeuronConfig, units: &Shape) -> Result<(PSCMembrane, LeakyParameters)> {
        let values = config.membrane.values(cx, units)?;
        let refractory = Refractory::build(cx, &config.refractory, units)?;
        let membrane = RefractoryMembrane::new(LeakyMembrane::new(cx, values), refractory);
        Ok((PSCMembrane { current: cx.zeros(units), membrane }, values))
    }

    /// One step to whose potential synapses add `synaptic`, in mV: moves the potential; true where a spike is. `current` acts
    /// from the next step on.
    #[track_caller]
    pub fn fire(&mut self, potential: &mut Real, synaptic: Real, current: Option<CurrentArray>) -> Bool {
        let fired = self.membrane.fire_held(potential, self.current, synaptic);
        self.current = drive(current);
        fired
    }
}

/// A [`PSCMembrane`] with an excitatory and an inhibitory current of one kind.
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct PSCDynamics<C> {
    #[module(flatten)]
    membrane: PSCMembrane,
    #[module]
    excitatory: C,
    #[module]
    inhibitory: C,
}

impl<C: SynapticCurrent> PSCDynamics<C> {
    /// The dynamics of neurons with the inputs `excitatory`, `inhibitory` and `current`, and the shape of their population.
    ///
    /// # Errors
    /// If nothing is connected, or a parameter does not fit.
    #[track_caller]
    pub fn build(
        cx: &mut Build,
        neuron: &PSCNeuronConfig,
        synapses: &PostsynapticCurrentConfig,
    ) -> Result<(Shape, PSCDynamics<C>)> {
        let units = population(cx, &["excitatory", "inhibitory", "current"])?;
        let (membrane, values) = PSCMembrane::build(cx, neuron, &units)?;
        let mut current = |name: &str, tau: &Param| {
            let tau = cx.param(name, tau, &units)?;
            Ok::<C, Error>(C::new(cx, &units, tau, values))
        };
        let excitatory = current("excitatory_tau", &synapses.excitatory_tau)?;
        let inhibitory = current("inhibitory_tau", &synapses.inhibitory_tau)?;
        Ok((units, PSCDynamics { membrane, excitatory, inhibitory }))
    }

    /// One step, at whose end the inputs arrive: moves the potential; true where a spike is.
    #[track_caller]
    pub fn fire(&mut self, potential: &mut Real, inputs: PSCInputs) -> Bool {
        let synaptic = self.excitatory.charge() + self.inhibitory.charge();
        self.excitatory.update(drive(inputs.excitatory));
        self.inhibitory.update(drive(inputs.inhibitory));
        self.membrane.fire(potential, synaptic, inputs.current)
    }
}
