//! How much memory a build may take: for models from files of unknown origin, where a few digits ask for terabytes.

use crate::ir::MOST_ELEMENTS;
use std::cell::Cell;

/// What an element counts, in bytes, whatever its type.
const BYTES: u64 = 8;

thread_local! {
    static LEFT: Cell<u64> = const { Cell::new(u64::MAX) };
}

/// Runs `f`, in which the arrays that are made on this thread may take `bytes` together; arrays that are given up again
/// count, too, and every element counts 8 bytes. What is beyond that becomes a mistake of the step or build.
pub fn with_limit<R>(bytes: u64, f: impl FnOnce() -> R) -> R {
    struct Restore(u64);
    impl Drop for Restore {
        fn drop(&mut self) {
            LEFT.set(self.0);
        }
    }
    let _restore = Restore(LEFT.replace(bytes));
    f()
}

/// Takes the memory of an array with so many elements; false if not so much is left.
pub fn take(elements: usize) -> bool {
    if LEFT.get() == u64::MAX {
        return true;
    }
    let left = LEFT.get().checked_sub((elements as u64).saturating_mul(BYTES));
    left.inspect(|&left| LEFT.set(left)).is_some()
}

/// The most elements an array can have now.
pub fn most_elements() -> usize {
    usize::try_from(LEFT.get() / BYTES).unwrap_or(usize::MAX).min(MOST_ELEMENTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_gone_until_the_end() {
        assert!(take(usize::MAX));
        with_limit(800, || {
            assert_eq!(most_elements(), 100);
            assert!(take(60) && !take(41) && take(40) && !take(1));
        });
        assert_eq!(most_elements(), MOST_ELEMENTS);
    }
}
