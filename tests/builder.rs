//! Controllers wired by names: what the builder makes is what the wiring by hand is, and what it refuses.

use spark::config::{Config, ConfigTree};
use spark::controller::{ModuleHandle, NeuronBuilder, register_neuron};
use spark::prelude::*;

const UNITS: usize = 4;

/// The modules of a `LIFNeuron`, by names.
fn lif() -> NeuronBuilder {
    let mut neuron = Neuron::builder([UNITS]);
    neuron
        .input("in_spikes")
        .module("delays", "N2NDelays")
        .module("synapses", "LinearSynapses")
        .module("soma", "LeakySoma")
        .module("hebbian_rule", "HebbianRule")
        .connect("in_spikes", "delays.in_spikes")
        .connect("delays.out_spikes", "synapses.spikes")
        .connect("synapses.currents", "soma.current")
        .connect("inhibition_mask", "soma.inhibition_mask")
        .connect("delays.out_spikes", "hebbian_rule.pre_spikes")
        .connect("soma.spikes", "hebbian_rule.post_spikes")
        .connect("synapses.kernel", "hebbian_rule.kernel")
        .effect("hebbian_rule.kernel", "synapses.kernel")
        .output("out_spikes", "soma.spikes");
    neuron
}

#[test]
fn names_and_hand_made_wiring_are_equal() {
    let shipped = ConfigTree::new("LIFNeuronConfig").with("units", [UNITS]).with("seed", 3).with("dt", 0.5);
    let shipped = ConfigTree { type_name: "NeuronConfig".into(), ..shipped.completed() };
    let differences = lif().seed(3).dt(0.5).build().unwrap().to_tree().diff(&shipped);
    assert_eq!(differences, []);
}

#[test]
fn handles_and_names_are_equal() {
    let mut named = Brain::builder();
    named
        .input("x")
        .module("a", ConcatReshapeConfig::new([2]))
        .module("b", ConcatReshapeConfig::new([4]))
        .connect("x", "a.inputs")
        .connect(["a.output", "x"], "b.inputs")
        .output("y", "b.output");
    let mut handled = Brain::builder();
    let [a, b]: [ModuleHandle; 2] =
        [("a", 2), ("b", 4)].map(|(name, size)| handled.add(name, ConcatReshapeConfig::new([size])));
    handled.input("x").connect(PortMap::output(PortMap::CALL, "x"), a.input("inputs"));
    handled.connect(a.output("output"), b.input("inputs")).connect("x", b.input("inputs"));
    handled.output("y", b.output("output"));
    assert_eq!(named.build().unwrap(), handled.build().unwrap());
    assert_eq!((a.name(), a.property("p")), ("a", PortMap::property("a", "p")));
}

#[test]
fn a_built_brain_runs() {
    let brain = Brain::builder()
        .input("signal")
        .module("spiker", PoissonSpikerConfig::default().with_max_freq(500.0))
        .module("pool", ("LIFNeuron", ConfigTree::partial().with("units", [UNITS])))
        .module("integrator", ExponentialIntegratorConfig::new(2usize))
        .connect("signal", "spiker.signal")
        .connect(["spiker.spikes", "pool.out_spikes"], "pool.in_spikes")
        .connect("pool.out_spikes", "integrator.spikes")
        .output("action", "integrator.signal")
        .output("mask", "pool.inhibition_mask")
        .model()
        .unwrap();
    let mut model = brain.input("signal", [2]).build().unwrap();
    // Two inputs, and the pool's own neurons.
    assert_eq!(model.state("pool.synapses.kernel").unwrap().dims(), [UNITS, 2 + UNITS]);
    let outputs = model.run(3, &[("signal", vec![1.0f32; 2].into())]).unwrap();
    assert_eq!(outputs.get("mask").unwrap().dims(), [UNITS]);
}

/// Every mistake as `path: message`, and its help.
fn mistakes(error: &Error) -> Vec<String> {
    let line =
        |error: &Error| error.to_string().lines().filter(|line| !line.contains("at: ")).collect::<Vec<_>>().join("");
    error.errors().iter().map(line).collect()
}

#[test]
fn every_mistake_is_reported_with_the_nearest_name() {
    let mut brain = Brain::builder();
    brain
        .input("signal")
        .input("signal")
        .module("spiker", PoissonSpikerConfig::default().with_max_freq(-1.0))
        .module("pool", "LIFNeurn")
        .module("soma", "LeakySoma")
        .module("odd", spark::config::ConfigTree::new("LeakySomaConf"))
        .connect("signl", "spiker.signal")
        .connect("signal", "spikr.signal")
        .connect("signal", "spiker.signals")
        .connect("spiker.spike", "pool.in_spikes")
        .connect("spiker.spikes", "soma.current")
        .connect("spiker.spikes", "soma")
        .connect(PortMap::property("soma", "spikes"), "soma.inhibition_mask")
        .effect("spiker.spikes", "soma.current")
        .output("out", "signal")
        .output("spikes", "soma.spikes")
        .output("spikes", "spiker.spikes");
    let error = brain.build().unwrap_err();
    assert_eq!(
        mistakes(&error),
        [
            "odd: `LeakySomaConf` is not the configuration of a known module, neuron or brain  help: did you mean `LeakySomaConfig`? (a neuron of your own is registered first: register_neuron, or --register NAME=FILE.scfg)",
            "the input `signal` is declared twice",
            "there is no input `signl`  help: did you mean `signal`?; inputs are declared with `input`",
            "there is no module `spikr`  help: did you mean `spiker`?",
            "spiker.signals: PoissonSpiker has no input `signals`  help: did you mean `signal`?",
            "spiker.spike: PoissonSpiker has no output `spike`  help: did you mean `spikes`?",
            "soma.current: takes a CurrentArray, and `spiker.spikes` is a SpikeArray",
            "`soma` is not a port of a module  help: name it as \"module.port\"",
            "soma.spikes: LeakySoma has no property `spikes`  help: known: `potential`",
            "soma.current: LeakySoma has no property `current` that can be set  help: none is known",
            "the output `out` must come from a module, and `signal` does not  help: name it as \"module.port\"",
            "the output `spikes` is given twice  help: give one of them another name",
            "pool.module_cls: there is no module or neuron called `lif_neurn`  help: did you mean `LIFNeuron`? (a neuron of your own is registered first: register_neuron, or --register NAME=FILE.scfg)",
            "spiker.max_freq: must be positive, found -1 Hz  help: Firing rate at a signal of 1.",
        ]
    );
    let place = format!("{}:", file!());
    assert!(error.errors()[..12].iter().all(|error| error.to_string().contains(&place)), "{error}");
}

#[test]
fn what_is_left_unconnected_is_reported() {
    let mut neuron = Neuron::builder([UNITS]);
    neuron.input("in_spikes").module("soma", "LeakySoma").output("out_spikes", "soma.spikes");
    let error = neuron.build().unwrap_err();
    assert_eq!(
        mistakes(&error),
        [
            "nothing reads the input `in_spikes`  help: connect it to a module's input, or remove it",
            "soma.current: nothing is connected to this input  help: LeakySoma needs it: connect something to \"soma.current\"",
        ]
    );
    let mut kernel = lif();
    let error = kernel.connect("hebbian_rule.kernel", "synapses.kernel").build().unwrap_err();
    assert_eq!(
        mistakes(&error),
        ["synapses.kernel: LinearSynapses has no input `kernel`  help: it is a property: set it with `effect`"]
    );
}

#[test]
fn a_neuron_inside_a_neuron_has_its_size() {
    let mut outer = Neuron::builder([UNITS]);
    outer
        .input("in_spikes")
        .module("first", "LIFNeuron")
        .module("second", ("ALIFNeuron", ConfigTree::partial().with("units", 9)))
        .connect("in_spikes", "first.in_spikes")
        .connect("first.out_spikes", "second.in_spikes")
        .output("out_spikes", "second.out_spikes");
    let builder = outer.model().unwrap().input("in_spikes", [3]).dtype(DType::F64);
    let mut model = builder.build().unwrap();
    assert_eq!(model.state("first.synapses.kernel").unwrap().dims(), [UNITS, 3]);
    assert_eq!(model.state("second.soma.potential").unwrap().dims(), [UNITS]);
    assert_eq!(model.state("second.soma.potential").unwrap().dtype(), DType::F64);
    let outputs = model.step(&[("in_spikes", vec![true; 3].into())]).unwrap();
    assert_eq!(outputs.spikes("out_spikes").unwrap().len(), UNITS);
    // In a brain every neuron has a size of its own.
    let mut brain = Brain::builder();
    brain.input("x").module("pool", "LIFNeuron").connect("x", "pool.in_spikes").output("y", "pool.out_spikes");
    let error = brain.build().unwrap_err();
    assert!(error.is_missing() && error.path() == "pool.units", "{error}");
}

#[test]
fn a_neuron_cannot_have_itself_inside() {
    let around = |inner: &str| {
        let mut neuron = Neuron::builder([UNITS]);
        neuron.input("in_spikes").module("inner", inner).connect("in_spikes", "inner.in_spikes");
        neuron.output("out_spikes", "inner.out_spikes").build().unwrap()
    };
    register_neuron("InnerNeuron", lif().build().unwrap()).unwrap();
    register_neuron("OuterNeuron", around("InnerNeuron")).unwrap();
    let error = register_neuron("InnerNeuron", around("OuterNeuron")).unwrap_err();
    assert_eq!(error.to_string(), "`InnerNeuron` would have itself inside\n  help: give the neuron another name");
    assert!(around("OuterNeuron").validate().is_ok());
}
