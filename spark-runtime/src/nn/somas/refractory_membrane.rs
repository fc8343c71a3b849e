//! A membrane with a refractory period, a part that somas hold.

use crate::prelude::*;

/// A [`Membrane`] with a [`Refractory`] period. How the two go together is the soma's choice.
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct RefractoryMembrane<M> {
    #[module]
    membrane: M,
    #[module]
    refractory: Refractory,
}

#[spark::traced]
impl<M: Membrane> RefractoryMembrane<M> {
    /// The membrane and the period of each of `units` neurons.
    ///
    /// # Errors
    /// If a parameter does not fit `units`.
    #[track_caller]
    pub fn build(
        cx: &mut Build,
        membrane: &M::Config,
        refractory: &RefractoryConfig,
        units: &Shape,
    ) -> Result<RefractoryMembrane<M>> {
        let membrane = M::build(cx, membrane, units)?;
        Ok(RefractoryMembrane::new(membrane, Refractory::build(cx, refractory, units)?))
    }

    /// A membrane with a period.
    pub fn new(membrane: M, refractory: Refractory) -> RefractoryMembrane<M> {
        RefractoryMembrane { membrane, refractory }
    }

    /// The membrane.
    pub fn membrane(&self) -> &M {
        &self.membrane
    }

    /// One step of a soma that takes no input while it is refractory, and whose membrane goes on meanwhile: moves the
    /// potential; true where a spike is, that is where it exceeds the threshold and the neuron is ready.
    #[track_caller]
    pub fn fire(&mut self, potential: &mut Real, current: Real) -> Bool {
        self.fire_above(self.membrane.threshold(), potential, current)
    }

    /// The same with another threshold.
    #[track_caller]
    pub fn fire_above(&mut self, threshold: Real, potential: &mut Real, current: Real) -> Bool {
        let ready = self.refractory.is_ready();
        let input = if ready { current } else { 0.0 };
        let relaxed = self.membrane.advance(*potential, input);
        let fired = relaxed > threshold && ready;
        self.refractory.update(fired);
        *potential = fired.select(self.membrane.reset(), relaxed);
        fired
    }

    /// One step of a soma that is clamped to the reset potential while the period lasts.
    #[track_caller]
    pub fn fire_clamped(&mut self, potential: &mut Real, current: Real) -> Bool {
        let relaxed = self.membrane.advance(*potential, current);
        self.refractory.clamp(self.membrane.threshold(), self.membrane.reset(), potential, relaxed)
    }

    /// One step of a soma of NEST's kind: its potential stays while the period lasts, and it spikes where it reaches the
    /// threshold, too. `jump`, in mV, comes on top of what the membrane does.
    #[track_caller]
    pub fn fire_held(&mut self, potential: &mut Real, current: Real, jump: Real) -> Bool {
        let relaxed = self.membrane.advance(*potential, current) + jump;
        let ready = self.refractory.is_over();
        let held = if ready { relaxed } else { *potential };
        // A reset at or above the threshold must not spike before the period is over.
        let fired = held >= self.membrane.threshold() && ready;
        self.refractory.update(fired);
        *potential = fired.select(self.membrane.reset(), held);
        fired
    }
}
