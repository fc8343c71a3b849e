//! Objects for other processors, run by an emulator: the bits of the kernel in memory, and of the evaluator.
//!
//! Each golden neuron and brain, and the CartPole brain while it learns, twice: as models are compiled, beside the kernel in
//! memory; and with `a·b + c` rounded twice and by passes that change no bit, beside the evaluator.

use crate::models::{self, Inputs, cases};
use crate::run::{AARCH64, Machine, Program, RISCV64, RISCV64_VECTORS, Trace, compare};
use spark::model::{Model, ModelBuilder};
use spark_compiler::passes::CompileOptions;

/// How a model is built, with what it is fed.
type Case<'a> = &'a dyn Fn() -> (ModelBuilder, Inputs);

fn build(what: &str, case: Case<'_>, change: impl Fn(ModelBuilder) -> ModelBuilder) -> (Model, Inputs) {
    let (builder, inputs) = case();
    (change(builder).build().unwrap_or_else(|e| panic!("{what}: {e}")), inputs)
}

#[track_caller]
fn beside_the_kernel(what: &str, case: Case<'_>) {
    // RISC-V has no mode in which subnormal numbers are zero.
    for (flush_subnormals, machines) in [(true, &[AARCH64][..]), (false, &[RISCV64, RISCV64_VECTORS])] {
        let options = CompileOptions { flush_subnormals, ..CompileOptions::default() };
        let (mut model, inputs) = build(what, case, |builder| builder.options(options));
        let machines: Vec<Machine> = machines.iter().copied().filter(|machine| machine.is_there()).collect();
        compare(what, &mut model, &machines, &inputs);
    }
}

#[track_caller]
fn beside_the_evaluator(what: &str, case: Case<'_>) {
    let exact = |builder: ModelBuilder| builder.contract(false).options(CompileOptions::exact());
    let (mut model, _) = build(what, case, exact);
    let machines = [AARCH64, RISCV64, RISCV64_VECTORS].into_iter().filter(|machine| machine.is_there());
    let programs: Vec<Program> = machines.map(|machine| Program::new(&model, machine)).collect();
    let (mut evaluator, inputs) = build(what, case, |builder| exact(builder).eager(true));
    let trace = Trace::of(&mut evaluator, &inputs);
    programs.iter().for_each(|program| program.follow(&format!("{what}, evaluated"), &trace, &mut model));
}

/// Golden models, but for the large one, which takes so long that its tests begin first.
fn golden(check: impl Fn(&str, Case<'_>)) {
    for case in cases("brain").iter().chain(&cases("neuron")).filter(|case| *case != AB) {
        check(case, &|| models::golden(case));
    }
}

const AB: &str = "brain/ab.f32";

#[test]
fn ab_brain_beside_the_evaluator() {
    beside_the_evaluator(AB, &|| models::golden(AB));
}

#[test]
fn ab_brain_beside_the_kernel() {
    beside_the_kernel(AB, &|| models::golden(AB));
}

#[test]
fn golden_models_beside_the_evaluator() {
    golden(beside_the_evaluator);
}

#[test]
fn golden_models_beside_the_kernel() {
    golden(beside_the_kernel);
}

#[test]
fn the_cartpole_brain_beside_both() {
    beside_the_kernel("cartpole", &models::cartpole);
    beside_the_evaluator("cartpole", &models::cartpole);
}
