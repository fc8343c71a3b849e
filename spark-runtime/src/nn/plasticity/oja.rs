//! Oja's rule.

use super::rule::Learning;
use super::traces::spike_trace;
use crate::prelude::*;

/// Parameters of [`OjaRule`].
#[spark::config]
pub struct OjaRuleConfig {
    /// Time constant of the postsynaptic trace.
    #[param(default = 20.0, units = "ms", check = positive)]
    pub post_tau: Param,
    /// Learning rate.
    #[param(default = 0.1)]
    pub eta: f64,
}

/// Oja's rule with an exponential trace y of the postsynaptic spikes, for spikes S of the presynaptic neuron:
///
/// dw/dt = η (y·S_pre − y²·w), with w ≥ 0.
///
/// The trace is updated first. The sign of spikes does not matter. y has unit area (1/ms); weights are in the kernel's
/// units.
///
/// Oja (1982), *A simplified neuron model as a principal component analyzer*, Journal of Mathematical Biology 15.
///
/// ```
/// use spark::prelude::*;
///
/// let builder = Model::component(OjaRuleConfig::default().with_eta(1.0)).input("pre_spikes", [1]).input("post_spikes", [1]);
/// let mut model = builder.input("kernel", [1, 1]).build()?;
/// // Both neurons spike: y is 1/20 per ms.
/// let outputs = model.step(&[
///     ("pre_spikes", vec![true].into()),
///     ("post_spikes", vec![true].into()),
///     ("kernel", vec![1.0f32].into()),
/// ])?;
/// let weight = outputs.get("kernel")?.value().to_f32()[0];
/// assert!((weight - (1.0 + 1.0 / 20.0 - 1.0 / 400.0)).abs() < 1e-6);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Plasticity")]
pub struct OjaRule {
    #[config]
    config: OjaRuleConfig,
    #[module]
    post_trace: Tracer,
    #[module(flatten)]
    learning: Learning,
}

#[spark::module]
impl OjaRule {
    fn build(cx: &mut Build, config: OjaRuleConfig) -> Result<Self> {
        let post = cx.shape("post_spikes")?;
        Ok(Self {
            post_trace: spike_trace(cx, "post_tau", &config.post_tau, &post)?,
            learning: Learning::new(cx, cx.number(config.eta)),
            config,
        })
    }

    /// Weights after the step.
    #[step(out = kernel, axis = (post, pre))]
    fn step(&mut self, #[ports] synapses: RuleInputs) -> FloatArray {
        let post_trace = self.post_trace.update(synapses.post_spikes.to_real());
        let change = post_trace * synapses.pre_spikes.to_real() - synapses.kernel * post_trace.square();
        self.learning.step(synapses.kernel, change).into()
    }
}
