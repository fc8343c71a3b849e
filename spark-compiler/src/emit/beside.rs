//! Values of rows that lie beside each other in a copy: see [`Beside`].

use super::access::{At, Memories};
use super::lanes::Lanes;
use crate::loops::Beside;
use cranelift::prelude::*;

/// Makes the copy.
pub(super) fn copy(m: &mut Memories<'_, '_>, rows: usize, beside: &Beside) {
    let width = Beside::width(beside.values.len());
    let (l, _) = m.open_loop(&[]);
    let at = At { chunk: l.counter, first: 0, valid: 4, listed: None, placed: None };
    let values = beside.values.iter().map(|&buffer| {
        let place = m.place(buffer, &vec![0], Some(0), &[]);
        m.load(place, at).one()
    });
    let values: Vec<Value> = values.collect();
    let to = m.place(beside.copy, &vec![], None, &[]);
    let first = m.c.b.ins().imul_imm_s(l.counter, width as i64);
    for (n, vector) in m.exchanged(&values).into_iter().enumerate() {
        m.store_vector(to, Some(first), 4 * n, Lanes::One(vector));
    }
    m.close_loop(l, 4, rows, &[]);
}

/// The values of four rows.
pub(super) fn of_rows(m: &mut Memories<'_, '_>, beside: &Beside, rows: [Value; 4]) -> Vec<Lanes> {
    let width = Beside::width(beside.values.len());
    let from = m.place(beside.copy, &vec![], None, &[]);
    let rows = rows.map(|row| {
        let first = m.c.b.ins().imul_imm_s(row, width as i64);
        m.load_vector(from, first)
    });
    let [a, b, c, d] = rows;
    let mut values = match width {
        2 => {
            let (low, high) = (m.c.pick(a, b, FIRST), m.c.pick(c, d, FIRST));
            vec![m.c.pick(low, high, [0, 1, 4, 5]), m.c.pick(low, high, [2, 3, 6, 7])]
        }
        _ => m.exchanged(&rows),
    };
    values.truncate(beside.values.len());
    values.into_iter().map(Lanes::One).collect()
}

/// The first two lanes of two vectors in turns.
const FIRST: [u8; 4] = [0, 4, 1, 5];

/// The last two.
const LAST: [u8; 4] = [2, 6, 3, 7];

impl Memories<'_, '_> {
    /// Lanes of two to four vectors in turns: the first lanes of all, filled up to a power of two, the second ones, and so on.
    fn exchanged(&mut self, vectors: &[Value]) -> Vec<Value> {
        let c = &mut self.c;
        let &[a, b, ref others @ ..] = vectors else { unreachable!("two to four vectors") };
        let (low, high) = (c.pick(a, b, FIRST), c.pick(a, b, LAST));
        let &[third, ref fourth @ ..] = others else { return vec![low, high] };
        let fourth = fourth.first().copied().unwrap_or(third);
        let (low_others, high_others) = (c.pick(third, fourth, FIRST), c.pick(third, fourth, LAST));
        let pairs = [(low, low_others), (high, high_others)];
        pairs.into_iter().flat_map(|(x, y)| [c.pick(x, y, [0, 1, 4, 5]), c.pick(x, y, [2, 3, 6, 7])]).collect()
    }
}
