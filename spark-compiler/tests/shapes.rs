//! Shapes that no program may have: without elements, or with more than memory holds.

use spark_compiler::ir::parse::parse;
use spark_compiler::ir::{
    Array, Axis, Constant, DType, Elem, History, Input, Location, Node, Op, Program, Shape, State, verify,
};

const TOO_LARGE: &str = "every axis needs at least one element, and all together must fit in memory";

/// A program with one entity of `shape`, in every place that has a shape and does not hold elements.
fn programs_with(shape: &Shape) -> Vec<Program> {
    let input = Input { name: "x".into(), dtype: DType::F32, shape: shape.clone() };
    let history = History { name: "h".into(), elem: Elem::Bool, shape: shape.clone(), rows: 2 };
    let node = Node { op: Op::Index, elem: Elem::I32, shape: shape.clone(), location: Location::UNKNOWN };
    vec![
        Program { inputs: vec![input], ..Program::default() },
        Program { histories: vec![history], ..Program::default() },
        Program { nodes: vec![node], ..Program::default() },
    ]
}

#[track_caller]
fn is_rejected(program: &Program) {
    let error = verify(program).unwrap_err().to_string();
    assert!(error.ends_with(TOO_LARGE), "{error}");
}

#[test]
fn axes_without_elements_are_rejected() {
    for shape in [Shape::units(&[0]), Shape::units(&[3]).with(Axis::PRE, &[2, 0]), Shape::units(&[0, usize::MAX])] {
        programs_with(&shape).iter().for_each(is_rejected);
        let value = Array::zeros(shape.without(Axis::UNITS).with(Axis::UNITS, &[0]), DType::F16);
        let state = State { name: "s".into(), init: value.clone(), next: None };
        is_rejected(&Program { states: vec![state], ..Program::default() });
        is_rejected(&Program { constants: vec![Constant { name: "c".into(), value }], ..Program::default() });
    }
}

/// These could not be allocated; some have a number of elements that wraps around to a small one.
#[test]
fn shapes_too_large_are_rejected_and_not_allocated() {
    let huge = [
        Shape::units(&[usize::MAX]),
        Shape::units(&[1 << 32, 1 << 32]),
        Shape::units(&[1 << 63]).with(Axis::PRE, &[2]),
        Shape::units(&[(1 << 30) + 1]),
    ];
    for shape in &huge {
        programs_with(shape).iter().for_each(is_rejected);
        for declaration in ["const c0", "state s0"] {
            let error = parse(&format!("{declaration} \"x\": bool{shape} = true")).unwrap_err();
            assert!(error.message.contains("too many elements"), "{error}");
        }
    }
}

/// Rows are padded to 64 elements; offsets into them are 32 bits.
#[test]
fn rows_that_padding_makes_too_large_are_rejected() {
    programs_with(&Shape::units(&[1 << 26]).with(Axis::PRE, &[1])).iter().for_each(is_rejected);
}
