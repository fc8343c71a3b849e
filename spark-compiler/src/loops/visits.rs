//! Visits: the buffers that nests over some elements need, and the lists of these elements.
//!
//! What visits share, a list of the columns with an event in this step, is made once, by a nest of its own before the first.

use super::buffer::{BufferId, Role};
use super::fuse::{Building, Lowering};
use super::nest::{Arrivals, Inst, LANES, LISTED, Nest, Scan, Visit, Walk};
use super::schedule::resolve;
use crate::ir::{Array, Axis, Bounds, ConstId, DType, Data, Elem, HistoryId, Location, OpId, Shape};
use crate::pages;
use crate::share::share;

/// Rows that a list can name: in 16 bits.
pub(crate) const MOST_ROWS: usize = 1 << 16;

/// Elements that lists can name, with what fills them up: places among them are `i32`.
pub(crate) const MOST_LISTED: usize = 1 << 30;

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
        building.nest.walk = Walk::Visit(Visit { rows, scan, log, sums, beside: None });
    }

    /// The list of `columns` with an event and of what arrives for visit `number`; made before the first visit.
    fn scan(&mut self, columns: Vec<BufferId>, number: usize, sizes: [usize; 2]) -> usize {
        let delayed = self.visits.list[number].delayed;
        let key = (columns.clone(), delayed.map(|d| (d.history, d.delays)), sizes);
        if let Some(&scan) = self.scans.get(&key) {
            return scan;
        }
        let delayed = delayed.map(|delayed| {
            let (least, pitch, lists, targets) = self.arrivals(delayed.delays);
            let history = self.histories[&delayed.history];
            let steps = self.out.buffer(lists).shape.size() / 2 / sizes[1];
            Arrivals { history, delays: self.constant(delayed.delays), least, steps, lists, targets, pitch }
        });
        let steps = delayed.as_ref().map_or(1, |d| d.steps);
        // Most lists have room for all pairs. Of few rows, that could be more than the arrays take.
        let pairs = sizes[1] * steps;
        let most = pairs.min((pairs / 4).max(sizes[0] * sizes[1] / LISTED));
        let list = Shape::of(Axis::anonymous(0), &[LISTED * (most + 8 * steps)]);
        let list = self.buffer("events", Role::Temporary, DType::I32, list);
        let count = self.buffer("events.count", Role::Temporary, DType::I32, Shape::scalar());
        self.out.scans.push(Scan { sizes, columns, delayed, list, count, most });
        let scan = self.out.scans.len() - 1;
        self.scans.insert(key, scan);
        self.out.nests.push(Nest { walk: Walk::Scan(scan), ..Nest::default() });
        scan
    }

    /// The least of these delays, the pitch, and the constants `lists` and `targets` for them.
    fn arrivals(&mut self, delays: ConstId) -> (usize, usize, BufferId, BufferId) {
        if let Some(&lists) = self.arrivals.get(&delays) {
            return lists;
        }
        let Lists { least, pitch, lists, targets } = arrivals(&self.program.constant(delays).value);
        let mut constant = |name: &str, data: Data| {
            let shape = Shape::of(Axis::anonymous(0), &[data.len()]);
            let array = Array::new(shape.clone(), data).expect("one element per element of the shape");
            let dtype = array.dtype();
            self.buffer(name, Role::Constant(array), dtype, shape)
        };
        let lists = constant("arrivals.lists", Data::I32(lists));
        let lists = (least, pitch, lists, constant("arrivals.targets", Data::U16(targets)));
        self.arrivals.insert(delays, lists);
        lists
    }
}

/// Lists of arrivals: what [`Arrivals`] says of delays.
struct Lists {
    least: usize,
    pitch: usize,
    lists: Vec<i32>,
    targets: Vec<u16>,
}

/// The lists for `delays` over rows and columns.
fn arrivals(delays: &Array) -> Lists {
    let sizes = delays.shape().sizes();
    let Bounds { low, high, .. } = delays.bounds();
    let (least, steps) = (low as usize, (high - low) as usize + 1);
    match delays.data() {
        Data::U8(delays) => buckets(delays, sizes[1], least, steps),
        Data::U16(delays) => buckets(delays, sizes[1], least, steps),
        _ => buckets(&delays.to_i32(), sizes[1], least, steps),
    }
}

/// The lists for delays in rows of `columns`.
fn buckets<T: Copy + TryInto<usize> + Sync>(delays: &[T], columns: usize, least: usize, steps: usize) -> Lists {
    /// Columns whose lists are made together: what is written stays in the fastest cache.
    const BLOCK: usize = 64;
    let rows = delays.len() / columns.max(1);
    // Each list has up to three elements more; a column begins where a vector may.
    let pitch = (rows + 3 * steps.min(rows)).next_multiple_of(16).max(16);
    let mut lists = vec![0; 2 * columns * steps];
    let mut targets = pages::zeros(columns * pitch);
    let blocks = lists.chunks_mut(BLOCK * 2 * steps).zip(targets.chunks_mut(BLOCK * pitch)).enumerate();
    share(delays.len(), blocks, |(block, (lists, targets))| {
        let (first, width) = (block * BLOCK, targets.len() / pitch);
        // Rows of large arrays often lie a power of two apart, and would share a few places of the cache.
        let mut near = Vec::with_capacity(rows * width);
        (0..rows).for_each(|row| near.extend_from_slice(&delays[row * columns + first..][..width]));
        some_buckets(&near, [least, steps, first * pitch, pitch], lists, targets);
    });
    Lists { least, pitch, lists, targets }
}

/// The lists of some columns, the first of which begins at `start`. A function of its own, as numbers that a closure refers to
/// are read anew for every element.
fn some_buckets<T: Copy + TryInto<usize>>(
    delays: &[T],
    [least, steps, start, pitch]: [usize; 4],
    lists: &mut [i32],
    targets: &mut [u16],
) {
    let step = |delay: T| delay.try_into().map_or(0, |delay: usize| delay - least);
    let width = targets.len() / pitch;
    let mut counts = vec![0u32; width * steps];
    for row in delays.chunks_exact(width) {
        for (&delay, counts) in row.iter().zip(counts.chunks_exact_mut(steps)) {
            counts[step(delay)] += 1;
        }
    }
    // What fills a list up comes first: of what is stored twice, the last stays.
    let mut next = Vec::with_capacity(counts.len());
    for (column, (counts, lists)) in counts.chunks(steps).zip(lists.chunks_mut(2 * steps)).enumerate() {
        let mut total = column * pitch;
        for (&count, list) in counts.iter().zip(lists.chunks_mut(2)) {
            list[0] = (start + total) as i32;
            total += count.next_multiple_of(4) as usize;
            list[1] = (start + total) as i32;
            next.push(total - count as usize);
        }
    }
    for (row, delays) in delays.chunks_exact(width).enumerate() {
        for (&delay, next) in delays.iter().zip(next.chunks_exact_mut(steps)) {
            let next = &mut next[step(delay)];
            let at = *next;
            *next = at + 1;
            targets[at] = row as u16;
        }
    }
    for (end, count) in next.into_iter().zip(counts) {
        let (begin, all) = (end - count as usize, count.next_multiple_of(4) as usize);
        let row = if count > 0 { targets[begin] } else { 0 };
        targets[end - all..begin].fill(row);
    }
}

/// Where each element lies within its column, in the host's order, if columns lie as `lists` and `targets` have them, and
/// `mark` of the step of its delay.
pub(super) fn places(
    lists: &[i32],
    targets: &[u16],
    [rows, columns]: [usize; 2],
    pitch: usize,
    mark: impl Fn(usize) -> u16,
) -> Vec<u16> {
    let mut places = pages::zeros(rows * columns);
    for (column, lists) in lists.chunks(lists.len() / columns).enumerate() {
        for (step, list) in lists.chunks(2).enumerate() {
            let (from, to) = (list[0] as usize, list[1] as usize);
            for (at, &row) in targets[from..to].iter().enumerate() {
                places[usize::from(row) * columns + column] = (from + at - column * pitch) as u16 | mark(step);
            }
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Axis, Data, Shape};

    /// Each element is in the list of its column and delay once; what fills lists up repeats the first.
    #[track_caller]
    fn check(rows: usize, columns: usize, delay: impl Fn(usize, usize) -> usize) {
        let shape = Shape::of(Axis::anonymous(0), &[rows]).with(Axis::anonymous(1), &[columns]);
        let elements = (0..rows * columns).map(|at| delay(at / columns, at % columns) as u8).collect();
        let delays = Array::new(shape, Data::U8(elements)).unwrap();
        let Lists { least, pitch, lists, targets } = arrivals(&delays);
        let steps = lists.len() / 2 / columns;
        assert_eq!((lists.len(), targets.len()), (2 * columns * steps, columns * pitch));
        let (mut listed, mut end) = (0, 0);
        for (bucket, list) in lists.chunks(2).enumerate() {
            let (column, step) = (bucket / steps, bucket % steps + least);
            if bucket % steps == 0 {
                end = column * pitch;
            }
            let rows: Vec<usize> = (0..rows).filter(|&row| delay(row, column) == step).collect();
            listed += rows.len();
            let filled = rows.len().next_multiple_of(4) - rows.len();
            assert_eq!((list[0] as usize, list[1] as usize), (end, end + filled + rows.len()));
            end = list[1] as usize;
            assert!(end <= (column + 1) * pitch, "{bucket}");
            let (repeated, once) = targets[list[0] as usize..end].split_at(filled);
            assert!(once.iter().map(|&row| usize::from(row)).eq(rows.iter().copied()), "{bucket}: {once:?}");
            assert!(repeated.iter().all(|row| Some(row) == once.first()), "{bucket}: {once:?} {repeated:?}");
        }
        assert_eq!(listed, rows * columns);
        let (bits, most) = (pitch.next_power_of_two().trailing_zeros(), least + steps - 1);
        if (most + 1) << bits > 1 << 16 {
            return;
        }
        let places = places(&lists, &targets, [rows, columns], pitch, |step| ((least + step) << bits) as u16);
        for (element, &value) in places.iter().enumerate() {
            let (row, column) = (element / columns, element % columns);
            let place = value & ((1 << bits) - 1);
            assert_eq!(usize::from(value >> bits), delay(row, column));
            let at = column * pitch + usize::from(place);
            let list = lists.chunks(2).position(|list| (list[0]..list[1]).contains(&(at as i32))).unwrap();
            assert_eq!((usize::from(targets[at]), list), (row, column * steps + delay(row, column) - least));
            assert!(targets[at + 1..lists[2 * list + 1] as usize].iter().all(|&after| usize::from(after) != row));
        }
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
        assert_eq!(usize::from(u16::MAX) + 1, MOST_ROWS);
        check(MOST_ROWS, 1, |row, _| usize::from(row + 1 == MOST_ROWS));
    }
}
