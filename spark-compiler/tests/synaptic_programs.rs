//! Random programs of synapses: every exact pass keeps their meaning, bit for bit, whatever is put into them.
//!
//! A *case* is a program and a course of events: steps with spikes of changing density; states set to values inside and
//! outside of what the compiler reckons with; wild inputs (NaN, infinities, 1e30) and calm ones after them; a reset. The
//! evaluator of the program as written says what has to be seen after each step.

mod common;
mod synapses;

use common::{Evaluated, Random, Seen, compare, difference, evaluate, run, ways};
use spark_compiler::eval::Evaluator;
use spark_compiler::ir::parse::parse;
use spark_compiler::ir::{Array, DType, Data, Program, Shape};
use spark_compiler::kernel::{Instance, Kernel};
use spark_compiler::passes::{CompileOptions, Optimized, View, optimize};

/// What happens next.
enum Event {
    Step(Vec<Array>),
    /// A state gets these values.
    Set(usize, Array),
    Reset,
}

/// Inputs of one step. `wild` ones are beyond what ranges reckon with, now and then.
fn inputs(program: &Program, random: &mut Random, density: f64, wild: bool) -> Vec<Array> {
    let mut one = |dtype: DType, shape: &Shape| -> Array {
        let mut number = || match (wild, random.below(4)) {
            (true, 0) => random.float(),
            (true, 1) => random.pick(&[1e30, -1e30, f64::NAN, f64::INFINITY, 1e18, -0.0]),
            _ => random.unit() * 1.5 - 0.5,
        };
        let data = match dtype {
            DType::Bool => Data::Bool((0..shape.size()).map(|_| random.unit() < density).collect()),
            dtype => Data::F64((0..shape.size()).map(|_| number()).collect()).convert(dtype),
        };
        Array::new(shape.clone(), data).expect("one element per element of the shape")
    };
    program.inputs.iter().map(|input| one(input.dtype, &input.shape)).collect()
}

/// A course of events. Only `settable` states are set: those that all ways can take.
fn course(program: &Program, settable: &[usize], random: &mut Random) -> Vec<Event> {
    let densities = [0.0, 0.01, 0.1, 0.5, 1.0];
    let usual = random.pick(&densities);
    let changing = random.one_in(2);
    let mut events = Vec::new();
    let steps = |events: &mut Vec<Event>, random: &mut Random, count: usize, wild: bool| {
        for _ in 0..count {
            let density = if changing { random.pick(&densities) } else { usual };
            events.push(Event::Step(inputs(program, random, density, wild)));
        }
    };
    steps(&mut events, random, 12, false);
    for &state in settable {
        if random.one_in(2) {
            let init = &program.states[state].init;
            let wild = random.float();
            let element = if random.one_in(2) { wild } else { random.pick(&[-0.0, 0.5, 1.0, f64::NAN, -3.0, 9.0]) };
            // The same everywhere, so that states kept once can take it.
            events.push(Event::Set(state, Array::full(init.shape().clone(), init.dtype(), element)));
        }
    }
    steps(&mut events, random, 5, false);
    steps(&mut events, random, 2, true);
    steps(&mut events, random, 5, false);
    events.push(Event::Reset);
    steps(&mut events, random, 4, false);
    events
}

/// Before a state that decays is set, all of them are brought up to date.
fn settle(optimized: &Optimized, evaluator: &mut Evaluator) {
    let program = optimized.program();
    let now = Evaluated { program, evaluator }.declared(optimized.views());
    for (index, view) in optimized.views().iter().enumerate() {
        if let View::Decayed { last, now: step, .. } = &view.view {
            let index_of = |name: &String| program.states.iter().position(|s| s.name == *name).expect("it is kept");
            let step = evaluator.states()[index_of(step)].to_f64()[0];
            let like = &program.states[index_of(last)].init;
            let last_now = Array::full(like.shape().clone(), like.dtype(), step);
            evaluator.set_state(index_of(last), last_now);
            evaluator.set_state(index, now[index].clone().expect("it is known"));
        }
    }
}

/// What an evaluator sees, which gives and takes states like this.
fn seen(
    program: &Program,
    events: &[Event],
    states: impl Fn(&Evaluator) -> Vec<Option<Array>>,
    set: impl Fn(&mut Evaluator, usize, &Array),
) -> Vec<Seen> {
    let mut evaluator = Evaluator::new(program);
    let mut seen = Vec::new();
    for event in events {
        match event {
            Event::Step(inputs) => {
                let outputs = evaluator.step(program, inputs).expect("inputs fit");
                seen.push(Seen { outputs, states: states(&evaluator) });
            }
            Event::Set(state, value) => set(&mut evaluator, *state, value),
            Event::Reset => evaluator = Evaluator::new(program),
        }
    }
    seen
}

/// What the evaluator of the program after its passes sees.
fn evaluated(optimized: &Optimized, events: &[Event]) -> Vec<Seen> {
    let program = optimized.program();
    let declared = |evaluator: &Evaluator| Evaluated { program, evaluator }.declared(optimized.views());
    seen(program, events, declared, |evaluator, state, value| {
        let view = &optimized.views()[state];
        if matches!(view.view, View::Decayed { .. }) {
            settle(optimized, evaluator);
        }
        let kept = view.kept(value, program.states[state].init.shape()).expect("only settable states are set");
        evaluator.set_state(state, kept);
    })
}

fn expected(program: &Program, events: &[Event]) -> Vec<Seen> {
    let states = |evaluator: &Evaluator| evaluator.states().iter().cloned().map(Some).collect();
    seen(program, events, states, |evaluator, state, value| evaluator.set_state(state, value.clone()))
}

fn found(program: &Program, instance: &mut Instance, events: &[Event]) -> Vec<Seen> {
    let mut seen = Vec::new();
    instance.reset();
    for event in events {
        match event {
            Event::Step(inputs) => {
                for (i, input) in inputs.iter().enumerate() {
                    instance.set_input(i, input.data()).expect("inputs fit");
                }
                instance.step();
                let outputs = (0..program.outputs.len()).map(|i| instance.output(i)).collect();
                let states = program.states.iter().map(|s| instance.state(&s.name)).collect();
                seen.push(Seen { outputs, states });
            }
            Event::Set(state, value) => {
                let name = &program.states[*state].name;
                instance.set_state(name, value.data()).unwrap_or_else(|e| panic!("{e}\n{program}"));
            }
            Event::Reset => instance.reset(),
        }
    }
    seen
}

/// How many programs the passes did something to.
#[derive(Debug, Default)]
struct Shares {
    programs: usize,
    narrowed: usize,
    delayed: usize,
    visited_sums: usize,
    visited_states: usize,
    by_arrival: usize,
    by_row: usize,
    by_column: usize,
    turned: usize,
    later: usize,
    lazy: usize,
}

const CASES_PER_PROGRAM: u64 = 8;

/// Checks one program in several courses.
fn check(seed: u64, shares: &mut Shares) -> Result<(), String> {
    let program = synapses::program(seed, true);
    let mut random = Random(!seed);
    let few: Vec<_> = (0..3).map(|_| inputs(&program, &mut random, 0.2, false)).collect();
    run(&program, &few, &ways(false))?;
    let none = CompileOptions::none();
    let exact = [
        ("all exact passes", CompileOptions { by_delay: [0, usize::MAX], ..CompileOptions::exact() }),
        ("no passes", none),
        ("narrow alone", CompileOptions { narrow: true, ..none }),
        ("delay filters alone", CompileOptions { delay_filters: true, ..none }),
        ("events alone", CompileOptions { events: true, ..none }),
        ("events and layouts", CompileOptions { events: true, layouts: true, ..none }),
        ("events, by delay", CompileOptions { events: true, layouts: true, by_delay: [0, usize::MAX], ..none }),
        ("events and deferred", CompileOptions { events: true, deferred: true, ..none }),
    ];
    let mut instances = Vec::new();
    for (name, options) in exact {
        let kernel = Kernel::compile(program.clone(), &options).map_err(|e| format!("{name}: {e}\n{program}"))?;
        instances.push((name, kernel.instance().map_err(|e| e.to_string())?));
    }
    // Its numbers are not those of the program as written, but those that the evaluator sees after the same passes.
    let options = CompileOptions { lazy_decay: true, by_delay: [0, usize::MAX], ..CompileOptions::exact() };
    let lazy_program = optimize(program.clone(), &options);
    let lazy = Kernel::compile(program.clone(), &options).map_err(|e| format!("lazy decay: {e}\n{program}"))?;
    let mut lazy = lazy.instance().map_err(|e| e.to_string())?;
    shares.count(&instances[0].1);
    shares.lazy += usize::from(lazy.kernel().notes().iter().any(|note| note.pass == "lazy decay" && note.applied));
    let takes = |instance: &Instance, name: &str| {
        matches!(instance.view(name).expect("a state").view, View::Whole | View::Broadcast | View::Decayed { .. })
    };
    let settable = |state: &usize| instances.iter().all(|(_, i)| takes(i, &program.states[*state].name));
    let settable: Vec<usize> = (0..program.states.len()).filter(settable).collect();
    for case in 0..CASES_PER_PROGRAM {
        let events = course(&program, &settable, &mut random);
        let expected = expected(&program, &events);
        for (name, instance) in &mut instances {
            let found = found(&program, instance, &events);
            compare(&program, &expected, &found, &format!("seed {seed}, case {case}: kernel, {name}"))?;
        }
        let (expected, found) = (evaluated(&lazy_program, &events), found(&program, &mut lazy, &events));
        compare(&program, &expected, &found, &format!("seed {seed}, case {case}: kernel, lazy decay"))
            .map_err(|e| format!("{e}\n{}\n{}", lazy_program.program(), lazy.kernel().lowered()))?;
    }
    Ok(())
}

impl Shares {
    fn count(&mut self, instance: &Instance) {
        let kernel = instance.kernel();
        let did = |pass: &str| usize::from(kernel.notes().iter().any(|note| note.pass == pass && note.applied));
        self.programs += 1;
        self.narrowed += did("narrow");
        self.delayed += did("delay filters");
        let lowered = kernel.lowered();
        let visits: Vec<_> = lowered.nests.iter().filter_map(|nest| nest.visit()).collect();
        self.visited_sums += usize::from(visits.iter().any(|visit| !visit.sums.is_empty()));
        self.visited_states += usize::from(visits.iter().any(|visit| visit.sums.is_empty()));
        self.by_arrival += usize::from(lowered.scans.iter().any(|scan| scan.delayed.is_some()));
        self.by_row += usize::from(visits.iter().any(|visit| !visit.rows.is_empty()));
        self.by_column += usize::from(lowered.scans.iter().any(|scan| !scan.columns.is_empty()));
        self.later += usize::from(!lowered.logs.is_empty());
        self.turned += usize::from(lowered.buffers.iter().any(|buffer| buffer.turned));
    }
}

/// A quarter of the cases; the shares hold for each quarter, so that the passes are known to be at work.
#[track_caller]
fn check_quarter(quarter: u64) {
    let count = std::env::var("SYNAPTIC_PROGRAMS").ok().and_then(|n| n.parse().ok()).unwrap_or(64);
    let mut shares = Shares::default();
    let mut failures = Vec::new();
    for seed in 0..count {
        if let Err(failure) = check(seed * 4 + quarter, &mut shares) {
            failures.push(failure);
        }
    }
    println!("{shares:?}, {} cases", shares.programs as u64 * CASES_PER_PROGRAM);
    assert!(failures.is_empty(), "{} of {count} programs:\n{}", failures.len(), failures.join("\n----\n"));
    let Shares {
        programs,
        narrowed,
        delayed,
        visited_sums,
        visited_states,
        by_arrival,
        by_row,
        by_column,
        turned,
        later: _,
        lazy,
    } = shares;
    let states = [(narrowed, 8), (delayed, 12), (visited_states, 16), (lazy, 32)];
    let visits = [(visited_sums, 3), (by_arrival, 6), (by_row, 64), (by_column, 8), (turned, 16)];
    for (number, (found, one_in)) in states.into_iter().chain(visits).enumerate() {
        assert!(found * one_in >= programs, "share {number}: {found} of {programs}");
    }
}

#[test]
fn first_quarter() {
    check_quarter(0);
}

#[test]
fn second_quarter() {
    check_quarter(1);
}

#[test]
fn third_quarter() {
    check_quarter(2);
}

#[test]
fn fourth_quarter() {
    check_quarter(3);
}

/// Sums that moved before filters: the same numbers in another order, as long as no spike depends on them.
#[test]
fn sums_of_filters_are_near() {
    let options = CompileOptions::none().with("sum_filters", true).expect("a pass");
    let mut applied = 0;
    for seed in 10_000..10_150 {
        let program = synapses::program(seed, false);
        let optimized = optimize(program.clone(), &options);
        let gone: Vec<bool> = optimized.views().iter().map(|v| v.view == View::Gone).collect();
        if !gone.contains(&true) {
            continue;
        }
        applied += 1;
        let mut random = Random(seed);
        let steps: Vec<_> = (0..12).map(|_| inputs(&program, &mut random, 0.2, false)).collect();
        let expected = evaluate(&optimize(program.clone(), &CompileOptions::none()), &program, &steps).unwrap();
        let all = evaluate(&optimized, &program, &steps).unwrap();
        let kernel = Kernel::compile(program.clone(), &options).unwrap();
        let mut instance = kernel.instance().unwrap();
        let events: Vec<Event> = steps.into_iter().map(Event::Step).collect();
        let kernel = found(&program, &mut instance, &events);
        compare(&program, &all, &kernel, "kernel of moved sums").unwrap();
        for (step, (expected, found)) in expected.iter().zip(&kernel).enumerate() {
            for (index, state) in found.states.iter().enumerate() {
                assert_eq!(state.is_none(), gone[index], "state {index}\n{program}");
            }
            for (index, (e, f)) in expected.outputs.iter().zip(&found.outputs).enumerate() {
                near(e, f).unwrap_or_else(|why| panic!("seed {seed} step {step} output {index}: {why}\n{program}"));
            }
        }
    }
    assert!(applied >= 10, "{applied} programs");
}

/// Currents are sums of at most a hundred numbers below 8 or so, each filtered with rounding in half precision.
fn near(expected: &Array, found: &Array) -> Result<(), String> {
    let (e, f) = (expected.to_f64(), found.to_f64());
    let at =
        (0..e.len()).find(|&i| (e[i] - f[i]).abs() > 0.02 * (1.0 + e.iter().fold(0.0, |m: f64, v| m.max(v.abs()))));
    at.map_or(Ok(()), |i| {
        Err(format!("element {i} is {} instead of {}; {:?}", f[i], e[i], difference(expected, found)))
    })
}

/// Weights of many rows, whose rule reads a past of columns that is as deep as a delay of each element needs.
fn of_many_rows(rows: usize, delay: usize) -> Program {
    let delays = vec![delay.to_string(); rows * 2].join(", ");
    let text = format!(
        r#"
        program "many rows"
        const c0 "delays": i32[units:{rows}, pre:2] = {delays}
        state s0 "kernel": f32[units:{rows}, pre:2] = 0.5 -> %15
        state s1 "trace": f32[pre:2] = 0.0 -> %19
        history h0 "past": f32[pre:2] x {depth}
        input i0 "spikes": bool[pre:2]
        input i1 "post": bool[units:{rows}]
        %0 = input i0: bool[pre:2]
        %1 = input i1: bool[units:{rows}]
        %2 = state s0: f32[units:{rows}, pre:2]
        %3 = state s1: f32[pre:2]
        %4 = delay h0, %3, c0: f32[units:{rows}, pre:2]
        %5 = cast %1: f32[units:{rows}]
        %6 = mul %5, %4: f32[units:{rows}, pre:2]
        %7 = add %2, %6: f32[units:{rows}, pre:2]
        %8 = cast %0: f32[pre:2]
        %9 = literal 0.5: f32
        %10 = mul %8, %9: f32[pre:2]
        %11 = sub %7, %10: f32[units:{rows}, pre:2]
        %12 = literal 0.0: f32
        %13 = max %11, %12: f32[units:{rows}, pre:2]
        %14 = literal 1.0: f32
        %15 = min %13, %14: f32[units:{rows}, pre:2]
        %16 = mul %2, %8: f32[units:{rows}, pre:2]
        %17 = reduce.sum pre, %16: f32[units:{rows}]
        %18 = mul %3, %9: f32[pre:2]
        %19 = add %18, %8: f32[pre:2]
        output "current": f32 = %17
        "#,
        depth = delay + 1
    );
    parse(&text).unwrap()
}

/// A log names rows with 16 bits, and steps as well. (`deferred_programs` has one of 65 536 rows: with two columns only, it would be
/// larger than its state.)
#[test]
fn what_a_log_cannot_tell_is_not_put_off() {
    let of = |rows: usize, delay: usize| {
        let kernel = Kernel::compile(of_many_rows(rows, delay), &CompileOptions::exact()).unwrap();
        kernel.lowered().logs.len()
    };
    assert_eq!([of(32_768, 2), of(65_537, 2)], [1, 0]);
    assert_eq!([of(40, 4000), of(40, 4096), of(40, 40_000)], [1, 0, 0]);
}
