//! A user's own rule with a trace per synapse: it costs what its spikes cost, and nobody sees how it is kept.

#[path = "support/eligibility.rs"]
mod eligibility;

use eligibility::synapses;
use spark::prelude::*;
use spark_compiler::passes::CompileOptions;

const UNITS: usize = 24;
const INPUTS: usize = 40;

fn build(delayed: bool, options: CompileOptions, dtype: DType) -> Model {
    let builder = Model::component(synapses(UNITS, delayed)).input("in_spikes", [INPUTS]).input("post_spikes", [UNITS]);
    builder.options(options).dtype(dtype).build().unwrap()
}

fn dense() -> CompileOptions {
    CompileOptions { lazy_decay: false, ..CompileOptions::default() }
}

/// Spikes at about 10 Hz, and a second in which nothing happens.
fn inputs(t: usize) -> [(&'static str, HostPayload); 2] {
    let spikes = |count: usize, salt: u64| -> Vec<bool> {
        let draw = |i: usize| {
            let mut x = (t * 1009 + i) as u64 ^ salt << 32;
            x = (x ^ x >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
            (x ^ x >> 31).is_multiple_of(100)
        };
        (0..count).map(|i| !(2000..3000).contains(&t) && draw(i)).collect()
    };
    [("in_spikes", spikes(INPUTS, 1).into()), ("post_spikes", spikes(UNITS, 2).into())]
}

fn run(model: &mut Model, steps: std::ops::Range<usize>) {
    steps.for_each(|t| drop(model.step(&inputs(t)).unwrap()));
}

/// The largest difference, in multiples of the largest value.
fn distance(a: &Model, b: &Model, state: &str) -> f64 {
    let (a, b) = (a.state(state).unwrap().to_f64(), b.state(state).unwrap().to_f64());
    let largest = a.iter().fold(1e-30, |most: f64, v| most.max(v.abs()));
    a.iter().zip(&b).fold(0.0, |most: f64, (a, b)| most.max((a - b).abs())) / largest
}

#[test]
fn the_trace_is_brought_up_to_date_at_spikes() {
    for delayed in [false, true] {
        let notes = |options| {
            let model = build(delayed, options, DType::F32);
            let notes = model.instance().unwrap().kernel().notes();
            let of = |note: &&spark_compiler::passes::Note| note.what.starts_with("rule.eligibility");
            notes.iter().filter(of).map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        let (lazy, dense) = (notes(CompileOptions::default()), notes(dense()));
        assert!(lazy.contains("+ lazy decay: rule.eligibility: kept as of its last change, times 0.98019"), "{lazy}");
        assert!(lazy.contains("+ events: rule.eligibility: changes only"), "{lazy}");
        assert!(dense.contains("- events: rule.eligibility: without a spike"), "{dense}");
        assert!(dense.contains("tests/support/eligibility.rs"), "{dense}");
    }
}

#[test]
fn weights_and_traces_are_near() {
    for (delayed, dtype, near) in [(false, DType::F32, 1e-6), (true, DType::F32, 1e-6), (true, DType::F64, 1e-15)] {
        let (mut lazy, mut dense) = (build(delayed, CompileOptions::default(), dtype), build(delayed, dense(), dtype));
        assert_eq!(lazy.states(), dense.states());
        let mut worst = [0.0f64; 2];
        for end in (250..=4500).step_by(250) {
            run(&mut lazy, end - 250..end);
            run(&mut dense, end - 250..end);
            for (worst, state) in worst.iter_mut().zip(["rule.eligibility", "synapses.kernel"]) {
                *worst = distance(&dense, &lazy, state).max(*worst);
            }
        }
        println!("{dtype}, delayed {delayed}: {worst:?}");
        // In the silent second the trace becomes e⁻²⁰ of itself, by a thousand roundings.
        assert!(worst[0] < 40.0 * near && worst[1] < near, "{dtype}, delayed {delayed}: {worst:?}");
        assert!(distance(&dense, &build(delayed, self::dense(), dtype), "synapses.kernel") > 0.01);
    }
}

#[test]
fn half_precision_decays_step_by_step() {
    let (mut lazy, mut dense) = (build(true, CompileOptions::default(), DType::F16), build(true, dense(), DType::F16));
    run(&mut lazy, 0..800);
    run(&mut dense, 0..800);
    assert_eq!((distance(&dense, &lazy, "rule.eligibility"), distance(&dense, &lazy, "synapses.kernel")), (0.0, 0.0));
}

#[test]
fn a_saved_run_goes_on_with_the_same_bits() {
    for delayed in [false, true] {
        let make = || build(delayed, CompileOptions::default(), DType::F32);
        let (mut first, mut second) = (make(), make());
        run(&mut first, 0..777);
        run(&mut second, 0..50);
        second.load_state(&first.save_state()).unwrap();
        assert_eq!(second.steps(), 777);
        run(&mut first, 777..2500);
        run(&mut second, 777..2500);
        for state in first.states() {
            assert_eq!(first.state(&state).unwrap(), second.state(&state).unwrap(), "{state}");
        }
    }
}

#[test]
fn a_trace_that_is_set_decays_from_then_on() {
    let mut model = build(true, CompileOptions::default(), DType::F32);
    run(&mut model, 1500..2050);
    let value = Array::full(model.state("rule.eligibility").unwrap().shape().clone(), DType::F32, 2.0);
    model.set_state("rule.eligibility", &value).unwrap();
    assert_eq!(model.state("rule.eligibility").unwrap(), value);
    // Nothing arrives in these steps.
    run(&mut model, 2050..2100);
    let expected = 2.0 * f64::from((-1.0f32 / 50.0).exp()).powi(50);
    let found = model.state("rule.eligibility").unwrap().to_f64();
    assert!(found.iter().all(|v| (v - expected).abs() < 1e-6), "{expected}, {found:?}");
}
