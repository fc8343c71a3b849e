//! Ranges are sound: as long as inputs are as large as they reckon with, no value leaves its range.

mod common;
mod synapses;

use common::Random;
use spark_compiler::eval::Evaluator;
use spark_compiler::ir::parse::parse;
use spark_compiler::ir::{
    Array, Axis, BinaryOp, DType, Data, Elem, Input, InputId, Literal, Location, Node, Op, OpId, Output, Program,
    ReduceOp, Shape, State, StateId, UnaryOp, infer,
};
use spark_compiler::passes::ranges::{largest_input, ranges};

/// Numbers up to the largest: small ones, zeros of both signs, denormal ones, and the bounds.
fn input(random: &mut Random, dtype: DType, shape: &Shape) -> Array {
    let most = largest_input(dtype);
    let mut number = || match random.below(8) {
        0 => random.pick(&[most, -most, 0.0, -0.0, 1e-45, -1e-40, 6e-8]),
        1 => (random.unit() * 2.0 - 1.0) * most,
        2 => random.pick(&[1.0, -1.0, 0.5, 2.0, 88.0, -88.0]),
        _ => random.unit() * 4.0 - 2.0,
    };
    let list: Vec<f64> = (0..shape.size()).map(|_| number().clamp(-most, most)).collect();
    Array::new(shape.clone(), Data::F64(list).convert(dtype)).expect("one element per element of the shape")
}

/// Runs `program` and looks at every value and state after every step.
#[track_caller]
fn check(program: &Program, seed: u64, steps: usize) {
    let ranges = ranges(program);
    let mut shown = program.clone();
    let all = program.iter().map(|(id, node)| Output { name: id.to_string(), dtype: node.elem.dtype(), value: id });
    shown.outputs = all.collect();
    let mut evaluator = Evaluator::new(&shown);
    let mut random = Random(seed);
    for step in 0..steps {
        let inputs: Vec<Array> = shown.inputs.iter().map(|i| input(&mut random, i.dtype, &i.shape)).collect();
        let values = evaluator.step(&shown, &inputs).expect("inputs fit");
        let values = values.iter().enumerate().map(|(i, v)| (format!("%{i}"), v, ranges.of(OpId::from_index(i))));
        let states = evaluator.states().iter().enumerate();
        let states = states.map(|(i, v)| (format!("state {i}"), v, ranges.of_state(StateId::from_index(i))));
        for (what, array, range) in values.chain(states) {
            let outside = array.to_f64().into_iter().find(|&value| !range.contains(value));
            assert_eq!(outside, None, "seed {seed}, step {step}: {what} is not in {range:?}\n{program}");
        }
    }
}

fn choose<T: Copy>(random: &mut Random, list: &[T]) -> T {
    list[random.below(list.len())]
}

/// Random operations on two inputs and two states that feed back, in all arithmetic types.
fn arithmetic(seed: u64) -> Program {
    let mut random = Random(seed);
    let shape = Shape::units(&[3]).with(Axis::PRE, &[5]);
    let elem = random.pick(&[Elem::F32, Elem::F32, Elem::F64, Elem::I32]);
    let stores = match elem {
        Elem::I32 => [DType::I32, DType::U8, DType::U16],
        Elem::F64 => [DType::F64; 3],
        Elem::F32 | Elem::Bool => [DType::F32, DType::F16, DType::BF16],
    };
    let mut program = Program::new("arithmetic");
    let push = |program: &mut Program, op: Op, elem: Elem| -> Option<OpId> {
        let (elem, shape) = infer(program, &op, (elem, &Shape::scalar())).ok()?;
        Some(program.push(Node { op, elem, shape, location: Location::UNKNOWN }))
    };
    for index in 0..2 {
        let dtype = random.pick(&stores);
        program.inputs.push(Input { name: format!("input {index}"), dtype, shape: shape.clone() });
        push(&mut program, Op::Input(InputId::from_index(index)), elem);
        let dtype = random.pick(&stores);
        let init = Array::full(shape.clone(), dtype, random.pick(&[0.0, 1.0, -0.5, -0.0]));
        program.states.push(State { name: format!("state {index}"), init, next: None });
        push(&mut program, Op::State(StateId::from_index(index)), elem);
    }
    for value in [random.pick(&[1.0, 0.5, -2.0]), random.pick(&[0.0, -0.0, 1e-39, 100.0])] {
        push(&mut program, Op::Literal(Literal::from_f64(value, elem)), elem);
    }
    while program.nodes.len() < 24 {
        let len = program.nodes.len();
        let mut operand = || OpId::from_index(random.below(len));
        let (a, b, c) = (operand(), operand(), operand());
        let op = match random.below(20) {
            0..=9 => Op::Binary(choose(&mut random, BinaryOp::ALL), a, b),
            10..=14 => Op::Unary(choose(&mut random, UnaryOp::ALL), a),
            15 => Op::MulAdd(a, b, c),
            16 | 17 => {
                let axis = random.pick(&[Axis::UNITS, Axis::PRE]);
                Op::Reduce(choose(&mut random, &[ReduceOp::Sum, ReduceOp::Max, ReduceOp::Min]), axis, a)
            }
            18 => match push(&mut program, Op::Compare(spark_compiler::ir::CompareOp::Lt, a, b), elem) {
                Some(less) => Op::Select(less, a, c),
                None => continue,
            },
            _ => Op::Cast(a),
        };
        push(&mut program, op, elem);
    }
    for state in &mut program.states {
        let fits = |node: &Node| node.elem == elem && node.shape.fits(&shape);
        let found: Vec<OpId> = program
            .nodes
            .iter()
            .enumerate()
            .skip(6)
            .filter(|(_, n)| fits(n))
            .map(|(i, _)| OpId::from_index(i))
            .collect();
        state.next = (!found.is_empty()).then(|| found[random.below(found.len())]);
    }
    program
}

#[test]
fn values_of_random_arithmetic_stay_inside() {
    for seed in 0..4000 {
        check(&arithmetic(seed), seed, 6);
    }
}

#[test]
fn values_of_synaptic_programs_stay_inside() {
    for seed in 0..120 {
        check(&synapses::program(seed, true), seed, 10);
    }
}

/// `low` and `high` of what an output shows.
#[track_caller]
fn bounds(text: &str, low: f64, high: f64) {
    let program = parse(text).unwrap();
    let range = ranges(&program).of(program.outputs[0].value);
    assert_eq!((range.low, range.high), (low, high), "{text}");
    check(&program, 0, 40);
}

#[test]
fn clips_bound_what_grows_slowly() {
    let grows = |next: &str| {
        format!(
            "state s0 \"x\": f32 = 0.5 -> %5\n%0 = state s0: f32\n%1 = literal 0.01: f32\n%2 = add %0, %1: f32\n\
             %3 = literal 1.0: f32\n%4 = literal 0.0: f32\n%5 = {next}: f32\noutput \"x\": f32 = %0"
        )
    };
    bounds(&grows("min %2, %3"), 0.5, 1.0);
    bounds(&grows("max %4, %3"), 0.5, 1.0);
}

#[test]
fn sums_of_integers_are_exact() {
    bounds(
        "const c0 \"one\": i32[units:64] = 1\n%0 = constant c0: i32[units:64]\n%1 = reduce.sum units, %0: i32\noutput \"sum\": i32 = %1",
        64.0,
        64.0,
    );
}
