//! Leaky soma driven by synaptic conductances.

use super::drive::{drive, population};
use crate::prelude::*;

/// Parameters of [`ConductanceLeakySoma`].
#[spark::config]
pub struct ConductanceLeakySomaConfig {
    #[flatten(
        potential_rest = -70.0,
        potential_reset = -60.0,
        potential_tau = 15.0,
        resistance = 0.06,
        threshold = -55.0,
    )]
    pub membrane: LeakyMembraneConfig,
    #[flatten]
    pub refractory: RefractoryConfig,
    /// Reversal potential of excitatory synapses.
    #[param(default = 0.0, units = "mV")]
    pub excitatory_reversal: Param,
    /// Reversal potential of inhibitory synapses.
    #[param(default = -85.0, units = "mV")]
    pub inhibitory_reversal: Param,
}

/// Leaky integrate-and-fire soma driven by synaptic conductances:
///
/// τ dv/dt = −v + R·(g_ex·(E_ex − v) + g_in·(E_in − v) + I),
///
/// by the exponential Euler method, which is exact for conductances and a current that are constant over a step. When v
/// exceeds the threshold the neuron spikes and is held at the reset potential for `cooldown`.
///
/// Potentials are relative to rest inside. Conductances are in nS, so with R in GΩ their products are plain numbers; the
/// kinetics are the synapses'. The sign of a conductance does not matter. The defaults are those of NEST's `iaf_cond_exp`
/// (`g_L` is 1/`resistance`, `C_m` is `potential_tau`/`resistance`).
///
/// Gerstner, Kistler, Naud, Paninski, *Neuronal Dynamics*, chapter 3.1; Meffin, Burkitt, Grayden, *An Analytical Model for
/// the "Large, Fluctuating Synaptic Conductance State" Typical of Neocortical Neurons In Vivo*, Journal of Computational
/// Neuroscience 16, 2004.
///
/// ```
/// use spark::prelude::*;
///
/// let mut model = Model::component(ConductanceLeakySomaConfig::default().with_threshold(100.0))
///     .input("excitatory", [1])
///     .input("inhibitory", [1])
///     .build()?;
/// let conductance = |g: f32| spark::payload::HostPayload::from(vec![g]);
/// model.run(500, &[("excitatory", conductance(1e6)), ("inhibitory", conductance(0.0))])?;
/// // However large, a conductance only drives to its reversal potential: 0 mV, 70 mV above rest.
/// assert!((model.state("potential")?.to_f32()[0] - 70.0).abs() < 0.01);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Somas")]
pub struct ConductanceLeakySoma {
    #[config]
    config: ConductanceLeakySomaConfig,
    /// Membrane potential relative to rest, in mV.
    #[variable(property = PotentialArray)]
    potential: Real,
    #[module]
    refractory: Refractory,
    #[constant]
    reset: Real,
    #[constant]
    threshold: Real,
    #[constant]
    resistance: Real,
    /// dt/τ.
    #[constant]
    scale: Real,
    #[constant]
    excitatory_reversal: Real,
    #[constant]
    inhibitory_reversal: Real,
    /// Largest conductance, for the arithmetic's sake.
    #[constant]
    limit: Real,
}

#[spark::module]
impl ConductanceLeakySoma {
    fn build(cx: &mut Build, config: ConductanceLeakySomaConfig) -> Result<Self> {
        let units = population(cx, &["excitatory", "inhibitory", "current"])?;
        let membrane = config.membrane.values(cx, &units)?;
        let refractory = Refractory::build(cx, &config.refractory, &units)?;
        let excitatory = cx.param("excitatory_reversal", &config.excitatory_reversal, &units)?;
        let inhibitory = cx.param("inhibitory_reversal", &config.inhibitory_reversal, &units)?;
        Ok(Self {
            potential: cx.zeros(&units),
            refractory,
            reset: membrane.reset,
            threshold: membrane.threshold,
            resistance: membrane.resistance,
            scale: cx.dt() / membrane.tau,
            excitatory_reversal: excitatory - membrane.rest,
            inhibitory_reversal: inhibitory - membrane.rest,
            limit: cx.number(cx.limit()),
            config,
        })
    }

    /// The size of a conductance, 0 if nothing is connected.
    #[host]
    #[track_caller]
    fn opened(&self, conductance: Option<ConductanceArray>) -> Real {
        conductance.map_or_else(|| Real::scalar(0.0), |open| open.value().abs().min(self.limit))
    }

    /// True where a neuron spikes.
    #[step(out = spikes)]
    fn step(
        &mut self,
        /// Excitatory conductance, in nS.
        excitatory: Option<ConductanceArray>,
        /// Inhibitory conductance, in nS.
        inhibitory: Option<ConductanceArray>,
        /// Input current, in pA.
        current: Option<CurrentArray>,
        /// True for inhibitory neurons.
        inhibition_mask: Option<BooleanMask>,
    ) -> SpikeArray {
        let [excitatory, inhibitory] = [excitatory, inhibitory].map(|conductance| self.opened(conductance));
        let pull = excitatory * self.excitatory_reversal + inhibitory * self.inhibitory_reversal + drive(current);
        // In units of the leak conductance.
        let total = 1.0 + self.resistance * (excitatory + inhibitory);
        let target = self.resistance * pull / total;
        let relaxed = target + (self.potential - target) * (-self.scale * total).exp();
        let fired = self.refractory.clamp(self.threshold, self.reset, &mut self.potential, relaxed);
        SpikeArray::new(fired, inhibition_mask)
    }
}
