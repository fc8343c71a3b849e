//! Exponential somas that adapt: by a current, or by their threshold.

use crate::prelude::*;

/// Parameters of [`AdaptiveExponentialSoma`].
#[spark::config]
pub struct AdaptiveExponentialSomaConfig {
    /// Membrane rest potential.
    #[param(default = -70.0, units = "mV")]
    pub potential_rest: Param,
    /// Membrane potential right after a spike.
    #[param(default = -51.0, units = "mV")]
    pub potential_reset: Param,
    /// Membrane time constant.
    #[param(default = 5.0, units = "ms", check = positive)]
    pub potential_tau: Param,
    /// Membrane resistance.
    #[param(default = 0.5, units = "GΩ")]
    pub resistance: Param,
    /// Potential above which the neuron spikes.
    #[param(default = -30.0, units = "mV")]
    pub threshold: Param,
    /// Rheobase threshold: above it the exponential term drives the potential upwards.
    #[param(default = -50.0, units = "mV")]
    pub rheobase_threshold: Param,
    /// Sharpness of the upstroke.
    #[param(default = 2.0, units = "mV", check = positive)]
    pub spike_slope: Param,
    /// Time constant of the adaptation current.
    #[param(default = 100.0, units = "ms", check = positive)]
    pub adaptation_tau: Param,
    /// Rise of the adaptation current after a spike.
    #[param(default = 7.0, units = "pA")]
    pub adaptation_delta: Param,
    /// Adaptation current per mV of potential above rest.
    #[param(default = 0.5, units = "nS")]
    pub adaptation_subthreshold: Param,
}

/// Adaptive exponential integrate-and-fire soma, by the explicit Euler method:
///
/// τ dv/dt = −v + Δ·exp((v − ϑ)/Δ) + R·(I − w), τ_w dw/dt = a·v − w, and w ← w + `adaptation_delta` at a spike.
///
/// The potential is stored relative to rest, ϑ is `rheobase_threshold`, Δ is `spike_slope` and a is
/// `adaptation_subthreshold`. When v exceeds `threshold` the neuron spikes and v is set to the reset potential; w follows
/// the potential after the reset.
///
/// Brette, Gerstner, *Adaptive Exponential Integrate-and-Fire Model as an Effective Description of Neuronal Activity*,
/// Journal of Neurophysiology 94(5), 2005; Gerstner, Kistler, Naud, Paninski, *Neuronal Dynamics*, chapter 6.1.
#[spark::module(category = "Components/Somas")]
pub struct AdaptiveExponentialSoma {
    #[config]
    config: AdaptiveExponentialSomaConfig,
    /// Membrane potential relative to rest, in mV.
    #[variable]
    potential: Real,
    #[module]
    membrane: ExponentialMembrane,
    #[constant]
    reset: Real,
    #[constant]
    threshold: Real,
    /// Adaptation current, in pA.
    #[variable]
    adaptation: Real,
    #[constant]
    adaptation_scale: Real,
    #[constant]
    adaptation_delta: Real,
    #[constant]
    adaptation_subthreshold: Real,
}

#[spark::module]
impl AdaptiveExponentialSoma {
    fn build(cx: &mut Build, config: AdaptiveExponentialSomaConfig) -> Result<Self> {
        let units = cx.shape("current")?;
        let rest = cx.param("potential_rest", &config.potential_rest, &units)?;
        let reset = cx.param("potential_reset", &config.potential_reset, &units)?;
        let tau = cx.param("potential_tau", &config.potential_tau, &units)?;
        let resistance = cx.param("resistance", &config.resistance, &units)?;
        let threshold = cx.param("threshold", &config.threshold, &units)?;
        let rheobase = cx.param("rheobase_threshold", &config.rheobase_threshold, &units)?;
        let slope = cx.param("spike_slope", &config.spike_slope, &units)?;
        let adaptation_delta = cx.param("adaptation_delta", &config.adaptation_delta, &units)?;
        let adaptation_subthreshold = cx.param("adaptation_subthreshold", &config.adaptation_subthreshold, &units)?;
        let adaptation_tau = cx.param("adaptation_tau", &config.adaptation_tau, &units)?;
        Ok(Self {
            potential: cx.zeros(&units),
            membrane: ExponentialMembrane::new(cx, tau, resistance, rheobase - rest, slope),
            reset: reset - rest,
            threshold: threshold - rest,
            adaptation: cx.zeros(&units),
            adaptation_scale: cx.dt() / adaptation_tau,
            adaptation_delta,
            adaptation_subthreshold,
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
        self.potential = self.membrane.advance(self.potential, current - self.adaptation);
        let fired = self.potential > self.threshold;
        if fired {
            self.potential = self.reset;
        }
        let target = self.adaptation_subthreshold * self.potential;
        self.adaptation += self.adaptation_scale * (target - self.adaptation);
        if fired {
            self.adaptation += self.adaptation_delta;
        }
        SpikeArray::new(fired, inhibition_mask)
    }
}

/// Parameters of [`SimplifiedAdaptiveExponentialSoma`].
#[spark::config]
pub struct SimplifiedAdaptiveExponentialSomaConfig {
    /// Membrane rest potential.
    #[param(default = -70.0, units = "mV")]
    pub potential_rest: Param,
    /// Membrane potential right after a spike.
    #[param(default = -51.0, units = "mV")]
    pub potential_reset: Param,
    /// Membrane time constant.
    #[param(default = 5.0, units = "ms", check = positive)]
    pub potential_tau: Param,
    /// Membrane resistance.
    #[param(default = 0.5, units = "GΩ")]
    pub resistance: Param,
    /// Potential above which the neuron spikes.
    #[param(default = -30.0, units = "mV")]
    pub threshold: Param,
    /// Rheobase threshold: above it the exponential term drives the potential upwards.
    #[param(default = -50.0, units = "mV")]
    pub rheobase_threshold: Param,
    /// Sharpness of the upstroke.
    #[param(default = 2.0, units = "mV", check = positive)]
    pub spike_slope: Param,
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

/// Exponential integrate-and-fire soma with a refractory period and a threshold that rises with every spike, in place of
/// the adaptation current of [`AdaptiveExponentialSoma`]; by the explicit Euler method:
///
/// τ dv/dt = −v + Δ·exp((v − ϑ)/Δ) + R·I, τ_s ds/dt = s₀ − s, and s ← s + `threshold_delta` at a spike.
///
/// The potential is stored relative to rest, and so is the threshold s; ϑ is `rheobase_threshold` and Δ is
/// `spike_slope`. While the neuron is refractory I counts as zero. A raised threshold lets the potential run away without
/// a spike; [`ExponentialMembrane`] keeps it finite.
///
/// Brette, Gerstner, *Adaptive Exponential Integrate-and-Fire Model as an Effective Description of Neuronal Activity*,
/// Journal of Neurophysiology 94(5), 2005; Gerstner, Kistler, Naud, Paninski, *Neuronal Dynamics*, chapter 6.1.
#[spark::module(category = "Components/Somas")]
pub struct SimplifiedAdaptiveExponentialSoma {
    #[config]
    config: SimplifiedAdaptiveExponentialSomaConfig,
    /// Membrane potential relative to rest, in mV.
    #[variable]
    potential: Real,
    #[module]
    membrane: ExponentialMembrane,
    #[constant]
    reset: Real,
    #[module]
    refractory: Refractory,
    #[module]
    threshold: Tracer,
}

#[spark::module]
impl SimplifiedAdaptiveExponentialSoma {
    fn build(cx: &mut Build, config: SimplifiedAdaptiveExponentialSomaConfig) -> Result<Self> {
        let units = cx.shape("current")?;
        let rest = cx.param("potential_rest", &config.potential_rest, &units)?;
        let reset = cx.param("potential_reset", &config.potential_reset, &units)?;
        let tau = cx.param("potential_tau", &config.potential_tau, &units)?;
        let resistance = cx.param("resistance", &config.resistance, &units)?;
        let threshold = cx.param("threshold", &config.threshold, &units)?;
        let rheobase = cx.param("rheobase_threshold", &config.rheobase_threshold, &units)?;
        let slope = cx.param("spike_slope", &config.spike_slope, &units)?;
        let cooldown = cx.param("cooldown", &config.cooldown, &units)?;
        let threshold_tau = cx.param("threshold_tau", &config.threshold_tau, &units)?;
        let threshold_delta = cx.param("threshold_delta", &config.threshold_delta, &units)?;
        Ok(Self {
            potential: cx.zeros(&units),
            membrane: ExponentialMembrane::new(cx, tau, resistance, rheobase - rest, slope),
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
