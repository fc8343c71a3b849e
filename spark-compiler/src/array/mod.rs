//! Array handles: what a module's body computes with.
//!
//! [`Real`], [`Bool`] and [`Int`] are `Copy` handles with ordinary operators, also with host numbers on either side.
//! They stand for whole arrays; shapes broadcast by axis name. What happens depends on the [`Session`] the body runs
//! in: *eager* evaluates each operation at once (so `dbg!` shows numbers), *traced* records a [`crate::ir::Program`].

pub mod budget;
mod contract;
mod control;
mod handles;
pub mod tape;

pub use control::*;
pub use handles::{Bool, Handle, Int, Real};
pub use tape::{Memory, Mode, Recorded, Session, TraceError, Value};
