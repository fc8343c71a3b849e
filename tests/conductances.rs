//! Synapses that open conductances, against their closed form.

use spark::config::{Config, ConfigTree};
use spark::prelude::*;

#[track_caller]
fn near(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= tolerance * e.abs(), "value {i} is {f}, expected {e}");
    }
}

/// One excitatory and one inhibitory input to two neurons, spikes in steps 1 and 4 of 0.5 ms: the conductances are sums of
/// the `response` of weight 1, a time after a spike and with a time constant.
#[track_caller]
fn check(config: impl Fn(Array) -> ConfigTree, response: impl Fn(f64, f64) -> f64) {
    let weights = [1.0, 2.0, 3.0, 4.0];
    let kernel = Array::new(Shape::units(&[2, 2]), Data::F64(weights.to_vec())).unwrap();
    for (dtype, tolerance, eager) in [(DType::F64, 1e-13, false), (DType::F64, 1e-13, true), (DType::F32, 1e-5, false)]
    {
        let inputs = InputShape::new([2]).with_mask([2]);
        let builder = Model::from_tree(config(kernel.clone())).input("spikes", inputs).dtype(dtype).eager(eager);
        let mut model = builder.build().unwrap();
        let array = |values: [bool; 2]| Array::new(Shape::units(&[2]), Data::Bool(values.to_vec())).unwrap();
        for t in 0..40 {
            let spikes = HostPayload::spikes(array([t == 1 || t == 4; 2]), Some(array([false, true])));
            let outputs = model.step(&[("spikes", spikes)]).unwrap();
            let opened = |tau: f64| -> f64 {
                let past = [1, 4].into_iter().filter(|spike| t >= *spike);
                past.map(|spike| response(0.5 * f64::from(t - spike), tau)).sum()
            };
            let found = |port: &str| outputs.get(port).unwrap().value().to_f64();
            near(&found("excitatory"), &[weights[0] * opened(2.0), weights[2] * opened(5.0)], tolerance);
            near(&found("inhibitory"), &[weights[1] * opened(10.0), weights[3] * opened(10.0)], tolerance);
        }
    }
}

#[test]
fn exponential_conductances() {
    let config = |kernel: Array| {
        let config = ExponentialConductanceSynapsesConfig::new([2]).with_kernel(kernel).with_dt(0.5);
        config.with_tau_excitatory(vec![2.0, 5.0]).with_tau_inhibitory(10.0).to_tree()
    };
    check(config, |time, tau| (-time / tau).exp());
}

#[test]
fn alpha_conductances() {
    let config = |kernel: Array| {
        let config = AlphaConductanceSynapsesConfig::new([2]).with_kernel(kernel).with_dt(0.5);
        config.with_tau_excitatory(vec![2.0, 5.0]).with_tau_inhibitory(10.0).to_tree()
    };
    check(config, |time, tau| time / tau * (1.0 - time / tau).exp());
}

#[test]
fn conductances_are_a_payload_of_their_own() {
    // They do not fit a port that takes currents.
    let modules = vec![
        ModuleSpecs::new("synapses", "ExponentialConductanceSynapses")
            .input("spikes", PortMap::output(PortMap::CALL, "in_spikes")),
        ModuleSpecs::new("soma", "LeakySoma").input("current", PortMap::output("synapses", "excitatory")),
    ];
    let builder = Model::component(NeuronConfig::new([2], modules)).input("in_spikes", [3]);
    let message = builder.build().err().expect("is refused").to_string();
    assert!(message.contains("ConductanceArray") && message.contains("CurrentArray"), "{message}");
}
