//! Objects for other machines: they give the bits of the kernel in memory, need nothing, and refuse what is wrong.

#[path = "../../examples/cartpole/brain.rs"]
#[allow(dead_code)]
mod brain;
mod embedded;
mod emulated;
mod files;
mod models;
mod run;
#[path = "../support/mod.rs"]
mod support;

use models::{BRAINS, NEURONS};
use run::{Machine, compare, here};
use spark::model::{Model, ModelBuilder};

const STEPS: usize = 1000;

/// Compares a model with its object, once from the start and once from where it then is: as a trained model is compiled.
#[track_caller]
fn check(what: &str, (builder, inputs): (ModelBuilder, models::Inputs), machines: &[Machine]) {
    let mut model = builder.build().unwrap_or_else(|e| panic!("{what}: {e}"));
    for &machine in machines {
        compare(what, &mut model, machine, STEPS, &inputs);
    }
}

/// Every instruction set that code is made differently for; the first is that of the kernel in memory.
const HERE: [Machine; 2] = [here("native"), here("")];

#[test]
fn golden_neurons() {
    for case in NEURONS {
        check(case, models::neuron(&format!("{case}.f32")), &HERE);
    }
    check("alif in half precision", models::neuron("alif.f16"), &HERE);
}

#[test]
fn golden_brains() {
    for case in BRAINS {
        check(case, models::golden_brain(case), &HERE);
    }
    check("ab", models::ab_brain(), &HERE);
}

#[test]
fn the_cartpole_brain_while_it_learns() {
    let (builder, inputs) = models::cartpole();
    let mut model = builder.build().unwrap();
    let kernel = |model: &Model| model.state("A_excitatory.synapses.kernel").unwrap().to_f32();
    let before = kernel(&model);
    let object = compare("cartpole", &mut model, here("native"), STEPS, &inputs);
    assert_ne!(kernel(&model), before, "it learns");
    assert!(object.sizes().code < 256 << 10, "{:?}", object.sizes());
    compare("cartpole, trained", &mut model, here(""), STEPS, &inputs);
}
