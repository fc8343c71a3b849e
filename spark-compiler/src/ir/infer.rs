//! Typing rules: which type and shape an operation yields, or why it is ill-formed.
//!
//! The one place that knows them: tracing, the text reader and the verifier all call [`infer`].

use super::{Array, BinaryOp, CompareOp, Elem, Literal, Op, OpId, Program, ReduceOp, Shape, ShapeMismatch, UnaryOp};

/// Why an operation is ill-formed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TypeError {
    /// Two sizes on one axis.
    #[error(transparent)]
    Shape(#[from] ShapeMismatch),
    /// An operand of the wrong type.
    #[error("`{op}` takes {expected}, found {found}")]
    Operand {
        /// The operation.
        op: &'static str,
        /// What it accepts.
        expected: &'static str,
        /// What it got.
        found: Elem,
    },
    /// Two operands of different types.
    #[error("`{op}` needs operands of one type, found {left} and {right}")]
    Mixed {
        /// The operation.
        op: &'static str,
        /// Type of the left operand.
        left: Elem,
        /// Type of the right operand.
        right: Elem,
    },
    /// Reduction over an axis the value does not have.
    #[error("cannot reduce over axis `{axis}`: the value has shape {shape}")]
    NoAxis {
        /// The axis asked for.
        axis: super::Axis,
        /// The operand's shape.
        shape: Shape,
    },
    /// Shape given for the operation does not fit.
    #[error("`{op}` cannot give shape {shape}: {why}")]
    Given {
        /// The operation.
        op: &'static str,
        /// The shape asked for.
        shape: Shape,
        /// Why not.
        why: String,
    },
}

/// Type and shape of `op`'s value.
///
/// `given` is the type and shape the node asks for; only operations that choose their own (`cast`, `bitcast`, `index`,
/// `delay`, `gather`, `segment_sum`, `concat`, `regroup`) look at it.
///
/// # Errors
/// [`TypeError`] if the operation is ill-formed.
pub fn infer(program: &Program, op: &Op, given: (Elem, &Shape)) -> Result<(Elem, Shape), TypeError> {
    let elem = |id: OpId| program.node(id).elem;
    let shape = |id: OpId| program.node(id).shape.clone();
    let same = |name: &'static str, a: OpId, b: OpId| {
        if elem(a) == elem(b) { Ok(elem(a)) } else { Err(TypeError::Mixed { op: name, left: elem(a), right: elem(b) }) }
    };
    let join = |a: OpId, b: OpId| program.node(a).shape.broadcast(&program.node(b).shape);
    let need = |name: &'static str, ok: bool, expected: &'static str, id: OpId| {
        if ok { Ok(()) } else { Err(TypeError::Operand { op: name, expected, found: elem(id) }) }
    };
    let wrong = |name: &'static str, why: String| TypeError::Given { op: name, shape: given.1.clone(), why };
    Ok(match op {
        Op::Literal(value) => (value.elem(), Shape::scalar()),
        Op::Constant(id) => {
            let value = &program.constant(*id).value;
            (value.elem(), value.shape().clone())
        }
        Op::Input(id) => (program.input(*id).dtype.elem(), program.input(*id).shape.clone()),
        Op::State(id) => (program.state(*id).init.elem(), program.state(*id).init.shape().clone()),
        Op::Unary(unary, a) => {
            let (ok, expected) = match unary {
                UnaryOp::Not => (!elem(*a).is_float(), "bool or i32"),
                UnaryOp::Neg | UnaryOp::Abs => (elem(*a) != Elem::Bool, "a number"),
                UnaryOp::Sqrt
                | UnaryOp::Floor
                | UnaryOp::Ceil
                | UnaryOp::Round
                | UnaryOp::Trunc
                | UnaryOp::Exp
                | UnaryOp::FusedExp
                | UnaryOp::Log
                | UnaryOp::Tanh
                | UnaryOp::Sin
                | UnaryOp::Cos => (elem(*a).is_float(), "a float"),
            };
            need(unary.name(), ok, expected, *a)?;
            (elem(*a), shape(*a))
        }
        Op::Binary(binary, a, b) => {
            let e = same(binary.name(), *a, *b)?;
            let (ok, expected) = match binary {
                BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Min | BinaryOp::Max => {
                    (e != Elem::Bool, "numbers")
                }
                BinaryOp::Div => (e.is_float(), "floats"),
                BinaryOp::And | BinaryOp::Or | BinaryOp::Xor => (!e.is_float(), "bool or i32"),
                BinaryOp::Shl | BinaryOp::Shr => {
                    let literal = matches!(program.node(*b).op, Op::Literal(Literal::I32(_)));
                    (e == Elem::I32 && literal, "i32 and a literal")
                }
            };
            need(binary.name(), ok, expected, *a)?;
            (e, join(*a, *b)?)
        }
        Op::MulAdd(a, b, c) => {
            let e = same("fma", *a, *b)?;
            same("fma", *a, *c)?;
            need("fma", e.is_float(), "floats", *a)?;
            (e, join(*a, *b)?.broadcast(&program.node(*c).shape)?)
        }
        Op::Compare(compare, a, b) => {
            let e = same(compare.name(), *a, *b)?;
            let ordered = !matches!(compare, CompareOp::Eq | CompareOp::Ne);
            need(compare.name(), !(ordered && e == Elem::Bool), "numbers", *a)?;
            (Elem::Bool, join(*a, *b)?)
        }
        Op::Select(c, a, b) => {
            need("select", elem(*c) == Elem::Bool, "a bool condition", *c)?;
            let e = same("select", *a, *b)?;
            (e, join(*a, *b)?.broadcast(&program.node(*c).shape)?)
        }
        Op::Cast(a) => (given.0, shape(*a)),
        Op::Bitcast(a) => {
            let ok = matches!((elem(*a), given.0), (Elem::I32, Elem::F32) | (Elem::F32, Elem::I32));
            need("bitcast", ok, "i32 to f32 or f32 to i32", *a)?;
            (given.0, shape(*a))
        }
        Op::Reduce(reduce, axis, a) => {
            let (ok, expected) = match reduce {
                ReduceOp::Any | ReduceOp::All => (elem(*a) == Elem::Bool, "bool"),
                ReduceOp::Sum | ReduceOp::Max | ReduceOp::Min => (elem(*a) != Elem::Bool, "numbers"),
            };
            need(reduce.name(), ok, expected, *a)?;
            if shape(*a).group(*axis).is_none() {
                return Err(TypeError::NoAxis { axis: *axis, shape: shape(*a) });
            }
            (elem(*a), shape(*a).without(*axis))
        }
        Op::Delay { history, value, delays } => {
            let (history, delays) = (program.history(*history), &program.constant(*delays).value);
            need("delay", elem(*value) == history.elem, "the history's type", *value)?;
            if shape(*value) != history.shape {
                return Err(wrong("delay", format!("the history's rows have shape {}", history.shape)));
            }
            if delays.elem() != Elem::I32 || !history.shape.fits(delays.shape()) {
                return Err(wrong("delay", format!("delays of shape {} must be integers over it", delays.shape())));
            }
            if !below(delays, history.rows) {
                let longest = delays.bounds().high;
                return Err(wrong("delay", format!("delays must be 0..{}, found {longest}", history.rows)));
            }
            (history.elem, delays.shape().clone())
        }
        Op::Index => (Elem::I32, given.1.clone()),
        Op::Threefry { key, counter, .. } => {
            let mut out = Shape::scalar();
            for word in key.iter().chain(counter) {
                need("threefry", elem(*word) == Elem::I32, "i32 words", *word)?;
                out = out.broadcast(&program.node(*word).shape)?;
            }
            (Elem::I32, out)
        }
        Op::Gather { source, indices } => {
            let indices = &program.constant(*indices).value;
            let size = shape(*source).size();
            if indices.elem() != Elem::I32 || !below(indices, size) {
                return Err(wrong("gather", format!("indices must be integers in 0..{size}")));
            }
            (elem(*source), indices.shape().clone())
        }
        Op::Lookup { table, index } => {
            need("lookup", elem(*index) == Elem::I32, "i32 indices", *index)?;
            let table = &program.constant(*table).value;
            if table.shape().groups().len() != 1 || table.elem() == Elem::Bool {
                return Err(wrong(
                    "lookup",
                    format!("the table has {}{}, not one row of numbers", table.dtype(), table.shape()),
                ));
            }
            (table.elem(), shape(*index))
        }
        Op::SegmentSum { source, segments } => {
            need("segment_sum", elem(*source) != Elem::Bool, "numbers", *source)?;
            let segments = &program.constant(*segments).value;
            let size = given.1.size();
            if segments.shape() != &shape(*source) {
                return Err(wrong("segment_sum", format!("segments have shape {}", segments.shape())));
            }
            if segments.elem() != Elem::I32 || !below(segments, size) {
                return Err(wrong("segment_sum", format!("segments must be integers in 0..{size}")));
            }
            (elem(*source), given.1.clone())
        }
        Op::Concat(parts) => {
            let Some(&first) = parts.first() else {
                return Err(wrong("concat", "no parts".into()));
            };
            for &part in parts {
                same("concat", first, part)?;
            }
            let total: usize = parts.iter().map(|&p| shape(p).size()).sum();
            if total != given.1.size() || given.1.groups().len() != 1 {
                return Err(wrong("concat", format!("the parts have {total} elements together")));
            }
            (elem(first), given.1.clone())
        }
        Op::Regroup(a) => {
            if shape(*a).size() != given.1.size() {
                return Err(wrong("regroup", format!("the value has shape {}", shape(*a))));
            }
            (elem(*a), given.1.clone())
        }
    })
}

/// True if all elements are from 0 to `bound` − 1.
fn below(array: &Array, bound: usize) -> bool {
    let found = array.bounds();
    array.is_empty() || found.low >= 0.0 && found.high < bound as f64
}
