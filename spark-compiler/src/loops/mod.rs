//! Lowering: an optimised program becomes fused loop nests over buffers.
//!
//! * `nest`: the representation, with its memory layout and order of sums.
//! * `schedule`: which nest each operation belongs to.
//! * `fuse`: [`lower`] builds nests and buffers.
//! * `visits`: lists of the elements that a nest visits.
//! * `print`: the text form.

mod fuse;
mod nest;
mod print;
mod schedule;
mod visits;

pub use fuse::lower;
pub use nest::{Arrivals, BLOCK, Buffer, BufferId, Inst, LANES, Lowered, Map, Nest, REPEATED, Role, Typed, Val, Visit};
pub(crate) use visits::MOST_ROWS;
