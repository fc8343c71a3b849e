//! Lists of arrivals: which elements a delayed event reaches, by column and delay.

use super::nest::REPEATED;
use crate::ir::Array;

/// Rows that a list can name.
pub(crate) const MOST_ROWS: usize = REPEATED as usize;

/// `starts` and `targets` of [`super::Arrivals`] for `delays` over rows and columns, each below `steps`.
pub(super) fn arrivals(delays: &Array, steps: usize) -> (Vec<i32>, Vec<u16>) {
    let sizes = delays.shape().sizes();
    let (rows, columns) = (sizes[0], sizes[1]);
    let delays = delays.to_i32();
    let bucket = |row: usize, column: usize| column * steps + delays[row * columns + column] as usize;
    let mut counts = vec![0u32; columns * steps];
    for row in 0..rows {
        for column in 0..columns {
            counts[bucket(row, column)] += 1;
        }
    }
    let mut starts = Vec::with_capacity(counts.len() + 1);
    let mut total = 0u32;
    for &count in &counts {
        starts.push(total as i32);
        total += count.next_multiple_of(4);
    }
    // Loops go over eight columns at a time.
    starts.resize(columns.next_multiple_of(8) * steps + 1, total as i32);
    let mut targets = vec![0u16; total as usize];
    let mut next: Vec<u32> = starts.iter().map(|&start| start as u32).collect();
    for row in 0..rows {
        for column in 0..columns {
            let at = &mut next[bucket(row, column)];
            targets[*at as usize] = row as u16;
            *at += 1;
        }
    }
    for (bucket, &count) in counts.iter().enumerate() {
        let end = next[bucket] as usize;
        if !count.is_multiple_of(4) {
            let last = targets[end - 1];
            targets[end..starts[bucket + 1] as usize].fill(last | REPEATED);
        }
    }
    (starts, targets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Axis, Data, Shape};

    /// Each element is in the list of its column and delay once, marked repetitions fill lists up, and columns that fill a
    /// block up have none.
    #[track_caller]
    fn check(rows: usize, columns: usize, steps: usize, delay: impl Fn(usize, usize) -> usize) {
        let shape = Shape::units(&[rows]).with(Axis::PRE, &[columns]);
        let list = (0..rows * columns).map(|i| delay(i / columns, i % columns) as i32).collect();
        let delays = Array::new(shape, Data::I32(list).convert(crate::ir::DType::U8)).unwrap();
        let (starts, targets) = arrivals(&delays, steps);
        assert_eq!(starts.len(), columns.next_multiple_of(8) * steps + 1);
        assert_eq!((starts[0], *starts.last().unwrap()), (0, targets.len() as i32));
        for (bucket, ends) in starts.windows(2).enumerate() {
            let (column, step) = (bucket / steps, bucket % steps);
            let list = &targets[ends[0] as usize..ends[1] as usize];
            let rows: Vec<usize> = (0..rows).filter(|&row| column < columns && delay(row, column) == step).collect();
            let (first, repeated) = list.split_at(rows.len());
            assert!(first.iter().map(|&row| usize::from(row)).eq(rows.iter().copied()), "{bucket}: {list:?}");
            assert_eq!(list.len(), rows.len().next_multiple_of(4));
            assert!(repeated.iter().all(|&row| Some(&(row ^ REPEATED)) == first.last()), "{bucket}: {list:?}");
        }
    }

    #[test]
    fn every_element_is_listed_once() {
        for (rows, columns) in [(1, 1), (3, 4), (4, 8), (5, 9), (17, 7), (8, 16)] {
            for steps in [1, 2, 8, 20] {
                check(rows, columns, steps, |row, column| (row * 7 + column * 3 + row * column) % steps);
            }
        }
    }

    #[test]
    fn delays_that_do_not_occur_have_empty_lists() {
        check(6, 3, 9, |_, _| 8);
        check(6, 3, 9, |row, _| row % 2 * 5);
    }

    #[test]
    fn the_last_row_that_a_list_can_name() {
        check(MOST_ROWS, 1, 2, |row, _| usize::from(row + 1 == MOST_ROWS));
    }
}
