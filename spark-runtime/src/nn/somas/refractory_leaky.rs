//! Leaky somas with a refractory period: the membrane of [`super::LeakySoma`], and no spikes for a while after
//! one.

use crate::prelude::*;

/// Parameters of [`RefractoryLeakySoma`].
#[spark::config]
pub struct RefractoryLeakySomaConfig {
    /// Membrane rest potential.
    #[param(default = -60.0, units = "mV")]
    pub potential_rest: Param,
    /// Membrane potential right after a spike.
    #[param(default = -50.0, units = "mV")]
    pub potential_reset: Param,
    /// Membrane time constant.
    #[param(default = 20.0, units = "ms", check = positive)]
    pub potential_tau: Param,
    /// Membrane resistance.
    #[param(default = 0.1, units = "GΩ")]
    pub resistance: Param,
    /// Potential above which the neuron spikes.
    #[param(default = -40.0, units = "mV")]
    pub threshold: Param,
    /// Refractory period.
    #[param(default = 2.0, units = "ms", check = non_negative)]
    pub cooldown: Param,
}

/// Leaky integrate-and-fire soma that takes no input for `cooldown` after a spike: τ dv/dt = −v + R·I, where I counts as
/// zero while the neuron is refractory.
///
/// The potential, relative to rest, goes on decaying meanwhile. [`Refractory`] says when the neuron is ready again.
///
/// Gerstner, Kistler, Naud, Paninski, *Neuronal Dynamics*, chapter 1.3.
#[spark::module(category = "Components/Somas")]
pub struct RefractoryLeakySoma {
    #[config]
    config: RefractoryLeakySomaConfig,
    /// Membrane potential relative to rest, in mV.
    #[variable]
    potential: Real,
    #[module]
    membrane: LeakyMembrane,
    #[constant]
    reset: Real,
    #[constant]
    threshold: Real,
    #[module]
    refractory: Refractory,
}

#[spark::module]
impl RefractoryLeakySoma {
    fn build(cx: &mut Build, config: RefractoryLeakySomaConfig) -> Result<Self> {
        let units = cx.shape("current")?;
        let rest = cx.param("potential_rest", &config.potential_rest, &units)?;
        let reset = cx.param("potential_reset", &config.potential_reset, &units)?;
        let tau = cx.param("potential_tau", &config.potential_tau, &units)?;
        let resistance = cx.param("resistance", &config.resistance, &units)?;
        let threshold = cx.param("threshold", &config.threshold, &units)?;
        let cooldown = cx.param("cooldown", &config.cooldown, &units)?;
        Ok(Self {
            potential: cx.zeros(&units),
            membrane: LeakyMembrane::new(cx, tau, resistance),
            reset: reset - rest,
            threshold: threshold - rest,
            refractory: Refractory::new(cx, &units, cooldown),
            config,
        })
    }

    /// Membrane potential relative to rest, in mV.
    #[property]
    fn potential(&self) -> PotentialArray {
        PotentialArray::new(self.potential)
    }

    #[step(out = spikes)]
    fn step(
        &mut self,
        /// Input current, in pA.
        current: CurrentArray,
        /// True for inhibitory neurons.
        inhibition_mask: Option<BooleanMask>,
    ) -> SpikeArray {
        let ready = self.refractory.is_ready();
        let input = if ready { current.value() } else { 0.0 };
        self.potential = self.membrane.advance(self.potential, input);
        let fired = self.potential > self.threshold && ready;
        if fired {
            self.potential = self.reset;
        }
        self.refractory.update(fired);
        SpikeArray::new(fired, inhibition_mask)
    }
}

/// Parameters of [`StrictRefractoryLeakySoma`].
#[spark::config]
pub struct StrictRefractoryLeakySomaConfig {
    /// Membrane rest potential.
    #[param(default = -60.0, units = "mV")]
    pub potential_rest: Param,
    /// Membrane potential right after a spike.
    #[param(default = -50.0, units = "mV")]
    pub potential_reset: Param,
    /// Membrane time constant.
    #[param(default = 20.0, units = "ms", check = positive)]
    pub potential_tau: Param,
    /// Membrane resistance.
    #[param(default = 0.1, units = "GΩ")]
    pub resistance: Param,
    /// Potential above which the neuron spikes.
    #[param(default = -40.0, units = "mV")]
    pub threshold: Param,
    /// Refractory period.
    #[param(default = 2.0, units = "ms", check = non_negative)]
    pub cooldown: Param,
}

/// Leaky integrate-and-fire soma that is held at the reset potential for `cooldown` after a spike: τ dv/dt = −v + R·I
/// while the neuron is ready, v = `potential_reset` while it is refractory.
///
/// The potential is relative to rest. The neuron is ready one step earlier than a [`RefractoryLeakySoma`]; see
/// [`Refractory::is_over`].
///
/// Gerstner, Kistler, Naud, Paninski, *Neuronal Dynamics*, chapter 1.3.
#[spark::module(category = "Components/Somas")]
pub struct StrictRefractoryLeakySoma {
    #[config]
    config: StrictRefractoryLeakySomaConfig,
    /// Membrane potential relative to rest, in mV.
    #[variable]
    potential: Real,
    #[module]
    membrane: LeakyMembrane,
    #[constant]
    reset: Real,
    #[constant]
    threshold: Real,
    #[module]
    refractory: Refractory,
}

#[spark::module]
impl StrictRefractoryLeakySoma {
    fn build(cx: &mut Build, config: StrictRefractoryLeakySomaConfig) -> Result<Self> {
        let units = cx.shape("current")?;
        let rest = cx.param("potential_rest", &config.potential_rest, &units)?;
        let reset = cx.param("potential_reset", &config.potential_reset, &units)?;
        let tau = cx.param("potential_tau", &config.potential_tau, &units)?;
        let resistance = cx.param("resistance", &config.resistance, &units)?;
        let threshold = cx.param("threshold", &config.threshold, &units)?;
        let cooldown = cx.param("cooldown", &config.cooldown, &units)?;
        Ok(Self {
            potential: cx.zeros(&units),
            membrane: LeakyMembrane::new(cx, tau, resistance),
            reset: reset - rest,
            threshold: threshold - rest,
            refractory: Refractory::new(cx, &units, cooldown),
            config,
        })
    }

    /// Membrane potential relative to rest, in mV.
    #[property]
    fn potential(&self) -> PotentialArray {
        PotentialArray::new(self.potential)
    }

    #[step(out = spikes)]
    fn step(
        &mut self,
        /// Input current, in pA.
        current: CurrentArray,
        /// True for inhibitory neurons.
        inhibition_mask: Option<BooleanMask>,
    ) -> SpikeArray {
        let ready = self.refractory.is_over();
        let relaxed = self.membrane.advance(self.potential, current.value());
        self.potential = if ready { relaxed } else { self.reset };
        let fired = self.potential > self.threshold && ready;
        if fired {
            self.potential = self.reset;
        }
        self.refractory.update(fired);
        SpikeArray::new(fired, inhibition_mask)
    }
}
