//! Leaky integrate-and-fire soma.

use crate::prelude::*;

/// Parameters of [`LeakySoma`].
#[spark::config]
pub struct LeakySomaConfig {
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
}

/// Leaky integrate-and-fire soma: τ dv/dt = −v + R·I, integrated exactly for a current that is constant over a step.
///
/// The potential is stored relative to rest: v = 0 is `potential_rest`. When v exceeds the threshold the neuron spikes
/// and v is set to the reset potential.
///
/// Gerstner, Kistler, Naud, Paninski, *Neuronal Dynamics*, chapter 1.3.
///
/// ```
/// use spark::prelude::*;
///
/// let mut model = Model::component(LeakySomaConfig::default())
///     .input("current", [2])
///     .build()?;
/// for _ in 0..100 {
///     model.step(&[("current", vec![0.0f32, 400.0].into())])?;
/// }
/// let potential = model.state("potential")?.to_f32();
/// assert_eq!(potential[0], 0.0);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Somas")]
pub struct LeakySoma {
    #[config]
    config: LeakySomaConfig,
    /// Membrane potential relative to rest, in mV.
    #[variable]
    potential: Real,
    #[module]
    membrane: LeakyMembrane,
    #[constant]
    reset: Real,
    #[constant]
    threshold: Real,
}

#[spark::module]
impl LeakySoma {
    fn build(cx: &mut Build, config: LeakySomaConfig) -> Result<Self> {
        let units = cx.shape("current")?;
        let rest = cx.param("potential_rest", &config.potential_rest, &units)?;
        let reset = cx.param("potential_reset", &config.potential_reset, &units)?;
        let tau = cx.param("potential_tau", &config.potential_tau, &units)?;
        let resistance = cx.param("resistance", &config.resistance, &units)?;
        let threshold = cx.param("threshold", &config.threshold, &units)?;
        Ok(Self {
            potential: cx.zeros(&units),
            membrane: LeakyMembrane::new(cx, tau, resistance),
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
