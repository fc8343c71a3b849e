//! Random well-typed programs: every stage must keep their meaning, bit for bit.
//!
//! For each program of [`random`]: it verifies, its text reads back as the same program, the evaluator gives the same after
//! each pass alone, and kernels with all passes and with none give what the evaluator gives, for several steps and again after
//! a reset.
//!
//! There are 1000 programs in all; `PROPTEST_CASES` sets another number for each test.

mod common;
mod random;

use common::{Random, run, ways};
use proptest::prelude::*;
use random::{Recipe, build, choose, recipe};
use spark_compiler::ir::parse::parse;
use spark_compiler::ir::{Array, Program, verify};

/// Everything that must hold of a program; the first thing that does not.
fn check(recipe: &Recipe) -> Result<(), TestCaseError> {
    let program = build(recipe);
    verify(&program).map_err(|e| TestCaseError::fail(format!("{e}\n{program}")))?;
    let text = program.to_string();
    let read = parse(&text).map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))?;
    prop_assert_eq!(&read.to_string(), &text);
    if let Err(difference) = same_program(&program, &read) {
        return Err(TestCaseError::fail(format!("reading the text changes {difference}\n{text}")));
    }
    let mut random = Random(recipe.seed ^ 1);
    let inputs: Vec<Vec<Array>> =
        (0..6).map(|_| program.inputs.iter().map(|port| random.array(port.dtype, &port.shape)).collect()).collect();
    run(&program, &inputs, &ways(false)).map(drop).map_err(TestCaseError::fail)
}

/// Equality of programs in which a NaN equals itself.
fn same_program(a: &Program, b: &Program) -> Result<(), String> {
    let same = |a: &Array, b: &Array| a.shape() == b.shape() && a.data().same_bits(b.data());
    let ensure = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_string()) };
    ensure(a.name == b.name, "the name")?;
    ensure((&a.histories, &a.inputs, &a.outputs) == (&b.histories, &b.inputs, &b.outputs), "the interface")?;
    ensure(a.nodes == b.nodes, "the operations")?;
    ensure(a.constants.len() == b.constants.len() && a.states.len() == b.states.len(), "the number of arrays")?;
    for (a, b) in a.constants.iter().zip(&b.constants) {
        ensure(a.name == b.name && same(&a.value, &b.value), &a.name)?;
    }
    for (a, b) in a.states.iter().zip(&b.states) {
        ensure((&a.name, a.next) == (&b.name, b.next) && same(&a.init, &b.init), &a.name)?;
    }
    Ok(())
}

/// Programs that fail become filetests, so nothing is written next to the sources; a minute makes them small enough.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, max_shrink_time: 60_000, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(600))]
    #[test]
    fn small_programs(recipe in recipe(12)) {
        check(&recipe)?;
    }
}

proptest! {
    #![proptest_config(config(380))]
    #[test]
    fn larger_programs(recipe in recipe(45)) {
        check(&recipe)?;
    }
}

proptest! {
    // So long that code generation splits a step into several functions.
    #![proptest_config(config(20))]
    #[test]
    fn long_programs(recipe in recipe(300)) {
        check(&recipe)?;
    }
}

/// `text` with some characters removed, or a few others in between. Digits are not among them: numbers stay small.
fn damaged(text: &str, edits: &[(prop::sample::Index, u8)]) -> String {
    let mut text: Vec<char> = text.chars().collect();
    for (at, what) in edits {
        let at = at.index(text.len());
        match what {
            0..=99 => drop(text.drain(at..text.len().min(at + 1 + usize::from(what / 32)))),
            100..=149 => text.swap(at, at / 2),
            _ => text.insert(
                at,
                choose(&['%', ':', '=', ',', '[', ']', 'x', '"', '-', '.', '@', ' ', '\n'], u32::from(*what)),
            ),
        }
        if text.is_empty() {
            text.push('%');
        }
    }
    text.into_iter().collect()
}

proptest! {
    #![proptest_config(config(1000))]
    #[test]
    fn damaged_texts_are_programs_or_errors(
        recipe in recipe(12),
        edits in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 1..6),
    ) {
        let text = damaged(&build(&recipe).to_string(), &edits);
        if let Ok(program) = parse(&text) {
            let printed = program.to_string();
            let read = parse(&printed).map_err(|e| TestCaseError::fail(format!("{e}\n{printed}")))?;
            prop_assert_eq!(same_program(&program, &read), Ok(()));
        }
    }
}
