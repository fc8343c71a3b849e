//! Brains: one step from module to module, circles, brains in brains, effects, and what is refused.

use spark::config::{Config, ConfigTree, ConfigValue};
use spark::controller::{BrainConfig, ModuleSpecs, NeuronConfig, PortMap, register_neuron};
use spark::prelude::*;

fn concat(name: &str) -> ModuleSpecs {
    ModuleSpecs::new(name, "ConcatReshape").config(&ConcatReshapeConfig::new([2]))
}

fn from(module: &str, port: &str) -> PortMap {
    PortMap::output(module, port)
}

fn build(modules: Vec<ModuleSpecs>) -> Result<Model> {
    Model::component(BrainConfig::new(modules)).input("signal", [2]).build()
}

/// The message of a brain that cannot be built.
fn refused(modules: Vec<ModuleSpecs>) -> String {
    match build(modules) {
        Ok(_) => panic!("the brain was built"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn modules_read_what_others_put_out_one_step_before() {
    let modules = vec![
        concat("first").input("inputs", from(PortMap::CALL, "signal")).output("first", "output"),
        concat("second").input("inputs", from("first", "output")).output("second", "output"),
    ];
    let mut model = build(modules).unwrap();
    for t in 0..4 {
        let x = t as f32 + 1.0;
        let outputs = model.step(&[("signal", vec![x, -x].into())]).unwrap();
        assert_eq!(outputs.get("first").unwrap().value().to_f32(), [x, -x]);
        // Before the first step everything was zero.
        assert_eq!(outputs.get("second").unwrap().value().to_f32(), [t as f32, -(t as f32)]);
    }
    model.reset();
    let outputs = model.step(&[("signal", vec![5.0f32, 5.0].into())]).unwrap();
    assert_eq!(outputs.get("second").unwrap().value().to_f32(), [0.0, 0.0]);
}

#[test]
fn sources_are_joined_in_the_order_given() {
    let both = ModuleSpecs::new("both", "ConcatReshape").config(&ConcatReshapeConfig::new([4]));
    let modules = vec![
        concat("first").input("inputs", from(PortMap::CALL, "signal")),
        both.input("inputs", from(PortMap::CALL, "signal"))
            .input("inputs", from("first", "output"))
            .output("all", "output"),
    ];
    let mut model = build(modules).unwrap();
    model.step(&[("signal", vec![1.0f32, 2.0].into())]).unwrap();
    let outputs = model.step(&[("signal", vec![3.0f32, 4.0].into())]).unwrap();
    assert_eq!(outputs.get("all").unwrap().value().to_f32(), [3.0, 4.0, 1.0, 2.0]);
}

/// A pool of LIF neurons that is driven by the signal and reads its own spikes and those of `other`.
fn pool(name: &str, seed: u32, other: &str) -> ModuleSpecs {
    let mut modules = LIFNeuron::modules();
    let synapses = modules.iter_mut().find(|m| m.name == "synapses").unwrap();
    synapses.config = LinearSynapsesConfig::new([8]).with_kernel(400.0).to_tree();
    let config = NeuronConfig { seed, ..NeuronConfig::new([8], modules) };
    let specs = ModuleSpecs::new(name, "LIFNeuron").config(&config);
    let specs = specs.input("in_spikes", from("spiker", "spikes")).input("in_spikes", from(name, "out_spikes"));
    let specs = if other == name { specs } else { specs.input("in_spikes", from(other, "out_spikes")) };
    specs.output(format!("{name}_spikes"), "out_spikes")
}

fn spiker() -> ModuleSpecs {
    let specs =
        ModuleSpecs::new("spiker", "PoissonSpiker").config(&PoissonSpikerConfig::default().with_max_freq(500.0));
    specs.input("signal", from(PortMap::CALL, "signal"))
}

#[test]
fn pools_may_read_each_other_and_themselves() {
    let modules = || vec![pool("a", 1, "b"), spiker(), pool("b", 2, "a")];
    let mut runs = [false, true]
        .map(|eager| Model::component(BrainConfig::new(modules())).input("signal", [2]).eager(eager).build().unwrap());
    let mut count = 0;
    for _ in 0..60 {
        let outputs = runs.each_mut().map(|model| {
            let outputs = model.step(&[("signal", vec![1.0f32, 0.7].into())]).unwrap();
            (outputs.spikes("a_spikes").unwrap(), outputs.spikes("b_spikes").unwrap())
        });
        assert_eq!(outputs[0], outputs[1], "eager and compiled");
        count += outputs[0].0.iter().filter(|spike| **spike).count();
    }
    assert!(count > 0);
    // Two inputs, and 8 neurons of each pool.
    assert_eq!(runs[0].state("a.synapses.kernel").unwrap().dims(), [8, 18]);
    let bits = |model: &Model| model.state("b.soma.potential").unwrap().to_f32().iter().map(|x| x.to_bits()).collect();
    let bits: [Vec<u32>; 2] = runs.each_ref().map(bits);
    assert_eq!(bits[0], bits[1]);
}

#[test]
fn a_brain_may_hold_a_brain() {
    let inner = BrainConfig::new(vec![concat("hold").input("inputs", from(PortMap::CALL, "x")).output("y", "output")]);
    let modules = vec![
        ModuleSpecs::new("inner", "Brain").config(&inner).input("x", from(PortMap::CALL, "signal")).output("now", "y"),
        concat("after").input("inputs", from("inner", "y")).output("then", "output"),
    ];
    let mut model = build(modules).unwrap();
    model.step(&[("signal", vec![1.0f32, 2.0].into())]).unwrap();
    let outputs = model.step(&[("signal", vec![3.0f32, 4.0].into())]).unwrap();
    assert_eq!(outputs.get("now").unwrap().value().to_f32(), [3.0, 4.0]);
    assert_eq!(outputs.get("then").unwrap().value().to_f32(), [1.0, 2.0]);
}

#[test]
fn properties_are_inputs_and_outputs_and_set_by_effects() {
    let soma = ModuleSpecs::new("soma", "LeakySoma").config(&LeakySomaConfig::default());
    let soma = soma.input("current", from(PortMap::CALL, "signal")).output("potential", "potential");
    let copy = concat("copy").input("inputs", PortMap::property("soma", "potential")).output("copy", "output");
    let mut model = build(vec![soma, copy]).unwrap();
    let outputs = model.step(&[("signal", vec![10.0f32, 20.0].into())]).unwrap();
    let potential = outputs.get("potential").unwrap().value().to_f32();
    assert!(potential[1] > potential[0] && potential[0] > 0.0);
    // The soma runs first: its property is that of this step.
    assert_eq!(outputs.get("copy").unwrap().value().to_f32(), potential);

    // The kernel of synapses is what the controller is given, from the end of the step on.
    let synapses = LinearSynapsesConfig::new([1]).with_kernel(1.0);
    let synapses = ModuleSpecs::new("synapses", "LinearSynapses").config(&synapses);
    let synapses = synapses.input("spikes", from("spiker", "spikes")).output("currents", "currents");
    let weights = ConcatReshapeConfig::new([1, 2]);
    let weights = ModuleSpecs::new("weights", "ConcatReshape").config(&weights);
    let weights = weights.input("inputs", from(PortMap::CALL, "signal"));
    let mut model = build(vec![spiker(), synapses.effect("kernel", from("weights", "output")), weights]).unwrap();
    assert_eq!(model.state("synapses.kernel").unwrap().to_f32(), [1.0, 1.0]);
    model.step(&[("signal", vec![0.25f32, 0.5].into())]).unwrap();
    assert_eq!(model.state("synapses.kernel").unwrap().to_f32(), [0.25, 0.5]);
}

#[test]
fn a_registered_neuron_is_a_type_like_any_other() {
    let mut config = NeuronConfig::new([3], LIFNeuron::modules());
    config.inhibitory_rate = 1.0;
    register_neuron("QuietPool", config.clone()).unwrap();
    let quiet = ModuleSpecs::new("quiet", "quiet_pool").input("in_spikes", from("spiker", "spikes"));
    let mut model = build(vec![spiker(), quiet.output("spikes", "out_spikes")]).unwrap();
    let outputs = model.step(&[("signal", vec![0.0f32, 0.0].into())]).unwrap();
    let mask = outputs.get("spikes").unwrap().inhibition_mask().unwrap().to_bool();
    assert_eq!(mask, [true; 3]);

    for taken in ["LIFNeuron", "leaky_soma", "Brain"] {
        let error = register_neuron(taken, config.clone()).unwrap_err().to_string();
        assert!(error.contains("comes with the program"), "{error}");
    }
    assert!(register_neuron("my pool", config).unwrap_err().to_string().contains("is not a name"));
}

#[test]
fn a_circle_without_a_known_shape_is_refused() {
    let soma = |name: &str, other: &str| {
        let specs = ModuleSpecs::new(name, "LinearSpiker").config(&LinearSpikerConfig::default());
        specs.input("signal", from(PortMap::CALL, "signal")).input("signal", from(other, "spikes"))
    };
    let message = refused(vec![soma("one", "two"), soma("two", "one")]);
    assert!(message.contains("cannot tell what the modules one, two will read from each other"), "{message}");
    assert!(message.contains("help: in a circle, at least one module must know the shape"), "{message}");
}

#[test]
fn every_mistake_of_the_wiring_is_named() {
    let message = refused(vec![
        concat("one").input("inputs", from("nobody", "output")),
        concat("one").input("input", from("one", "spikes")),
        ModuleSpecs::new("two", "LeekySoma"),
        pool("three", 1, "one").effect("inhibition_mask", from("one", "output")),
    ]);
    for part in [
        "two modules are called `one`",
        "there is no module `nobody`",
        "ConcatReshape has no input `input`",
        "ConcatReshape has no output `spikes`",
        "there is no module or neuron called `leeky_soma`",
        "did you mean `LeakySoma`?",
        "no property `inhibition_mask` that can be set",
    ] {
        assert!(message.contains(part), "`{part}` is not in:\n{message}");
    }
}

#[test]
fn a_brain_survives_its_file() {
    let brain = BrainConfig::new(vec![spiker(), pool("a", 1, "a")]);
    for compressed in [false, true] {
        let bytes = spark::scfg::write(&brain.to_tree(), compressed).unwrap();
        let read = BrainConfig::from_tree(&spark::scfg::parse(&bytes).unwrap()).unwrap();
        let run = |config: BrainConfig| {
            let mut model = Model::component(config).input("signal", [2]).build().unwrap();
            model.run(40, &[("signal", vec![1.0f32, 1.0].into())]).unwrap();
            model.state("a.soma.potential").unwrap().to_f32()
        };
        assert_eq!(run(read), run(brain.clone()));
    }
}

#[test]
fn a_modules_time_step_is_its_neurons_but_a_wrong_one_is_refused() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/scfg/brain_mutual_lif_f32.json.scfg");
    let tree = spark::scfg::read_path(std::path::Path::new(file)).unwrap();
    let with = |path: &str, dt: ConfigValue| {
        let mut tree = tree.clone();
        tree.set(path, dt).unwrap();
        tree
    };
    let build = |tree: ConfigTree| Model::from_tree(tree).input("signal", [50]).build();
    let [given, other] = [tree.clone(), with("pool_a.soma.dt", 0.25.into())].map(|tree| build(tree).unwrap());
    assert_eq!(given.program(), other.program());
    for path in ["pool_a.soma.dt", "pool_a.dt", "spiker.dt"] {
        for (dt, text) in [
            (ConfigValue::from(-1.0), "must be positive, found -1 ms"),
            ("x".into(), "must be a number, found the string \"x\""),
        ] {
            let tree = with(path, dt);
            for error in [tree.validate().unwrap_err(), build(tree).map(drop).unwrap_err()] {
                let error = error.to_string();
                assert!(error.starts_with(&format!("{path}: ")) && error.contains(text), "{error}");
                assert_eq!(error.matches(path).count(), 1, "{error}");
            }
        }
    }
}
