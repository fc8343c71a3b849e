//! Traced synapses and neuron delays give the reference's numbers in every mode.

mod support;

use spark::prelude::*;
use support::{Deviation, check, exact, load};

const TOLERANCE: f64 = 1e-5;

/// Checks the currents of every case of a kind of synapses, and every trace after the last step.
#[track_caller]
fn check_synapses(kind: &str) {
    let cases = support::cases("synapses").into_iter();
    for name in cases.filter(|name| name.starts_with(&format!("synapses/{kind}_"))) {
        check(&name, &[("spikes", Some("inhibition_mask"))], TOLERANCE, |golden, t, model, outputs, deviation| {
            // Excitatory and inhibitory currents cancel, so that a last bit can be a large relative error.
            let own = golden.own_difference("out/currents");
            let currents = outputs.get("currents").unwrap().value().to_f64();
            deviation.check("currents", &currents, golden.tensors["out/currents"].step(t), TOLERANCE, own);
            if t + 1 < golden.steps() {
                return;
            }
            for (name, expected) in &golden.tensors {
                let Some(state) = name.strip_prefix("final/").filter(|state| state.ends_with(".trace")) else {
                    continue;
                };
                match model.state(state) {
                    Ok(found) => deviation.check(state, &found.to_f64(), &expected.values, 0.0, 0.0),
                    // Only a pass that keeps sums instead of elements may hide them.
                    Err(error) => assert!(model.graphdef().options().sum_filters, "{error}"),
                }
            }
        });
    }
}

#[test]
fn linear_synapses() {
    check_synapses("linear");
}

#[test]
fn traced_synapses() {
    check_synapses("traced");
}

#[test]
fn rise_decay_synapses() {
    check_synapses("rd_traced");
}

#[test]
fn rise_fast_slow_synapses() {
    check_synapses("rfs_traced");
}

#[test]
fn every_recorded_case_is_tested() {
    let kinds = ["synapses/linear_", "synapses/traced_", "synapses/rd_traced_", "synapses/rfs_traced_"];
    let known = |name: &String| kinds.iter().any(|kind| name.starts_with(kind));
    let names = support::cases("synapses").into_iter();
    assert_eq!(names.filter(|name| !known(name)).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn delays() {
    let ports = [("in_spikes", Some("inhibition_mask"))];
    for name in support::cases("delays") {
        check(&name, &ports, TOLERANCE, |golden, t, _, outputs, _| {
            let spikes = outputs.get("out_spikes").unwrap();
            exact("spikes", t, &spikes.value().to_f64(), golden.tensors["out/out_spikes"].step(t));
            let mask = spikes.inhibition_mask().unwrap().to_f64();
            exact("mask", t, &mask, &golden.tensors["out/out_spikes.inhibition_mask"].values);
        });
        // The drawn delays themselves, modulo the ring's length.
        let golden = load(&name);
        let mut model = golden.builder(&ports).record("kernel").build().unwrap();
        let outputs = model.step(&golden.inputs(&ports, 0)).unwrap();
        let rows: f64 = golden.meta["buffer_size"].parse().unwrap();
        let expected: Vec<f64> = golden.tensors["init/const._kernel"].values.iter().map(|d| d % rows).collect();
        let found: Vec<f64> = outputs.get("kernel").unwrap().value().to_f64().iter().map(|d| d % rows).collect();
        exact("delays", 0, &found, &expected);
    }
}

#[test]
fn the_longest_neuron_delay_delays() {
    let config = NDelaysConfig::default().with_max_delay(3.0).with_delays(vec![0.0, 3.0]);
    let mut model = Model::component(config).input("in_spikes", [2]).build().unwrap();
    let mut seen = Vec::new();
    for t in 0..5 {
        let outputs = model.step(&[("in_spikes", vec![t == 0; 2].into())]).unwrap();
        seen.push(outputs.get("out_spikes").unwrap().value().to_f64());
    }
    assert_eq!(seen, [[1.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0]]);
}

#[test]
fn neuron_delays_give_spikes_of_neurons() {
    // Spikes over synapses could not be joined.
    let delays =
        |name: &str| ModuleSpecs::new(name, "NDelays").input("in_spikes", PortMap::output(PortMap::CALL, "in_spikes"));
    let synapses = ModuleSpecs::new("synapses", "LinearSynapses")
        .input("spikes", PortMap::output("first", "out_spikes"))
        .input("spikes", PortMap::output("second", "out_spikes"));
    let config = NeuronConfig::new([3], vec![delays("first"), delays("second"), synapses]);
    let model = Model::component(config).input("in_spikes", [4]).build().unwrap();
    assert_eq!(model.state("synapses.kernel").unwrap().dims(), [3, 8]);
}

#[test]
fn a_file_of_the_reference_runs() {
    let path = support::golden_dir().join("scfg/synapses_traced_normalized.xz.scfg");
    let mut model = Model::from_file(path).unwrap().input("spikes", [5]).build().unwrap();
    let outputs = model.step(&[("spikes", vec![true; 5].into())]).unwrap();
    let currents = outputs.get("currents").unwrap().value().to_f64();
    // Right after the first spikes, a trace is its weight.
    let kernel = model.state("kernel").unwrap();
    assert_eq!(kernel.dims(), [4, 3, 5]);
    let sums = kernel.to_f64();
    Deviation::default().check(
        "currents",
        &currents,
        &sums.chunks(5).map(|w| w.iter().sum()).collect::<Vec<_>>(),
        TOLERANCE,
        0.0,
    );
    assert!(currents.iter().any(|&i| i > 0.0));
}
