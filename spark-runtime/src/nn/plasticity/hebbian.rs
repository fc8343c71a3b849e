//! The Hebbian rule.

use super::rule::Learning;
use crate::prelude::*;

/// Parameters of [`HebbianRule`].
#[spark::config]
pub struct HebbianRuleConfig {
    #[flatten]
    pub traces: SpikeTracesConfig,
    /// Learning rate.
    #[param(default = 0.01)]
    pub eta: f64,
}

/// Hebbian rule with exponential traces x (pre) and y (post) of the spikes S:
///
/// dw/dt = η (y·S_pre + S_post·x), with w ≥ 0.
///
/// Traces are updated first, so a coincident pair counts twice. The sign of spikes does not matter.
///
/// Gerstner, Kistler, Naud, Paninski, *Neuronal Dynamics*, chapter 19.2.
///
/// ```
/// use spark::prelude::*;
///
/// let builder = Model::component(HebbianRuleConfig::default().with_eta(1.0)).input("pre_spikes", [1]).input("post_spikes", [1]);
/// let mut model = builder.input("kernel", [1, 1]).build()?;
/// // Both neurons spike: each trace is 1/20 per ms, and the pair counts twice.
/// let outputs = model.step(&[
///     ("pre_spikes", vec![true].into()),
///     ("post_spikes", vec![true].into()),
///     ("kernel", vec![1.0f32].into()),
/// ])?;
/// let weight = outputs.get("kernel")?.value().to_f32()[0];
/// assert!((weight - (1.0 + 2.0 / 20.0)).abs() < 1e-6);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Plasticity")]
pub struct HebbianRule {
    #[config]
    config: HebbianRuleConfig,
    #[module(flatten)]
    traces: SpikeTraces,
    #[module(flatten)]
    learning: Learning,
}

#[spark::module]
impl HebbianRule {
    fn build(cx: &mut Build, config: HebbianRuleConfig) -> Result<Self> {
        Ok(Self {
            traces: SpikeTraces::per_neuron(cx, &config.traces)?,
            learning: Learning::new(cx, cx.number(config.eta)),
            config,
        })
    }

    /// Weights after the step.
    #[step(out = kernel, axis = (post, pre))]
    fn step(&mut self, #[ports] synapses: RuleInputs) -> FloatArray {
        let spikes = self.traces.update(synapses);
        self.learning.step(synapses.kernel, spikes.pairs()).into()
    }
}
