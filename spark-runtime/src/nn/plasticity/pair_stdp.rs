//! Pair-based spike-timing-dependent plasticity.

use super::pairs::{SpikePairs, SpikePairsConfig};
use super::rule::power;
use crate::prelude::*;

/// Parameters of [`PairSTDPRule`].
#[spark::config]
pub struct PairSTDPRuleConfig {
    #[flatten]
    pub pairs: SpikePairsConfig,
    /// Learning rate λ: the largest potentiation by one pair, as a share of the range of weights.
    #[param(default = 0.01)]
    pub eta: f64,
    /// Depression against potentiation.
    #[param(default = 1.0, check = non_negative)]
    pub alpha: f64,
    /// Exponent of the distance to the largest weight in potentiation: 0 is additive, 1 multiplicative.
    #[param(default = 1.0, check = non_negative)]
    pub mu_plus: f64,
    /// Exponent of the distance to the smallest weight in depression: 0 is additive, 1 multiplicative.
    #[param(default = 1.0, check = non_negative)]
    pub mu_minus: f64,
    /// Smallest weight.
    #[param(default = 0.0, units = "pA", check = finite)]
    pub w_min: f64,
    /// Largest weight.
    #[param(default = 100.0, units = "pA", check = finite)]
    pub w_max: f64,
}

/// Pair-based spike-timing-dependent plasticity. Every pair of spikes counts (all-to-all), and changes the weight by
///
/// Δw = λ·(1 − ŵ)^μ₊·e^(−Δt/τ₊)·(w_max − w_min) for Δt > 0, when the postsynaptic spike comes,
///
/// Δw = −λ·α·ŵ^μ₋·e^(Δt/τ₋)·(w_max − w_min) for Δt < 0, when the presynaptic spike comes,
///
/// where Δt = t_post − t_pre and ŵ = (w − w_min)/(w_max − w_min) is the weight now, kept from 0 to 1. Exponents of 0 are
/// the additive rule (Song, Miller, Abbott 2000), exponents of 1 the multiplicative one with soft bounds (van Rossum, Bi,
/// Turrigiano 2000), and others lie between (Gütig et al. 2003).
///
/// Spikes of the same step (Δt = 0) are no pair. Where a step both potentiates and depresses a synapse, it potentiates
/// first. Both are as in NEST's `stdp_synapse`. A pair counts in full whatever the time step. The sign of spikes does not
/// matter. Weights outside the bounds are taken to the bounds.
///
/// Gütig, Aharonov, Rotter, Sompolinsky (2003), *Learning input correlations through nonlinear temporally asymmetric
/// Hebbian plasticity*, Journal of Neuroscience 23; Morrison, Diesmann, Gerstner (2008), *Phenomenological models of
/// synaptic plasticity based on spike timing*, Biological Cybernetics 98.
///
/// ```
/// use spark::prelude::*;
///
/// let config = PairSTDPRuleConfig::default().with_mu_plus(0.0).with_mu_minus(0.0);
/// let builder = Model::component(config).input("pre_spikes", [1]).input("post_spikes", [1]);
/// let mut model = builder.input("kernel", [1, 1]).build()?;
/// // The presynaptic neuron spikes 10 ms before the postsynaptic one.
/// let mut weight = vec![50.0f32];
/// for t in 0..20 {
///     let outputs = model.step(&[
///         ("pre_spikes", vec![t == 2].into()),
///         ("post_spikes", vec![t == 12].into()),
///         ("kernel", weight.into()),
///     ])?;
///     weight = outputs.get("kernel")?.value().to_f32();
/// }
/// assert!((weight[0] - (50.0 + 0.01 * 100.0 * f32::exp(-10.0 / 20.0))).abs() < 1e-4);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Plasticity")]
pub struct PairSTDPRule {
    #[config]
    config: PairSTDPRuleConfig,
    #[module]
    pairs: SpikePairs,
}

#[spark::module]
impl PairSTDPRule {
    fn build(cx: &mut Build, config: PairSTDPRuleConfig) -> Result<Self> {
        if config.w_min >= config.w_max && cx.is_right("w_min") && cx.is_right("w_max") {
            let message = format!("must be above w_min, {} pA, found {} pA", config.w_min, config.w_max);
            cx.report(Error::new(message).at("w_max"));
        }
        Ok(Self { pairs: SpikePairs::new(cx, &config.pairs)?, config })
    }

    /// Weights after the step.
    #[step(out = kernel, axis = (post, pre))]
    fn step(&mut self, #[ports] synapses: RuleInputs) -> FloatArray {
        let PairSTDPRuleConfig { eta, alpha, mu_plus, mu_minus, w_min, w_max, .. } = self.config;
        let range = w_max - w_min;
        let pairs = self.pairs.update(synapses);
        let kernel = synapses.kernel.value().clip(w_min, w_max);
        let above = ((w_max - kernel) / range).clip(0.0, 1.0);
        let potentiated = kernel + range * eta * power(above, mu_plus) * pairs.pre_first;
        let kernel = potentiated.clip(w_min, w_max);
        let below = ((kernel - w_min) / range).clip(0.0, 1.0);
        let depressed = kernel - range * eta * alpha * power(below, mu_minus) * pairs.post_first;
        depressed.clip(w_min, w_max).into()
    }
}
