//! Exponential integrate-and-fire somas, without and with a refractory period.

use crate::prelude::*;

/// Parameters of [`ExponentialSoma`].
#[spark::config]
pub struct ExponentialSomaConfig {
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
}

/// Exponential integrate-and-fire soma: τ dv/dt = −v + Δ·exp((v − ϑ)/Δ) + R·I, by the explicit Euler method.
///
/// The potential is stored relative to rest, ϑ is `rheobase_threshold` and Δ is `spike_slope`. When v exceeds
/// `threshold` the neuron spikes and v is set to the reset potential.
///
/// Fourcaud-Trocmé, Hansel, van Vreeswijk, Brunel, *How Spike Generation Mechanisms Determine the Neuronal Response to
/// Fluctuating Inputs*, Journal of Neuroscience 23(37), 2003; Gerstner, Kistler, Naud, Paninski, *Neuronal Dynamics*,
/// chapter 5.2.
#[spark::module(category = "Components/Somas")]
pub struct ExponentialSoma {
    #[config]
    config: ExponentialSomaConfig,
    /// Membrane potential relative to rest, in mV.
    #[variable]
    potential: Real,
    #[module]
    membrane: ExponentialMembrane,
    #[constant]
    reset: Real,
    #[constant]
    threshold: Real,
}

#[spark::module]
impl ExponentialSoma {
    fn build(cx: &mut Build, config: ExponentialSomaConfig) -> Result<Self> {
        let units = cx.shape("current")?;
        let rest = cx.param("potential_rest", &config.potential_rest, &units)?;
        let reset = cx.param("potential_reset", &config.potential_reset, &units)?;
        let tau = cx.param("potential_tau", &config.potential_tau, &units)?;
        let resistance = cx.param("resistance", &config.resistance, &units)?;
        let threshold = cx.param("threshold", &config.threshold, &units)?;
        let rheobase = cx.param("rheobase_threshold", &config.rheobase_threshold, &units)?;
        let slope = cx.param("spike_slope", &config.spike_slope, &units)?;
        Ok(Self {
            potential: cx.zeros(&units),
            membrane: ExponentialMembrane::new(cx, tau, resistance, rheobase - rest, slope),
            reset: reset - rest,
            threshold: threshold - rest,
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
        self.potential = self.membrane.advance(self.potential, current.value());
        let fired = self.potential > self.threshold;
        if fired {
            self.potential = self.reset;
        }
        SpikeArray::new(fired, inhibition_mask)
    }
}

/// Parameters of [`RefractoryExponentialSoma`].
#[spark::config]
pub struct RefractoryExponentialSomaConfig {
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
}

/// Exponential integrate-and-fire soma that takes no input for `cooldown` after a spike:
/// τ dv/dt = −v + Δ·exp((v − ϑ)/Δ) + R·I, where I counts as zero while the neuron is refractory.
///
/// The potential, relative to rest, goes on evolving meanwhile. [`Refractory`] says when the neuron is ready again.
///
/// Fourcaud-Trocmé, Hansel, van Vreeswijk, Brunel, *How Spike Generation Mechanisms Determine the Neuronal Response to
/// Fluctuating Inputs*, Journal of Neuroscience 23(37), 2003; Gerstner, Kistler, Naud, Paninski, *Neuronal Dynamics*,
/// chapter 5.2.
#[spark::module(category = "Components/Somas")]
pub struct RefractoryExponentialSoma {
    #[config]
    config: RefractoryExponentialSomaConfig,
    /// Membrane potential relative to rest, in mV.
    #[variable]
    potential: Real,
    #[module]
    membrane: ExponentialMembrane,
    #[constant]
    reset: Real,
    #[constant]
    threshold: Real,
    #[module]
    refractory: Refractory,
}

#[spark::module]
impl RefractoryExponentialSoma {
    fn build(cx: &mut Build, config: RefractoryExponentialSomaConfig) -> Result<Self> {
        let units = cx.shape("current")?;
        let rest = cx.param("potential_rest", &config.potential_rest, &units)?;
        let reset = cx.param("potential_reset", &config.potential_reset, &units)?;
        let tau = cx.param("potential_tau", &config.potential_tau, &units)?;
        let resistance = cx.param("resistance", &config.resistance, &units)?;
        let threshold = cx.param("threshold", &config.threshold, &units)?;
        let rheobase = cx.param("rheobase_threshold", &config.rheobase_threshold, &units)?;
        let slope = cx.param("spike_slope", &config.spike_slope, &units)?;
        let cooldown = cx.param("cooldown", &config.cooldown, &units)?;
        Ok(Self {
            potential: cx.zeros(&units),
            membrane: ExponentialMembrane::new(cx, tau, resistance, rheobase - rest, slope),
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
