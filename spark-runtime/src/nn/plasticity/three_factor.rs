//! The three-factor Hebbian rule.

use super::rule::{Learning, third_factor};
use crate::prelude::*;

/// Parameters of [`ThreeFactorHebbianRule`].
#[spark::config]
pub struct ThreeFactorHebbianRuleConfig {
    #[flatten(pre_tau = 10.0, post_tau = 10.0)]
    pub traces: SpikeTracesConfig,
    /// Learning rate.
    #[param(default = 0.1)]
    pub gamma: Param,
}

/// Hebbian rule gated by a reward R, with exponential traces x (pre) and y (post) of the spikes S:
///
/// dw/dt = γ (R + 0.1) (y·S_pre + S_post·x), with w ≥ 0.
///
/// Traces are updated first, so a coincident pair counts twice. The sign of spikes does not matter. Time constants are
/// one number, one per neuron or one per synapse. Traces have unit area (1/ms).
///
/// Gerstner, Lehmann, Liakoni, Corneil, Brea (2018), *Eligibility traces and plasticity on behavioral time scales*,
/// Frontiers in Neural Circuits 12.
///
/// ```
/// use spark::prelude::*;
///
/// let builder = Model::component(ThreeFactorHebbianRuleConfig::default()).input("pre_spikes", [1]).input("post_spikes", [1]);
/// let mut model = builder.input("kernel", [1, 1]).input("reward", [1]).build()?;
/// // Both neurons spike, and a reward comes.
/// let outputs = model.step(&[
///     ("pre_spikes", vec![true].into()),
///     ("post_spikes", vec![true].into()),
///     ("kernel", vec![1.0f32].into()),
///     ("reward", vec![0.9f32].into()),
/// ])?;
/// let weight = outputs.get("kernel")?.value().to_f32()[0];
/// assert!((weight - (1.0 + 0.1 * (0.9 + 0.1) * 2.0 / 10.0)).abs() < 1e-6);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Plasticity")]
pub struct ThreeFactorHebbianRule {
    #[config]
    config: ThreeFactorHebbianRuleConfig,
    #[module(flatten)]
    traces: SpikeTraces,
    #[module(flatten)]
    learning: Learning,
}

#[spark::module]
impl ThreeFactorHebbianRule {
    fn build(cx: &mut Build, config: ThreeFactorHebbianRuleConfig) -> Result<Self> {
        let traces = SpikeTraces::per_synapse(cx, &config.traces)?;
        let kernel = cx.shape("kernel")?;
        let rate = cx.param("gamma", &config.gamma, &kernel)?;
        Ok(Self { traces, learning: Learning::new(cx, rate), config })
    }

    /// Weights after the step.
    #[step(out = kernel, axis = (post, pre))]
    fn step(
        &mut self,
        #[ports] synapses: RuleInputs,
        /// Reward: one number, or one per postsynaptic neuron.
        reward: FloatArray,
    ) -> FloatArray {
        let spikes = self.traces.update(synapses);
        self.learning.gated(synapses.kernel, third_factor(reward) + 0.1, spikes.pairs()).into()
    }
}
