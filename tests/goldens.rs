//! Every module of the library gives the reference's numbers, eager and compiled.

mod support;

use spark::prelude::*;
use support::{Deviation, check, exact, load};

const TOLERANCE: f64 = 1e-5;

#[test]
fn leaky_soma() {
    for case in ["default", "dt05", "hetero"] {
        let name = format!("soma/leaky_{case}.f32");
        let masked = load(&name).tensors.contains_key("in/inhibition_mask");
        let ports: &[_] = if masked { &[("current", None), ("inhibition_mask", None)] } else { &[("current", None)] };
        check(&name, ports, TOLERANCE, |golden, t, model, outputs, deviation| {
            let spikes = outputs.get("spikes").unwrap();
            exact("spikes", t, &spikes.value().to_f64(), golden.tensors["out/spikes"].step(t));
            if let Some(mask) = golden.tensors.get("out/spikes.inhibition_mask") {
                exact("mask", t, &spikes.inhibition_mask().unwrap().to_f64(), &mask.values);
            }
            let potential = model.state("potential").unwrap().to_f64();
            deviation.check("potential", &potential, golden.tensors["state/potential"].step(t), TOLERANCE, 0.0);
        });
    }
}

#[test]
fn leaky_soma_in_half_precision_stays_near() {
    // Half precision rounds once per step here, at each operation there: statistics agree, not bits.
    let golden = load("soma/leaky_default.f16");
    let ports = [("current", None), ("inhibition_mask", None)];
    let mut model = golden.builder(&ports).build().unwrap();
    let (mut ours, mut theirs) = (0.0, 0.0);
    for t in 0..golden.steps() {
        let outputs = model.step(&golden.inputs(&ports, t)).unwrap();
        ours += outputs.get("spikes").unwrap().value().to_f64().iter().sum::<f64>();
        theirs += golden.tensors["out/spikes"].step(t).iter().sum::<f64>();
        assert!(model.state("potential").unwrap().to_f64().iter().all(|v| v.is_finite()));
    }
    assert!((ours - theirs).abs() <= 0.05 * theirs, "{ours} spikes, the reference has {theirs}");
}

#[test]
fn linear_synapses() {
    for case in ["plain", "async", "multidim_plain", "multidim_async"] {
        let name = format!("synapses/linear_{case}.f32");
        check(&name, &[("spikes", Some("inhibition_mask"))], TOLERANCE, |golden, t, _, outputs, deviation| {
            let currents = outputs.get("currents").unwrap().value().to_f64();
            deviation.check("currents", &currents, golden.tensors["out/currents"].step(t), TOLERANCE, 0.0);
        });
    }
}

#[test]
fn n2n_delays() {
    for name in support::cases("delays").into_iter().filter(|name| name.starts_with("delays/n2ndelays_")) {
        check(&name, &[("in_spikes", Some("inhibition_mask"))], TOLERANCE, |golden, t, _, outputs, _| {
            let spikes = outputs.get("out_spikes").unwrap();
            exact("spikes", t, &spikes.value().to_f64(), golden.tensors["out/out_spikes"].step(t));
            let mask = spikes.inhibition_mask().unwrap().to_f64();
            exact("mask", t, &mask, &golden.tensors["out/out_spikes.inhibition_mask"].values);
        });
        // The drawn delays themselves, modulo the ring's length.
        let golden = load(&name);
        let ports = [("in_spikes", Some("inhibition_mask"))];
        let mut model = golden.builder(&ports).record("kernel").build().unwrap();
        let outputs = model.step(&golden.inputs(&ports, 0)).unwrap();
        let rows: f64 = golden.meta["buffer_size"].parse().unwrap();
        let expected: Vec<f64> = golden.tensors["init/const._kernel"].values.iter().map(|d| d % rows).collect();
        let found: Vec<f64> = outputs.get("kernel").unwrap().value().to_f64().iter().map(|d| d % rows).collect();
        exact("delays", 0, &found, &expected);
    }
}

#[test]
fn hebbian_rule() {
    let cases = ["async", "sync", "async_multidim", "sync_multidim", "dt05_async", "tau_array_async", "tau_array_sync"];
    for case in cases {
        let name = format!("plasticity/hebbian_{case}.f32");
        let golden = load(&name);
        let ports: [(&str, Option<&str>); 3] = [
            ("pre_spikes", Some("pre_inhibition_mask")),
            ("post_spikes", Some("post_inhibition_mask")),
            ("kernel", None),
        ];
        for eager in [false, true] {
            let mut builder = Model::from_tree(golden.config()).eager(eager);
            let pre =
                spark::model::InputShape::new(golden.dims("pre_spikes")).with_mask(golden.dims("pre_inhibition_mask"));
            builder = builder.input("pre_spikes", if golden.is_async() { pre.asynchronous() } else { pre });
            let post = spark::model::InputShape::new(golden.dims("post_spikes"))
                .with_mask(golden.dims("post_inhibition_mask"));
            let kernel_0 = golden.tensors["in/kernel_0"].clone();
            builder = builder.input("post_spikes", post).input("kernel", kernel_0.dims.clone());
            let mut model = builder.build().unwrap_or_else(|e| panic!("{name}: {e}"));
            let shape = Shape::of(Axis::anonymous(0), &kernel_0.dims);
            let mut kernel = Array::new(shape, Data::F64(kernel_0.values)).unwrap();
            let mut deviation = Deviation::default();
            for t in 0..golden.steps() {
                let mut inputs = golden.inputs(&ports[..2], t);
                inputs.push(("kernel", HostPayload::new(kernel)));
                let outputs = model.step(&inputs).unwrap();
                kernel = outputs.get("kernel").unwrap().value().clone();
                deviation.check("kernel", &kernel.to_f64(), golden.tensors["out/kernel"].step(t), TOLERANCE, 0.0);
            }
            for trace in ["pre_trace.trace", "post_trace.trace"] {
                let found = model.state(trace).unwrap().to_f64();
                let expected = &golden.tensors[&format!("final/{trace}")].values;
                deviation.check(trace, &found, expected, TOLERANCE, 0.0);
            }
            support::row(format!("{name:<44} eager {eager:<5} {}  within {TOLERANCE:.0e}", deviation.told()));
        }
    }
}
