//! Random numbers, bit for bit those of JAX: Threefry-2x32 with 20 rounds, in the "partitionable" layout.
//!
//! A [`Key`] goes in, an array of draws comes out; a key is used once and split when more is needed. Element `i` of a
//! draw depends on the key and `i` alone. Fused multiply-adds are written out where XLA contracts, and nowhere else, so
//! the numbers are the same on every machine.
//!
//! Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011 (the cipher); JAX 0.8 with
//! `jax_threefry_partitionable = True` (how draws are made from it).

mod double;
mod normal;

use half::f16;
use spark_compiler::intrinsics::threefry_words;

/// Draws that are made at once.
const BLOCK: usize = 1024;

/// A key of the random generator; draws from one key are all made of the same stream, so use each key once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Key(pub [u32; 2]);

impl Key {
    /// The key of a seed.
    pub const fn new(seed: u32) -> Key {
        Key([0, seed])
    }

    /// `n` independent keys.
    pub fn split(self, n: usize) -> Vec<Key> {
        (0..n as u64).map(|i| Key(self.block(i))).collect()
    }

    /// Two independent keys.
    pub fn split2(self) -> (Key, Key) {
        (Key(self.block(0)), Key(self.block(1)))
    }

    /// A key that depends on `data` as well, for a family of keys indexed by a number.
    pub fn fold_in(self, data: u32) -> Key {
        Key(threefry(self.0, [0, data]))
    }

    /// `n` words of 32 random bits.
    pub fn bits32(self, n: usize) -> Vec<u32> {
        self.draw(n, |word| word)
    }

    /// `n` words of 16 random bits: the low halves of [`Key::bits32`].
    pub fn bits16(self, n: usize) -> Vec<u16> {
        self.draw(n, |word| word as u16)
    }

    /// `n` random bytes: the low bytes of [`Key::bits32`].
    pub fn bits8(self, n: usize) -> Vec<u8> {
        self.draw(n, |word| word as u8)
    }

    /// `n` numbers uniform in [0, 1), multiples of 2⁻²³.
    pub fn uniform_f32(self, n: usize) -> Vec<f32> {
        self.draw(n, unit_f32)
    }

    /// `n` numbers uniform in [`min`, `max`).
    pub fn uniform_f32_in(self, n: usize, min: f32, max: f32) -> Vec<f32> {
        self.draw(n, |word| scaled_f32(word, min, max))
    }

    /// `n` half-precision numbers uniform in [0, 1), multiples of 2⁻¹⁰.
    pub fn uniform_f16(self, n: usize) -> Vec<f16> {
        self.draw(n, |word| unit_f16(word as u16))
    }

    /// `n` numbers of the standard normal distribution, by inversion.
    pub fn normal_f32(self, n: usize) -> Vec<f32> {
        self.draw(n, normal::from_bits)
    }

    /// `n` integers uniform in [`low`, `high`); all `low` if the range is empty.
    pub fn randint(self, n: usize, low: i32, high: i32) -> Vec<i32> {
        let span = if high > low { high.wrapping_sub(low) as u32 } else { 1 };
        let (high_key, low_key) = self.split2();
        // Two words per number make the bias of the remainder negligible: (2³²·h + l) mod span, in u32 arithmetic.
        let half = (1u32 << 16) % span;
        let shift = half.wrapping_mul(half) % span;
        (0..n as u64)
            .map(|i| {
                let (h, l) = (high_key.word(i) % span, low_key.word(i) % span);
                low.wrapping_add((h.wrapping_mul(shift).wrapping_add(l) % span) as i32)
            })
            .collect()
    }

    /// The numbers 0..`n` in random order.
    pub fn permutation(self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        self.shuffle(&mut order);
        order
    }

    /// Puts `items` in random order.
    pub fn shuffle<T: Clone>(self, items: &mut [T]) {
        let n = items.len();
        // Each round sorts by 32-bit keys; three times the bits of a permutation make ties harmless.
        let rounds = (3.0 * (n.max(1) as f64).ln() / f64::from(u32::MAX).ln()).ceil() as usize;
        let mut key = self;
        for _ in 0..rounds {
            let (next, sub) = key.split2();
            key = next;
            let ranks = sub.bits32(n);
            let mut order: Vec<usize> = (0..n).collect();
            order.sort_by_key(|&i| ranks[i]);
            let sorted: Vec<T> = order.into_iter().map(|i| items[i].clone()).collect();
            items.clone_from_slice(&sorted);
        }
    }

    /// `n` draws, each made from its 32 random bits.
    fn draw<T>(self, n: usize, from_word: impl Fn(u32) -> T) -> Vec<T> {
        let mut drawn = Vec::with_capacity(n);
        let mut words = [0; BLOCK];
        for first in (0..n).step_by(BLOCK) {
            let words = &mut words[..BLOCK.min(n - first)];
            self.words_from(first, words);
            drawn.extend(words.iter().map(|&word| from_word(word)));
        }
        drawn
    }

    /// Random bits of the elements from `first` on: those that [`Key::bits32`] has there.
    pub fn words_from(self, first: usize, words: &mut [u32]) {
        threefry_words(self.0, first as u64, words);
    }

    /// Numbers uniform in [0, 1) of the elements from `first` on: those that [`Key::uniform_f32`] has there.
    pub fn uniform_f32_from(self, first: usize, numbers: &mut [f32]) {
        let mut words = [0; BLOCK];
        for (block, numbers) in numbers.chunks_mut(BLOCK).enumerate() {
            let words = &mut words[..numbers.len()];
            self.words_from(first + block * BLOCK, words);
            numbers.iter_mut().zip(words).for_each(|(number, word)| *number = unit_f32(*word));
        }
    }

    fn block(self, index: u64) -> [u32; 2] {
        threefry(self.0, [(index >> 32) as u32, index as u32])
    }

    fn word(self, index: u64) -> u32 {
        let [a, b] = self.block(index);
        a ^ b
    }
}

/// A module's source of keys: every [`RngStream::next_key`] is independent of the ones before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RngStream {
    state: Key,
}

impl RngStream {
    /// The stream of a module with this seed.
    pub const fn new(seed: u32) -> RngStream {
        RngStream { state: Key::new(seed) }
    }

    /// A stream that continues from `state`.
    pub const fn from_key(state: Key) -> RngStream {
        RngStream { state }
    }

    /// The key the next draw will split; what a checkpoint saves.
    pub const fn state(&self) -> Key {
        self.state
    }

    /// The next key.
    pub fn next_key(&mut self) -> Key {
        let (state, key) = self.state.split2();
        self.state = state;
        key
    }

    /// The next `n` keys, from one split: not the same as `n` times [`RngStream::next_key`].
    pub fn next_keys(&mut self, n: usize) -> Vec<Key> {
        let mut keys = self.state.split(n + 1);
        self.state = keys.remove(0);
        keys
    }
}

/// Threefry-2x32-20: encrypts `counter` under `key`.
pub fn threefry(key: [u32; 2], counter: [u32; 2]) -> [u32; 2] {
    const ROTATIONS: [[u32; 4]; 2] = [[13, 15, 26, 6], [17, 29, 16, 24]];
    let schedule = [key[0], key[1], key[0] ^ key[1] ^ 0x1BD1_1BDA];
    let [mut a, mut b] = [counter[0].wrapping_add(schedule[0]), counter[1].wrapping_add(schedule[1])];
    for group in 0..5 {
        for rotation in ROTATIONS[group % 2] {
            a = a.wrapping_add(b);
            b = b.rotate_left(rotation) ^ a;
        }
        a = a.wrapping_add(schedule[(group + 1) % 3]);
        b = b.wrapping_add(schedule[(group + 2) % 3]).wrapping_add(group as u32 + 1);
    }
    [a, b]
}

/// [0, 1) from 23 bits put in the mantissa of [1, 2).
fn unit_f32(bits: u32) -> f32 {
    f32::from_bits((bits >> 9) | 0x3F80_0000) - 1.0
}

/// [min, max); XLA contracts the product and the sum, so this does, too.
fn scaled_f32(bits: u32, min: f32, max: f32) -> f32 {
    unit_f32(bits).mul_add(max - min, min).max(min)
}

/// [0, 1) from 10 bits put in the mantissa of [1, 2); the subtraction is exact.
fn unit_f16(bits: u16) -> f16 {
    f16::from_f32(f16::from_bits((bits >> 6) | 0x3C00).to_f32() - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threefry_matches_the_published_vectors() {
        assert_eq!(threefry([0, 0], [0, 0]), [0x6B20_0159, 0x99BA_4EFE]);
        assert_eq!(threefry([u32::MAX; 2], [u32::MAX; 2]), [0x1CB9_96FC, 0xBB00_2BE7]);
        assert_eq!(threefry([0x1319_8A2E, 0x0370_7344], [0x243F_6A88, 0x85A3_08D3]), [0xC492_3A9C, 0x483D_F7A0]);
    }

    #[test]
    fn an_empty_or_single_range_is_its_lower_end() {
        assert_eq!(Key::new(1).randint(3, 5, 5), [5, 5, 5]);
        assert_eq!(Key::new(1).randint(3, 5, 6), [5, 5, 5]);
        assert_eq!(Key::new(1).randint(4, i32::MIN, i32::MAX).len(), 4);
    }

    #[test]
    fn draws_from_the_middle_are_those_of_the_whole() {
        let (key, n) = (Key::new(5), 3 * BLOCK + 7);
        let (words, numbers) = (key.bits32(n), key.uniform_f32(n));
        for first in [0, 1, BLOCK, BLOCK + 9] {
            let mut part = vec![0; n - first];
            key.words_from(first, &mut part);
            assert_eq!(part, words[first..]);
            let mut part = vec![0.0; n - first];
            key.uniform_f32_from(first, &mut part);
            assert_eq!(part, numbers[first..]);
        }
        assert!((0..n).all(|i| words[i] == key.word(i as u64)));
    }

    #[test]
    fn nothing_to_draw_is_no_draw() {
        assert!(Key::new(0).permutation(0).is_empty());
        assert!(Key::new(0).uniform_f32(0).is_empty());
        assert_eq!(Key::new(0).permutation(1), [0]);
    }
}
