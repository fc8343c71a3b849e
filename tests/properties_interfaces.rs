//! What holds for every registered interface, whatever it does. Interfaces are found in the registry: a new one is tested
//! without being named here.

mod support;

use spark::config::ConfigValue;
use spark::payload::PayloadType;
use spark::prelude::*;
use spark::registry::Registry;
use support::registered::{Drive, Subject, states, values};

/// Every interface between 24 elements on each port.
fn subjects() -> Vec<Subject> {
    let modules = &Registry::global().unwrap().modules;
    let interfaces: Vec<_> = modules.iter().filter(|module| module.category.starts_with("Interfaces/")).collect();
    assert!(interfaces.len() >= 10);
    interfaces.into_iter().map(|spec| Subject::any(spec, CurrentArray::KIND)).collect()
}

/// The outputs of `steps` steps.
fn run(subject: &Subject, drive: &Drive, steps: usize, eager: bool) -> Vec<Vec<(String, Vec<f64>)>> {
    let mut model = subject.build(&[], eager);
    (0..steps).map(|t| values(&subject.step(&mut model, drive, t, &[]))).collect()
}

fn seeded(subject: &Subject, seed: i64) -> Subject {
    subject.clone().with("seed", ConfigValue::Int(seed))
}

/// Whether what it does depends on its seed.
fn is_random(subject: &Subject) -> bool {
    let [one, other] = [1, 2].map(|seed| run(&seeded(subject, seed), &Drive::new(0.4), 60, false));
    one != other
}

/// Whether its input says where a point is, not how much of something there is.
fn takes_places(subject: &Subject) -> bool {
    (subject.spec.config)().field("mins").is_some()
}

#[test]
fn compiled_and_eager_steps_give_the_same_bits() {
    for subject in subjects() {
        let drive = Drive::new(0.4);
        let [compiled, eager] = [false, true].map(|eager| run(&subject, &drive, 60, eager));
        assert_eq!(compiled, eager, "{}", subject.spec.name);
    }
}

#[test]
fn one_seed_repeats_and_a_reset_begins_again() {
    for subject in subjects() {
        let (subject, drive) = (seeded(&subject, 3), Drive::new(0.4));
        let expected = run(&subject, &drive, 40, false);
        assert_eq!(run(&subject, &drive, 40, false), expected, "{}", subject.spec.name);
        let mut model = subject.build(&[], false);
        subject.step(&mut model, &drive, 0, &[]);
        model.reset();
        let again: Vec<_> = (0..40).map(|t| values(&subject.step(&mut model, &drive, t, &[]))).collect();
        assert_eq!(again, expected, "{}", subject.spec.name);
    }
}

#[test]
fn nothing_gives_nothing() {
    // A place is always somewhere, and a source needs no input.
    for subject in subjects().into_iter().filter(|s| !takes_places(s) && !s.spec.inputs.is_empty()) {
        for eager in [false, true] {
            let mut model = subject.build(&[], eager);
            // Keys go on, whatever comes in.
            let before = if is_random(&subject) { Vec::new() } else { states(&model) };
            let drive = Drive { factor: 0.0, ..Drive::new(0.0) };
            for t in 0..50 {
                for (port, found) in values(&subject.step(&mut model, &drive, t, &[])) {
                    assert!(found.iter().all(|x| *x == 0.0), "{}, step {t}: {port} is {found:?}", subject.spec.name);
                }
            }
            for ((state, after), (_, before)) in states(&model).iter().zip(&before) {
                // Time since the last spike goes on.
                assert!(after == before || state.ends_with("refractory"), "{}: {state}", subject.spec.name);
            }
        }
    }
}

#[test]
fn elements_may_be_in_any_order() {
    let order: Vec<usize> = (0..24).map(|i| (5 * i + 2) % 24).collect();
    let mut count = 0;
    for subject in subjects().into_iter().filter(|subject| !subject.spec.inputs.is_empty()) {
        // Those that draw do so by place, and those that gather have fewer outputs than inputs.
        let as_is = run(&subject, &Drive::new(0.4), 60, false);
        if is_random(&subject) || as_is[0].iter().any(|(_, values)| values.len() % 24 != 0) {
            continue;
        }
        let drive = Drive { post: Some(order.clone()), ..Drive::new(0.4) };
        for (t, (expected, found)) in as_is.iter().zip(run(&subject, &drive, 60, false)).enumerate() {
            for ((port, expected), (_, found)) in expected.iter().zip(&found) {
                // Each element has as many outputs, one after another.
                let each = expected.len() / 24;
                let moved: Vec<f64> =
                    order.iter().flat_map(|&i| expected[i * each..][..each].iter().copied()).collect();
                assert_eq!(*found, moved, "{}, step {t}: {port}", subject.spec.name);
            }
        }
        count += 1;
    }
    assert!(count >= 4, "{count} interfaces");
}
