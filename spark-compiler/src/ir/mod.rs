//! The intermediate representation: what tracing produces, passes rewrite and code generation consumes.
//!
//! * [`shape`]: axis groups, broadcasting by name.
//! * [`dtype`]: storage and arithmetic types.
//! * [`array`](mod@array): host arrays; [`Bounds`]: what their elements lie between.
//! * [`op`], [`program`]: operations, and a program of them.
//! * [`infer`](infer()): the typing rules. [`verify`](verify()): checks a whole program between any two phases.
//! * [`print`](mod@print), [`parse`](mod@parse): the text form and its reader; a round trip is the identity.

pub mod array;
mod bounds;
pub mod dtype;
mod infer;
pub mod op;
pub mod parse;
pub mod print;
pub mod program;
pub mod shape;
mod verify;

pub use array::{Array, Data, LengthMismatch, Stored};
pub use bounds::Bounds;
pub use dtype::{DType, Elem};
pub use infer::{TypeError, infer};
pub use op::{
    BinaryOp, CompareOp, ConstId, HistoryId, InputId, Literal, Location, Node, Op, OpId, ReduceOp, StateId,
    ThreefryWord, UnaryOp,
};
pub use program::{Constant, History, Input, Output, Program, State};
pub use shape::{Axis, Group, Shape, ShapeMismatch};
pub use verify::{MOST_ELEMENTS, VerifyError, verify};
