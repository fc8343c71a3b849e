//! Large pieces of memory, on large pages where the system has them.
//!
//! The system gives memory in pages of 4 KiB, each when it is first touched, which takes longer than filling it: most of the
//! time of building a large network was that. Pages of 2 MiB are given in a tenth of the time, and steps that jump
//! between rows find their addresses sooner. Systems that have them (Linux) want to be asked, and may refuse.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;

/// Size of a large page.
const LARGE: usize = 1 << 21;

/// Alignment of the start of a region; a multiple of all that generated code relies on.
const ALIGN: usize = 64;

/// Memory of its own that begins as zeros.
#[derive(Debug)]
pub(crate) struct Region {
    start: NonNull<u8>,
    allocated: NonNull<u8>,
    layout: Layout,
    len: usize,
}

// SAFETY: the region is owned memory; reading and writing it is up to whoever holds it, as with a `Box`.
unsafe impl Send for Region {}
// SAFETY: as above; nothing is written through `&Region`.
unsafe impl Sync for Region {}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: allocated in `zeroed` with this layout.
        unsafe { dealloc(self.allocated.as_ptr(), self.layout) };
    }
}

impl Region {
    /// So many zeros, beginning at a multiple of 64; `None` if there is not enough memory.
    pub(crate) fn zeroed(bytes: usize) -> Option<Region> {
        let align = if bytes >= LARGE { LARGE } else { ALIGN };
        // The end lies on a large page, too, unless that would be much for nothing.
        let room = if bytes >= 2 * LARGE { bytes.checked_next_multiple_of(LARGE)? } else { bytes };
        // Asked for a small alignment, the allocator gives pages that are zero already and leaves them untouched.
        let layout = Layout::from_size_align(room.checked_add(align)?, 1).ok()?;
        // SAFETY: the size is not zero.
        let allocated = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        let before = allocated.align_offset(align);
        debug_assert!(before <= align, "the allocation has room for it");
        // SAFETY: `before` is at most `align`, so `bytes` bytes follow within the allocation.
        let start = unsafe { allocated.add(before) };
        ask(start.as_ptr(), room);
        Some(Region { start, allocated, layout, len: bytes })
    }

    /// Bytes of it.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Where it begins.
    pub(crate) fn start(&self) -> NonNull<u8> {
        self.start
    }
}

/// An empty vector with room for `len` elements.
pub(crate) fn vec<T>(len: usize) -> Vec<T> {
    let mut list: Vec<T> = Vec::with_capacity(len);
    let room = list.spare_capacity_mut();
    ask(room.as_mut_ptr().cast(), size_of_val(room));
    list
}

/// So many zeros, or what else a type begins with.
pub(crate) fn zeros<T: Clone + Default>(len: usize) -> Vec<T> {
    // Of zeros, the allocator gives pages that are zero already and leaves them untouched.
    let mut list = vec![T::default(); len];
    ask(list.as_mut_ptr().cast(), size_of_val(&*list));
    list
}

/// The elements of `values` in a vector.
pub(crate) fn collect<T>(values: impl ExactSizeIterator<Item = T>) -> Vec<T> {
    let mut list = vec(values.len());
    list.extend(values);
    list
}

/// Asks for large pages, of which those that lie in the range as a whole can be had. The range need not be touched yet.
#[cfg(target_os = "linux")]
fn ask(start: *mut u8, bytes: usize) {
    use rustix::mm::{Advice, madvise};
    if bytes < 2 * LARGE {
        return;
    }
    let before = start.align_offset(LARGE);
    let whole = bytes.saturating_sub(before) / LARGE * LARGE;
    // SAFETY: the range is inside of one allocation, and the advice leaves its contents as they are. Where it is refused,
    // small pages do.
    let _ = unsafe { madvise(start.wrapping_add(before).cast(), whole, Advice::LinuxHugepage) };
}

#[cfg(not(target_os = "linux"))]
fn ask(_: *mut u8, _: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_zero_and_begin_at_a_multiple_of_64() {
        for bytes in [0, 1, 64, 1 << 20, LARGE, 3 * LARGE + 5] {
            let region = Region::zeroed(bytes).unwrap();
            assert!(region.start().as_ptr().addr().is_multiple_of(ALIGN));
            // SAFETY: the region has so many bytes.
            let all = unsafe { std::slice::from_raw_parts_mut(region.start().as_ptr(), bytes) };
            assert!(all.iter().all(|&byte| byte == 0));
            all.fill(1);
        }
        assert!(Region::zeroed(usize::MAX / 2).is_none());
        assert!(Region::zeroed(usize::MAX).is_none());
    }

    #[test]
    fn vectors_of_all_sizes_hold_what_they_are_given() {
        for len in [0, 1, 3 * LARGE / 4 + 1] {
            assert_eq!(collect(0..len).len(), len);
            assert_eq!(zeros::<i32>(len).iter().filter(|&&v| v == 0).count(), len);
            assert!(collect((0..len).map(|i| i as u32)).iter().enumerate().all(|(i, &v)| i == v as usize));
        }
    }
}
