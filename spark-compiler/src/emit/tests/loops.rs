//! Nests of several loops, broadcasts, reductions, histories, gathers and scatters.

use super::*;
use crate::ir::{BinaryOp, CompareOp, ReduceOp, UnaryOp};

const ELEMS: [Elem; 4] = [Elem::Bool, Elem::I32, Elem::F32, Elem::F64];

/// An operation that is defined for the type and depends on both operands.
fn mix(nest: &mut Nest, a: Val, b: Val, elem: Elem) -> Val {
    let op = if elem == Elem::Bool { BinaryOp::Xor } else { BinaryOp::Add };
    nest.push(Inst::Binary(op, a, b), elem)
}

#[test]
fn a_scalar_nest() {
    for elem in ELEMS {
        let mut build = Build::default();
        let (x, y, z) =
            (build.input(elem.dtype(), &[]), build.input(elem.dtype(), &[]), build.output(elem.dtype(), &[]));
        let nest = build.nest(&[]);
        let (a, b) = (nest.load(x, &[], elem), nest.load(y, &[], elem));
        let sum = mix(nest, a, b, elem);
        nest.store(z, &[], sum);
        check(&mut build, 3);
    }
}

#[test]
fn broadcasts_in_two_and_three_loops() {
    for elem in ELEMS {
        for inner in SIZES {
            for sizes in [vec![5, inner], vec![1, inner], vec![3, 1, inner], vec![2, 3, inner]] {
                let mut build = Build::default();
                let depth = sizes.len();
                let mut maps: Vec<Vec<usize>> = vec![vec![], vec![0], vec![depth - 1], (0..depth).collect()];
                maps.push(vec![depth - 2, depth - 1]);
                let dtype = elem.dtype();
                let of = |map: &Vec<usize>| map.iter().map(|&l| sizes[l]).collect::<Vec<_>>();
                let inputs: Vec<BufferId> = maps.iter().map(|map| build.input(dtype, &of(map))).collect();
                let output = build.output(dtype, &sizes);
                let index = build.output(DType::I32, &sizes);
                let nest = build.nest(&sizes);
                let loads: Vec<Val> = inputs.iter().zip(&maps).map(|(&b, map)| nest.load(b, map, elem)).collect();
                let sum = loads[1..].iter().fold(loads[0], |sum, &v| mix(nest, sum, v, elem));
                nest.store(output, &maps[3], sum);
                let linear = nest.push(Inst::Index, Elem::I32);
                nest.store(index, &maps[3], linear);
                check(&mut build, 2);
            }
        }
    }
}

#[test]
fn transposed_loads_and_stores() {
    for dtype in DType::ALL {
        for sizes in [[3, 17], [20, 5], [16, 64]] {
            let mut build = Build::default();
            let (input, output) = (build.input(dtype, &[sizes[1], sizes[0]]), build.output(dtype, &sizes));
            let back = build.output(dtype, &[sizes[1], sizes[0]]);
            let nest = build.nest(&sizes);
            let value = nest.load(input, &[1, 0], dtype.elem());
            nest.store(output, &[0, 1], value);
            nest.store(back, &[1, 0], value);
            check(&mut build, 2);
        }
    }
}

fn reductions(elem: Elem) -> &'static [ReduceOp] {
    match elem {
        Elem::Bool => &[ReduceOp::Any, ReduceOp::All],
        Elem::I32 | Elem::F32 | Elem::F64 => &[ReduceOp::Sum, ReduceOp::Max, ReduceOp::Min],
    }
}

#[test]
fn reductions_over_every_loop() {
    for elem in ELEMS {
        for inner in SIZES {
            for sizes in [vec![inner], vec![7, inner], vec![2, 3, inner]] {
                let mut build = Build::default();
                let all: Vec<usize> = (0..sizes.len()).collect();
                let input = build.input(elem.dtype(), &sizes);
                let mut targets = Vec::new();
                for over in 0..sizes.len() {
                    let map: Vec<usize> = all.iter().copied().filter(|&l| l != over).collect();
                    let kept: Vec<usize> = map.iter().map(|&l| sizes[l]).collect();
                    for &op in reductions(elem) {
                        targets.push((op, over, map.clone(), build.output(elem.dtype(), &kept)));
                    }
                }
                let nest = build.nest(&sizes);
                let value = nest.load(input, &all, elem);
                for (op, over, map, buffer) in targets {
                    nest.push(Inst::Reduce { op, over, value, buffer, map }, elem);
                }
                check(&mut build, 2);
            }
        }
    }
}

/// All true, so that the masked lanes of a tail must not count as false.
#[test]
fn a_reduction_ignores_lanes_past_the_end() {
    for size in SIZES {
        let mut build = Build::default();
        let (all, any, smallest) =
            (build.output(DType::Bool, &[]), build.output(DType::Bool, &[]), build.output(DType::I32, &[]));
        let nest = build.nest(&[size]);
        let index = nest.push(Inst::Index, Elem::I32);
        let bound = nest.literal(Literal::I32(size as i32));
        let inside = nest.push(Inst::Compare(CompareOp::Lt, index, bound), Elem::Bool);
        let beyond = nest.push(Inst::Unary(UnaryOp::Not, inside), Elem::Bool);
        let falling = nest.push(Inst::Unary(UnaryOp::Neg, index), Elem::I32);
        for (op, value, buffer) in
            [(ReduceOp::All, inside, all), (ReduceOp::Any, beyond, any), (ReduceOp::Min, falling, smallest)]
        {
            let elem = nest.insts[value.index()].elem;
            nest.push(Inst::Reduce { op, over: 0, value, buffer, map: vec![] }, elem);
        }
        check(&mut build, 1);
    }
}

#[test]
fn an_empty_nest_leaves_identities() {
    let mut build = Build::default();
    let (input, output) = (build.input(DType::F32, &[4, 0]), build.output(DType::F32, &[4]));
    let nest = build.nest(&[4, 0]);
    let value = nest.load(input, &[0, 1], Elem::F32);
    nest.push(Inst::Reduce { op: ReduceOp::Max, over: 1, value, buffer: output, map: vec![0] }, Elem::F32);
    check(&mut build, 1);
}

/// Delays per element, per row, and one for all; of numbers and of spikes.
#[test]
fn delayed_values() {
    for (dtype, elem) in
        [(DType::F32, Elem::F32), (DType::F64, Elem::F64), (DType::F16, Elem::F32), (DType::U8, Elem::Bool)]
    {
        for delay_type in [DType::U8, DType::U16, DType::I32] {
            for inner in [1, 16, 17, 100] {
                let (rows, sizes) = (5, [3, inner]);
                let mut build = Build::default();
                let input = build.input(elem.dtype(), &[inner]);
                let history = build.history(rows, dtype, &[inner]);
                let nest = build.nest(&[inner]);
                let value = nest.load(input, &[0], elem);
                nest.push(Inst::StoreRow { history, map: vec![0], value }, elem);
                for (delay_sizes, delays_map) in
                    [(&sizes[..], vec![0, 1]), (&sizes[1..], vec![1]), (&sizes[..1], vec![0]), (&[], vec![])]
                {
                    let delays = build.indices(delay_type, delay_sizes, rows);
                    let output = build.output(elem.dtype(), &sizes);
                    let nest = build.nest(&sizes);
                    let value = nest.push(Inst::LoadDelayed { history, map: vec![1], delays, delays_map }, elem);
                    nest.store(output, &[0, 1], value);
                }
                check(&mut build, 12);
            }
        }
    }
}

/// A delay of zero reads what the same nest has just pushed.
#[test]
fn a_row_is_read_in_the_nest_that_writes_it() {
    for (dtype, elem) in [(DType::F32, Elem::F32), (DType::U8, Elem::Bool)] {
        for size in SIZES {
            let mut build = Build::default();
            let (input, output) = (build.input(elem.dtype(), &[size]), build.output(elem.dtype(), &[size]));
            let history = build.history(3, dtype, &[size]);
            let delays = build.indices(DType::I32, &[size], 3);
            let nest = build.nest(&[size]);
            let value = nest.load(input, &[0], elem);
            nest.push(Inst::StoreRow { history, map: vec![0], value }, elem);
            let value = nest.push(Inst::LoadDelayed { history, map: vec![0], delays, delays_map: vec![0] }, elem);
            nest.store(output, &[0], value);
            check(&mut build, 7);
        }
    }
}

#[test]
fn gathers() {
    for dtype in DType::ALL {
        for size in SIZES {
            let mut build = Build::default();
            let source = build.input(dtype, &[3, 70]);
            // The physical offsets of row-major indices below 3 · 70, padding left out.
            let words = build.words(size);
            let spec = build.lowered.buffer(source).clone();
            let offsets = words.iter().map(|w| spec.physical((w % 210) as usize) as i32).collect();
            let offsets = Array::new(shape(&[size]), Data::I32(offsets)).unwrap();
            let offsets = build.buffer(Role::Constant(offsets), DType::I32, &[size]);
            let one = build.indices(DType::I32, &[], 70);
            let (output, single) = (build.output(dtype, &[size]), build.output(dtype, &[size]));
            let nest = build.nest(&[size]);
            let value = nest.push(Inst::LoadAt { buffer: source, offsets, map: vec![0] }, dtype.elem());
            nest.store(output, &[0], value);
            let value = nest.push(Inst::LoadAt { buffer: source, offsets: one, map: vec![] }, dtype.elem());
            nest.store(single, &[0], value);
            check(&mut build, 2);
        }
    }
}

#[test]
fn lookups_end_where_the_table_does() {
    for dtype in DType::ALL.iter().copied().filter(|&dtype| dtype != DType::Bool) {
        for size in SIZES {
            let mut build = Build::default();
            let entries = Data::F64((0..70).map(|i| f64::from(i) / 2.0).collect()).convert(dtype);
            let table = Array::new(shape(&[70]), entries).unwrap();
            let table = build.buffer(Role::Constant(table), dtype, &[70]);
            let (near, far) = (build.indices(DType::I32, &[size], 90), build.input(DType::I32, &[size]));
            let one = build.indices(DType::I32, &[], 90);
            let outputs = [near, far, one].map(|index| (index, build.output(dtype, &[size])));
            let nest = build.nest(&[size]);
            for (index, output) in outputs {
                let map: &[usize] = if index == one { &[] } else { &[0] };
                let index = nest.load(index, map, Elem::I32);
                let value = nest.push(Inst::Lookup { table, index }, dtype.elem());
                nest.store(output, &[0], value);
            }
            check(&mut build, 2);
        }
    }
}

#[test]
fn scatters_add_in_order() {
    for elem in [Elem::I32, Elem::F32, Elem::F64] {
        for inner in SIZES {
            let mut build = Build::default();
            let sizes = [4, inner];
            let (values, mask) = (build.input(elem.dtype(), &sizes), build.input(DType::Bool, &sizes));
            let offsets = build.indices(DType::I32, &sizes, 20);
            let target = build.output(elem.dtype(), &[20]);
            let nest = build.nest(&sizes);
            let (value, mask) = (nest.load(values, &[0, 1], elem), nest.load(mask, &[0, 1], Elem::Bool));
            let zero = nest.literal(Literal::from_f64(-0.0, elem));
            let value = nest.push(Inst::Select(mask, value, zero), elem);
            nest.push(Inst::ScatterAdd { buffer: target, offsets, map: vec![0, 1], value }, elem);
            check(&mut build, 2);
        }
    }
}

#[test]
fn concatenations() {
    for dtype in DType::ALL {
        for first in [1, 16, 17, 33] {
            let mut build = Build::default();
            let (a, b) = (build.input(dtype, &[first]), build.input(dtype, &[2, 23]));
            let output = build.output(dtype, &[first + 46]);
            for (buffer, sizes, map, base) in [(a, vec![first], vec![0], 0), (b, vec![2, 23], vec![0, 1], first)] {
                let nest = build.nest(&sizes);
                let value = nest.load(buffer, &map, dtype.elem());
                nest.push(Inst::StoreAt { buffer: output, base, value }, dtype.elem());
            }
            check(&mut build, 2);
        }
    }
}

/// Elementary functions and halves divide a nest into stages: what an earlier one wrote is what a later one reads, a value
/// from before a write stays what it was, and sums and bits are taken in the stage where their values are.
#[test]
fn stages_keep_the_order_of_reads_and_writes() {
    for dtype in [DType::F32, DType::F16, DType::BF16, DType::F64] {
        for size in SIZES {
            let mut build = Build { seed: size as u64, ..Build::default() };
            let elem = dtype.elem();
            let (input, state) = (build.input(dtype, &[size]), build.output(dtype, &[size]));
            let (after, spikes) = (build.output(dtype, &[size]), build.output(DType::Bool, &[size]));
            let sum = build.output(elem.dtype(), &[]);
            let nest = build.nest(&[size]);
            let unary = |nest: &mut Nest, op, x| nest.push(Inst::Unary(op, x), elem);
            let binary = |nest: &mut Nest, op, x, y| nest.push(Inst::Binary(op, x, y), elem);
            let (current, before) = (nest.load(input, &[0], elem), nest.load(state, &[0], elem));
            let drive = unary(nest, UnaryOp::Tanh, current);
            let next = binary(nest, BinaryOp::Add, before, drive);
            nest.store(state, &[0], next);
            let written = nest.load(state, &[0], elem);
            let cosine = unary(nest, UnaryOp::Cos, written);
            let change = binary(nest, BinaryOp::Sub, cosine, before);
            let fired = nest.push(Inst::Compare(CompareOp::Gt, written, change), Elem::Bool);
            nest.store(spikes, &[0], fired);
            let decayed = unary(nest, UnaryOp::Exp, change);
            let chosen = nest.push(Inst::Select(fired, decayed, current), elem);
            nest.push(Inst::Reduce { op: ReduceOp::Sum, over: 0, value: chosen, buffer: sum, map: vec![] }, elem);
            nest.store(after, &[0], chosen);
            let last = nest.load(after, &[0], elem);
            nest.store(state, &[0], last);
            check(&mut build, 3);
        }
    }
}
