//! What somas ask of a membrane.

use crate::prelude::*;

/// A membrane: how a potential follows its input current over one step, and where it spikes.
///
/// A soma keeps the potential as its own variable; the membrane holds the constants. Potentials are relative to rest.
pub trait Membrane: Nested + Sized {
    /// Its parameters.
    type Config;

    /// The membrane of each of `units` neurons. Draws one key per parameter.
    ///
    /// # Errors
    /// If a parameter does not fit `units`.
    fn build(cx: &mut Build, config: &Self::Config, units: &Shape) -> Result<Self>;

    /// The potential after a step with `current`, in pA.
    fn advance(&self, potential: Real, current: Real) -> Real;

    /// The potential after a step with `current` against the current `adaptation`, both in pA.
    #[track_caller]
    fn advance_against(&self, potential: Real, adaptation: Real, current: Real) -> Real {
        self.advance(potential, current - adaptation)
    }

    /// How a step moves a small potential: the share of it that is lost, and what is added, in mV per pA.
    fn linear(&self) -> (Real, Real);

    /// The potential right after a spike.
    fn reset(&self) -> Real;

    /// The potential above which the neuron spikes.
    fn threshold(&self) -> Real;

    /// Resets the potentials above the threshold; true where a spike is.
    #[track_caller]
    fn spike(&self, potential: &mut Real) -> Bool {
        spike(potential, self.threshold(), self.reset())
    }

    /// One step of a neuron that may spike at any time: moves its potential; true where a spike is.
    #[track_caller]
    fn fire(&self, potential: &mut Real, current: Real) -> Bool {
        *potential = self.advance(*potential, current);
        self.spike(potential)
    }
}

#[spark::traced]
fn spike(potential: &mut Real, threshold: Real, reset: Real) -> Bool {
    let fired = *potential > threshold;
    *potential = fired.select(reset, *potential);
    fired
}
