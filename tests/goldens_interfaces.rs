//! Every interface gives the reference's spikes, signals and states in every mode.

mod support;

use spark::config::ConfigValue;
use spark::model::InputShape;
use spark::prelude::*;
use support::modes::{First, in_every_mode};
use support::{Deviation, Golden, exact, load};

const TOLERANCE: f64 = 1e-5;

/// Compares spikes, keys and states of a spiker, whose signals are multiplied by `scale`.
#[track_caller]
fn check_spiker(case: &str, scale: f64) {
    let golden = load(&format!("interfaces/{case}"));
    in_every_mode(golden.builder(&[("signal", None)]), First::Eager, |model| {
        let mut deviation = Deviation::default();
        let mut spikes = 0.0;
        for t in 0..golden.steps() {
            let signal = golden.input("signal", t).value().clone();
            let scaled = Data::F64(signal.to_f64().iter().map(|value| value * scale).collect());
            let signal = Array::new(signal.shape().clone(), scaled).unwrap();
            let outputs = model.step(&[("signal", signal.into())]);
            let expected = &golden.tensors["out/spikes"];
            let found = outputs.get("spikes").unwrap();
            assert_eq!(found.dims(), expected.dims[1..], "{case}");
            exact(case, t, &found.value().to_f64(), expected.step(t));
            spikes += expected.step(t).iter().sum::<f64>();
            if model.states().contains(&"rng.high".to_string()) {
                let word = |name: &str| f64::from(model.state(name).unwrap().to_i32()[0] as u32);
                exact("rng", t, &[word("rng.high"), word("rng.low")], golden.tensors["state/rng"].step(t));
            }
            for (ours, theirs) in [("potential", "potential"), ("units.refractory", "refractory")] {
                let Some(expected) = golden.tensors.get(&format!("state/{theirs}")) else { continue };
                let found = model.state(ours).unwrap().to_f64();
                let own = golden.own_difference(&format!("state/{theirs}"));
                deviation.check(&format!("{case}, step {t}, {ours}"), &found, expected.step(t), TOLERANCE, own);
            }
        }
        assert!(spikes > 0.0, "{case}: the recording has no spikes");
        support::row(format!("{case:<52} {:<20} {}  within {TOLERANCE:.0e}", model.mode, deviation.told()));
    });
}

#[test]
fn poisson_spiker() {
    check_spiker("poisson_spiker.f32", 1.0);
    check_spiker("poisson_spiker_2d_dt05.f32", 1.0);
}

#[test]
fn topological_poisson_spiker() {
    check_spiker("topological_poisson_spiker_glue0.f32", 1.0);
    check_spiker("topological_poisson_spiker_glue1.f32", 1.0);
}

#[test]
fn linear_spiker() {
    check_spiker("linear_spiker.f32", 1.0);
    // Ours fires at max_freq for a signal of 1 whatever the time step; the reference's does for another signal, because
    // the time step enters its scale and its increments once more.
    let golden = load("interfaces/linear_spiker_dt05_2d.f32");
    let number = |name: &str| match golden.config().values[name] {
        ConfigValue::Float(x) => x,
        ref other => panic!("{name} is {other:?}"),
    };
    let (tau, dt) = (number("tau"), number("dt"));
    let rise = 1000.0 / number("max_freq") - number("cd");
    let scale = |rise: f64| 1.0 / (rise.exp() - 1.0) + 1.0;
    check_spiker("linear_spiker_dt05_2d.f32", dt * scale(dt / tau * rise) / scale(rise / tau));
}

#[test]
fn topological_linear_spiker() {
    check_spiker("topological_linear_spiker_glue0.f32", 1.0);
    check_spiker("topological_linear_spiker_glue1.f32", 1.0);
    check_spiker("topological_linear_spiker_glue_mixed.f32", 1.0);
}

#[track_caller]
fn check_integrator(case: &str) {
    let case = format!("exponential_integrator_{case}.f32");
    let golden = load(&format!("interfaces/{case}"));
    let ports = [("spikes", Some("inhibition_mask"))];
    in_every_mode(golden.builder(&ports), First::Eager, |model| {
        let mut deviation = Deviation::default();
        for t in 0..golden.steps() {
            let outputs = model.step(&golden.inputs(&ports, t));
            let signal = outputs.get("signal").unwrap().value().to_f64();
            deviation.check(&format!("{case}, step {t}"), &signal, golden.tensors["out/signal"].step(t), 0.0, 0.0);
        }
        for (name, expected) in &golden.tensors {
            let Some(state) = name.strip_prefix("final/") else { continue };
            deviation.check(state, &model.state(state).unwrap().to_f64(), &expected.values, 0.0, 0.0);
        }
        support::row(format!("{case:<52} {:<20} {}  within 0e0", model.mode, deviation.told()));
    });
}

#[test]
fn exponential_integrator() {
    for shuffle in [0, 1] {
        for smooth in [0, 1] {
            check_integrator(&format!("shuffle{shuffle}_smooth{smooth}"));
            check_integrator(&format!("shuffle{shuffle}_smooth{smooth}_nondiv"));
        }
    }
    check_integrator("output_map");
    check_integrator("output_map_smooth_dt05");
}

/// Joins the inputs `x0`, `x1`, ... as recorded.
#[track_caller]
fn check_concat(case: &str) {
    let golden: Golden = load(&format!("interfaces/{case}"));
    let sources = (0..).map(|i| format!("x{i}")).take_while(|x| golden.tensors.contains_key(&format!("in/{x}")));
    let sources: Vec<(String, String)> = sources.enumerate().map(|(i, x)| (format!("inputs[{i}]"), x)).collect();
    let masked = golden.tensors.contains_key("out/output.inhibition_mask");
    let mut builder = Model::from_tree(golden.config());
    for (port, x) in &sources {
        let shape = InputShape::new(golden.dims(x));
        builder = builder.input(port, if masked { shape.carrying::<SpikeArray>() } else { shape });
    }
    in_every_mode(builder, First::Eager, |model| {
        for t in 0..golden.steps() {
            let inputs: Vec<_> = sources.iter().map(|(port, x)| (port.as_str(), golden.input(x, t))).collect();
            let outputs = model.step(&inputs);
            let found = outputs.get("output").unwrap();
            let expected = &golden.tensors["out/output"];
            assert_eq!(found.dims(), expected.dims[1..], "{case}");
            exact(case, t, &found.value().to_f64(), expected.step(t));
            if masked {
                let mask = found.inhibition_mask().unwrap().to_f64();
                exact(case, t, &mask, golden.tensors["out/output.inhibition_mask"].step(t));
            }
        }
        support::row(format!("{case:<52} {:<20} every number equal  within 0e0", model.mode));
    });
}

#[test]
fn concat() {
    for case in ["concat_float", "concat_spikes", "concat_reshape_float", "concat_reshape_spikes"] {
        check_concat(case);
    }
}

#[test]
fn sampler() {
    for (case, mask) in [("sampler_float", None), ("sampler_spikes", Some("inhibition_mask"))] {
        let golden = load(&format!("interfaces/{case}"));
        in_every_mode(golden.builder(&[("inputs", mask)]).record("indices"), First::Eager, |model| {
            let indices = &golden.tensors["init/indices"].values;
            let sampled = |values: &[f64]| -> Vec<f64> { indices.iter().map(|&i| values[i as usize]).collect() };
            // The reference loses the spikes of inhibitory neurons and the mask; ours keeps both.
            let inhibitory = match mask {
                Some(mask) => sampled(&golden.tensors[&format!("in/{mask}")].values),
                None => vec![0.0; indices.len()],
            };
            for t in 0..golden.steps() {
                let outputs = model.step(&golden.inputs(&[("inputs", mask)], t));
                exact(case, t, &outputs.get("indices").unwrap().value().to_f64(), indices);
                let found = outputs.get("output").unwrap();
                let values = found.value().to_f64();
                let excitatory = |values: &[f64]| -> Vec<f64> {
                    values.iter().zip(&inhibitory).filter(|(_, mask)| **mask == 0.0).map(|(value, _)| *value).collect()
                };
                exact(case, t, &excitatory(&values), &excitatory(golden.tensors["out/output"].step(t)));
                exact(case, t, &values, &sampled(golden.tensors["in/inputs"].step(t)));
                if mask.is_some() {
                    exact(case, t, &found.inhibition_mask().unwrap().to_f64(), &inhibitory);
                }
            }
            support::row(format!("{case:<52} {:<20} every number equal  within 0e0", model.mode));
        });
    }
}
