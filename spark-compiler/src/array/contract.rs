//! Contraction: a sum with a product rounds once.
//!
//! `a·b + c`, `c + a·b`, `a·b − c` and `c − a·b` are recorded as one multiply-add. It happens while recording, from the
//! form of the expression alone, so eager and traced steps round alike. It is what XLA's code generator does on machines
//! that have the instruction, and so what the numbers of Spark on JAX contain.
//!
//! A product that is smaller than the sum (it would be repeated over more axes) stays a product: it is computed once per
//! element of its own.

use crate::ir::{BinaryOp, Literal, Op, OpId, Program};

/// Operand of a multiply-add to be negated.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Negate {
    Nothing,
    Factor,
    Addend,
}

/// The sum or difference `op` as `factors[0] · factors[1] + addend`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct MulAdd {
    pub(super) factors: [OpId; 2],
    pub(super) addend: OpId,
    pub(super) negate: Negate,
}

/// How `op` contracts, if it does. Of two products the left one goes into the multiply-add.
pub(super) fn contract(program: &Program, op: &Op) -> Option<MulAdd> {
    let Op::Binary(sum @ (BinaryOp::Add | BinaryOp::Sub), left, right) = *op else { return None };
    let shape = program.node(left).shape.broadcast(&program.node(right).shape).ok()?;
    let factors = |id: OpId| {
        let mut node = program.node(id);
        loop {
            let (a, b) = match node.op {
                Op::Binary(BinaryOp::Mul, a, b) => (a, b),
                // 0 + a·b is a·b: a trace with a base of 0.
                Op::MulAdd(a, b, zero) if is(program, zero, 0.0) => (a, b),
                _ => return None,
            };
            if !node.elem.is_float() || node.shape != shape {
                return None;
            }
            // 1·(a·b) is a·b: with a time step of 1, a product that dt scales is still the product.
            let other = if is(program, a, 1.0) { b } else { a };
            match is(program, a, 1.0) || is(program, b, 1.0) {
                true if matches!(program.node(other).op, Op::Binary(BinaryOp::Mul, ..)) => node = program.node(other),
                _ => return Some([a, b]),
            }
        }
    };
    let (factors, addend, negate) = match (factors(left), factors(right)) {
        (Some(factors), _) if sum == BinaryOp::Add => (factors, right, Negate::Nothing),
        (Some(factors), _) => (factors, right, Negate::Addend),
        (None, Some(factors)) if sum == BinaryOp::Add => (factors, left, Negate::Nothing),
        (None, Some(factors)) => (factors, left, Negate::Factor),
        (None, None) => return None,
    };
    Some(MulAdd { factors, addend, negate })
}

/// True for the floating-point literal `number`.
fn is(program: &Program, id: OpId, number: f64) -> bool {
    match program.node(id).op {
        Op::Literal(literal) => literal.elem().is_float() && literal == Literal::from_f64(number, literal.elem()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::array::{Mode, Real, Session, tape};
    use crate::ir::{Array, Axis, DType, Data, Elem, Shape};

    fn vector(values: &[f64]) -> Array {
        Array::new(Shape::of(Axis::PRE, &[values.len()]), Data::F64(values.to_vec())).unwrap().convert(DType::F32)
    }

    /// The operations of `f` of a state, by name, and its eager value.
    fn recorded(values: &[f64], f: impl Fn(Real) -> Real, contract: bool) -> (String, Vec<f64>) {
        let run = |mode| {
            let session = Session::begin("sum", mode, Elem::F32, tape::Memory::default());
            if contract {
                session.contract();
            }
            let out = f(Real::from_value(tape::state("x", &vector(values))));
            tape::output("out", DType::F32, out.0);
            session.finish().unwrap()
        };
        let (traced, eager) = (run(Mode::Traced), run(Mode::Eager));
        let text = traced.program.to_string();
        let names = ["fma", "mul", "add", "sub", "neg"];
        let words = text.lines().filter_map(|line| line.split_once("= ")?.1.split(' ').next());
        let ops: Vec<&str> = words.filter(|word| names.contains(word)).collect();
        (ops.join(" "), eager.outputs[0].1.to_f64())
    }

    #[test]
    fn every_form_of_a_sum_with_a_product_rounds_once() {
        let x = 1.0 + 2f64.powi(-12);
        let square = x * x;
        let c = 1.0 + 2f64.powi(-11);
        let exact = square - c;
        type Case = (fn(Real) -> Real, &'static str, f64);
        let cases: [Case; 5] = [
            (|x| x * x + -1.000_488_281_25, "mul fma", exact),
            (|x| -1.000_488_281_25 + x * x, "mul fma", exact),
            (|x| x * x - 1.000_488_281_25, "mul fma", exact),
            (|x| 1.000_488_281_25 - x * x, "mul neg fma", -exact),
            (|x| (x - x * x) * x, "mul neg fma mul", f64::from((x - square) as f32 * x as f32)),
        ];
        for (f, ops, value) in cases {
            let (found, values) = recorded(&[x], f, true);
            assert_eq!((found.as_str(), values[0]), (ops, value));
        }
        assert_eq!(recorded(&[x], |x| x * x - 1.000_488_281_25, false), ("mul sub".into(), vec![0.0]));
    }

    #[test]
    fn a_product_is_not_repeated_over_more_axes() {
        let wide = |x: Real| {
            let matrix = Array::zeros(Shape::of(Axis::POST, &[2]).with(Axis::PRE, &[2]), DType::F32);
            Real::from_value(tape::state("w", &matrix)) + x * x
        };
        assert_eq!(recorded(&[1.0, 2.0], wide, true).0, "mul add");
    }
}
