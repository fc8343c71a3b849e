//! Models to compile, and what they are fed.

use crate::brain;
use crate::support::{golden_dir, load};
use spark::controller::register_neuron_from_file;
use spark::model::ModelBuilder;
use spark::prelude::*;
use std::sync::Once;

/// What a step is given.
pub(crate) type Inputs = Box<dyn Fn(usize) -> Vec<(&'static str, HostPayload)>>;

/// A name, and how the model is made.
pub(crate) type Case = (&'static str, fn() -> (ModelBuilder, Inputs));

pub(crate) const NEURONS: [&str; 7] = ["lif", "lif_2d", "lif_eta", "alif", "alif_eta", "adex", "adex_eta"];
pub(crate) const BRAINS: [&str; 2] = ["mutual_lif", "feedforward_alif"];

/// A golden case; its inputs are repeated.
fn golden(name: &str, ports: &'static [(&'static str, Option<&'static str>)]) -> (ModelBuilder, Inputs) {
    let golden = load(name);
    let builder = golden.builder(ports);
    (builder, Box::new(move |t| golden.inputs(ports, t % golden.steps())))
}

/// A golden neuron.
pub(crate) fn neuron(case: &str) -> (ModelBuilder, Inputs) {
    golden(&format!("neuron/{case}"), &[("in_spikes", Some("inhibition_mask"))])
}

/// A golden brain.
pub(crate) fn golden_brain(case: &str) -> (ModelBuilder, Inputs) {
    golden(&format!("brain/{case}.f32"), &[("signal", None)])
}

/// Spark's own CartPole brain, as its files say.
pub(crate) fn ab_brain() -> (ModelBuilder, Inputs) {
    static NEURON: Once = Once::new();
    let folder = golden_dir().join("models");
    NEURON.call_once(|| register_neuron_from_file("ALIFModNeuron", folder.join("alif_mod_neuron.scfg")).unwrap());
    const PORTS: &[(&str, Option<&str>)] =
        &[("signal", None), ("mod_a_ex", None), ("mod_b_ex", None), ("mod_a_in", None), ("mod_b_in", None)];
    let golden = load("brain/ab.f32");
    let builder = Model::from_file(folder.join("ab_brain.scfg")).unwrap().dtype(DType::F32);
    let builder = PORTS.iter().fold(builder, |builder, (name, _)| builder.input(*name, golden.dims(name)));
    (builder, Box::new(move |t| golden.inputs(PORTS, t % golden.steps())))
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

/// A user's rule with a trace per synapse, which is brought up to date where a spike is.
pub(crate) fn eligibility() -> (ModelBuilder, Inputs) {
    let spikes = |count: usize, t: usize, salt: usize| -> HostPayload {
        (0..count).map(|i| (i * 7 + t * 13 + salt + t * t).is_multiple_of(61)).collect::<Vec<bool>>().into()
    };
    let inputs = move |t: usize| vec![("in_spikes", spikes(40, t, 3)), ("post_spikes", spikes(24, t, 11))];
    let builder = Model::component(crate::eligibility::synapses(24, true));
    (builder.input("in_spikes", [40]).input("post_spikes", [24]), Box::new(inputs))
}
