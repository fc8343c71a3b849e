//! Sums over axes, in the order in which XLA adds on a CPU, so that what is computed from them has the reference's bits.
//!
//! XLA first splits every summed axis that is longer than 32 into windows of 32 (the first and the last may be shorter,
//! as the padding goes half before and half after), sums each window, and repeats with the windows' sums until one is
//! left. Within a window it adds element after element in memory order, with one exception: if several axes are summed and
//! the outermost has 2, 4, 8 or 16 elements, LLVM gives each of these its own lane of a vector, and adds the lanes by
//! halves at the end.

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
        match loops.as_slice() {
            [(lanes @ (2 | 4 | 8 | 16), stride), inner @ ..] if single && !inner.is_empty() => {
                halves((0..*lanes).map(|lane| in_order(&values[start + lane * stride..], inner)).collect())
            }
            loops => in_order(&values[start..], loops),
        }
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

/// The sum over nested loops of (length, stride), element after element.
fn in_order(values: &[f32], loops: &[(usize, usize)]) -> f32 {
    fn add(sum: f32, values: &[f32], loops: &[(usize, usize)]) -> f32 {
        match loops {
            [] => sum + values[0],
            [(length, stride), inner @ ..] => (0..*length).fold(sum, |sum, at| add(sum, &values[at * stride..], inner)),
        }
    }
    add(0.0, values, loops)
}

/// Adds the upper half of the lanes to the lower half until one is left.
fn halves(mut lanes: Vec<f32>) -> f32 {
    while lanes.len() > 1 {
        let upper = lanes.split_off(lanes.len() / 2);
        lanes.iter_mut().zip(upper).for_each(|(lower, upper)| *lower += upper);
    }
    lanes[0]
}
