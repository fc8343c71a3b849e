//! Lowering: an optimised program becomes fused loop nests over buffers.
//!
//! * `nest`: the representation, with its memory layout and order of sums.
//! * `schedule`: which nest each operation belongs to.
//! * `fuse`: [`lower`] builds nests and buffers.
//! * `print`: the text form.

mod fuse;
mod nest;
mod print;
mod schedule;

pub use fuse::lower;
pub use nest::{BLOCK, Buffer, BufferId, Inst, LANES, Lowered, Map, Nest, Role, Typed, Val};
