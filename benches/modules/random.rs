//! The generator of the modules that draw, Threefry-2x32 with 20 rounds, as one writes it for one number at a time.

/// Two random words.
#[inline]
pub(crate) fn threefry(key: [u32; 2], counter: [u32; 2]) -> [u32; 2] {
    const ROTATIONS: [[u32; 4]; 2] = [[13, 15, 26, 6], [17, 29, 16, 24]];
    let schedule = [key[0], key[1], key[0] ^ key[1] ^ 0x1BD1_1BDA];
    let [mut x, mut y] = [counter[0].wrapping_add(key[0]), counter[1].wrapping_add(key[1])];
    for round in 0..5 {
        for by in ROTATIONS[round % 2] {
            x = x.wrapping_add(y);
            y = y.rotate_left(by) ^ x;
        }
        x = x.wrapping_add(schedule[(round + 1) % 3]);
        y = y.wrapping_add(schedule[(round + 2) % 3]).wrapping_add(round as u32 + 1);
    }
    [x, y]
}

/// A number from 0 to 1, that of an element.
#[inline]
pub(crate) fn uniform(key: [u32; 2], element: usize) -> f32 {
    let [x, y] = threefry(key, [0, element as u32]);
    f32::from_bits((x ^ y) >> 9 | 0x3f80_0000) - 1.0
}

/// A chain of keys, one for each draw.
pub(crate) struct Chain([u32; 2]);

impl Chain {
    /// The chain that a module has drawn nothing from yet.
    pub(crate) fn of(model: &spark::prelude::Model) -> spark::Result<Chain> {
        let word = |name: &str| Ok::<u32, spark::Error>(model.state(name)?.to_i32()[0] as u32);
        Ok(Chain([word("rng.high")?, word("rng.low")?]))
    }

    /// The next key.
    pub(crate) fn next(&mut self) -> [u32; 2] {
        let draw = threefry(self.0, [0, 1]);
        self.0 = threefry(self.0, [0, 0]);
        draw
    }
}
