//! One operation on host arrays.

use super::reduce;
use crate::ir::{Array, BinaryOp, CompareOp, DType, Data, Elem, Node, Op, Program, Shape, ThreefryWord, UnaryOp};
use crate::math::scalar;

/// The past of a delayed value: rows in a ring, the newest at `position`.
pub struct Past<'a> {
    /// Rows in storage order.
    pub rows: &'a [Array],
    /// Row of this step.
    pub position: usize,
}

/// For each element of `out` (row-major), the element of an operand of shape `from` it reads.
fn indices(from: &Shape, out: &Shape) -> Vec<usize> {
    if from == out {
        return (0..out.size()).collect();
    }
    let sizes = out.sizes();
    let mut strides = vec![0; sizes.len()];
    let mut stride = 1;
    for group in from.groups().iter().rev() {
        let position = out.position(group.axis).expect("operands broadcast to the result");
        strides[position] = stride;
        stride *= group.size();
    }
    let mut list = Vec::with_capacity(out.size());
    let mut counter = vec![0; sizes.len()];
    let mut at = 0;
    for _ in 0..out.size() {
        list.push(at);
        for level in (0..sizes.len()).rev() {
            counter[level] += 1;
            at += strides[level];
            if counter[level] < sizes[level] {
                break;
            }
            at -= strides[level] * sizes[level];
            counter[level] = 0;
        }
    }
    list
}

/// `value` with every missing group repeated.
fn expand(value: &Array, out: &Shape) -> Array {
    if value.shape() == out {
        return value.clone();
    }
    if value.shape().is_scalar() {
        return Array::filled(out.clone(), value.data());
    }
    let data = pick(value.data(), indices(value.shape(), out).into_iter());
    Array::new(out.clone(), data).expect("one element per index")
}

/// The elements of `data` at `indices`.
pub(super) fn pick(data: &Data, indices: impl Iterator<Item = usize>) -> Data {
    match data {
        Data::F32(v) => Data::F32(indices.map(|i| v[i]).collect()),
        Data::F64(v) => Data::F64(indices.map(|i| v[i]).collect()),
        Data::I32(v) => Data::I32(indices.map(|i| v[i]).collect()),
        Data::Bool(v) => Data::Bool(indices.map(|i| v[i]).collect()),
        Data::F16(_) | Data::BF16(_) | Data::U8(_) | Data::U16(_) => unreachable!("values are widened"),
    }
}

/// What a write of `value` to a variable of `shape` and `dtype` stores.
pub(super) fn stored(value: &Array, shape: &Shape, dtype: DType) -> Array {
    expand(value, shape).convert(dtype)
}

/// A delayed read; the newest row is in place already.
pub fn delay(past: &Past<'_>, delays: &Array, node: &Node) -> Array {
    let row_index = indices(past.rows[0].shape(), &node.shape);
    let steps = expand(&delays.widen(), &node.shape).to_i32();
    let rows = past.rows.len();
    let mut data = Data::zeros(node.elem.dtype(), node.shape.size());
    for (element, (&at, &steps)) in row_index.iter().zip(&steps).enumerate() {
        let row = past.rows[(past.position + rows - steps as usize) % rows].data();
        match (&mut data, row) {
            (Data::F32(out), Data::F32(v)) => out[element] = v[at],
            (Data::F64(out), Data::F64(v)) => out[element] = v[at],
            (Data::I32(out), Data::I32(v)) => out[element] = v[at],
            (Data::Bool(out), Data::Bool(v)) => out[element] = v[at],
            _ => unreachable!("rows have the node's type"),
        }
    }
    array(node, data)
}

fn array(node: &Node, data: Data) -> Array {
    Array::new(node.shape.clone(), data).expect("one element per element of the shape")
}

/// Evaluates one operation that does not depend on step state (all but inputs, states and delays).
///
/// `operands` are the operands' values in the order of [`Op::operands`], in arithmetic types; the program supplies
/// constants.
pub fn apply(program: &Program, node: &Node, operands: &[&Array]) -> Array {
    let out = &node.shape;
    if let Some(value) = once_for_all(program, node, operands) {
        return value;
    }
    let data = match &node.op {
        Op::Literal(value) => return Array::scalar(*value),
        Op::Constant(id) => return program.constant(*id).value.widen(),
        Op::Input(_) | Op::State(_) | Op::Delay { .. } => unreachable!("needs step state"),
        Op::Unary(op, _) => unary(*op, operands[0].data()),
        Op::Binary(op, _, _) => binary(*op, expand(operands[0], out).data(), expand(operands[1], out).data()),
        Op::Compare(op, _, _) => {
            Data::Bool(compare(*op, expand(operands[0], out).data(), expand(operands[1], out).data()))
        }
        Op::MulAdd(..) => mul_add(operands.iter().map(|o| expand(o, out)).collect()),
        Op::Select(..) => {
            let condition = expand(operands[0], out).to_bool();
            select(&condition, expand(operands[1], out).data(), expand(operands[2], out).data())
        }
        Op::Cast(_) => operands[0].data().convert(node.elem.dtype()),
        Op::Bitcast(_) => match (operands[0].data(), node.elem) {
            (Data::F32(v), Elem::I32) => Data::I32(v.iter().map(|x| x.to_bits() as i32).collect()),
            (Data::I32(v), Elem::F32) => Data::F32(v.iter().map(|x| f32::from_bits(*x as u32)).collect()),
            _ => unreachable!("typing admits i32 and f32 only"),
        },
        Op::Reduce(op, axis, _) => reduce::reduce(*op, operands[0], *axis),
        Op::Index => Data::I32((0..out.size()).map(|i| i as i32).collect()),
        Op::Threefry { word, .. } => {
            let words: Vec<Vec<i32>> = operands.iter().map(|a| expand(a, out).to_i32()).collect();
            let element = |i: usize| {
                let [a, b] = scalar::threefry(
                    [words[0][i] as u32, words[1][i] as u32],
                    [words[2][i] as u32, words[3][i] as u32],
                );
                match word {
                    ThreefryWord::First => a as i32,
                    ThreefryWord::Second => b as i32,
                    ThreefryWord::Mixed => (a ^ b) as i32,
                }
            };
            Data::I32((0..out.size()).map(element).collect())
        }
        Op::Gather { indices, .. } => {
            let indices = program.constant(*indices).value.to_i32();
            pick(operands[0].data(), indices.into_iter().map(|i| i as usize))
        }
        Op::Lookup { table, .. } => {
            let table = program.constant(*table).value.widen();
            let last = table.len() as i32 - 1;
            pick(table.data(), operands[0].to_i32().into_iter().map(|i| i.clamp(0, last) as usize))
        }
        Op::SegmentSum { segments, .. } => {
            let segments = program.constant(*segments).value.to_i32();
            segment_sum(operands[0].data(), &segments, out.size())
        }
        Op::Concat(_) => concat(operands),
        Op::Regroup(_) => return operands[0].clone().reshaped(out.clone()).expect("typing checked the size"),
    };
    array(node, data)
}

/// The value of an operation whose operands are known to be the same number everywhere.
fn once_for_all(program: &Program, node: &Node, operands: &[&Array]) -> Option<Array> {
    match node.op {
        Op::Unary(..) | Op::Binary(..) | Op::MulAdd(..) | Op::Compare(..) | Op::Select(..) | Op::Cast(_) => {}
        _ => return None,
    }
    if node.shape.size() <= 1 {
        return None;
    }
    let one: Vec<Array> = operands.iter().map(|operand| operand.everywhere()).collect::<Option<_>>()?;
    let value = apply(program, &Node { shape: Shape::scalar(), ..node.clone() }, &one.iter().collect::<Vec<_>>());
    Some(Array::filled(node.shape.clone(), value.data()))
}

fn unary(op: UnaryOp, data: &Data) -> Data {
    match data {
        Data::F32(v) => Data::F32(v.iter().map(|&x| unary_f32(op, x)).collect()),
        Data::F64(v) => Data::F64(v.iter().map(|&x| unary_f64(op, x)).collect()),
        Data::I32(v) => Data::I32(
            v.iter()
                .map(|&x| match op {
                    UnaryOp::Neg => x.wrapping_neg(),
                    UnaryOp::Abs => x.wrapping_abs(),
                    UnaryOp::Not => !x,
                    _ => unreachable!("typing admits floats only"),
                })
                .collect(),
        ),
        Data::Bool(v) => Data::Bool(v.iter().map(|&x| !x).collect()),
        Data::F16(_) | Data::BF16(_) | Data::U8(_) | Data::U16(_) => unreachable!("values are widened"),
    }
}

macro_rules! unary_float {
    ($name:ident, $t:ty, $exp:ident, $fused_exp:ident, $log:ident, $tanh:ident, $sin:ident, $cos:ident) => {
        fn $name(op: UnaryOp, x: $t) -> $t {
            match op {
                UnaryOp::Neg => -x,
                UnaryOp::Abs => x.abs(),
                UnaryOp::Sqrt => x.sqrt(),
                UnaryOp::Floor => x.floor(),
                UnaryOp::Ceil => x.ceil(),
                UnaryOp::Round => x.round_ties_even(),
                UnaryOp::Trunc => x.trunc(),
                UnaryOp::Exp => scalar::$exp(x),
                UnaryOp::FusedExp => scalar::$fused_exp(x),
                UnaryOp::Log => scalar::$log(x),
                UnaryOp::Tanh => scalar::$tanh(x),
                UnaryOp::Sin => scalar::$sin(x),
                UnaryOp::Cos => scalar::$cos(x),
                UnaryOp::Not => unreachable!("typing admits bool and i32 only"),
            }
        }
    };
}
unary_float!(unary_f32, f32, exp_f32, fused_exp_f32, log_f32, tanh_f32, sin_f32, cos_f32);
unary_float!(unary_f64, f64, exp_f64, fused_exp_f64, log_f64, tanh_f64, sin_f64, cos_f64);

fn zip<T: Copy, R>(a: &[T], b: &[T], f: impl Fn(T, T) -> R) -> Vec<R> {
    a.iter().zip(b).map(|(&x, &y)| f(x, y)).collect()
}

/// `a op b` on two arrays of one type and length.
pub(super) fn binary(op: BinaryOp, a: &Data, b: &Data) -> Data {
    match (a, b) {
        (Data::F32(a), Data::F32(b)) => Data::F32(zip(a, b, |x, y| binary_f32(op, x, y))),
        (Data::F64(a), Data::F64(b)) => Data::F64(zip(a, b, |x, y| binary_f64(op, x, y))),
        (Data::I32(a), Data::I32(b)) => Data::I32(zip(a, b, |x, y| binary_i32(op, x, y))),
        (Data::Bool(a), Data::Bool(b)) => Data::Bool(zip(a, b, |x, y| match op {
            BinaryOp::And => x & y,
            BinaryOp::Or => x | y,
            BinaryOp::Xor => x ^ y,
            _ => unreachable!("typing admits logic only"),
        })),
        _ => unreachable!("operands have one arithmetic type"),
    }
}

macro_rules! binary_float {
    ($name:ident, $t:ty) => {
        fn $name(op: BinaryOp, x: $t, y: $t) -> $t {
            match op {
                BinaryOp::Add => x + y,
                BinaryOp::Sub => x - y,
                BinaryOp::Mul => x * y,
                BinaryOp::Div => x / y,
                BinaryOp::Min => {
                    if x < y {
                        x
                    } else {
                        y
                    }
                }
                BinaryOp::Max => {
                    if y < x {
                        x
                    } else {
                        y
                    }
                }
                BinaryOp::And | BinaryOp::Or | BinaryOp::Xor | BinaryOp::Shl | BinaryOp::Shr => {
                    unreachable!("typing admits integers only")
                }
            }
        }
    };
}
binary_float!(binary_f32, f32);
binary_float!(binary_f64, f64);

fn binary_i32(op: BinaryOp, x: i32, y: i32) -> i32 {
    match op {
        BinaryOp::Add => x.wrapping_add(y),
        BinaryOp::Sub => x.wrapping_sub(y),
        BinaryOp::Mul => x.wrapping_mul(y),
        BinaryOp::Min => x.min(y),
        BinaryOp::Max => x.max(y),
        BinaryOp::And => x & y,
        BinaryOp::Or => x | y,
        BinaryOp::Xor => x ^ y,
        BinaryOp::Shl => x.wrapping_shl(y as u32),
        BinaryOp::Shr => (x as u32).wrapping_shr(y as u32) as i32,
        BinaryOp::Div => unreachable!("typing admits floats only"),
    }
}

fn compare(op: CompareOp, a: &Data, b: &Data) -> Vec<bool> {
    fn with<T: Copy + PartialOrd>(op: CompareOp, a: &[T], b: &[T]) -> Vec<bool> {
        match op {
            CompareOp::Eq => zip(a, b, |x, y| x == y),
            CompareOp::Ne => zip(a, b, |x, y| x != y),
            CompareOp::Lt => zip(a, b, |x, y| x < y),
            CompareOp::Le => zip(a, b, |x, y| x <= y),
            CompareOp::Gt => zip(a, b, |x, y| x > y),
            CompareOp::Ge => zip(a, b, |x, y| x >= y),
        }
    }
    match (a, b) {
        (Data::F32(a), Data::F32(b)) => with(op, a, b),
        (Data::F64(a), Data::F64(b)) => with(op, a, b),
        (Data::I32(a), Data::I32(b)) => with(op, a, b),
        (Data::Bool(a), Data::Bool(b)) => with(op, a, b),
        _ => unreachable!("operands have one arithmetic type"),
    }
}

fn mul_add(operands: Vec<Array>) -> Data {
    match [0, 1, 2].map(|i| operands[i].data()) {
        [Data::F32(a), Data::F32(b), Data::F32(c)] => {
            Data::F32(a.iter().zip(b).zip(c).map(|((a, &b), &c)| a.mul_add(b, c)).collect())
        }
        [Data::F64(a), Data::F64(b), Data::F64(c)] => {
            Data::F64(a.iter().zip(b).zip(c).map(|((a, &b), &c)| a.mul_add(b, c)).collect())
        }
        _ => unreachable!("typing admits floats of one type only"),
    }
}

fn select(condition: &[bool], a: &Data, b: &Data) -> Data {
    fn with<T: Copy>(condition: &[bool], a: &[T], b: &[T]) -> Vec<T> {
        condition.iter().zip(a.iter().zip(b)).map(|(&c, (&x, &y))| if c { x } else { y }).collect()
    }
    match (a, b) {
        (Data::F32(a), Data::F32(b)) => Data::F32(with(condition, a, b)),
        (Data::F64(a), Data::F64(b)) => Data::F64(with(condition, a, b)),
        (Data::I32(a), Data::I32(b)) => Data::I32(with(condition, a, b)),
        (Data::Bool(a), Data::Bool(b)) => Data::Bool(with(condition, a, b)),
        _ => unreachable!("operands have one arithmetic type"),
    }
}

fn segment_sum(source: &Data, segments: &[i32], size: usize) -> Data {
    fn with<T: Copy + Default>(source: &[T], segments: &[i32], size: usize, add: impl Fn(T, T) -> T) -> Vec<T> {
        let mut out = vec![T::default(); size];
        for (&x, &segment) in source.iter().zip(segments) {
            let slot = &mut out[segment as usize];
            *slot = add(*slot, x);
        }
        out
    }
    match source {
        Data::F32(v) => Data::F32(with(v, segments, size, |a, b| a + b)),
        Data::F64(v) => Data::F64(with(v, segments, size, |a, b| a + b)),
        Data::I32(v) => Data::I32(with(v, segments, size, i32::wrapping_add)),
        _ => unreachable!("typing admits numbers only"),
    }
}

fn concat(parts: &[&Array]) -> Data {
    macro_rules! join {
        ($variant:ident) => {
            Data::$variant(
                parts
                    .iter()
                    .flat_map(|part| match part.data() {
                        Data::$variant(v) => v.iter().copied(),
                        _ => unreachable!("parts have one type"),
                    })
                    .collect(),
            )
        };
    }
    match parts[0].elem() {
        Elem::F32 => join!(F32),
        Elem::F64 => join!(F64),
        Elem::I32 => join!(I32),
        Elem::Bool => join!(Bool),
    }
}
