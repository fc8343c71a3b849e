//! The quadruplet rule.

use super::rule::{Learning, third_factor};
use crate::prelude::*;

/// Parameters of [`QuadrupletRule`].
#[spark::config]
pub struct QuadrupletRuleConfig {
    #[flatten(pre_tau = 10.0, post_tau = 10.0)]
    pub traces: SpikeTracesConfig,
    /// Change per presynaptic spike.
    #[param(default = 1.0)]
    pub q_alpha: Param,
    /// Change per presynaptic spike and postsynaptic trace.
    #[param(default = 1.0)]
    pub q_beta: Param,
    /// Change per postsynaptic spike.
    #[param(default = 1.0)]
    pub q_gamma: Param,
    /// Change per postsynaptic spike and presynaptic trace.
    #[param(default = 1.0)]
    pub q_delta: Param,
    /// Learning rate; `gamma` in files of Spark on JAX.
    #[param(default = 0.1, alias = "gamma")]
    pub eta: Param,
}

/// Quadruplet rule: a term for a spike of either side, and one for it together with the other side's trace. With spikes
/// S, exponential traces x (pre) and y (post), and a modulation M:
///
/// dw/dt = η (M + 0.1) (α·S_pre + β·y·S_pre + γ·S_post + δ·S_post·x), with w ≥ 0.
///
/// Traces are updated first, so a coincident pair counts in both products. The sign of spikes does not matter. Time
/// constants are one number, one per neuron or one per synapse. Traces have unit area (1/ms).
///
/// Confavreux, Zenke, Agnes, Lillicrap, Vogels (2020), *A meta-learning approach to (re)discover plasticity rules that
/// carve a desired function into a neural network*, NeurIPS.
///
/// ```
/// use spark::prelude::*;
///
/// let builder = Model::component(QuadrupletRuleConfig::default().with_q_beta(-1.0)).input("pre_spikes", [1]).input("post_spikes", [1]);
/// let mut model = builder.input("kernel", [1, 1]).input("modulation", [1]).build()?;
/// // A presynaptic spike alone: the term of α.
/// let outputs = model.step(&[
///     ("pre_spikes", vec![true].into()),
///     ("post_spikes", vec![false].into()),
///     ("kernel", vec![1.0f32].into()),
///     ("modulation", vec![0.9f32].into()),
/// ])?;
/// let weight = outputs.get("kernel")?.value().to_f32()[0];
/// assert!((weight - (1.0 + 0.1 * (0.9 + 0.1))).abs() < 1e-6);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Plasticity")]
pub struct QuadrupletRule {
    #[config]
    config: QuadrupletRuleConfig,
    #[module(flatten)]
    traces: SpikeTraces,
    #[module(flatten)]
    learning: Learning,
    #[constant]
    alpha: Real,
    #[constant]
    beta: Real,
    #[constant]
    gamma: Real,
    #[constant]
    delta: Real,
}

#[spark::module]
impl QuadrupletRule {
    fn build(cx: &mut Build, config: QuadrupletRuleConfig) -> Result<Self> {
        let traces = SpikeTraces::per_synapse(cx, &config.traces)?;
        let kernel = cx.shape("kernel")?;
        let rate = cx.param("eta", &config.eta, &kernel)?;
        Ok(Self {
            traces,
            learning: Learning::new(cx, rate),
            alpha: cx.param("q_alpha", &config.q_alpha, &kernel)?,
            beta: cx.param("q_beta", &config.q_beta, &kernel)?,
            gamma: cx.param("q_gamma", &config.q_gamma, &kernel)?,
            delta: cx.param("q_delta", &config.q_delta, &kernel)?,
            config,
        })
    }

    /// Weights after the step.
    #[step(out = kernel, axis = (post, pre))]
    fn step(
        &mut self,
        #[ports] synapses: RuleInputs,
        /// Modulation: one number, or one per postsynaptic neuron.
        modulation: FloatArray,
    ) -> FloatArray {
        let spikes = self.traces.update(synapses);
        let change = spikes.quadruplets([self.alpha, self.beta, self.gamma, self.delta]);
        self.learning.gated(synapses.kernel, third_factor(modulation) + 0.1, change).into()
    }
}
