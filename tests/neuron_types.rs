//! Types of neurons that a crate registers when it is compiled, with `#[spark::neuron]`.

use spark::config::{Config, ConfigTree, ConfigValue};
use spark::controller::BrainConfig;
use spark::prelude::*;
use spark::registry::Registry;

/// Leaky neurons with linear synapses.
///
/// They do not learn.
#[spark::neuron]
pub struct StaticNeuron;

impl NeuronModel for StaticNeuron {
    fn modules() -> Vec<ModuleSpecs> {
        vec![
            ModuleSpecs::new("synapses", "LinearSynapses")
                .config(&LinearSynapsesConfig::new([1]).with_kernel(5e3))
                .input("spikes", PortMap::output(PortMap::CALL, "in_spikes")),
            ModuleSpecs::new("soma", "LeakySoma")
                .input("current", PortMap::output("synapses", "currents"))
                .output("out_spikes", "spikes"),
        ]
    }
}

mod private {
    use spark::prelude::*;

    /// As a `StaticNeuron`, with a refractory period.
    #[spark::neuron]
    pub(crate) struct PausingNeuron;

    impl NeuronModel for PausingNeuron {
        fn modules() -> Vec<ModuleSpecs> {
            let mut modules = super::StaticNeuron::modules();
            modules[1].module_cls = "RefractoryLeakySoma".into();
            modules
        }
    }
}

/// How often neurons spike in ten steps in which both inputs do.
fn count(mut model: Model) -> usize {
    let mut count = 0;
    for _ in 0..10 {
        let outputs = model.step(&[("in_spikes", vec![true; 2].into())]).unwrap();
        count += outputs.spikes("out_spikes").unwrap().iter().filter(|spike| **spike).count();
    }
    count
}

#[test]
fn it_has_a_name_a_description_and_a_configuration() {
    let registry = Registry::global().unwrap();
    let spec = registry.neurons.get("static_neuron").unwrap();
    assert_eq!(
        (spec.name, spec.description),
        ("StaticNeuron", "Leaky neurons with linear synapses.\n\nThey do not learn.")
    );
    assert_eq!((spec.config)().name, "StaticNeuronConfig");
    assert_eq!((spec.modules)(), StaticNeuron::modules());
    let config = registry.configs.get("StaticNeuronConfig").unwrap();
    assert_eq!(config.description, "Parameters of [`StaticNeuron`].");
    // The fields of every neuron's configuration, in its order; what is required has no default.
    let described = |config: &spark::config::ConfigSpec| -> Vec<_> {
        config.fields.iter().map(|f| (f.name, f.type_name, f.units, f.description, f.checks.len())).collect()
    };
    assert_eq!(described(config), described(NeuronConfig::spec()));
    let required: Vec<&str> = config.fields.iter().filter(|f| f.default.is_none()).map(|f| f.name).collect();
    assert_eq!(required, ["units"]);
    assert!(registry.neurons.find("PausingNeuron").is_some());
}

#[test]
fn it_runs_from_code_from_its_name_and_in_a_brain() {
    let typed = StaticNeuronConfig::new([3]).with_inhibitory_rate(0.0).with_seed(4_u32);
    let model = Model::component(typed.clone()).input("in_spikes", [2]).build().unwrap();
    assert_eq!(count(model), 30);
    let named = ConfigTree::new("StaticNeuronConfig").with("units", ConfigValue::Int(3));
    assert_eq!(count(Model::from_tree(named).input("in_spikes", [2]).build().unwrap()), 30);
    let pausing = private::PausingNeuronConfig::new([3]);
    let pausing = count(Model::component(pausing).input("in_spikes", [2]).build().unwrap());
    assert!(pausing > 0 && pausing < 30, "{pausing}");
    let pool = ModuleSpecs::new("pool", "StaticNeuron")
        .config(&typed)
        .input("in_spikes", PortMap::output(PortMap::CALL, "in_spikes"))
        .output("out_spikes", "out_spikes");
    let brain = Model::component(BrainConfig::new(vec![pool])).input("in_spikes", [2]).build().unwrap();
    assert_eq!(count(brain), 30);
}

#[test]
fn its_configuration_is_read_as_it_is_written() {
    let config = StaticNeuronConfig::new([2, 3]).with_dt(0.5).with_seed(7_u32);
    assert_eq!(StaticNeuronConfig::from_tree(&config.to_tree()).unwrap().to_tree(), config.to_tree());
    assert_eq!((config.seed(), config.dt()), (7, 0.5));
    let error = StaticNeuronConfig::new([2]).with_inhibitory_rate(2.0).validate().unwrap_err().to_string();
    assert!(error.starts_with("inhibitory_rate: must lie between 0 and 1, found 2"), "{error}");
    let error = ConfigTree::new("StaticNeuronConfig");
    let error = Model::from_tree(error).input("in_spikes", [2]).build().err().unwrap().to_string();
    assert!(error.contains("units"), "{error}");
}

#[test]
fn other_modules_may_take_the_place_of_its_own() {
    let mut modules = StaticNeuron::modules();
    modules[1].module_cls = "AdaptiveLeakySoma".into();
    let config = StaticNeuronConfig::new([3]).with_modules_specs(modules);
    let model = Model::component(config).input("in_spikes", [2]).build().unwrap();
    assert!(model.states().contains(&"soma.threshold.trace".to_string()));
}

#[test]
fn modules_have_the_time_step_of_their_neuron() {
    // As in Spark on JAX, the neuron's time step replaces what its modules say.
    let mut modules = StaticNeuron::modules();
    modules[1] = modules[1].clone().config(&LeakySomaConfig::default().with_dt(0.1));
    let [replaced, own] = [modules, StaticNeuron::modules()].map(|modules| {
        let config = StaticNeuronConfig::new([3]).with_dt(0.5).with_modules_specs(modules);
        let mut model = Model::component(config).input("in_spikes", [2]).build().unwrap();
        model.step(&[("in_spikes", vec![true, false].into())]).unwrap();
        model.state("soma.potential").unwrap().to_f64()
    });
    assert_eq!(replaced, own);

    // A module that cannot go on with it says so.
    let mut modules = StaticNeuron::modules();
    modules[1].module_cls = "HodgkinHuxleySoma".into();
    let config = StaticNeuronConfig::new([3]).with_modules_specs(modules);
    let error = Model::component(config.clone()).input("in_spikes", [2]).build().err().unwrap().to_string();
    assert!(error.contains("soma.dt: must be positive and at most 0.1, found 1 ms"), "{error}");
    assert!(Model::component(config.with_dt(0.1)).input("in_spikes", [2]).build().is_ok());
}
