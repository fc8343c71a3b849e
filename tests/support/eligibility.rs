//! A rule as a user writes one: an eligibility trace per synapse.

// Its types are public, as a user's are.
#![allow(unreachable_pub)]

use spark::nn::plasticity::{RuleInputs, SpikeTraces, SpikeTracesConfig};
use spark::prelude::*;

/// Parameters of [`EligibilityRule`].
#[spark::config]
pub struct EligibilityRuleConfig {
    #[flatten]
    pub traces: SpikeTracesConfig,
    /// Time constant of the eligibility trace.
    #[param(default = 50.0, units = "ms", check = positive)]
    pub tau: f64,
    /// Learning rate.
    #[param(default = 0.5)]
    pub rate: f64,
}

/// Presynaptic spikes S that find a postsynaptic trace y leave a trace e; postsynaptic spikes turn it into weight:
///
/// τ de/dt = −e + τ·y·S_pre, dw/dt = η·e·S_post, with 0 ≤ w ≤ 1.
#[spark::module(category = "Tutorial/Plasticity")]
pub struct EligibilityRule {
    #[config]
    config: EligibilityRuleConfig,
    #[module(flatten)]
    traces: SpikeTraces,
    /// e.
    #[variable]
    eligibility: Real,
    #[constant]
    decay: Real,
}

#[spark::module]
impl EligibilityRule {
    fn build(cx: &mut Build, config: EligibilityRuleConfig) -> Result<Self> {
        let kernel = cx.shape("kernel")?;
        let decay = cx.number((-cx.dt() / config.tau).exp());
        let traces = SpikeTraces::per_neuron(cx, &config.traces)?;
        Ok(Self { traces, eligibility: cx.zeros(&kernel), decay, config })
    }

    #[step(out = kernel, axis = (post, pre))]
    fn step(&mut self, #[ports] synapses: RuleInputs) -> FloatArray {
        let spikes = self.traces.update(synapses);
        self.eligibility = self.decay * self.eligibility + spikes.pre * spikes.post_trace;
        let change = self.config.rate * self.eligibility * spikes.post;
        (synapses.kernel.value() + change).clip(0.0, 1.0).into()
    }
}

/// Synapses with this rule, from inputs `in_spikes` to `units` neurons that spike when `post_spikes` says so; with a delay for
/// each synapse if `delayed`.
pub fn synapses(units: usize, delayed: bool) -> NeuronConfig {
    let input = |name| PortMap::output(PortMap::CALL, name);
    let arrived = || if delayed { PortMap::output("delays", "out_spikes") } else { input("in_spikes") };
    let mut modules = vec![
        ModuleSpecs::new("synapses", "LinearSynapses")
            .input("spikes", arrived())
            .effect("kernel", PortMap::output("rule", "kernel"))
            .output("currents", "currents"),
        ModuleSpecs::new("rule", "EligibilityRule")
            .input("pre_spikes", arrived())
            .input("post_spikes", input("post_spikes"))
            .input("kernel", PortMap::property("synapses", "kernel")),
    ];
    if delayed {
        modules.insert(0, ModuleSpecs::new("delays", "N2NDelays").input("in_spikes", input("in_spikes")));
    }
    NeuronConfig::new([units], modules)
}
