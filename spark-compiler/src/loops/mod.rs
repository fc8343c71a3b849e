//! Lowering: an optimised program becomes fused loop nests over buffers.
//!
//! * `nest`: the representation, with its order of sums. `buffer`: arrays and their memory layout.
//! * `schedule`: which nest each operation belongs to.
//! * `fuse`: [`lower`] builds nests and buffers.
//! * `visits`: the buffers of nests that visit some elements, and the lists of these.
//! * `later`: logs of events that are put off.
//! * `layout`: which arrays lie in memory column by column. `beside`: which values of rows lie beside each other.
//! * `print`: the text form.

mod beside;
mod buffer;
mod fuse;
mod later;
mod layout;
mod nest;
mod print;
mod schedule;
mod settle;
mod visits;

pub use buffer::{BLOCK, Buffer, BufferId, Placed, Role};
pub use fuse::lower;
pub(crate) use later::ASIDE;
pub use layout::layouts;
pub use nest::{Arrivals, Beside, Inst, LANES, LISTED, Log, Lowered, Map, Nest, Scan, Typed, Val, Visit, WHOLE, Walk};
pub(crate) use visits::{MOST_LISTED, MOST_ROWS};
