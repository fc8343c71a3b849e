//! Functions on many numbers at once, for the vector instructions of the machine they run on.
//!
//! Each is compiled for several kinds of machines from the same lines and gives the same bits on all of them; the best
//! is chosen when it is called.
#![allow(unsafe_code)]

mod threefry;

pub use threefry::threefry_words;
