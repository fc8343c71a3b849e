//! Objects for other machines: they give the bits of the kernel in memory, need nothing, and refuse what is wrong.

#[path = "../../examples/cartpole/brain.rs"]
#[allow(dead_code)]
mod brain;
#[path = "../support/eligibility.rs"]
mod eligibility;
mod embedded;
mod emulated;
mod files;
mod models;
mod run;
#[path = "../support/mod.rs"]
mod support;

use models::{Inputs, cases};
use run::{Machine, Program, compare, compare_block, here};
use spark::prelude::*;

/// Every instruction set that code is made differently for; the first is that of the kernel in memory.
const HERE: [Machine; 2] = [here("native"), here("")];

/// Compares all golden models of a folder with their objects, once from the start and once from where they then are: as a
/// trained model is compiled.
#[track_caller]
fn check(folder: &str) {
    for case in cases(folder) {
        let (builder, inputs) = models::golden(&case);
        let mut model = builder.build().unwrap_or_else(|e| panic!("{case}: {e}"));
        HERE.iter().for_each(|&machine| compare(&case, &mut model, &[machine], &inputs));
    }
}

#[test]
fn golden_neurons() {
    check("neuron");
}

#[test]
fn golden_brains() {
    check("brain");
}

#[test]
fn the_cartpole_brain_while_it_learns() {
    let (builder, inputs) = models::cartpole();
    let mut model = builder.build().unwrap();
    let kernel = |model: &Model| model.state("A_excitatory.synapses.kernel").unwrap().to_f32();
    let before = kernel(&model);
    compare("cartpole", &mut model, &[here("native")], &inputs);
    assert_ne!(kernel(&model), before, "it learns");
    compare("cartpole, trained", &mut model, &[here("")], &inputs);
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
        compare("cartpole, trained more", &mut model, &[here("x86-64-v3")], &inputs);
    }
}

#[test]
fn traces_of_each_synapse() {
    let (builder, inputs) = models::eligibility();
    compare("eligibility", &mut builder.build().unwrap(), &HERE, &inputs);
}

#[test]
fn ports_may_have_any_names_and_there_may_be_none() {
    let (builder, inputs) = models::odd_ports();
    compare("odd names", &mut builder.build().unwrap(), &HERE, &inputs);

    let source = PoissonSourceConfig::new(9_usize).with_rate(200.0).with_seed(3_u32);
    let mut none = Model::component(source).build().unwrap();
    let inputs: Inputs = Box::new(|_| vec![]);
    compare("no inputs", &mut none, &HERE, &inputs);
}

#[test]
fn a_state_goes_to_a_device_and_comes_back() {
    for (what, case) in models::TWO {
        let (builder, inputs) = case();
        let mut model = builder.build().unwrap();
        // The program on the device is that of a model that has learned nothing.
        let program = Program::new(&model, here(""));
        let object = &program.object;
        (0..200).for_each(|t| drop(model.step(&inputs(t)).unwrap()));
        let state = object.block(model.instance().unwrap()).unwrap();
        let (mut fed, mut expected) = (Vec::new(), Vec::new());
        for t in 200..300 {
            fed.push(program.inputs(&inputs(t)));
            expected.push(program.outputs(&model.step(&inputs(t)).unwrap()));
        }
        let (found, blocks) = program.run(Some(&state), &fed);
        assert!(found == expected, "{what}");
        let block = &blocks[0];
        compare_block(what, &model, &program.manifest, block);

        let mut back = case().0.build().unwrap();
        back.load_block(object, block).unwrap();
        compare_block(what, &back, &program.manifest, block);
        for t in 300..320 {
            let [one, other] = [&mut model, &mut back].map(|model| program.outputs(&model.step(&inputs(t)).unwrap()));
            assert_eq!(one, other, "{what}, step {t}");
        }

        let error = back.load_block(object, &block[..1000]).unwrap_err().to_string();
        assert!(error.contains("it has 1000 bytes"), "{error}");
        let other = models::golden("neuron/lif.f32").0.build().unwrap();
        let error = object.block(other.instance().unwrap()).unwrap_err().to_string();
        assert!(error.contains("another model"), "{error}");
        if let Some(history) = program.manifest["histories"].as_array().unwrap().first() {
            let mut damaged = block.clone();
            let position = history["position"].as_u64().unwrap() as usize;
            damaged[position..position + 4].copy_from_slice(&(-1i32).to_le_bytes());
            let error = back.load_block(object, &damaged).unwrap_err().to_string();
            assert!(error.contains("the position of"), "{error}");
        }
    }
}
