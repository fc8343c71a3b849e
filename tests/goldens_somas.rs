//! Every soma gives the reference's numbers in every mode, and behaves as a soma should.

mod support;

use spark::config::{ConfigTree, ConfigValue};
use spark::model::ModelBuilder;
use spark::prelude::*;
use support::modes::{First, in_every_mode};
use support::{Golden, exact, load};

/// Our states and what the reference calls them.
const STATES: [(&str, &str); 5] = [
    ("potential", "potential"),
    ("threshold.trace", "threshold"),
    ("adaptation", "adaptation"),
    ("recovery", "recovery"),
    ("refractory.counter", "refractory"),
];

/// Every soma.
const SOMAS: [&str; 9] = [
    "LeakySoma",
    "RefractoryLeakySoma",
    "StrictRefractoryLeakySoma",
    "AdaptiveLeakySoma",
    "ExponentialSoma",
    "RefractoryExponentialSoma",
    "AdaptiveExponentialSoma",
    "SimplifiedAdaptiveExponentialSoma",
    "IzhikevichSoma",
];

fn ports(golden: &Golden) -> &'static [(&'static str, Option<&'static str>)] {
    let masked = golden.tensors.contains_key("in/inhibition_mask");
    if masked { &[("current", None), ("inhibition_mask", None)] } else { &[("current", None)] }
}

fn builder(golden: &Golden, tree: ConfigTree) -> ModelBuilder {
    let inputs = ports(golden).iter().map(|(port, _)| (*port, golden.dims(port)));
    inputs.fold(Model::from_tree(tree), |builder, (port, dims)| builder.input(port, dims))
}

/// Compares the case `name` bit for bit from the first step to the last, with the configuration `translate` makes of the
/// recorded one, where the reference is finite.
#[track_caller]
fn check(name: &str, translate: fn(&Golden) -> ConfigTree) {
    let golden = load(name);
    in_every_mode(builder(&golden, translate(&golden)), First::Eager, |model| {
        // Units whose reference has not overflowed yet.
        let mut finite = vec![true; golden.input("current", 0).value().len()];
        for t in 0..golden.steps() {
            let outputs = model.step(&golden.inputs(ports(&golden), t));
            let spikes = outputs.get("spikes").unwrap();
            let recorded = golden.tensors["state/potential"].step(t);
            finite.iter_mut().zip(recorded).for_each(|(finite, v)| *finite &= v.is_finite());
            let kept = |values: &[f64]| -> Vec<f64> {
                values.iter().zip(&finite).filter(|(_, finite)| **finite).map(|(v, _)| *v).collect()
            };
            let recorded = golden.tensors["out/spikes"].step(t);
            exact(name, t, &kept(&spikes.value().to_f64()), &kept(recorded));
            if let Some(mask) = golden.tensors.get("out/spikes.inhibition_mask") {
                exact("mask", t, &spikes.inhibition_mask().unwrap().to_f64(), &mask.values);
            }
            for (ours, theirs) in STATES {
                let Some(expected) = golden.tensors.get(&format!("state/{theirs}")) else { continue };
                let (found, expected) = (model.state(ours).unwrap().to_f64(), kept(expected.step(t)));
                let what = format!("{name}, step {t}, {ours}");
                assert!(found.iter().all(|v| v.is_finite()), "{what}: not finite");
                exact(&what, t, &kept(&found), &expected);
            }
        }
        let (mode, steps) = (&model.mode, golden.steps());
        support::row(format!("{name:<52} {mode:<20} bit for bit over {steps} steps  within 0e0"));
    });
}

/// Checks the cases of one soma as recorded.
#[track_caller]
fn check_all(soma: &str, cases: &[&str]) {
    for case in cases {
        check(&format!("soma/{soma}_{case}.f32"), Golden::config);
    }
}

#[test]
fn leaky() {
    check_all("leaky", &["default", "dt05", "hetero"]);
}

#[test]
fn refractory_leaky() {
    check_all("refractory_leaky", &["default", "hetero", "deadtime_dt1", "deadtime_dt05"]);
}

#[test]
fn strict_refractory_leaky() {
    check_all("strict_refractory_leaky", &["default", "hetero", "deadtime_dt1", "deadtime_dt05"]);
}

#[test]
fn adaptive_leaky() {
    check_all("adaptive_leaky", &["default", "dt05", "hetero", "deadtime_dt1", "deadtime_dt05"]);
}

#[test]
fn exponential() {
    check_all("exponential", &["default", "hetero"]);
}

#[test]
fn refractory_exponential() {
    check_all("refractory_exponential", &["default", "hetero", "deadtime_dt1", "deadtime_dt05"]);
}

#[test]
fn adaptive_exponential() {
    check_all("adaptive_exponential", &["default", "hetero"]);
}

#[test]
fn simplified_adaptive_exponential_equals_the_reference_until_that_overflows() {
    check_all("simplified_adaptive_exponential", &["finite", "default", "hetero"]);
}

/// The reference subtracts the reset potential where the published equations add the rest potential. Its
/// configuration, as one of ours that means the same.
fn published(golden: &Golden) -> ConfigTree {
    let config = golden.config();
    let numbers = |name: &str| match config.get(name).unwrap() {
        ConfigValue::Array(array) => array.to_f64(),
        ConfigValue::Float(x) => vec![*x],
        other => panic!("{name} is {other:?}"),
    };
    let (rest, threshold) = (numbers("potential_rest")[0], numbers("threshold")[0]);
    let resets = numbers("potential_reset");
    let array = |value: &dyn Fn(f64) -> f64| {
        let values: Vec<f64> = resets.iter().map(|&reset| value(reset)).collect();
        ConfigValue::Array(Array::new(Shape::units(&[values.len()]), Data::F64(values)).unwrap())
    };
    config
        .clone()
        .with("potential_rest", array(&|reset| -reset))
        .with("potential_reset", array(&|_| -rest))
        .with("threshold", array(&|reset| threshold - rest - reset))
}

#[test]
fn izhikevich_equals_the_reference_with_the_sign_turned() {
    for case in ["signflip", "signflip_hetero_dt05"] {
        check(&format!("soma/izhikevich_{case}.f32"), published);
    }
}

#[test]
fn izhikevich_spikes_with_its_defaults_but_not_always() {
    // The reference spikes at every step here.
    for case in ["default", "hetero"] {
        let golden = load(&format!("soma/izhikevich_{case}.f32"));
        in_every_mode(builder(&golden, golden.config()), First::Eager, |model| {
            let mut spikes = 0.0;
            for t in 0..golden.steps() {
                let outputs = model.step(&golden.inputs(ports(&golden), t));
                spikes += outputs.get("spikes").unwrap().value().to_f64().iter().sum::<f64>();
                assert!(model.state("potential").unwrap().to_f64().iter().all(|v| v.is_finite()));
            }
            let share = spikes / (golden.steps() * golden.dims("current")[0]) as f64;
            assert!(share > 0.0 && share < 0.2, "{case}: a share of {share} of all steps has a spike");
        });
    }
}

#[test]
fn half_precision_stays_near() {
    for soma in ["leaky", "adaptive_leaky"] {
        let golden = load(&format!("soma/{soma}_default.f16"));
        in_every_mode(builder(&golden, golden.config()), First::Eager, |model| {
            let (mut ours, mut theirs) = (0.0, 0.0);
            for t in 0..golden.steps() {
                let outputs = model.step(&golden.inputs(ports(&golden), t));
                ours += outputs.get("spikes").unwrap().value().to_f64().iter().sum::<f64>();
                theirs += golden.tensors["out/spikes"].step(t).iter().sum::<f64>();
                assert!(model.state("potential").unwrap().to_f64().iter().all(|v| v.is_finite()));
            }
            support::row(format!("{soma} in half precision: {ours} spikes, the reference has {theirs}"));
            assert!((ours - theirs).abs() <= 0.05 * theirs, "{soma}: {ours} spikes, the reference has {theirs}");
        });
    }
}

fn soma(name: &str, units: usize) -> ModelBuilder {
    Model::from_tree(ConfigTree::new(format!("{name}Config"))).input("current", [units])
}

fn spikes(model: &mut Model, current: &[f32]) -> Vec<bool> {
    model.step(&[("current", current.into())]).unwrap().spikes("spikes").unwrap()
}

#[test]
fn silence_stays_at_rest() {
    for name in SOMAS {
        let mut model = soma(name, 1).build().unwrap();
        for _ in 0..2000 {
            assert_eq!(spikes(&mut model, &[0.0]), [false], "{name}");
        }
        // Izhikevich's rest is where its equations balance: 0.04·v² + (5 − R·b)·v + 140 = 0, relative to −65 mV.
        let linear: f64 = 5.0 - 0.1 * 0.2;
        let balance = (-linear - (linear * linear - 4.0 * 0.04 * 140.0).sqrt()) / 0.08 + 65.0;
        let expected = if name == "IzhikevichSoma" { balance } else { 0.0 };
        let potential = model.state("potential").unwrap().to_f64()[0];
        assert!((potential - expected).abs() < 1e-3, "{name} rests at {potential}, not {expected}");
    }
}

#[test]
fn permuted_units_give_permuted_spikes() {
    const UNITS: usize = 67;
    let order = |i: usize| (i * 29 + 5) % UNITS;
    for name in SOMAS {
        let currents: Vec<f32> = (0..UNITS).map(|i| i as f32 * 8.0).collect();
        let permuted: Vec<f32> = (0..UNITS).map(|i| currents[order(i)]).collect();
        let [mut one, mut other] = [0, 1].map(|_| soma(name, UNITS).build().unwrap());
        let mut count = 0;
        for _ in 0..200 {
            let straight = spikes(&mut one, &currents);
            let expected: Vec<bool> = (0..UNITS).map(|i| straight[order(i)]).collect();
            assert_eq!(spikes(&mut other, &permuted), expected, "{name}");
            count += straight.iter().filter(|s| **s).count();
        }
        assert!(count > 0, "{name} never spikes");
    }
}

#[test]
fn finite_input_never_gives_nan() {
    let strong = [0.0f32, -10.0, 100.0, -1e3, 1e3, -3e3, 1e4, 3e4];
    for name in SOMAS {
        for dtype in [DType::F32, DType::F16, DType::BF16, DType::F64] {
            for eager in [false, true] {
                let mut model = soma(name, strong.len()).dtype(dtype).eager(eager).build().unwrap();
                for t in 0..300 {
                    // Constant, then alternating.
                    let sign = if t >= 150 && t % 2 == 1 { -1.0 } else { 1.0 };
                    let current: Vec<f32> = strong.iter().map(|i| sign * i).collect();
                    spikes(&mut model, &current);
                    for state in model.states() {
                        let values = model.state(&state).unwrap().to_f64();
                        assert!(!values.iter().any(|v| v.is_nan()), "{name} {dtype}, step {t}: {state} is {values:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_potential_that_runs_away_while_refractory_stays_finite() {
    // The reset lies above the rheobase threshold, and nothing resets the potential for 20 ms.
    for name in ["RefractoryExponentialSoma", "SimplifiedAdaptiveExponentialSoma"] {
        for dtype in [DType::F32, DType::F16, DType::BF16, DType::F64] {
            for eager in [false, true] {
                let tree = ConfigTree::new(format!("{name}Config"))
                    .with("potential_reset", ConfigValue::Float(-40.0))
                    .with("cooldown", ConfigValue::Float(20.0));
                let builder = Model::from_tree(tree).input("current", [1]).dtype(dtype).eager(eager);
                let mut model = builder.build().unwrap();
                let count = (0..200).filter(|_| spikes(&mut model, &[3e4])[0]).count();
                // At step 1 and every 22 steps.
                assert_eq!(count, 10, "{name} {dtype}");
                assert!(model.state("potential").unwrap().to_f64()[0].is_finite(), "{name} {dtype}");
            }
        }
    }
}

#[test]
fn a_neuron_that_was_silent_for_long_is_ready() {
    let longest = Array::full(Shape::units(&[1]), DType::I32, f64::from(i32::MAX));
    for name in ["RefractoryLeakySoma", "StrictRefractoryLeakySoma", "RefractoryExponentialSoma"] {
        for eager in [false, true] {
            let mut model = soma(name, 1).eager(eager).build().unwrap();
            model.set_state("refractory.counter", &longest).unwrap();
            assert_eq!(spikes(&mut model, &[0.0]), [false]);
            assert_eq!(model.state("refractory.counter").unwrap().to_i32(), [i32::MAX], "{name}");
            assert_eq!(spikes(&mut model, &[1e5]), [true], "{name}");
            assert_eq!(model.state("refractory.counter").unwrap().to_i32(), [0]);
        }
    }
}

#[test]
fn a_cooldown_of_c_steps_is_kept() {
    for (name, first, interval) in [("RefractoryLeakySoma", 1, 5), ("StrictRefractoryLeakySoma", 0, 4)] {
        let tree = ConfigTree::new(format!("{name}Config")).with("cooldown", ConfigValue::Float(3.0));
        let mut model = Model::from_tree(tree).input("current", [1]).build().unwrap();
        let fired: Vec<usize> = (0..20).filter(|_| spikes(&mut model, &[1e6])[0]).collect();
        let expected: Vec<usize> = (first..20).step_by(interval).collect();
        assert_eq!(fired, expected, "{name}");
    }
}

#[test]
fn parameters_take_the_reference_s_keys() {
    // What a soma drew shows in its states: of the threshold and the counter at once, of a jump after one spike.
    let cases = [
        ("LeakySoma", "potential_reset", 1, "potential", 1),
        ("AdaptiveLeakySoma", "threshold", 4, "threshold.trace", 0),
        ("AdaptiveLeakySoma", "cooldown", 5, "refractory.counter", 0),
        ("ExponentialSoma", "potential_reset", 1, "potential", 1),
        ("AdaptiveExponentialSoma", "adaptation_delta", 7, "adaptation", 1),
        ("SimplifiedAdaptiveExponentialSoma", "threshold", 4, "threshold.trace", 0),
        ("SimplifiedAdaptiveExponentialSoma", "cooldown", 7, "refractory.counter", 0),
        ("IzhikevichSoma", "recovery_update", 2, "recovery", 1),
    ];
    const UNITS: usize = 5;
    for (name, parameter, position, state, steps) in cases {
        let uniform = Param::from(Uniform::default().with_scale(9.0));
        let mut tree = ConfigTree::new(format!("{name}Config"))
            .with("seed", ConfigValue::Int(7))
            .with("potential_rest", ConfigValue::Float(0.0))
            .with(parameter, spark::config::FieldType::to_value(&uniform));
        // Only the jump at a spike changes the adapting variable.
        match name {
            "AdaptiveExponentialSoma" => tree = tree.with("adaptation_subthreshold", ConfigValue::Float(0.0)),
            "IzhikevichSoma" => tree = tree.with("recovery_timescale", ConfigValue::Float(0.0)),
            _ => {}
        }
        let mut model = Model::from_tree(tree).input("current", [UNITS]).build().unwrap();
        for _ in 0..steps {
            assert_eq!(spikes(&mut model, &[1e6; UNITS]), [true; UNITS], "{name}");
        }
        let mut stream = spark::rng::RngStream::new(7);
        let keys: Vec<_> = (0..=position).map(|_| stream.next_key()).collect();
        let drawn = keys[position].uniform_f32(UNITS).into_iter().map(|x| f64::from(x * 9.0));
        let expected: Vec<f64> =
            if parameter == "cooldown" { drawn.map(f64::round).collect() } else { drawn.collect() };
        assert_eq!(model.state(state).unwrap().to_f64(), expected, "{name}: {parameter}");
    }
}
