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

use models::{BRAINS, NEURONS};
use run::{Machine, Program, bytes, compare, compare_block, here, inputs_of, outputs_of};
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

#[test]
fn traces_of_each_synapse() {
    check("eligibility", models::eligibility(), &HERE);
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
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
        compare("cartpole, trained more", &mut model, here("x86-64-v3"), STEPS, &inputs);
    }
}

#[test]
fn a_state_goes_to_a_device_and_comes_back() {
    for (what, case) in [("alif_eta", (|| models::neuron("alif_eta.f32")) as fn() -> _), ("cartpole", models::cartpole)]
    {
        let (builder, inputs): (ModelBuilder, models::Inputs) = case();
        let mut model = builder.build().unwrap();
        // The program on the device is that of a model that has learned nothing.
        let object = model.object("device", &here("").target()).unwrap();
        let program = Program::new(&object, here(""));
        let (input_size, output_size) = (bytes(&program.manifest, "inputs"), bytes(&program.manifest, "outputs"));
        (0..200).for_each(|t| drop(model.step(&inputs(t)).unwrap()));
        let state = object.block(model.instance().unwrap()).unwrap();
        let (mut fed, mut expected) = (Vec::new(), Vec::new());
        for t in 200..300 {
            fed.extend(inputs_of(&object, input_size, &inputs(t)));
            model.step(&inputs(t)).unwrap();
            expected.extend(outputs_of(&object, output_size, &model));
        }
        let (found, block) = program.run_from(Some(&state), fed);
        assert!(found == expected, "{what}");
        compare_block(what, &model, &program.manifest, &block);

        let mut back = case().0.build().unwrap();
        back.load_block(&object, &block).unwrap();
        compare_block(what, &back, &program.manifest, &block);
        for t in 300..320 {
            let [one, other] = [&mut model, &mut back].map(|model| {
                model.step(&inputs(t)).unwrap();
                outputs_of(&object, output_size, model)
            });
            assert_eq!(one, other, "{what}, step {t}");
        }

        let error = back.load_block(&object, &block[..1000]).unwrap_err().to_string();
        assert!(error.contains("it has 1000 bytes"), "{error}");
        let other = models::neuron("lif.f32").0.build().unwrap();
        let error = object.block(other.instance().unwrap()).unwrap_err().to_string();
        assert!(error.contains("another model"), "{error}");
        if let Some(history) = program.manifest["histories"].as_array().unwrap().first() {
            let mut damaged = block.clone();
            let position = history["position"].as_u64().unwrap() as usize;
            damaged[position..position + 4].copy_from_slice(&(-1i32).to_le_bytes());
            let error = back.load_block(&object, &damaged).unwrap_err().to_string();
            assert!(error.contains("the position of"), "{error}");
        }
    }
}
