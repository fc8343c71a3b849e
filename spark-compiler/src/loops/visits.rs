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
