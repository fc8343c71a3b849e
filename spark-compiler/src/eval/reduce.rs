//! Reductions, in the order kernels use (see [`crate::loops`]).

use super::apply::{binary, pick};
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
            for start in (0..len).step_by(LANES) {
                // The last chunk may be shorter; the identity in its place would turn a NaN into a number.
                let chunk = start..len.min(start + LANES);
                let so_far = pick(&partial, 0..chunk.len());
                let next = binary(binary_op, &so_far, &pick(value.data(), chunk.map(|k| element(o, k, 0))));
                overwrite(&mut partial, &next);
            }
            let mut stride = LANES / 2;
            while stride > 0 {
                partial = binary(binary_op, &pick(&partial, 0..stride), &pick(&partial, stride..2 * stride));
                stride /= 2;
            }
            out.push(partial);
        }
        join(out, value.elem())
    } else {
        let mut acc = full(identity, outer * inner);
        for k in 0..len {
            let row = (0..outer).flat_map(|o| (0..inner).map(move |i| element(o, k, i)));
            acc = binary(binary_op, &acc, &pick(value.data(), row));
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

/// Writes `front` over the first elements of `all`.
fn overwrite(all: &mut Data, front: &Data) {
    match (all, front) {
        (Data::F32(all), Data::F32(front)) => all[..front.len()].copy_from_slice(front),
        (Data::F64(all), Data::F64(front)) => all[..front.len()].copy_from_slice(front),
        (Data::I32(all), Data::I32(front)) => all[..front.len()].copy_from_slice(front),
        (Data::Bool(all), Data::Bool(front)) => all[..front.len()].copy_from_slice(front),
        _ => unreachable!("both have the value's type"),
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
