//! The counter-based random generator Threefry-2x32 with 20 rounds.
//!
//! Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011; the generator of JAX.

use super::Arith;

const ROTATIONS: [[u32; 4]; 2] = [[13, 15, 26, 6], [17, 29, 16, 24]];

/// Constant of the key schedule.
const PARITY: i64 = 0x1BD1_1BDA;

/// Blocks of four rounds, each of which ends with an injection of the key.
pub const BLOCKS: usize = 5;

/// A draw on its way, on 32-bit lanes.
#[derive(Clone, Copy, Debug)]
pub struct Draw<I> {
    schedule: [I; 3],
    /// The words, random once all blocks are done.
    pub words: [I; 2],
}

impl<I: Copy> Draw<I> {
    /// The draw of `counter` under `key`.
    #[inline(always)]
    pub fn new<A: Arith<I = I>>(a: &mut A, key: [I; 2], counter: [I; 2]) -> Draw<I> {
        debug_assert_eq!(A::MANTISSA, 23, "threefry works on 32-bit words");
        let parity = a.int(PARITY);
        let third = a.ixor(key[0], key[1]);
        let third = a.ixor(third, parity);
        let words = [a.iadd(counter[0], key[0]), a.iadd(counter[1], key[1])];
        Draw { schedule: [key[0], key[1], third], words }
    }

    /// The next four rounds; blocks are counted from 0.
    #[inline(always)]
    pub fn advance<A: Arith<I = I>>(&mut self, a: &mut A, block: usize) {
        let [mut x, mut y] = self.words;
        for by in ROTATIONS[block % 2] {
            x = a.iadd(x, y);
            let (left, right) = (a.ishl(y, by), a.ishr(y, 32 - by));
            y = a.ior(left, right);
            y = a.ixor(x, y);
        }
        x = a.iadd(x, self.schedule[(block + 1) % 3]);
        y = a.iadd(y, self.schedule[(block + 2) % 3]);
        let injection = a.int(block as i64 + 1);
        y = a.iadd(y, injection);
        self.words = [x, y];
    }
}

/// The two random words of `counter` under `key`, on 32-bit lanes.
#[inline(always)]
pub fn threefry<A: Arith>(a: &mut A, key: [A::I; 2], counter: [A::I; 2]) -> [A::I; 2] {
    let mut draw = Draw::new(a, key, counter);
    for block in 0..BLOCKS {
        draw.advance(a, block);
    }
    draw.words
}
