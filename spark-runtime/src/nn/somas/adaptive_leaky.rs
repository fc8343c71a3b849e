//! Leaky soma whose threshold adapts.

use crate::prelude::*;

/// Parameters of [`AdaptiveLeakySoma`].
#[spark::config]
pub struct AdaptiveLeakySomaConfig {
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
    /// Time constant of the threshold's return.
    #[param(default = 20.0, units = "ms", check = positive)]
    pub threshold_tau: Param,
    /// Rise of the threshold after a spike.
    #[param(default = 100.0, units = "mV")]
    pub threshold_delta: Param,
}

/// Leaky integrate-and-fire soma with a refractory period and a threshold that rises with every spike:
///
/// τ dv/dt = −v + R·I, τ_ϑ dϑ/dt = ϑ₀ − ϑ, and ϑ ← ϑ + `threshold_delta` at a spike.
///
/// The potential is relative to rest, and so is the threshold. While the neuron is refractory I counts as zero. A spike
/// raises the threshold from the next step on.
///
/// Gerstner, Kistler, Naud, Paninski, *Neuronal Dynamics*, chapter 5.1.
#[spark::module(category = "Components/Somas")]
pub struct AdaptiveLeakySoma {
    #[config]
    config: AdaptiveLeakySomaConfig,
    /// Membrane potential relative to rest, in mV.
    #[variable]
    potential: Real,
    #[module]
    membrane: LeakyMembrane,
    #[constant]
    reset: Real,
    #[module]
    refractory: Refractory,
    #[module]
    threshold: Tracer,
}

#[spark::module]
impl AdaptiveLeakySoma {
    fn build(cx: &mut Build, config: AdaptiveLeakySomaConfig) -> Result<Self> {
        let units = cx.shape("current")?;
        let rest = cx.param("potential_rest", &config.potential_rest, &units)?;
        let reset = cx.param("potential_reset", &config.potential_reset, &units)?;
        let tau = cx.param("potential_tau", &config.potential_tau, &units)?;
        let resistance = cx.param("resistance", &config.resistance, &units)?;
        let threshold = cx.param("threshold", &config.threshold, &units)?;
        let cooldown = cx.param("cooldown", &config.cooldown, &units)?;
        let threshold_tau = cx.param("threshold_tau", &config.threshold_tau, &units)?;
        let threshold_delta = cx.param("threshold_delta", &config.threshold_delta, &units)?;
        Ok(Self {
            potential: cx.zeros(&units),
            membrane: LeakyMembrane::new(cx, tau, resistance),
            reset: reset - rest,
            refractory: Refractory::new(cx, &units, cooldown),
            threshold: Tracer::new(cx, &units, threshold_tau, threshold_delta, threshold - rest),
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
        let fired = self.potential > self.threshold.value() && ready;
        if fired {
            self.potential = self.reset;
        }
        self.refractory.update(fired);
        self.threshold.update(fired.to_real());
        SpikeArray::new(fired, inhibition_mask)
    }
}
