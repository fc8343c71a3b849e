//! The refractory period, a part that somas hold.

use crate::prelude::*;

/// Parameters of a [`Refractory`] period.
#[spark::config(group)]
pub struct RefractoryConfig {
    /// Refractory period.
    #[param(default = 2.0, units = "ms", check = non_negative)]
    pub cooldown: Param,
}

/// Counts the steps since the last spike, against a cooldown of c steps.
///
/// The counter begins at c. A spike sets it to 0, every other step adds 1, up to the largest integer. Ask whether the
/// neuron is ready before the step's [`Refractory::update`].
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct Refractory {
    /// Steps since the last spike.
    #[variable]
    counter: Int,
    /// Length of the period, in steps.
    #[constant]
    cooldown: Int,
}

#[spark::traced]
impl Refractory {
    /// The period of each of `units` neurons, rounded to whole steps.
    ///
    /// # Errors
    /// If the parameter does not fit `units`.
    #[track_caller]
    pub fn build(cx: &mut Build, config: &RefractoryConfig, units: &Shape) -> Result<Refractory> {
        let cooldown = cx.param("cooldown", &config.cooldown, units)?;
        let cooldown = (cooldown / cx.dt()).round().to_int();
        Ok(Refractory { counter: cx.int_zeros(units) + cooldown, cooldown })
    }

    /// True where more than c steps were silent: spikes are at least c + 2 steps apart, the first step has none.
    #[track_caller]
    pub fn is_ready(&self) -> Bool {
        self.counter > self.cooldown
    }

    /// True where at least c steps were silent: spikes are at least c + 1 steps apart, the first step may have one.
    #[track_caller]
    pub fn is_over(&self) -> Bool {
        self.counter >= self.cooldown
    }

    /// One step of a soma that is clamped to `reset` while the period lasts, where `relaxed` is the potential its membrane
    /// comes to: moves the potential; true where a spike is.
    #[track_caller]
    pub fn clamp(&mut self, threshold: Real, reset: Real, potential: &mut Real, relaxed: Real) -> Bool {
        let ready = self.is_over();
        let clamped = if ready { relaxed } else { reset };
        let fired = clamped > threshold && ready;
        self.update(fired);
        *potential = fired.select(reset, clamped);
        fired
    }

    /// Takes one step; `fired` is true where a spike is.
    #[track_caller]
    pub fn update(&mut self, fired: Bool) {
        self.counter = if fired { Int::from(0) } else { self.counter.min(i32::MAX - 1) + 1 };
    }
}
