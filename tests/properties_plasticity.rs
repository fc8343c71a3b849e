//! What holds for every registered plasticity rule, whatever its model.

mod support;

use spark::config::ConfigValue;
use spark::prelude::*;
use support::registered::{Drive, Over, Subject, modules, states, weights};

/// Every rule between populations of 5 and 7 neurons.
fn subjects() -> Vec<Subject> {
    modules("Components/Plasticity").into_iter().map(|spec| Subject::new(spec, &[5], &[7])).collect()
}

/// The model after `steps` steps that begin with `kernel`, and the kernel then; `see` gets the kernel of every step.
#[track_caller]
fn learn(
    subject: &Subject,
    drive: &Drive,
    kernel: &[f64],
    steps: usize,
    eager: bool,
    mut see: impl FnMut(usize, &[f64]),
) -> (Model, Vec<f64>) {
    let mut model = subject.build(&[], eager);
    let mut kernel = kernel.to_vec();
    for t in 0..steps {
        kernel = subject.step(&mut model, drive, t, &kernel).get("kernel").unwrap().value().to_f64();
        see(t, &kernel);
    }
    (model, kernel)
}

fn order(size: usize) -> Vec<usize> {
    (0..size).map(|i| (3 * i + 2) % size).collect()
}

#[test]
fn without_spikes_weights_stay() {
    for subject in subjects() {
        for eager in [false, true] {
            let kernel = weights(subject.size(Over::Synapses));
            learn(&subject, &Drive::new(0.0), &kernel, 30, eager, |t, found| {
                assert_eq!(found, kernel, "{}, step {t}", subject.spec.name);
            });
            // Without weights every state stays, too.
            let before = states(&subject.build(&[], eager));
            let (model, _) = learn(&subject, &Drive::new(0.0), &[0.0; 35], 30, eager, |_, _| {});
            assert_eq!(states(&model), before, "{}", subject.spec.name);
        }
    }
}

#[test]
fn compiled_and_eager_steps_give_the_same_bits() {
    for subject in subjects() {
        let start = weights(35);
        let both = [false, true].map(|eager| {
            let (model, kernel) = learn(&subject, &Drive::new(0.2), &start, 60, eager, |_, _| {});
            (states(&model), kernel)
        });
        assert_eq!(both[0], both[1], "{}", subject.spec.name);
        assert_ne!(both[0].1, start, "{} changes nothing", subject.spec.name);
    }
}

#[test]
fn neurons_may_be_in_any_order() {
    let (post, pre) = (order(5), order(7));
    let moved = |values: &[f64]| -> Vec<f64> {
        post.iter().flat_map(|&i| pre.iter().map(move |&j| i * 7 + j)).map(|at| values[at]).collect()
    };
    for subject in subjects() {
        let drive = Drive::new(0.2);
        let (_, expected) = learn(&subject, &drive, &weights(35), 60, false, |_, _| {});
        let drive = Drive { pre: Some(pre.clone()), post: Some(post.clone()), ..drive };
        let (_, found) = learn(&subject, &drive, &moved(&weights(35)), 60, false, |_, _| {});
        assert_eq!(found, moved(&expected), "{}", subject.spec.name);
    }
}

#[test]
fn the_shape_of_a_population_does_not_matter() {
    for subject in subjects() {
        let shapes = [(vec![6], vec![4]), (vec![2, 3], vec![2, 2])];
        let [flat, deep] = shapes.map(|(post, pre)| {
            let subject = Subject::new(subject.spec, &post, &pre);
            learn(&subject, &Drive::new(0.2), &weights(24), 60, false, |_, _| {}).1
        });
        assert_eq!(flat, deep, "{}", subject.spec.name);
    }
}

#[test]
fn spikes_over_synapses_are_those_of_the_neurons_where_they_are_the_same() {
    for plain in subjects() {
        let over_synapses = Subject { over_synapses: true, ..plain.clone() };
        let [plain, over_synapses] = [plain, over_synapses].map(|subject| {
            let (_, kernel) = learn(&subject, &Drive::new(0.2), &weights(35), 60, false, |_, _| {});
            (subject.spec.name, kernel)
        });
        assert_eq!(plain, over_synapses);
    }
}

#[test]
fn half_precision_stays_finite() {
    for subject in subjects() {
        let subject = subject.with("dtype", ConfigValue::DType(DType::F16));
        learn(&subject, &Drive::new(0.3), &weights(35), 1000, false, |t, kernel| {
            assert!(kernel.iter().all(|w| w.is_finite()), "{}, step {t}: {kernel:?}", subject.spec.name);
        });
    }
}

#[test]
fn finite_input_gives_finite_weights() {
    for subject in subjects() {
        for (weight, factor) in [(0.0, 1.0), (1.0, 1e6), (1e6, 1e6), (1e30, 1.0), (-1e30, 1.0)] {
            // Every neuron in every step, and at random.
            for rate in [1.1, 0.3] {
                let drive = Drive { factor, ..Drive::new(rate) };
                let what = format!("{} from {weight:e}, factor {factor:e}, rate {rate}", subject.spec.name);
                let (model, _) = learn(&subject, &drive, &[weight; 35], 1000, false, |t, kernel| {
                    assert!(kernel.iter().all(|w| w.is_finite()), "{what}, step {t}: {kernel:?}");
                });
                for (state, found) in states(&model) {
                    assert!(found.iter().all(|x| x.is_finite()), "{what}: {state} is {found:?}");
                }
            }
        }
    }
}

#[test]
fn states_converge_as_the_time_step_becomes_finer() {
    for subject in subjects() {
        let start = weights(35);
        // Spikes at the same times, and the same weights throughout.
        let traces = |every: usize| {
            let subject = subject.clone().with("dt", ConfigValue::Float(1.0 / every as f64));
            let drive = Drive { every, ..Drive::new(0.1) };
            let mut model = subject.build(&[], false);
            for t in 0..=100 * every {
                subject.step(&mut model, &drive, t, &start);
            }
            states(&model)
        };
        let [coarse, fine, finest] = [1, 2, 4].map(traces);
        for ((state, coarse), ((_, fine), (_, finest))) in coarse.iter().zip(fine.iter().zip(&finest)) {
            let distance = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            let largest = finest.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
            let (first, second) = (distance(coarse, fine), distance(fine, finest));
            let converges = second <= 1e-5 * largest || second <= 0.6 * first;
            assert!(converges, "{}: {state} changes by {first}, then by {second} of {largest}", subject.spec.name);
            assert!(largest > 0.0, "{}: {state} was never driven", subject.spec.name);
        }
    }
}
