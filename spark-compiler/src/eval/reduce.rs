//! Reductions, in the order kernels use (see [`crate::loops`]).

use super::apply::binary;
use crate::ir::{Array, Axis, BinaryOp, Data, Elem, Literal, ReduceOp};
use crate::loops::LANES;

/// The element-wise operation behind a reduction, and its identity.
fn step(op: ReduceOp, elem: Elem) -> (BinaryOp, Literal) {
    let (binary, identity) = match op {
        ReduceOp::Sum => (BinaryOp::Add, 0.0),
        ReduceOp::Max => (BinaryOp::Max, f64::NEG_INFINITY),
        ReduceOp::Min => (BinaryOp::Min, f64::INFINITY),
        ReduceOp::Any => (BinaryOp::Or, 0.0),
        ReduceOp::All => (BinaryOp::And, 1.0),
    };
    // The infinities saturate to the extreme integers.
    (binary, Literal::from_f64(identity, elem))
}

/// Reduces `value` over `axis`.
pub(super) fn reduce(op: ReduceOp, value: &Array, axis: Axis) -> Data {
    let sizes = value.shape().sizes();
    let level = value.shape().position(axis).expect("typing checked the axis");
    let len = sizes[level];
    let inner: usize = sizes[level + 1..].iter().product();
    let outer: usize = sizes[..level].iter().product();
    let (binary_op, identity) = step(op, value.elem());
    let element = |o: usize, k: usize, i: usize| (o * len + k) * inner + i;
    if level + 1 == sizes.len() {
        // Innermost: LANES partial results, then a tree over them.
        let mut out = Vec::with_capacity(outer);
        for o in 0..outer {
            let mut partial = full(identity, LANES);
            for chunk in 0..len.div_ceil(LANES) {
                let lanes = (0..LANES).map(|lane| {
                    let k = chunk * LANES + lane;
                    (k < len).then(|| element(o, k, 0))
                });
                partial = binary(binary_op, &partial, &pick_or(value.data(), lanes, identity));
            }
            let mut stride = LANES / 2;
            while stride > 0 {
                let low = pick_or(&partial, (0..stride).map(Some), identity);
                let high = pick_or(&partial, (stride..2 * stride).map(Some), identity);
                partial = binary(binary_op, &low, &high);
                stride /= 2;
            }
            out.push(partial);
        }
        join(out, value.elem())
    } else {
        let mut acc = full(identity, outer * inner);
        for k in 0..len {
            let row = (0..outer).flat_map(|o| (0..inner).map(move |i| (o, i))).map(|(o, i)| Some(element(o, k, i)));
            acc = binary(binary_op, &acc, &pick_or(value.data(), row, identity));
        }
        acc
    }
}

fn full(value: Literal, len: usize) -> Data {
    match value {
        Literal::Bool(v) => Data::Bool(vec![v; len]),
        Literal::I32(v) => Data::I32(vec![v; len]),
        Literal::F32(v) => Data::F32(vec![v; len]),
        Literal::F64(v) => Data::F64(vec![v; len]),
    }
}

fn pick_or(data: &Data, indices: impl Iterator<Item = Option<usize>>, missing: Literal) -> Data {
    match (data, missing) {
        (Data::F32(v), Literal::F32(m)) => Data::F32(indices.map(|i| i.map_or(m, |i| v[i])).collect()),
        (Data::F64(v), Literal::F64(m)) => Data::F64(indices.map(|i| i.map_or(m, |i| v[i])).collect()),
        (Data::I32(v), Literal::I32(m)) => Data::I32(indices.map(|i| i.map_or(m, |i| v[i])).collect()),
        (Data::Bool(v), Literal::Bool(m)) => Data::Bool(indices.map(|i| i.map_or(m, |i| v[i])).collect()),
        _ => unreachable!("the identity has the value's type"),
    }
}

fn join(parts: Vec<Data>, elem: Elem) -> Data {
    macro_rules! first {
        ($variant:ident) => {
            Data::$variant(
                parts
                    .iter()
                    .map(|p| match p {
                        Data::$variant(v) => v[0],
                        _ => unreachable!("parts have one type"),
                    })
                    .collect(),
            )
        };
    }
    match elem {
        Elem::F32 => first!(F32),
        Elem::F64 => first!(F64),
        Elem::I32 => first!(I32),
        Elem::Bool => first!(Bool),
    }
}
