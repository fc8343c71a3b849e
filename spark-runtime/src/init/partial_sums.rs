//! Sums over axes, in the order in which XLA adds on a CPU, so that what is computed from them has the reference's bits.
//!
//! XLA first splits every summed axis that is longer than 32 into windows of 32 (the first and the last may be shorter,
//! as the padding goes half before and half after), sums each window, and repeats with the windows' sums until one is
//! left. Within a window it adds element after element in memory order, with one exception, which is LLVM's (for vectors of
//! 256 bits): where two axes are summed without windows, it may turn the outer loop into vectors. Then lane l of L adds the
//! elements of rows l, l + L and so on, one after another; the lanes are added by halves, and rows that fill no vector are
//! added to that, element by element. Where a third axis is outside these two, its loop goes on with the sum in lane 0.

use std::ops::Range;

/// Longest window.
const WINDOW: usize = 32;

/// The sum of each group: element `groups(shape, kept)(index)` has the sum over all `index` of that group.
pub(super) fn sums(values: &[f32], shape: &[usize], kept: &[usize]) -> Vec<f32> {
    let (mut values, mut shape) = (values.to_vec(), shape.to_vec());
    loop {
        let long = (0..shape.len()).any(|axis| !kept.contains(&axis) && shape[axis] > WINDOW);
        (values, shape) = summed_windows(&values, &shape, kept);
        if !long {
            break;
        }
    }
    // What is left has one element per group, in memory order.
    let group = groups(&shape, kept);
    let mut ordered = vec![0.0; values.len()];
    for (index, value) in values.into_iter().enumerate() {
        ordered[group(index)] = value;
    }
    ordered
}

/// The group of an element: its position along the axes `kept`, the last of them varying fastest.
pub(super) fn groups(shape: &[usize], kept: &[usize]) -> impl Fn(usize) -> usize + use<> {
    let strides = strides(shape);
    let kept: Vec<(usize, usize)> = kept.iter().map(|&axis| (strides[axis], shape[axis])).collect();
    move |index| kept.iter().fold(0, |group, (stride, dim)| group * dim + index / stride % dim)
}

/// Distance in memory between neighbours along each axis.
fn strides(shape: &[usize]) -> Vec<usize> {
    (0..shape.len()).map(|axis| shape[axis + 1..].iter().product()).collect()
}

/// Sums the windows of all axes but `kept`: the sums and their dimensions.
fn summed_windows(values: &[f32], shape: &[usize], kept: &[usize]) -> (Vec<f32>, Vec<usize>) {
    let axis_windows = |axis: usize| match kept.contains(&axis) {
        true => (0..shape[axis]).map(|at| at..at + 1).collect(),
        false => windows(shape[axis]),
    };
    let windows: Vec<Vec<Range<usize>>> = (0..shape.len()).map(axis_windows).collect();
    let counts: Vec<usize> = windows.iter().map(Vec::len).collect();
    let (strides, count_strides) = (strides(shape), strides(&counts));
    let single = counts.iter().enumerate().all(|(axis, &count)| kept.contains(&axis) || count == 1);
    let sums = (0..counts.iter().product()).map(|cell: usize| {
        let ranges = (0..shape.len()).map(|axis| windows[axis][cell / count_strides[axis] % counts[axis]].clone());
        let ranges: Vec<Range<usize>> = ranges.collect();
        let start = ranges.iter().zip(&strides).map(|(range, stride)| range.start * stride).sum();
        // Longer than one element, outermost first: what the loops of this window run over.
        let loops = ranges.iter().zip(&strides).filter(|(range, _)| range.len() > 1);
        let loops: Vec<(usize, usize)> = loops.map(|(range, &stride)| (range.len(), stride)).collect();
        let start = &values[start..];
        if single { in_lanes(0.0, start, &loops) } else { in_order(0.0, start, &loops) }
    });
    (sums.collect(), counts)
}

/// The windows of an axis.
fn windows(dim: usize) -> Vec<Range<usize>> {
    let count = dim.div_ceil(WINDOW).max(1);
    let before = if count == 1 { 0 } else { (count * WINDOW - dim) / 2 };
    let edge = |at: usize| (at * WINDOW).saturating_sub(before).min(dim);
    (0..count).map(|at| edge(at)..edge(at + 1)).collect()
}

/// `sum` plus the elements of nested loops of (length, stride), one after another.
fn in_order(sum: f32, values: &[f32], loops: &[(usize, usize)]) -> f32 {
    match loops {
        [] => sum + values[0],
        [(length, stride), inner @ ..] => {
            (0..*length).fold(sum, |sum, at| in_order(sum, &values[at * stride..], inner))
        }
    }
}

/// The same, with the second loop from within in vectors.
fn in_lanes(sum: f32, values: &[f32], loops: &[(usize, usize)]) -> f32 {
    match loops {
        [] | [_] => in_order(sum, values, loops),
        [(length, stride), inner @ ..] if inner.len() == 1 => {
            let lanes = lanes(*length);
            let whole = length - length % lanes;
            let lane = |lane: usize| {
                let first = if lane == 0 { sum } else { 0.0 };
                (lane..whole).step_by(lanes).fold(first, |sum, at| in_order(sum, &values[at * stride..], inner))
            };
            let sum = halves((0..lanes).map(lane).collect());
            (whole..*length).fold(sum, |sum, at| in_order(sum, &values[at * stride..], inner))
        }
        [(length, stride), inner @ ..] => {
            (0..*length).fold(sum, |sum, at| in_lanes(sum, &values[at * stride..], inner))
        }
    }
}

/// Lanes of the vectors that LLVM makes of a loop of this length; 1 is none.
fn lanes(length: usize) -> usize {
    match length {
        2 | 4 | 8 => length,
        0..16 => 1,
        // Half a vector of 8 left over would be slow.
        _ if length % 8 >= 4 => 4,
        _ => 8,
    }
}

/// Adds the upper half of the lanes to the lower half until one is left.
fn halves(mut lanes: Vec<f32>) -> f32 {
    while lanes.len() > 1 {
        let upper = lanes.split_off(lanes.len() / 2);
        lanes.iter_mut().zip(upper).for_each(|(lower, upper)| *lower += upper);
    }
    lanes[0]
}
