//! Visits: the buffers that nests over some elements need, and the lists of these elements.
//!
//! What visits share, a list of the columns with an event in this step, is made once, by a nest of its own before the first.

use super::fuse::{Building, Lowering};
use super::nest::{Arrivals, BufferId, Inst, LANES, LISTED, Lowered, Nest, Role, Scan, Typed, Visit, Walk};
use super::schedule::resolve;
use crate::ir::{Array, Axis, Bounds, ConstId, DType, Data, Elem, HistoryId, Location, OpId, Shape};

/// Rows that a list can name.
pub(crate) const MOST_ROWS: usize = 1 << 15;

/// All elements are visited if more than one in so many has an event.
pub(crate) const DENSE_FROM: usize = 4;

/// The same for whole columns of arrays that lie by rows, of at least [`LARGE`] elements: each element is a cache line. Measured on
/// arrays of 512 by 1024.
const DENSE_FROM_LINES: usize = 32;
const LARGE: usize = 1 << 16;

/// Has all elements be visited sooner where an element costs a cache line; which arrays lie by columns is known now.
pub(super) fn shorten(lowered: &mut Lowered) {
    for at in 0..lowered.scans.len() {
        let Scan { sizes, delayed, list, .. } = &lowered.scans[at];
        let by_lines = |nest: &Nest| {
            let accessed = |typed: &Typed| match &typed.inst {
                Inst::Load { buffer, map } | Inst::Store { buffer, map, .. } => {
                    map.len() == 2 && !lowered.buffer(*buffer).turned
                }
                _ => false,
            };
            nest.visit().is_some_and(|visit| visit.scan == Some(at)) && nest.insts.iter().any(accessed)
        };
        if delayed.is_some() || sizes[0] * sizes[1] < LARGE || !lowered.nests.iter().any(by_lines) {
            continue;
        }
        let (list, most) = (*list, sizes[1] / DENSE_FROM_LINES);
        lowered.scans[at].most = most;
        lowered.buffers[list.index()].shape = list_shape(most, 1);
    }
}

/// Room for a list of `most` pairs, and for what one block of eight columns adds.
fn list_shape(most: usize, steps: usize) -> Shape {
    Shape::of(Axis::anonymous(0), &[LISTED * (most + 8 * steps)])
}

/// Bits over columns, delayed ones, and the sizes of the domain.
pub(super) type ScanKey = (Vec<BufferId>, Option<(HistoryId, ConstId)>, [usize; 2]);

impl Lowering<'_> {
    /// Has a nest visit the elements of visit `number`.
    pub(super) fn make_visit(&mut self, number: usize, building: &mut Building) {
        let visit = &self.visits.list[number];
        let mut memory = |ids: &[OpId]| ids.iter().map(|&id| self.memory_of(resolve(self.program, id))).collect();
        let (rows, columns): (Vec<BufferId>, Vec<BufferId>) = (memory(&visit.rows), memory(&visit.columns));
        if self.out.dense.is_none() {
            self.out.dense = Some(self.buffer("dense", Role::Dense, DType::I32, Shape::scalar()));
        }
        // Rows spare the elements of visited columns, so they have to know them.
        for &buffer in columns.iter().filter(|_| !rows.is_empty()) {
            let load = Inst::Load { buffer, map: vec![1] };
            building.push(load, Elem::Bool, Location::UNKNOWN);
        }
        let sizes = [building.nest.sizes[0], building.nest.sizes[1]];
        let listed = !columns.is_empty() || visit.delayed.is_some();
        let scan = listed.then(|| self.scan(columns, number, sizes));
        let mut sums = Vec::new();
        for typed in &building.stores {
            if let Inst::Reduce { buffer, .. } = typed.inst {
                let shape = Shape::of(Axis::anonymous(0), &[LANES]).with(Axis::anonymous(1), &[sizes[0]]);
                sums.push((buffer, self.buffer("partial sums", Role::Log, typed.elem.dtype(), shape)));
            }
        }
        let log = self.replay_before(number, scan, building);
        building.nest.walk = Walk::Visit(Visit { rows, scan, log, sums });
    }

    /// The list of `columns` with an event and of what arrives for visit `number`; made before the first visit.
    fn scan(&mut self, columns: Vec<BufferId>, number: usize, sizes: [usize; 2]) -> usize {
        let delayed = self.visits.list[number].delayed;
        let key = (columns.clone(), delayed.map(|d| (d.history, d.delays)), sizes);
        if let Some(&scan) = self.scans.get(&key) {
            return scan;
        }
        let delayed = delayed.map(|delayed| {
            let (least, lists, targets) = self.arrivals(delayed.delays);
            let history = self.histories[&delayed.history];
            let steps = self.out.buffer(lists).shape.size() / 2 / sizes[1];
            Arrivals { history, delays: self.constant(delayed.delays), least, steps, lists, targets }
        });
        let steps = delayed.as_ref().map_or(1, |d| d.steps);
        let most = sizes[1] * steps / DENSE_FROM;
        let list = self.buffer("events", Role::Temporary, DType::I32, list_shape(most, steps));
        let count = self.buffer("events.count", Role::Temporary, DType::I32, Shape::scalar());
        self.out.scans.push(Scan { sizes, columns, delayed, list, count, most });
        let scan = self.out.scans.len() - 1;
        self.scans.insert(key, scan);
        self.out.nests.push(Nest { walk: Walk::Scan(scan), ..Nest::default() });
        scan
    }

    /// The least of these delays, and the constants `lists` and `targets` for them.
    fn arrivals(&mut self, delays: ConstId) -> (usize, BufferId, BufferId) {
        if let Some(&lists) = self.arrivals.get(&delays) {
            return lists;
        }
        let (least, lists, targets) = arrivals(&self.program.constant(delays).value);
        let mut constant = |name: &str, data: Data| {
            let shape = Shape::of(Axis::anonymous(0), &[data.len()]);
            let array = Array::new(shape.clone(), data).expect("one element per element of the shape");
            let dtype = array.dtype();
            self.buffer(name, Role::Constant(array), dtype, shape)
        };
        let lists = constant("arrivals.lists", Data::I32(lists));
        let lists = (least, lists, constant("arrivals.targets", Data::U16(targets)));
        self.arrivals.insert(delays, lists);
        lists
    }
}

/// The least delay, `lists` and `targets` of [`Arrivals`] for `delays` over rows and columns.
fn arrivals(delays: &Array) -> (usize, Vec<i32>, Vec<u16>) {
    let sizes = delays.shape().sizes();
    let Bounds { low, high, .. } = delays.bounds();
    let (least, steps) = (low as usize, (high - low) as usize + 1);
    let (lists, targets) = match delays.data() {
        Data::U8(delays) => buckets(delays, sizes[1], least, steps),
        Data::U16(delays) => buckets(delays, sizes[1], least, steps),
        _ => buckets(&delays.to_i32(), sizes[1], least, steps),
    };
    (least, lists, targets)
}

/// `lists` and `targets` for delays in rows of `columns`.
fn buckets<T: Copy + TryInto<usize>>(delays: &[T], columns: usize, least: usize, steps: usize) -> (Vec<i32>, Vec<u16>) {
    /// Columns whose lists are made together: what is written stays in the fastest cache.
    const BLOCK: usize = 64;
    let step = |delay: T| delay.try_into().map_or(0, |delay: usize| delay - least);
    let mut lists = Vec::with_capacity(2 * columns * steps);
    let mut targets: Vec<u16> = Vec::with_capacity(delays.len() + delays.len() / 8);
    for first in (0..columns).step_by(BLOCK) {
        let width = BLOCK.min(columns - first);
        let block = |row: usize| &delays[row * columns + first..][..width];
        let rows = delays.len() / columns;
        let mut counts = vec![0usize; width * steps];
        for row in 0..rows {
            for (column, &delay) in block(row).iter().enumerate() {
                counts[column * steps + step(delay)] += 1;
            }
        }
        let mut next = Vec::with_capacity(counts.len());
        let mut total = targets.len();
        for &count in &counts {
            lists.extend([total as i32, (total + count) as i32]);
            next.push(total);
            total += count.next_multiple_of(4);
        }
        targets.resize(total, 0);
        for row in 0..rows {
            for (column, &delay) in block(row).iter().enumerate() {
                let at = &mut next[column * steps + step(delay)];
                targets[*at] = row as u16;
                *at += 1;
            }
        }
        for (end, count) in next.into_iter().zip(counts) {
            if !count.is_multiple_of(4) {
                let last = targets[end - 1];
                targets[end..end + (4 - count % 4)].fill(last);
            }
        }
    }
    (lists, targets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Axis, Data, Shape};

    /// Each element is in the list of its column and delay once; what fills lists up repeats the last.
    #[track_caller]
    fn check(rows: usize, columns: usize, delay: impl Fn(usize, usize) -> usize) {
        let shape = Shape::of(Axis::anonymous(0), &[rows]).with(Axis::anonymous(1), &[columns]);
        let elements = (0..rows * columns).map(|at| delay(at / columns, at % columns) as u8).collect();
        let delays = Array::new(shape, Data::U8(elements)).unwrap();
        let (least, lists, targets) = arrivals(&delays);
        let steps = lists.len() / 2 / columns;
        assert_eq!(lists.len(), 2 * columns * steps);
        let (mut listed, mut end) = (0, 0);
        for (bucket, list) in lists.chunks(2).enumerate() {
            let (column, step) = (bucket / steps, bucket % steps + least);
            let rows: Vec<usize> = (0..rows).filter(|&row| delay(row, column) == step).collect();
            listed += rows.len();
            assert_eq!((list[0] as usize, (list[1] - list[0]) as usize), (end, rows.len()));
            end += rows.len().next_multiple_of(4);
            let (first, repeated) = targets[list[0] as usize..end].split_at(rows.len());
            assert!(first.iter().map(|&row| usize::from(row)).eq(rows.iter().copied()), "{bucket}: {first:?}");
            assert!(repeated.iter().all(|row| Some(row) == first.last()), "{bucket}: {first:?} {repeated:?}");
        }
        assert_eq!((listed, end), (rows * columns, targets.len()));
    }

    #[test]
    fn every_element_is_listed_once() {
        for (rows, columns) in [(1, 1), (3, 4), (4, 8), (5, 9), (17, 7), (8, 16)] {
            for steps in [1, 2, 8, 20] {
                check(rows, columns, |row, column| (row * 7 + column * 3 + row * column) % steps);
            }
        }
    }

    #[test]
    fn delays_that_do_not_occur_have_empty_lists() {
        check(6, 3, |_, _| 8);
        check(6, 3, |row, _| row % 2 * 5 + 1);
    }

    #[test]
    fn the_last_row_that_a_list_can_name() {
        check(MOST_ROWS, 1, |row, _| usize::from(row + 1 == MOST_ROWS));
    }
}
