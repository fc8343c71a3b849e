//! Objects for other processors, run by an emulator: the bits of the kernel in memory, and of the evaluator.

use crate::models::{self, Case};
use crate::run::{AARCH64, Machine, Program, RISCV64, RISCV64_VECTORS, bytes, compare, inputs_of, structure};
use crate::support;
use spark_compiler::passes::CompileOptions;

/// An emulator is slow, and the evaluator slower.
const STEPS: usize = 300;
const EVALUATED: usize = 60;

/// Compares with the kernel in memory, learning and with single rounding of a·b + c.
#[track_caller]
fn check(machine: Machine) {
    let cases = models::NEURONS.map(|case| (case, models::neuron(&format!("{case}.f32"))));
    let half = [("alif in half precision", models::neuron("alif.f16")), ("cartpole", models::cartpole())];
    let brains = models::BRAINS.map(|case| (case, models::golden_brain(case)));
    for (what, (builder, inputs)) in cases.into_iter().chain(half).chain(brains) {
        // RISC-V has no mode in which subnormal numbers are zero.
        let flush_subnormals = !machine.triple.starts_with("riscv");
        let options = CompileOptions { flush_subnormals, ..CompileOptions::default() };
        compare(what, &mut builder.options(options).build().unwrap(), machine, STEPS, &inputs);
    }
}

/// Compares with the evaluator, rounding a·b + c twice.
#[track_caller]
fn check_evaluator(machine: Machine) {
    let cases: [Case; 4] = [
        ("alif", || models::neuron("alif_eta.f32")),
        ("adex", || models::neuron("adex_eta.f32")),
        ("mutual_lif", || models::golden_brain("mutual_lif")),
        ("cartpole", models::cartpole),
    ];
    for (what, case) in cases {
        let build = |eager| {
            let (builder, inputs) = case();
            let builder = builder.contract(false).options(CompileOptions::exact()).eager(eager);
            (builder.build().unwrap(), inputs)
        };
        let ((compiled, inputs), (mut eager, _)) = (build(false), build(true));
        let object = compiled.object("evaluated", &machine.target()).unwrap();
        let program = Program::new(&object, machine);
        let (input_size, output_size) = (bytes(&program.manifest, "inputs"), bytes(&program.manifest, "outputs"));
        let (mut fed, mut expected) = (Vec::new(), Vec::new());
        for t in 0..EVALUATED {
            let given = inputs(t);
            fed.extend(inputs_of(&object, input_size, &given));
            let outputs = eager.step(&given).unwrap();
            expected.extend(structure(output_size, &object.layout().outputs, |_, port| {
                let mask = port.name.strip_suffix(".inhibition_mask");
                let payload = outputs.get(mask.unwrap_or(&port.name)).unwrap();
                let array = if mask.is_some() { payload.inhibition_mask().unwrap() } else { payload.value() };
                array.data().clone()
            }));
        }
        let (found, _) = program.run(fed);
        let wrong = found.iter().zip(&expected).position(|(a, b)| a != b).map(|at| at / output_size);
        assert!(found.len() == expected.len() && wrong.is_none(), "{what}: step {wrong:?} differs");
        support::row(format!("{what:<28} {:<40} equals the evaluator over {EVALUATED} steps", machine.triple));
    }
}

#[test]
fn aarch64() {
    if AARCH64.is_there() {
        check(AARCH64);
        check_evaluator(AARCH64);
    }
}

#[test]
fn riscv64_without_vectors() {
    if RISCV64.is_there() {
        check(RISCV64);
        check_evaluator(RISCV64);
    }
}

#[test]
fn riscv64_with_vectors() {
    if RISCV64_VECTORS.is_there() {
        check(RISCV64_VECTORS);
        check_evaluator(RISCV64_VECTORS);
    }
}
