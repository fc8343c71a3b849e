//! Random words of consecutive elements.

use crate::math::scalar::threefry;

/// The words `a ^ b` of threefry-2x32-20 (see [`crate::math`]) under `key` for counters from `first` on: the random bits of
/// the elements `first`, `first` + 1, ... of a draw.
pub fn threefry_words(key: [u32; 2], first: u64, words: &mut [u32]) {
    // The low half of the counter begins anew in the middle.
    let until = usize::try_from((1 << 32) - (first & 0xFFFF_FFFF)).unwrap_or(usize::MAX);
    if until < words.len() {
        let (before, after) = words.split_at_mut(until);
        threefry_words(key, first, before);
        return threefry_words(key, first.wrapping_add(until as u64), after);
    }
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the machine has the instructions.
        return unsafe { with_avx2(key, first, words) };
    }
    portable(key, first, words);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2(key: [u32; 2], first: u64, words: &mut [u32]) {
    portable(key, first, words);
}

/// The words of elements whose counters have the same high half.
#[inline(always)]
fn portable(key: [u32; 2], first: u64, words: &mut [u32]) {
    let (high, low) = ((first >> 32) as u32, first as u32);
    for (element, word) in words.iter_mut().enumerate() {
        let [a, b] = threefry(key, [high, low.wrapping_add(element as u32)]);
        *word = a ^ b;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_elements_one_by_one() {
        for (key, first) in [([0, 0], 0), ([7, 0xFFFF_FFFF], 5), ([123, 456], (1 << 32) - 9), ([1, 2], u64::MAX - 3)] {
            for len in [0, 1, 16, 37] {
                let expected: Vec<u32> = (0..len as u64)
                    .map(|i| first.wrapping_add(i))
                    .map(|counter| threefry(key, [(counter >> 32) as u32, counter as u32]))
                    .map(|[a, b]| a ^ b)
                    .collect();
                let mut words = vec![0; len];
                threefry_words(key, first, &mut words);
                assert_eq!(words, expected);
            }
        }
    }
}
