//! Spike-timing-dependent plasticity whose potentiation is a power of the weight.

use super::pairs::{SpikePairs, SpikePairsConfig};
use super::rule::power;
use crate::prelude::*;

/// Parameters of [`PowerLawSTDPRule`].
#[spark::config]
pub struct PowerLawSTDPRuleConfig {
    #[flatten]
    pub pairs: SpikePairsConfig,
    /// Learning rate λ.
    #[param(default = 0.1)]
    pub eta: f64,
    /// Depression against potentiation.
    #[param(default = 1.0, check = non_negative)]
    pub alpha: f64,
    /// Exponent of the weight in potentiation.
    #[param(default = 0.4, check = zero_one)]
    pub mu: f64,
    /// Reference weight, at which potentiation does not depend on the exponent.
    #[param(default = 1.0, units = "pA", check = positive)]
    pub w_0: f64,
}

/// Pair-based spike-timing-dependent plasticity whose potentiation is a power of the weight and whose depression is
/// proportional to it, as measured in cultures. Every pair of spikes counts (all-to-all), and changes the weight by
///
/// Δw = λ·w₀^(1−μ)·w^μ·e^(−Δt/τ₊) for Δt > 0, when the postsynaptic spike comes,
///
/// Δw = −λ·α·w·e^(Δt/τ₋) for Δt < 0, when the presynaptic spike comes,
///
/// where Δt = t_post − t_pre and w is the weight now, in pA, which stays at or above 0. There is no largest weight:
/// depression grows faster with the weight than potentiation. At w₀ = 1 pA this is NEST's `stdp_pl_synapse_hom`.
///
/// Spikes of the same step (Δt = 0) are no pair. Where a step both potentiates and depresses a synapse, it potentiates
/// first. A pair counts in full whatever the time step. The sign of spikes does not matter.
///
/// Morrison, Aertsen, Diesmann (2007), *Spike-timing-dependent plasticity in balanced random networks*, Neural
/// Computation 19.
///
/// ```
/// use spark::prelude::*;
///
/// let config = PowerLawSTDPRuleConfig::default();
/// let builder = Model::component(config).input("pre_spikes", [1]).input("post_spikes", [1]);
/// let mut model = builder.input("kernel", [1, 1]).build()?;
/// // The postsynaptic neuron spikes 5 ms before the presynaptic one.
/// let mut weight = vec![40.0f32];
/// for t in 0..20 {
///     let outputs = model.step(&[
///         ("pre_spikes", vec![t == 7].into()),
///         ("post_spikes", vec![t == 2].into()),
///         ("kernel", weight.into()),
///     ])?;
///     weight = outputs.get("kernel")?.value().to_f32();
/// }
/// assert!((weight[0] - 40.0 * (1.0 - 0.1 * f32::exp(-5.0 / 20.0))).abs() < 1e-4);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Plasticity")]
pub struct PowerLawSTDPRule {
    #[config]
    config: PowerLawSTDPRuleConfig,
    #[module]
    pairs: SpikePairs,
    /// Largest weight, for the arithmetic's sake.
    #[constant]
    limit: Real,
}

#[spark::module]
impl PowerLawSTDPRule {
    fn build(cx: &mut Build, config: PowerLawSTDPRuleConfig) -> Result<Self> {
        let limit = cx.number(cx.limit());
        Ok(Self { pairs: SpikePairs::new(cx, &config.pairs)?, limit, config })
    }

    /// Weights after the step.
    #[step(out = kernel, axis = (post, pre))]
    fn step(&mut self, #[ports] synapses: RuleInputs) -> FloatArray {
        let PowerLawSTDPRuleConfig { eta, alpha, mu, w_0, .. } = self.config;
        let pairs = self.pairs.update(synapses);
        let kernel = synapses.kernel.value().clip(0.0, self.limit);
        let kernel = kernel + eta * w_0.powf(1.0 - mu) * power(kernel, mu) * pairs.pre_first;
        (kernel - eta * alpha * kernel * pairs.post_first).max(0.0).into()
    }
}
