//! The "A versus B" brain: two pools of spiking neurons compete for the action, a third learns to foresee pain.
//!
//! ```text
//!              ┌──▶ A_excitatory ──▶ A_inhibitory ──▶ (inhibits B_excitatory)
//! signal ─▶ spiker ─▶ B_excitatory ──▶ B_inhibitory ──▶ (inhibits A_excitatory)
//!              └──▶ critic
//!
//! A_excitatory, B_excitatory ──▶ activity        critic ──▶ danger
//! ```
//!
//! Only the synapses of the excitatory pools and of the critic are plastic, and only while their third factors, the inputs
//! `mod_a`, `mod_b` and `mod_critic`, are not zero.

use spark::controller::{BrainConfig, ModuleSpecs, NeuronConfig, PortMap};
use spark::model::ModelBuilder;
use spark::prelude::*;
use spark::rng::Key;

/// Time between two decisions, in steps of 1 ms.
pub(crate) const PERIOD: usize = 20;
/// How many numbers the signal has.
pub(crate) const SIGNALS: usize = 16;
/// Age of the spikes that plasticity sees, in steps. In the period after a decision its consequence is perceived; in the
/// next one the third factor tells how good it was.
const MEMORY: usize = 2 * PERIOD;
/// Neurons of an excitatory pool, and of the critic.
const EXCITATORY: usize = 16;
/// Neurons of an inhibitory pool.
const INHIBITORY: usize = 4;
/// Neurons of background noise for a pool.
const BACKGROUND: usize = 8;

/// A brain that has learned nothing yet; all it draws at random comes from `seed`.
///
/// # Errors
/// If a module has a mistake.
pub(crate) fn build(seed: u32) -> Result<Model> {
    builder(seed).build()
}

/// A builder of it.
pub(crate) fn builder(seed: u32) -> ModelBuilder {
    let mut seeds = Key::new(seed).bits32(16).into_iter();
    let mut seed = move || seeds.next().unwrap_or_default();

    let spiker = TopologicalLinearSpikerConfig::default().with_mins(-1.0).with_maxs(1.0).with_resolution(16_usize);
    let spiker =
        ModuleSpecs::new("spiker", "TopologicalLinearSpiker").config(&spiker.with_max_freq(250.0).with_tau(20.0));
    let mut modules = vec![spiker.input("signal", input("signal"))];

    for (name, other) in [("A", "B"), ("B", "A")] {
        let background = PoissonSourceConfig::new(BACKGROUND).with_rate(40.0).with_seed(seed());
        let excitatory = neuron(format!("{name}_excitatory"), &plastic_pool(actor_rule(), 0.7, seed()));
        let inhibitory = neuron(format!("{name}_inhibitory"), &inhibitory_pool(seed()));
        modules.extend([
            ModuleSpecs::new(format!("{name}_background"), "PoissonSource").config(&background),
            excitatory
                .input("in_spikes", from("spiker", "spikes"))
                .input("in_spikes", from(format!("{name}_background"), "spikes"))
                .input("in_spikes", from(format!("{other}_inhibitory"), "out_spikes"))
                .input("modulation", input(format!("mod_{}", name.to_lowercase()))),
            inhibitory.input("in_spikes", from(format!("{name}_excitatory"), "out_spikes")),
        ]);
    }
    let critic = neuron("critic".into(), &plastic_pool(critic_rule(), 0.43, seed()));
    modules.push(critic.input("in_spikes", from("spiker", "spikes")).input("modulation", input("mod_critic")));

    let activity = ExponentialIntegratorConfig::new(2_usize).with_shuffle(false).with_smooth_trace(false);
    let danger = ExponentialIntegratorConfig::new(1_usize).with_saturation_freq(100.0).with_smooth_trace(false);
    modules.extend([
        ModuleSpecs::new("activity", "ExponentialIntegrator")
            .config(&activity.with_tau(10.0))
            .input("spikes", from("A_excitatory", "out_spikes"))
            .input("spikes", from("B_excitatory", "out_spikes"))
            .output("activity", "signal"),
        ModuleSpecs::new("danger", "ExponentialIntegrator")
            .config(&danger.with_tau(20.0))
            .input("spikes", from("critic", "out_spikes"))
            .output("danger", "signal"),
    ]);
    let brain = Model::component(BrainConfig::new(modules)).input("signal", [SIGNALS]);
    brain.input("mod_a", [1]).input("mod_b", [1]).input("mod_critic", [1])
}

/// An excitatory population whose synapses follow `rule`; their weights are about `weight` at first, in pA.
///
/// What the rule sees, both spikes that come in and spikes that go out, went through delay lines first.
fn plastic_pool(rule: QuadrupletRuleTensorConfig, weight: f64, seed: u32) -> NeuronConfig {
    let weights = Normal::default().with_mean(weight).with_std(0.3 * weight).with_min_value(0.0);
    let memory = || NDelaysConfig::default().with_max_delay(MEMORY as f64).with_delays(MEMORY as f64);
    let mut modules = population(EXCITATORY, weights.into());
    modules[0] = modules[0].clone().effect("kernel", from("plasticity", "kernel"));
    modules.extend([
        ModuleSpecs::new("inputs_before", "NDelays").config(&memory()).input("in_spikes", input("in_spikes")),
        ModuleSpecs::new("spikes_before", "NDelays").config(&memory()).input("in_spikes", from("soma", "spikes")),
        ModuleSpecs::new("plasticity", "QuadrupletRuleTensor")
            .config(&rule)
            .input("pre_spikes", from("inputs_before", "out_spikes"))
            .input("post_spikes", from("spikes_before", "out_spikes"))
            .input("kernel", PortMap::property("synapses", "kernel"))
            .input("modulation", input("modulation")),
    ]);
    NeuronConfig { seed, inhibitory_rate: 0.0, ..NeuronConfig::new([EXCITATORY], modules) }
}

/// An inhibitory population; its synapses stay as they are.
fn inhibitory_pool(seed: u32) -> NeuronConfig {
    let weights = SparseUniform::default().with_scale(20.0).with_density(0.5);
    let modules = population(INHIBITORY, weights.into());
    NeuronConfig { seed, inhibitory_rate: 1.0, ..NeuronConfig::new([INHIBITORY], modules) }
}

/// Exponential synapses and leaky somas with adaptive thresholds.
fn population(units: usize, weights: Param) -> Vec<ModuleSpecs> {
    let soma = AdaptiveLeakySomaConfig::default()
        .with_potential_reset(-60.0)
        .with_potential_tau(10.0)
        .with_resistance(1.0)
        .with_threshold(Normal::default().with_mean(-40.0).with_std(3.0))
        .with_threshold_tau(20.0)
        .with_threshold_delta(10.0);
    vec![
        ModuleSpecs::new("synapses", "TracedSynapses")
            .config(&TracedSynapsesConfig::new([units]).with_kernel(weights))
            .input("spikes", input("in_spikes")),
        ModuleSpecs::new("soma", "AdaptiveLeakySoma")
            .config(&soma)
            .input("current", from("synapses", "currents"))
            .input("inhibition_mask", PortMap::property(PortMap::SELF, "inhibition_mask"))
            .output("out_spikes", "spikes"),
    ]
}

/// Plasticity of the pools that act: dw/dt = η·M·δ·S_post·x.
///
/// A synapse has a share in what was done if its neuron spiked after it did; if that turned out well (M > 0) it grows.
fn actor_rule() -> QuadrupletRuleTensorConfig {
    rule(0.0, 20.0, 40.0).with_eta(0.03).with_max_clip(vec![50.0; 4])
}

/// Plasticity of the critic: dw/dt = η·M·α·S_pre.
///
/// A synapse has a share in what was foreseen if a spike came in; if the danger was greater than foreseen (M > 0) it grows.
fn critic_rule() -> QuadrupletRuleTensorConfig {
    rule(1.5, 0.0, 20.0).with_eta(0.04).with_max_clip(vec![100.0; 4])
}

/// A quadruplet rule of synapses between excitatory neurons; all others stay as they are.
fn rule(alpha: f64, delta: f64, pre_tau: f64) -> QuadrupletRuleTensorConfig {
    let excitatory = |number: f64| vec![number, 0.0, 0.0, 0.0];
    QuadrupletRuleTensorConfig::default()
        .with_pre_tau(vec![pre_tau; 4])
        .with_q_alpha(excitatory(alpha))
        .with_q_beta(excitatory(0.0))
        .with_q_gamma(excitatory(0.0))
        .with_q_delta(excitatory(delta))
}

fn neuron(name: String, config: &NeuronConfig) -> ModuleSpecs {
    ModuleSpecs::new(name, "Neuron").config(config)
}

/// The output `port` of a module.
fn from(module: impl Into<String>, port: &str) -> PortMap {
    PortMap::output(module, port)
}

/// The controller's own input `name`.
fn input(name: impl Into<String>) -> PortMap {
    PortMap::output(PortMap::CALL, name)
}
