//! Zenke's rule.

use super::rule::Learning;
use super::traces::{TracedSpikes, spike_trace};
use crate::prelude::*;

/// Parameters of [`ZenkeRule`].
#[spark::config]
pub struct ZenkeRuleConfig {
    #[flatten]
    pub traces: SpikeTracesConfig,
    /// Time constant of the slow postsynaptic trace.
    #[param(default = 20.0, units = "ms", check = positive)]
    pub post_slow_tau: Param,
    /// Time constant of the target of the weights.
    #[param(default = 20000.0, units = "ms", check = positive)]
    pub target_tau: Param,
    /// Factor of the triplet term, potentiation.
    #[param(default = 1.0)]
    pub a: Param,
    /// Factor of the doublet term, depression.
    #[param(default = -1.0)]
    pub b: Param,
    /// Factor of the heterosynaptic term.
    #[param(default = -1.0)]
    pub c: Param,
    /// Factor of the transmitter-induced term.
    #[param(default = 1.0)]
    pub d: Param,
    /// Strength of the potential in which the target has its stable points.
    #[param(default = 20.0)]
    pub p: Param,
    /// Learning rate.
    #[param(default = 0.1)]
    pub eta: Param,
}

/// Zenke's rule: triplet potentiation, doublet depression, heterosynaptic and transmitter-induced plasticity. With
/// exponential traces x (pre), y (post, fast) and z (post, slow) of the spikes S, and a slow target u of each weight:
///
/// dw/dt = η (a·x·z·S_post + b·y·S_pre + c·(w − u)·y³·S_post + d·S_pre), with w ≥ 0,
///
/// τ_target du/dt = −u + w − p·u·(1/4 − u)·(1/2 − u).
///
/// Traces are updated first, z too, so that a spike sees itself. The sign of spikes does not matter. Traces of spikes
/// have unit area (1/ms); the target starts at 0. In the cubic u is bounded by √(2·τ_target/(3·p·dt)), 26 for the
/// defaults, above which the explicit step of the target would diverge.
///
/// Zenke, Agnes, Gerstner (2015), *Diverse synaptic plasticity mechanisms orchestrated to form and retrieve memories in
/// spiking neural networks*, Nature Communications 6.
///
/// ```
/// use spark::prelude::*;
///
/// let builder = Model::component(ZenkeRuleConfig::default()).input("pre_spikes", [1]).input("post_spikes", [1]);
/// let mut model = builder.input("kernel", [1, 1]).build()?;
/// // A presynaptic spike alone: the transmitter-induced term.
/// let outputs = model.step(&[
///     ("pre_spikes", vec![true].into()),
///     ("post_spikes", vec![false].into()),
///     ("kernel", vec![1.0f32].into()),
/// ])?;
/// let weight = outputs.get("kernel")?.value().to_f32()[0];
/// assert!((weight - (1.0 + 0.1)).abs() < 1e-6);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Plasticity")]
pub struct ZenkeRule {
    #[config]
    config: ZenkeRuleConfig,
    #[module(flatten)]
    traces: SpikeTraces,
    #[module]
    post_slow_trace: Tracer,
    #[module]
    target_trace: Tracer,
    #[constant]
    a: Real,
    #[constant]
    b: Real,
    #[constant]
    c: Real,
    #[constant]
    d: Real,
    #[constant]
    p: Real,
    /// Above it an explicit step of the potential would not converge.
    #[constant]
    largest_target: Real,
    /// Time step, in ms.
    #[constant]
    step: Real,
    #[module(flatten)]
    learning: Learning,
}

#[spark::module]
impl ZenkeRule {
    fn build(cx: &mut Build, config: ZenkeRuleConfig) -> Result<Self> {
        let (post, kernel) = (cx.shape("post_spikes")?, cx.shape("kernel")?);
        let traces = SpikeTraces::per_neuron(cx, &config.traces)?;
        let post_slow_trace = spike_trace(cx, "post_slow_tau", &config.post_slow_tau, &post)?;
        let target_tau = cx.param("target_tau", &config.target_tau, &kernel)?;
        let p = cx.param("p", &config.p, &kernel)?;
        Ok(Self {
            traces,
            post_slow_trace,
            target_trace: Tracer::normalized(cx, &kernel, target_tau),
            largest_target: (2.0 * target_tau / (3.0 * cx.dt() * p.abs())).sqrt().min(cx.limit()),
            a: cx.param("a", &config.a, &kernel)?,
            b: cx.param("b", &config.b, &kernel)?,
            c: cx.param("c", &config.c, &kernel)?,
            d: cx.param("d", &config.d, &kernel)?,
            p,
            step: cx.number(cx.dt()),
            learning: {
                let rate = cx.param("eta", &config.eta, &kernel)?;
                Learning::new(cx, rate)
            },
            config,
        })
    }

    /// Weights after the step.
    #[step(out = kernel, axis = (post, pre))]
    fn step(&mut self, #[ports] synapses: RuleInputs) -> FloatArray {
        let TracedSpikes { pre, post, pre_trace, post_trace } = self.traces.update(synapses);
        let post_slow_trace = self.post_slow_trace.update(post);
        let (weight, target) = (synapses.kernel.value().max(0.0), self.target_trace.value());
        let bounded = target.clip(-self.largest_target, self.largest_target);
        let potential = self.p * bounded * (0.25 - bounded) * (0.5 - bounded);
        // Unlike a spike, the weight acts throughout the step.
        let target = self.target_trace.update(self.step * (weight - potential));
        let triplet = self.a * (post_slow_trace * post * pre_trace);
        let doublet = self.b * (post_trace * pre);
        let heterosynaptic = self.c * ((weight - target) * (post_trace * post_trace * post_trace * post));
        let transmitter = self.d * pre;
        self.learning.step(synapses.kernel, triplet + doublet + heterosynaptic + transmitter).into()
    }
}
