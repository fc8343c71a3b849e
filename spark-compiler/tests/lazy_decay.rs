//! Values that decay lazily: near those that decay step by step, whatever happens and however long nothing does.

mod common;
mod synapses;

use common::Random;
use spark_compiler::ir::parse::parse;
use spark_compiler::ir::{Array, DType, Data, Program};
use spark_compiler::kernel::{Instance, Kernel};
use spark_compiler::passes::{CompileOptions, View};

/// All passes but the one that adds in another order, with and without lazy decay.
fn options(lazy_decay: bool) -> CompileOptions {
    CompileOptions { sum_filters: false, lazy_decay, ..CompileOptions::default() }
}

fn instance(program: &Program, options: &CompileOptions) -> Instance {
    Kernel::compile(program.clone(), options).unwrap().instance().unwrap()
}

fn is_lazy(instance: &Instance) -> bool {
    instance.kernel().notes().iter().any(|note| note.pass == "lazy decay" && note.applied)
}

/// A trace over rows and columns that columns raise by what `i1` says and rows read; factor and type are given.
fn eligibility(factor: &str, dtype: &str) -> Program {
    let text = format!(
        r#"
        program "eligibility"
        state s0 "trace": {dtype}[units:8, pre:16] = 0.0 -> %8
        state s1 "kernel": {dtype}[units:8, pre:16] = 0.0 -> %10
        input i0 "spikes": bool[pre:16]
        input i1 "level": {dtype}[units:8]
        input i2 "post": bool[units:8]
        %0 = input i0: bool[pre:16]
        %1 = input i1: {dtype}[units:8]
        %2 = input i2: bool[units:8]
        %3 = state s0: {dtype}[units:8, pre:16]
        %4 = literal {factor}: {dtype}
        %5 = literal 0.0: {dtype}
        %6 = mul %4, %3: {dtype}[units:8, pre:16]
        %7 = select %0, %1, %5: {dtype}[units:8, pre:16]
        %8 = add %6, %7: {dtype}[units:8, pre:16]
        %9 = state s1: {dtype}[units:8, pre:16]
        %10 = select %2, %8, %9: {dtype}[units:8, pre:16]
        "#
    );
    parse(&text).unwrap()
}

/// One step; column 3 spikes, at the given level, and row 2 reads.
fn step(instance: &mut Instance, spike: Option<f64>, read: bool) {
    let one = |n: usize, at: usize, on: bool| Data::Bool((0..n).map(|i| on && i == at).collect());
    instance.set_input(0, &one(16, 3, spike.is_some())).unwrap();
    instance.set_input(1, &Data::F64(vec![spike.unwrap_or(0.0); 8])).unwrap();
    instance.set_input(2, &one(8, 2, read)).unwrap();
    instance.step();
}

fn element(instance: &Instance, name: &str) -> f64 {
    instance.state(name).unwrap().to_f64()[2 * 16 + 3]
}

/// What rounding may do, in multiples of the largest value there was.
fn tolerance(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => 1e-14,
        // A number in half precision may be rounded to either side.
        DType::F16 => 2e-3,
        DType::BF16 => 2e-2,
        _ => 2e-6,
    }
}

/// Steps with spikes of changing density and silence in between.
fn drive(program: &Program, random: &mut Random, t: usize) -> Vec<Data> {
    let density = [0.0, 0.0, 0.02, 0.2, 0.02, 1.0, 0.0][t / 24 % 7];
    let mut one = |dtype: DType, size: usize| match dtype {
        DType::Bool => Data::Bool((0..size).map(|_| random.unit() < density).collect()),
        dtype => Data::F64((0..size).map(|_| random.unit() * 1.5 - 0.5).collect()).convert(dtype),
    };
    program.inputs.iter().map(|input| one(input.dtype, input.shape.size())).collect()
}

/// Without feedback of what is rounded on what is decided, both ways stay together.
#[test]
fn random_programs_are_near() {
    let mut applied = 0;
    for seed in 0..320 {
        let program = synapses::program(seed, false);
        let mut lazy = instance(&program, &options(true));
        if !is_lazy(&lazy) {
            continue;
        }
        applied += 1;
        let mut dense = instance(&program, &options(false));
        let mut random = Random(seed);
        let mut largest = vec![1.0f64; program.states.len()];
        for t in 0..500 {
            let inputs = drive(&program, &mut random, t);
            for (i, input) in inputs.iter().enumerate() {
                dense.set_input(i, input).unwrap();
                lazy.set_input(i, input).unwrap();
            }
            dense.step();
            lazy.step();
            if t % 7 != 0 && t < 490 {
                continue;
            }
            for (index, state) in program.states.iter().enumerate() {
                let (Some(expected), Some(found)) = (dense.state(&state.name), lazy.state(&state.name)) else {
                    continue;
                };
                let most = &mut largest[index];
                *most = expected.to_f64().iter().fold(*most, |most, v| most.max(v.abs()));
                let near = tolerance(state.init.dtype()) * *most;
                for (i, (e, f)) in expected.to_f64().into_iter().zip(found.to_f64()).enumerate() {
                    let both_gone = !e.is_finite() && !f.is_finite();
                    assert!(
                        both_gone || (e - f).abs() <= near,
                        "seed {seed}, step {t}, {}[{i}]: {f} instead of {e}\n{program}",
                        state.name
                    );
                }
            }
            if t == 250 {
                let steps: Vec<&str> = program.states.iter().map(|state| state.name.as_str()).collect();
                for name in steps.into_iter().filter(|name| name.starts_with("eligibility")) {
                    let (dtype, shape) = lazy.state_type(name).unwrap();
                    let value = Array::full(shape.clone(), dtype, 0.75);
                    if dense.set_state(name, value.data()).is_ok() {
                        lazy.set_state(name, value.data()).unwrap();
                        assert_eq!(lazy.state(name).unwrap(), value);
                    }
                }
            }
        }
    }
    assert!(applied >= 12, "{applied} programs");
}

/// Counted steps come round after 2^16.
#[test]
fn a_hundred_thousand_silent_steps() {
    for (factor, dtype, flush) in
        [("0.99", "f32", true), ("0.99", "f32", false), ("0.9999", "f64", true), ("-0.9", "f32", true)]
    {
        let program = eligibility(factor, dtype);
        let mut lazy = instance(&program, &CompileOptions { flush_subnormals: flush, ..options(true) });
        let mut dense = instance(&program, &CompileOptions { flush_subnormals: flush, ..options(false) });
        assert!(is_lazy(&lazy));
        let what = format!("{factor} {dtype} {flush}");
        for t in 0..100_000usize {
            let spike = [3, 70_000].contains(&t).then_some(8.0);
            let read = [500, 65_600, 70_100, 99_999].contains(&t);
            step(&mut lazy, spike, read);
            step(&mut dense, spike, read);
            if read || t % 9973 == 0 {
                for name in ["trace", "kernel"] {
                    let (expected, found) = (element(&dense, name), element(&lazy, name));
                    // Where numbers are subnormal, decay step by step gets stuck.
                    let near = 2e-5 * expected.abs() + 1e-37;
                    assert!(
                        (expected - found).abs() <= near,
                        "{what}, step {t}, {name}: {found} instead of {expected}"
                    );
                }
            }
        }
        assert!(element(&lazy, "trace").abs() < if dtype == "f64" { 1.0 } else { 1e-37 }, "{what}");
    }
}

/// Infinities do not become NaN, and NaN stays, for longer than a table of powers lasts.
#[test]
fn what_is_not_finite_stays() {
    for special in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
        let program = eligibility("0.5", "f32");
        let mut lazy = instance(&program, &options(true));
        assert!(is_lazy(&lazy));
        for set in [true, false] {
            lazy.reset();
            if set {
                lazy.set_state("trace", &Data::F64(vec![special; 128])).unwrap();
            } else {
                step(&mut lazy, Some(special), false);
            }
            for _ in 0..1000 {
                step(&mut lazy, None, false);
            }
            step(&mut lazy, None, true);
            for name in ["trace", "kernel"] {
                let found = element(&lazy, name);
                assert!(found == special || found.is_nan() && special.is_nan(), "{special}, {set}, {name}: {found}");
            }
        }
    }
}

/// Powers are those of the factor itself.
#[test]
fn a_trace_is_its_jump_times_a_power() {
    let program = eligibility("0.9", "f32");
    let mut lazy = instance(&program, &options(true));
    step(&mut lazy, Some(1.0), false);
    for n in 1..=40 {
        step(&mut lazy, None, n % 5 == 0);
        let exact = (f64::from(0.9f32)).powi(n) as f32;
        assert_eq!(element(&lazy, "trace") as f32, exact, "step {n}");
    }
}

#[test]
fn instances_are_on_their_own() {
    let program = eligibility("0.9", "f32");
    let kernel = Kernel::compile(program, &options(true)).unwrap();
    let (mut first, mut second) = (kernel.instance().unwrap(), kernel.instance().unwrap());
    step(&mut first, Some(2.0), false);
    for _ in 0..10 {
        step(&mut first, None, false);
        step(&mut second, None, false);
    }
    assert_eq!(element(&second, "trace"), 0.0);
    step(&mut second, Some(2.0), false);
    step(&mut first, None, false);
    assert!((element(&first, "trace") - 2.0 * 0.9f64.powi(11)).abs() < 1e-6);
    assert_eq!(element(&second, "trace"), 2.0);
}

#[test]
fn the_host_sees_and_sets_what_was_declared() {
    let program = eligibility("0.5", "f32");
    let mut lazy = instance(&program, &options(true));
    let view = &lazy.view("trace").unwrap().view;
    assert!(matches!(view, View::Decayed { last, now, .. } if last == "trace.last" && now == "trace.now"), "{view:?}");
    assert!(lazy.state("trace.last").is_none() && lazy.set_state("trace.now", &Data::I32(vec![0])).is_err());
    step(&mut lazy, Some(8.0), false);
    step(&mut lazy, None, false);
    step(&mut lazy, None, false);
    assert_eq!((element(&lazy, "trace"), element(&lazy, "kernel")), (2.0, 0.0));
    // Reading changes nothing, and what is set decays from now on.
    assert_eq!(lazy.kept("trace").unwrap().to_f64()[2 * 16 + 3], 8.0);
    lazy.set_state("trace", &Data::F32((0..128).map(|i| i as f32).collect())).unwrap();
    assert_eq!(lazy.state("trace").unwrap().to_f64(), (0..128).map(f64::from).collect::<Vec<_>>());
    step(&mut lazy, None, true);
    assert_eq!(lazy.state("trace").unwrap().to_f64(), (0..128).map(|i| f64::from(i) / 2.0).collect::<Vec<_>>());
    assert_eq!(element(&lazy, "kernel"), 17.5);
    // Another state that is set leaves it alone.
    lazy.set_state("kernel", &Data::F32(vec![1.0; 128])).unwrap();
    assert_eq!(element(&lazy, "trace"), 17.5);
    lazy.reset();
    assert_eq!((element(&lazy, "trace"), element(&lazy, "kernel")), (0.0, 0.0));
}

/// What is kept, restored into another instance in any order, goes on with the same bits.
#[test]
fn what_is_kept_goes_on_bit_for_bit() {
    let program = eligibility("0.93", "f32");
    let run = |instance: &mut Instance, steps: std::ops::Range<usize>| {
        steps.for_each(|t| step(instance, (t % 37 == 5).then_some(1.0 + t as f64 / 7.0), t % 11 == 0));
    };
    for reversed in [false, true] {
        let mut first = instance(&program, &options(true));
        run(&mut first, 0..701);
        let mut second = instance(&program, &options(true));
        run(&mut second, 100..333);
        let mut names: Vec<String> = first.state_names().into_iter().map(String::from).collect();
        assert_eq!(names, ["kernel", "trace", "trace.last", "trace.now"]);
        if reversed {
            names.reverse();
        }
        for name in &names {
            second.set_kept(name, first.kept(name).unwrap().data()).unwrap();
        }
        for (from, end) in [(701, 701), (701, 702), (702, 1900)] {
            run(&mut first, from..end);
            run(&mut second, from..end);
            for name in ["trace", "kernel"] {
                assert_eq!(first.state(name), second.state(name), "{name} after {end} steps");
            }
        }
    }
}

/// Which programs the pass leaves alone, and why.
#[test]
fn conditions() {
    let note = |factor: &str, dtype: &str| {
        let instance = instance(&eligibility(factor, dtype), &options(true));
        let notes = instance.kernel().notes().iter().filter(|note| note.pass == "lazy decay");
        notes.map(|note| (note.applied, note.why.clone())).collect::<Vec<_>>()
    };
    let refused = |factor: &str, part: &str| {
        let notes = note(factor, "f32");
        assert!(matches!(&notes[..], [(false, why)] if why.contains(part)), "{notes:?}");
    };
    refused("1.5", "multiplied by 1.5");
    refused("-1.0", "does not decay");
    refused("0.01", "gone after 19 steps");
    assert_eq!(note("1.0", "f32"), []);
    assert_eq!(note("0.0", "f32"), []);
    assert!(note("0.999", "f64")[0].0 && note("-0.5", "f32")[0].0);
    // Without events there is nothing to gain.
    let alone = CompileOptions { lazy_decay: true, ..CompileOptions::none() };
    assert!(instance(&eligibility("0.5", "f32"), &alone).kernel().notes().is_empty());
}

/// A bound holds for what the host sets, too, in the next step: the value does not wait for an event.
#[test]
fn what_the_host_sets_is_bounded() {
    let text = r#"
        program "bounded"
        state s0 "trace": f32[units:8, pre:16] = 0.0 -> %8
        input i0 "spikes": bool[pre:16]
        input i1 "level": f32[units:8]
        %0 = input i0: bool[pre:16]
        %1 = input i1: f32[units:8]
        %2 = state s0: f32[units:8, pre:16]
        %3 = literal 0.99: f32
        %4 = literal 1.0: f32
        %5 = mul %2, %3: f32[units:8, pre:16]
        %6 = cast %0: f32[pre:16]
        %7 = fma %6, %1, %5: f32[units:8, pre:16]
        %8 = min %7, %4: f32[units:8, pre:16]
        "#;
    let program = parse(text).unwrap();
    let mut traces = [true, false].map(|lazy| {
        let mut instance = instance(&program, &options(lazy));
        instance.step();
        instance.set_state("trace", &Data::F32(vec![5.0; 8 * 16])).unwrap();
        (0..3).for_each(|_| instance.step());
        instance.state("trace").unwrap().to_f64()
    });
    traces[0].truncate(1);
    assert!((traces[0][0] - 0.9801).abs() < 1e-6 && traces[1][0] == traces[0][0], "{traces:?}");
}
