//! What holds for every registered synapse and delay, whatever its model.

mod support;

use spark::config::ConfigValue;
use spark::prelude::*;
use spark_compiler::passes::CompileOptions;
use support::registered::{Drive, Over, Subject, array, modules, over, states, values, weights};

/// Every synapse and every delay between populations of 5 and 7 neurons.
fn subjects() -> Vec<Subject> {
    let all = modules("Components/Synapses").into_iter().chain(modules("Components/Delays"));
    all.map(|spec| Subject::new(spec, &[5], &[7])).collect()
}

/// What the outputs of `steps` steps are.
#[track_caller]
fn run(subject: &Subject, drive: &Drive, kernel: &[f64], steps: usize, eager: bool) -> Vec<Vec<(String, Vec<f64>)>> {
    let mut model = subject.build(kernel, eager);
    (0..steps).map(|t| values(&subject.step(&mut model, drive, t, kernel))).collect()
}

/// A fixed order of `size` elements, other than theirs.
fn order(size: usize) -> Vec<usize> {
    (0..size).map(|i| (3 * i + 2) % size).collect()
}

/// Values over `dims` of post and pre in another order.
fn permuted(values: &[f64], over: Over, post: &[usize], pre: &[usize]) -> Vec<f64> {
    match over {
        Over::Post => post.iter().map(|&i| values[i]).collect(),
        Over::Pre => pre.iter().map(|&j| values[j]).collect(),
        Over::Synapses => post.iter().flat_map(|&i| pre.iter().map(move |&j| values[i * pre.len() + j])).collect(),
    }
}

/// The shape of a module's own delays.
fn delays_over(subject: &Subject) -> Over {
    if (subject.spec.config)().field("units").is_some() { Over::Synapses } else { Over::Post }
}

fn delays(subject: &Subject, factor: f64, order: impl Fn(&[f64], Over) -> Vec<f64>) -> ConfigValue {
    let over = delays_over(subject);
    let steps: Vec<f64> = (0..subject.size(over)).map(|i| factor * ((5 * i) % 8) as f64).collect();
    ConfigValue::Array(array(&subject.dims(over), order(&steps, over)))
}

#[test]
fn without_spikes_nothing_happens() {
    for subject in subjects() {
        let kernel = weights(subject.size(Over::Synapses));
        for eager in [false, true] {
            let mut model = subject.build(&kernel, eager);
            let before = states(&model);
            for t in 0..30 {
                for (port, found) in values(&subject.step(&mut model, &Drive::new(0.0), t, &kernel)) {
                    assert!(found.iter().all(|x| *x == 0.0), "{}, step {t}: {port} is {found:?}", subject.spec.name);
                }
            }
            assert_eq!(states(&model), before, "{}", subject.spec.name);
        }
    }
}

#[test]
fn compiled_and_eager_steps_give_the_same_bits() {
    for subject in subjects() {
        // The one pass that adds numbers in another order is compared with golden numbers.
        let subject = Subject { options: Some(CompileOptions::exact()), ..subject };
        let kernel = weights(subject.size(Over::Synapses));
        let [compiled, eager] = [false, true].map(|eager| run(&subject, &Drive::new(0.3), &kernel, 40, eager));
        assert_eq!(compiled, eager, "{}", subject.spec.name);
        let silent = compiled.iter().flatten().all(|(_, values)| values.iter().all(|x| *x == 0.0));
        assert!(!silent, "{} gives nothing", subject.spec.name);
    }
}

#[test]
fn neurons_may_be_in_any_order() {
    for subject in subjects() {
        let (post, pre) = (order(5), order(7));
        let as_is = subject.clone().with("delays", delays(&subject, 1.0, |steps, _| steps.to_vec()));
        let moved = delays(&subject, 1.0, |steps, over| permuted(steps, over, &post, &pre));
        let moved = subject.clone().with("delays", moved);
        let kernel = weights(35);
        let drive = Drive::new(0.3);
        let expected = run(&as_is, &drive, &kernel, 40, false);
        let drive = Drive { pre: Some(pre.clone()), post: Some(post.clone()), ..drive };
        let found = run(&moved, &drive, &permuted(&kernel, Over::Synapses, &post, &pre), 40, false);
        for (t, (expected, found)) in expected.iter().zip(&found).enumerate() {
            for ((port, expected), (_, found)) in expected.iter().zip(found) {
                let expected = permuted(expected, over(subject.spec.output(port).unwrap()), &post, &pre);
                // Sums over inputs are taken in another order.
                let largest = expected.iter().fold(1.0f64, |largest, x| largest.max(x.abs()));
                let near = expected.iter().zip(found).all(|(e, f)| (e - f).abs() <= 1e-5 * largest);
                assert!(near, "{}, step {t}: {port} is {found:?}, expected {expected:?}", subject.spec.name);
            }
        }
    }
}

#[test]
fn the_shape_of_a_population_does_not_matter() {
    for flat in subjects() {
        let [flat, deep] = [(vec![6], vec![4]), (vec![2, 3], vec![2, 2])].map(|(post, pre)| {
            let subject = Subject::new(flat.spec, &post, &pre);
            let steps = delays(&subject, 1.0, |steps, _| steps.to_vec());
            subject.with("delays", steps)
        });
        let kernel = weights(24);
        let drive = Drive::new(0.3);
        let [flat, deep] = [flat, deep].map(|subject| (subject.spec.name, run(&subject, &drive, &kernel, 40, false)));
        assert_eq!(flat, deep);
    }
}

#[test]
fn spikes_over_synapses_are_those_of_the_neurons_where_they_are_the_same() {
    for plain in subjects().into_iter().filter(|subject| subject.spec.category == "Components/Synapses") {
        let over_synapses = Subject { over_synapses: true, ..plain.clone() };
        let found = [plain, over_synapses]
            .map(|subject| (subject.spec.name, run(&subject, &Drive::new(0.3), &weights(35), 40, false)));
        assert_eq!(found[0], found[1]);
    }
}

#[test]
fn large_weights_and_constant_spikes_give_finite_values() {
    for subject in subjects() {
        for sign in [1.0, -1.0] {
            let kernel = vec![sign * 1e30; subject.size(Over::Synapses)];
            let mut model = subject.build(&kernel, false);
            for t in 0..1000 {
                for (port, found) in values(&subject.step(&mut model, &Drive::new(1.1), t, &kernel)) {
                    assert!(
                        found.iter().all(|x| x.is_finite()),
                        "{}, step {t}: {port} is {found:?}",
                        subject.spec.name
                    );
                }
            }
            for (state, found) in states(&model) {
                assert!(found.iter().all(|x| x.is_finite()), "{}: {state} is {found:?}", subject.spec.name);
            }
        }
    }
}

#[test]
fn half_precision_stays_finite() {
    for subject in subjects() {
        let subject = subject.with("dtype", ConfigValue::DType(DType::F16));
        let kernel = vec![10.0; subject.size(Over::Synapses)];
        for step in run(&subject, &Drive::new(1.1), &kernel, 1000, false) {
            assert!(step.iter().all(|(_, values)| values.iter().all(|x| x.is_finite())), "{}", subject.spec.name);
        }
    }
}

#[test]
fn spikes_at_the_same_times_give_the_same_for_any_time_step() {
    // Everything is integrated exactly, so that a finer step changes rounding only.
    for subject in subjects() {
        let kernel = weights(35);
        let at_ms = |every: usize| -> Vec<Vec<(String, Vec<f64>)>> {
            let steps = delays(&subject, every as f64, |steps, _| steps.to_vec());
            let subject = subject.clone().with("dt", ConfigValue::Float(1.0 / every as f64)).with("delays", steps);
            let drive = Drive { every, ..Drive::new(0.2) };
            run(&subject, &drive, &kernel, 50 * every, false).into_iter().step_by(every).collect()
        };
        let coarse = at_ms(1);
        for every in [2, 4] {
            for (t, (coarse, fine)) in coarse.iter().zip(at_ms(every)).enumerate() {
                for ((port, coarse), (_, fine)) in coarse.iter().zip(&fine) {
                    let largest = coarse.iter().fold(1.0f64, |largest, x| largest.max(x.abs()));
                    let near = coarse.iter().zip(fine).all(|(c, f)| (c - f).abs() <= 1e-5 * largest);
                    let name = subject.spec.name;
                    assert!(near, "{name}, {t} ms, {every} steps per ms: {port} is {fine:?}, expected {coarse:?}");
                }
            }
        }
    }
}
