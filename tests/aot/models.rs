//! Models to compile, and what they are fed.

use crate::brain;
use crate::support::{golden_dir, load};
use spark::controller::{BrainConfig, ModuleSpecs, PortMap, register_neuron_from_file};
use spark::model::ModelBuilder;
use spark::prelude::*;
use std::sync::Once;

/// What a step is given.
pub(crate) type Inputs = Box<dyn Fn(usize) -> Vec<(&'static str, HostPayload)>>;

/// A name, and how the model is made.
pub(crate) type Case = (&'static str, fn() -> (ModelBuilder, Inputs));

/// The golden cases in a folder, all of them.
pub(crate) use crate::support::cases;

/// A golden case; its inputs are repeated.
pub(crate) fn golden(name: &str) -> (ModelBuilder, Inputs) {
    type Ports = &'static [(&'static str, Option<&'static str>)];
    let golden = load(name);
    let (builder, ports) = match name {
        // Spark's own CartPole brain, as its files say.
        "brain/ab.f32" => {
            static NEURON: Once = Once::new();
            let folder = golden_dir().join("models");
            let neuron = || register_neuron_from_file("ALIFModNeuron", folder.join("alif_mod_neuron.scfg")).unwrap();
            NEURON.call_once(neuron);
            const PORTS: Ports =
                &[("signal", None), ("mod_a_ex", None), ("mod_b_ex", None), ("mod_a_in", None), ("mod_b_in", None)];
            let builder = Model::from_file(folder.join("ab_brain.scfg")).unwrap().dtype(DType::F32);
            (PORTS.iter().fold(builder, |builder, (name, _)| builder.input(*name, golden.dims(name))), PORTS)
        }
        _ => {
            const NEURON: Ports = &[("in_spikes", Some("inhibition_mask"))];
            let ports = match name {
                "brain/mutual_lif.f32.sampler" => &[("inputs", Some("inhibition_mask"))],
                _ if name.starts_with("brain/") => &[("signal", None)],
                _ => NEURON,
            };
            (golden.builder(ports), ports)
        }
    };
    (builder, Box::new(move |t| golden.inputs(ports, t % golden.steps())))
}

/// The example's CartPole brain, which learns all the time.
pub(crate) fn cartpole() -> (ModelBuilder, Inputs) {
    let inputs = |t: usize| {
        let at = t as f32 / 20.0;
        let signal: Vec<f32> = (0..brain::SIGNALS).map(|i| (at + i as f32).sin()).collect();
        let factor = |phase: f32| HostPayload::from(vec![(at / 3.0 + phase).cos() / 2.0]);
        vec![("signal", signal.into()), ("mod_a", factor(0.0)), ("mod_b", factor(2.0)), ("mod_critic", factor(4.0))]
    };
    (brain::builder(1), Box::new(inputs))
}

/// A small model and one with all that there is, by name.
pub(crate) const TWO: [Case; 2] = [("alif_eta", || golden("neuron/alif_eta.f32")), ("cartpole", cartpole)];

/// A model whose ports have names that are no identifiers.
pub(crate) fn odd_ports() -> (ModelBuilder, Inputs) {
    const NAMES: [&str; 7] = ["for", "class", "Signal", "signal", "linux", "/* */ x", "\"y\\\n"];
    let module = |(n, port): (usize, &&str)| {
        let module = ModuleSpecs::new(format!("m{n}"), "ConcatReshape").config(&ConcatReshapeConfig::new([3]));
        module.input("inputs", PortMap::output(PortMap::CALL, *port)).output(*port, "output")
    };
    let builder = Model::component(BrainConfig::new(NAMES.iter().enumerate().map(module).collect()));
    let value = |t: usize, n: usize| HostPayload::from(vec![t as f32, n as f32, -0.5]);
    let inputs = move |t| NAMES.iter().enumerate().map(|(n, name)| (*name, value(t, n))).collect();
    (NAMES.iter().fold(builder, |builder, name| builder.input(*name, [3])), Box::new(inputs))
}

/// A user's rule with a trace per synapse, which is brought up to date where a spike is.
pub(crate) fn eligibility() -> (ModelBuilder, Inputs) {
    let spikes = |count: usize, t: usize, salt: usize| -> HostPayload {
        (0..count).map(|i| (i * 7 + t * 13 + salt + t * t).is_multiple_of(61)).collect::<Vec<bool>>().into()
    };
    let inputs = move |t: usize| vec![("in_spikes", spikes(40, t, 3)), ("post_spikes", spikes(24, t, 11))];
    let builder = Model::component(crate::eligibility::synapses(24, true));
    (builder.input("in_spikes", [40]).input("post_spikes", [24]), Box::new(inputs))
}
