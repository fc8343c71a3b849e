//! The three-factor Hebbian rule.

use super::rule::{spike_trace, stepped, third_factor, trace_shape};
use crate::nn::tracers::Tracer;
use crate::prelude::*;

/// Parameters of [`ThreeFactorHebbianRule`].
#[spark::config]
pub struct ThreeFactorHebbianRuleConfig {
    /// Time constant of the presynaptic trace.
    #[param(default = 10.0, units = "ms", check = positive)]
    pub pre_tau: Param,
    /// Time constant of the postsynaptic trace.
    #[param(default = 10.0, units = "ms", check = positive)]
    pub post_tau: Param,
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
    #[module]
    pre_trace: Tracer,
    #[module]
    post_trace: Tracer,
    #[constant]
    rate: Real,
    #[constant]
    dt: Real,
}

#[spark::module]
impl ThreeFactorHebbianRule {
    fn build(cx: &mut Build, config: ThreeFactorHebbianRuleConfig) -> Result<Self> {
        let (pre, post, kernel) = (cx.shape("pre_spikes")?, cx.shape("post_spikes")?, cx.shape("kernel")?);
        let pre = trace_shape(&config.pre_tau, &pre, &kernel);
        let post = trace_shape(&config.post_tau, &post, &kernel);
        Ok(Self {
            pre_trace: spike_trace(cx, "pre_tau", &config.pre_tau, &pre)?,
            post_trace: spike_trace(cx, "post_tau", &config.post_tau, &post)?,
            rate: cx.param("gamma", &config.gamma, &kernel)?,
            dt: cx.number(cx.dt()),
            config,
        })
    }

    #[step(out = kernel, axis = (post, pre))]
    fn step(
        &mut self,
        /// Presynaptic spikes.
        #[axis(pre)]
        pre_spikes: SpikeArray,
        /// Postsynaptic spikes.
        post_spikes: SpikeArray,
        /// Weights now.
        #[axis(post, pre)]
        kernel: FloatArray,
        /// Reward: one number, or one per postsynaptic neuron.
        reward: FloatArray,
    ) -> FloatArray {
        let (pre, post) = (pre_spikes.to_real(), post_spikes.to_real());
        let pre_trace = self.pre_trace.update(pre);
        let post_trace = self.post_trace.update(post);
        let change = self.rate * (third_factor(reward) + 0.1) * (post_trace * pre + post * pre_trace);
        stepped(kernel, change, self.dt).into()
    }
}
