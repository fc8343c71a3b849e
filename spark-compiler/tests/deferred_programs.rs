//! Random programs whose events of rows are put off: long courses, looked at now and then.
//!
//! The evaluator of the program as written says what has to be seen. A course has quiet stretches that are longer than any past
//! is kept, bursts in which everything is visited, values outside of what the compiler reckons with, states and pasts that
//! the host sets, resets, and moves to another instance, after which both go on. Looking must change nothing, and not looking
//! must not either.

mod common;
mod synapses;

use common::{Random, difference};
use spark_compiler::eval::Evaluator;
use spark_compiler::ir::parse::parse;
use spark_compiler::ir::{Array, Axis, DType, Data, Program, Shape};
use spark_compiler::kernel::{Instance, Kernel};
use spark_compiler::loops::{Inst, Role};
use spark_compiler::passes::{CompileOptions, View};

/// What happens next.
enum Event {
    Step(Vec<Array>),
    /// All states and pasts are read.
    Look,
    Set(usize, Array),
    /// A history gets this past: that of the last step first.
    SetPast(usize, Data),
    Reset,
    /// A second instance takes all over; both go on.
    Move,
}

/// How likely events are.
#[derive(Clone, Copy)]
struct Densities {
    columns: f64,
    rows: f64,
    wild: bool,
}

fn inputs(program: &Program, random: &mut Random, densities: Densities) -> Vec<Array> {
    let mut one = |dtype: DType, shape: &Shape| -> Array {
        let over = shape.groups().first().map(|group| group.axis);
        let density = match over {
            Some(Axis::PRE) => densities.columns,
            Some(Axis::UNITS) => densities.rows,
            None => 0.5,
            Some(_) => densities.columns,
        };
        let number = |random: &mut Random| match (densities.wild, random.below(4)) {
            (true, 0) => random.float(),
            (true, 1) => random.pick(&[1e30, -1e30, f64::NAN, f64::INFINITY, 1e18, -0.0]),
            _ if random.unit() < density => random.unit() * 1.5,
            _ => random.unit() * -0.4,
        };
        let data = match dtype {
            DType::Bool => Data::Bool((0..shape.size()).map(|_| random.unit() < density).collect()),
            dtype => Data::F64((0..shape.size()).map(|_| number(random)).collect()).convert(dtype),
        };
        Array::new(shape.clone(), data).expect("one element per element of the shape")
    };
    program.inputs.iter().map(|input| one(input.dtype, &input.shape)).collect()
}

/// What the host may set: states, and whether pasts.
struct Settable {
    states: Vec<usize>,
    pasts: bool,
}

/// A course of about `steps` steps.
fn course(program: &Program, settable: &Settable, random: &mut Random, steps: usize) -> Vec<Event> {
    let mut events = Vec::new();
    let look_one_in = random.pick(&[2, 10, 40, 1000]);
    let mut done = 0;
    while done < steps {
        let (few, some) = (random.pick(&[0.01, 0.03, 0.1]), random.pick(&[0.02, 0.1, 0.3]));
        let (columns, rows, wild, length) = match random.below(12) {
            0 => (0.0, 0.0, false, random.pick(&[5, 40, 90])),
            1 => (0.0, some, false, random.pick(&[5, 40, 90])),
            2 => (few, 0.0, false, random.pick(&[5, 40])),
            3 => (1.0, 1.0, false, 1 + random.below(3)),
            4 => (0.0, 1.0, false, 1 + random.below(20)),
            5 => (1.0, few, false, 1 + random.below(3)),
            6 if random.one_in(2) => (few, some, true, 1 + random.below(2)),
            _ => (few, some, false, 5 + random.below(40)),
        };
        done += length;
        for _ in 0..length {
            events.push(Event::Step(inputs(program, random, Densities { columns, rows, wild })));
            if random.one_in(look_one_in) {
                events.push(Event::Look);
            }
        }
        match random.below(16) {
            0 | 1 if !settable.states.is_empty() => {
                let state = random.pick(&settable.states);
                let init = &program.states[state].init;
                let (inside, wild) = (random.unit(), random.float());
                let element = if random.one_in(4) { wild } else { random.pick(&[-0.0, 0.0, 0.5, 1.0, inside]) };
                // The same everywhere, so that states kept once can take it.
                events.push(Event::Set(state, Array::full(init.shape().clone(), init.dtype(), element)));
            }
            2 | 3 if settable.pasts && !program.histories.is_empty() => {
                let at = random.below(program.histories.len());
                let history = &program.histories[at];
                let wild = random.one_in(6);
                let number = history.shape.size() * (history.rows - 1);
                let element = |random: &mut Random| if wild { random.float() } else { random.unit() };
                let data = match history.elem.dtype() {
                    DType::Bool => Data::Bool((0..number).map(|_| random.one_in(5)).collect()),
                    dtype => Data::F64((0..number).map(|_| element(random)).collect()).convert(dtype),
                };
                events.push(Event::SetPast(at, data));
            }
            4 if random.one_in(2) => events.push(Event::Reset),
            _ => {}
        }
    }
    let middle = random.below(events.len());
    events.insert(middle, Event::Move);
    events.push(Event::Look);
    events
}

/// What there is to see after a step or at a look.
struct Seen {
    /// After a step, the outputs; at a look, the states.
    arrays: Vec<Array>,
    /// At a look, the past of each history.
    pasts: Vec<Data>,
}

fn expected(program: &Program, events: &[Event]) -> Vec<Seen> {
    let mut evaluator = Evaluator::new(program);
    let mut seen = Vec::new();
    for event in events {
        match event {
            Event::Step(inputs) => {
                let arrays = evaluator.step(program, inputs).expect("inputs fit");
                seen.push(Seen { arrays, pasts: Vec::new() });
            }
            Event::Look => {
                let past = |ring: &spark_compiler::eval::Ring| {
                    let (rows, position) = (ring.rows(), ring.position());
                    let ago = |steps: usize| rows[(position + rows.len() - steps) % rows.len()].to_f64();
                    Data::F64((1..rows.len()).flat_map(ago).collect())
                };
                let pasts = evaluator.histories().iter().map(past).collect();
                seen.push(Seen { arrays: evaluator.states().to_vec(), pasts });
            }
            Event::Set(state, value) => evaluator.set_state(*state, value.clone()),
            Event::SetPast(at, data) => {
                let history = &program.histories[*at];
                let size = history.shape.size();
                let row = |steps: usize| {
                    let elements = (0..size).map(|i| data.get_f64((steps - 1) * size + i)).collect();
                    let data = Data::F64(elements).convert(history.elem.dtype());
                    Array::new(history.shape.clone(), data).expect("one row")
                };
                let first = Array::zeros(history.shape.clone(), history.elem.dtype());
                let rows = std::iter::once(first).chain((1..history.rows).rev().map(row)).collect();
                evaluator.set_history(*at, rows, 0);
            }
            Event::Reset => evaluator = Evaluator::new(program),
            Event::Move => {}
        }
    }
    seen
}

/// A new instance that goes on where `from` is.
fn moved(from: &Instance) -> Instance {
    let mut to = from.kernel().instance().expect("there is memory");
    // What it has been used for must not matter.
    to.step();
    for name in from.state_names() {
        let kept = from.kept(name).expect("a state");
        to.set_kept(name, kept.data()).unwrap_or_else(|e| panic!("{e}"));
    }
    for &history in from.histories() {
        let name = &from.kernel().lowered().buffer(history).name;
        let past = from.past(name).expect("a history");
        to.set_past(name, &past).unwrap_or_else(|e| panic!("{e}"));
    }
    to.set_steps(from.steps());
    to
}

/// Follows a course; the first difference from what is expected.
fn follow(program: &Program, first: &mut Instance, events: &[Event], expected: &[Seen]) -> Result<(), String> {
    first.reset();
    let mut second: Option<Instance> = None;
    let mut expected = expected.iter();
    let mut steps = 0;
    for event in events {
        if let Event::Move = event {
            second = Some(moved(first));
            continue;
        }
        if let Event::Step(_) = event {
            steps += 1;
        }
        let seen = match event {
            Event::Step(_) | Event::Look => expected.next(),
            _ => None,
        };
        for (who, instance) in [("", Some(&mut *first)), (", moved", second.as_mut())] {
            let Some(instance) = instance else { continue };
            happens(program, instance, event, seen).map_err(|e| format!("step {steps}{who}: {e}"))?;
        }
    }
    Ok(())
}

fn happens(program: &Program, instance: &mut Instance, event: &Event, seen: Option<&Seen>) -> Result<(), String> {
    let same = |name: &str, expected: &Array, found: &Array| match difference(expected, found) {
        Some(difference) => Err(format!("{name:?}: {difference}")),
        None => Ok(()),
    };
    match event {
        Event::Step(inputs) => {
            for (i, input) in inputs.iter().enumerate() {
                instance.set_input(i, input.data()).map_err(|e| e.to_string())?;
            }
            instance.step();
            let seen = seen.expect("seen after each step");
            for (i, output) in program.outputs.iter().enumerate() {
                same(&output.name, &seen.arrays[i], &instance.output(i))?;
            }
        }
        Event::Look => {
            let seen = seen.expect("seen at each look");
            for (state, expected) in program.states.iter().zip(&seen.arrays) {
                if let Some(found) = instance.state(&state.name) {
                    same(&state.name, expected, &found)?;
                }
            }
            for (history, expected) in program.histories.iter().zip(&seen.pasts) {
                if let Some(found) = instance.past(&history.name) {
                    let shape = Shape::of(Axis::anonymous(0), &[found.len()]);
                    let expected = Array::new(shape.clone(), expected.convert(found.dtype()));
                    let found = Array::new(shape, found).expect("as many as there are");
                    same(&history.name, &expected.map_err(|e| format!("{}: {e}", history.name))?, &found)?;
                }
            }
        }
        Event::Set(state, value) => {
            let name = &program.states[*state].name;
            instance.set_state(name, value.data()).map_err(|e| e.to_string())?;
        }
        Event::SetPast(at, data) => {
            let name = &program.histories[*at].name;
            instance.set_past(name, data).map_err(|e| e.to_string())?;
        }
        Event::Reset => instance.reset(),
        Event::Move => {}
    }
    Ok(())
}

/// How many programs have what is to be tested, after all exact passes.
#[derive(Debug, Default)]
struct Shares {
    programs: usize,
    put_off: usize,
    two: usize,
    by_arrival: usize,
    by_column: usize,
    /// The past of values of columns is kept for replays.
    kept: usize,
    delayed: usize,
    /// The past that replays read wraps in the course.
    wraps: usize,
    kinds: usize,
    values: usize,
    turned: usize,
    /// Arrays lie by delay.
    placed: usize,
    /// Columns come in turn by more than one.
    in_turn: usize,
    too_long: usize,
}

impl Shares {
    fn count(&mut self, instance: &Instance, steps: usize) {
        let kernel = instance.kernel();
        let lowered = kernel.lowered();
        let logs = &lowered.logs;
        let delays = |inst: &Inst| matches!(inst, Inst::LoadDelayed { delays_map, .. } if !delays_map.is_empty());
        let rows = lowered.buffers.iter().map(|buffer| match buffer.role {
            Role::History { rows, depth, .. } if rows > depth => rows,
            _ => usize::MAX,
        });
        let ring = rows.min().unwrap_or(usize::MAX);
        let any = |holds: bool| usize::from(holds && !logs.is_empty());
        self.programs += 1;
        self.put_off += any(true);
        self.two += any(logs.len() > 1);
        self.by_arrival += any(lowered.scans.iter().any(|scan| scan.delayed.is_some()));
        self.by_column += any(lowered.scans.iter().any(|scan| !scan.columns.is_empty()));
        self.kept += any(lowered.buffers.iter().any(|b| matches!(b.role, Role::History { depth: 0, .. })));
        self.delayed += any(logs.iter().any(|log| log.replay.insts.iter().any(|typed| delays(&typed.inst))));
        self.wraps += any(ring.saturating_mul(2) < steps);
        self.kinds += any(logs.iter().any(|log| log.rows.len() > 1));
        self.values += any(logs.iter().any(|log| !log.values.is_empty()));
        self.turned += any(lowered.buffers.iter().any(|buffer| buffer.turned));
        self.placed += any(lowered.buffers.iter().any(|buffer| buffer.placed.is_some()));
        self.in_turn += any(logs.iter().any(|log| log.turns > 1));
        self.too_long +=
            usize::from(kernel.notes().iter().any(|note| note.to_string().contains("its delays are from")));
    }
}

/// Steps of the courses of a program: a long and a short one.
const COURSES: [usize; 2] = [420, 120];

fn check(seed: u64, shares: &mut Shares) -> Result<(), String> {
    let program = synapses::later::program(seed);
    let mut random = Random(!seed);
    let (none, exact) = (CompileOptions::none(), CompileOptions::exact());
    let ways = [
        ("all exact passes", CompileOptions { by_delay: [0, usize::MAX], ..exact }),
        ("none by delay", exact),
        ("all but layouts", CompileOptions { layouts: false, ..exact }),
        ("deferred alone", CompileOptions { events: true, deferred: true, ..none }),
        ("deferred and layouts", CompileOptions { events: true, deferred: true, layouts: true, ..none }),
    ];
    let mut instances = Vec::new();
    for (name, options) in ways {
        let kernel = Kernel::compile(program.clone(), &options).map_err(|e| format!("{name}: {e}\n{program}"))?;
        instances.push((name, kernel.instance().map_err(|e| e.to_string())?));
    }
    shares.count(&instances[0].1, COURSES[0]);
    let takes = |instance: &Instance, name: &str| {
        matches!(instance.view(name).expect("a state").view, View::Whole | View::Broadcast)
    };
    let settable = |state: &usize| instances.iter().all(|(_, i)| takes(i, &program.states[*state].name));
    let states: Vec<usize> = (0..program.states.len()).filter(settable).collect();
    // Of a state that is kept as a past, another past tells the same.
    let settable = Settable { pasts: states.len() == program.states.len(), states };
    for (number, steps) in COURSES.into_iter().enumerate() {
        let events = course(&program, &settable, &mut random, steps);
        let expected = expected(&program, &events);
        for (name, instance) in &mut instances {
            follow(&program, instance, &events, &expected)
                .map_err(|e| format!("seed {seed}, course {number}, {name}, {e}\n{program}"))?;
        }
    }
    Ok(())
}

/// A half of the programs; the shares hold for each half, so that what is tested is known to be at work.
#[track_caller]
fn check_half(half: u64) {
    let number =
        |name: &str, otherwise: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(otherwise);
    let (first, count) = (number("FIRST_PROGRAM", 0), number("DEFERRED_PROGRAMS", 48));
    let mut shares = Shares::default();
    let mut failures = Vec::new();
    for seed in first..first + count {
        let seed = seed * 2 + half;
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(seed, &mut shares)));
        if let Err(failure) = caught.unwrap_or_else(|_| Err(format!("seed {seed} panicked"))) {
            failures.push(failure);
        }
    }
    println!("{shares:?}");
    assert!(failures.is_empty(), "{} of {count} programs:\n{}", failures.len(), failures.join("\n----\n"));
    let s = shares;
    let wanted = [
        ("put off", s.put_off, 2),
        ("two states are", s.two, 32),
        ("by arrival", s.by_arrival, 4),
        ("by column", s.by_column, 8),
        ("columns are kept", s.kept, 8),
        ("delayed", s.delayed, 8),
        ("wraps", s.wraps, 4),
        ("several kinds of rows", s.kinds, 8),
        ("values of rows", s.values, 8),
        ("turned", s.turned, 4),
        ("by delay", s.placed, 16),
        ("several in turn", s.in_turn, 32),
        ("too long", s.too_long, 64),
    ];
    for (what, found, one_in) in wanted {
        assert!(found * one_in >= s.programs, "{what}: {found} of {}", s.programs);
    }
}

#[test]
fn first_half() {
    check_half(0);
}

#[test]
fn second_half() {
    check_half(1);
}

/// Weights that follow traces, and are clipped: rows are put off. Delays of 0 to 2 steps, three columns and a row apart.
fn plastic(units: usize, pre: usize) -> Program {
    let text = r#"
        program "many steps"
        const c0 "delays": u8[units:UNITS, pre:PRE] = 0
        state s0 "kernel": f32[units:UNITS, pre:PRE] = 0.125 -> %15
        state s1 "trace": f32[pre:PRE] = 0.0 -> %20
        history h0 "past": bool[pre:PRE] x 3
        history h1 "trace.past": f32[pre:PRE] x 3
        input i0 "spikes": bool[pre:PRE]
        input i1 "post": bool[units:UNITS]
        %0 = input i0: bool[pre:PRE]
        %1 = delay h0, %0, c0: bool[units:UNITS, pre:PRE]
        %2 = state s0: f32[units:UNITS, pre:PRE]
        %3 = state s1: f32[pre:PRE]
        %4 = delay h1, %3, c0: f32[units:UNITS, pre:PRE]
        %5 = input i1: bool[units:UNITS]
        %6 = cast %5: f32[units:UNITS]
        %7 = mul %6, %4: f32[units:UNITS, pre:PRE]
        %8 = add %2, %7: f32[units:UNITS, pre:PRE]
        %9 = literal 0.25: f32
        %10 = cast %1: f32[units:UNITS, pre:PRE]
        %11 = mul %10, %9: f32[units:UNITS, pre:PRE]
        %12 = sub %8, %11: f32[units:UNITS, pre:PRE]
        %13 = literal 0.0: f32
        %14 = max %12, %13: f32[units:UNITS, pre:PRE]
        %15 = min %14, %9: f32[units:UNITS, pre:PRE]
        %16 = mul %2, %10: f32[units:UNITS, pre:PRE]
        %17 = reduce.sum pre, %16: f32[units:UNITS]
        %18 = mul %3, %9: f32[pre:PRE]
        %19 = cast %0: f32[pre:PRE]
        %20 = add %18, %19: f32[pre:PRE]
        output "current": f32 = %17
        "#;
    let text = text.replace("UNITS", &units.to_string()).replace("PRE", &pre.to_string());
    let mut program = parse(&text).unwrap();
    let delays = (0..units * pre).map(|at| ((at / pre + at % pre) % 3) as u8).collect();
    let shape = program.constants[0].value.shape().clone();
    program.constants[0].value = Array::new(shape, Data::U8(delays)).unwrap();
    program
}

/// Logs count steps modulo 2^16. Without passes, a kernel does all at once.
#[test]
fn steps_are_counted_beyond_the_sixteenth_bit() {
    let program = plastic(8, 8);
    let instance = |options| Kernel::compile(program.clone(), &options).unwrap().instance().unwrap();
    let (mut plain, mut later) = (instance(CompileOptions::none()), instance(CompileOptions::exact()));
    assert_eq!(later.kernel().lowered().logs.len(), 1);
    let mut random = Random(16);
    for step in 0..140_000 {
        let near_the_border = step % 65_536 < 40 || step % 65_536 > 65_496;
        for i in 0..2 {
            let density = if near_the_border { 0.2 } else { 0.02 };
            let spikes = Data::Bool((0..8).map(|_| random.unit() < density).collect());
            plain.set_input(i, &spikes).unwrap();
            later.set_input(i, &spikes).unwrap();
        }
        plain.step();
        later.step();
        if near_the_border || step % 64 == 0 {
            assert_eq!(difference(&plain.output(0), &later.output(0)), None, "step {step}");
        }
        if step % 1000 == 0 || near_the_border && random.one_in(2) {
            let kernel = |instance: &Instance| instance.state("kernel").unwrap();
            assert_eq!(difference(&kernel(&plain), &kernel(&later)), None, "step {step}");
        }
    }
}

#[test]
fn as_many_rows_as_an_entry_can_name() {
    const ROWS: usize = 1 << 16;
    let program = plastic(ROWS, 64);
    let instance = |options| Kernel::compile(program.clone(), &options).unwrap().instance().unwrap();
    let (mut plain, mut later) = (instance(CompileOptions::none()), instance(CompileOptions::exact()));
    assert_eq!(later.kernel().lowered().logs.len(), 1);
    let mut random = Random(17);
    for step in 0..80 {
        let columns = Data::Bool((0..64).map(|_| random.one_in(20)).collect());
        let mut rows = vec![false; ROWS];
        (0..3).for_each(|_| rows[random.below(ROWS)] = true);
        // The first ones and the last ones, which a number of 15 or of signed 16 bits would mistake.
        [0, ROWS / 2 - 1, ROWS / 2, ROWS - 1].into_iter().for_each(|row| rows[row] = random.one_in(4));
        for (i, data) in [columns, Data::Bool(rows)].iter().enumerate() {
            plain.set_input(i, data).unwrap();
            later.set_input(i, data).unwrap();
        }
        plain.step();
        later.step();
        assert_eq!(difference(&plain.output(0), &later.output(0)), None, "step {step}");
        if step % 20 == 19 {
            let kernel = |instance: &Instance| instance.state("kernel").unwrap();
            assert_eq!(difference(&kernel(&plain), &kernel(&later)), None, "step {step}");
        }
    }
}

/// Histories are written a vector at a time, so what they hold beyond the last column may look like events.
#[test]
fn what_lies_beyond_the_last_column_is_no_event() {
    for (rows, columns) in [(5, 13), (70, 1), (9, 70)] {
        let delays: Vec<String> = (0..rows * columns).map(|i| ((i * 7 + i / columns + 1) % 3).to_string()).collect();
        let delays = delays.join(", ");
        let matrix = format!("[units:{rows}, pre:{columns}]");
        let text = format!(
            r#"
            program "silence is an event"
            const c0 "delays": u8{matrix} = {delays}
            state s0 "kernel": f32{matrix} = 0.5 -> %14
            history h0 "past": bool[pre:{columns}] x 3
            input i0 "spikes": bool[pre:{columns}]
            input i1 "post": bool[units:{rows}]
            %0 = input i0: bool[pre:{columns}]
            %1 = not %0: bool[pre:{columns}]
            %2 = delay h0, %1, c0: bool{matrix}
            %3 = state s0: f32{matrix}
            %4 = input i1: bool[units:{rows}]
            %5 = literal 0.125: f32
            %6 = cast %2: f32{matrix}
            %7 = cast %4: f32[units:{rows}]
            %8 = mul %6, %5: f32{matrix}
            %9 = mul %7, %5: f32[units:{rows}]
            %10 = sub %3, %8: f32{matrix}
            %11 = add %10, %9: f32{matrix}
            %12 = literal 0.0: f32
            %13 = max %11, %12: f32{matrix}
            %14 = min %13, %5: f32{matrix}
            %15 = mul %3, %6: f32{matrix}
            %16 = reduce.sum pre, %15: f32[units:{rows}]
            output "current": f32 = %16
            "#
        );
        let program = parse(&text).unwrap();
        let (none, exact) = (CompileOptions::none(), CompileOptions::exact());
        let ways = [
            none,
            CompileOptions { events: true, ..none },
            exact,
            CompileOptions { by_delay: [0, usize::MAX], ..exact },
        ];
        let mut instances = ways.map(|way| Kernel::compile(program.clone(), &way).unwrap().instance().unwrap());
        let mut random = Random(7);
        for step in 0..40 {
            let silent = Data::Bool((0..columns).map(|_| random.next() % 10 < 8).collect());
            let post = Data::Bool((0..rows).map(|_| random.next() % 10 < 2).collect());
            let mut found = instances.iter_mut().map(|instance| {
                instance.set_input(0, &silent).unwrap();
                instance.set_input(1, &post).unwrap();
                instance.step();
                (instance.state("kernel").unwrap().to_f64(), instance.output(0).to_f64())
            });
            let expected = found.next().unwrap();
            for (way, found) in found.enumerate() {
                assert!(found == expected, "{rows} by {columns}, step {step}, way {}", way + 1);
            }
        }
    }
}
