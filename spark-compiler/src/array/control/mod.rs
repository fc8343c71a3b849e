//! What the code rewritten by `#[spark::module]` and `#[spark::traced]` calls.
//!
//! The macros replace comparisons, `&&`, `||` and `if` by calls of the functions here; *the type of the operand decides* what
//! they do. On host values each means what the operator means; on handles (`Real`, `Int`, `Bool`) it makes an operation.
//!
//! | written | call | traits |
//! |---|---|---|
//! | `a < b`, `a == b`, .. | [`lt`], [`le`], [`gt`], [`ge`], [`eq`], [`ne`] | [`Compare`], [`Equal`] |
//! | `a && b`, `a \|\| b` | [`and`], [`or`] | [`Logic`] |
//! | `if` | [`decide`](decide()), [`keep`], [`merge`](merge()) | [`Condition`], [`Keep`], [`Place`], [`Merge`] |
//! | `if` with an arm that leaves | `host_only_*` | [`HostReturn`] and its like |
//!
//! Three things make the impls coherent and the types inferable; keep them when adding a handle type:
//!
//! * This module lives in the crate that defines the handles, and **handles implement neither `PartialEq` nor `PartialOrd`**:
//!   only then may the impls for handles stand beside the blanket impls for host types.
//! * `Merge` and `Keep` are implemented *for the decision*, whose type is always known, not for the arms' types, which may still
//!   be `{float}` or the type of a diverging arm.
//! * A handle meets one host type only (`Real` with `f64`, `Int` with `i32`), so that literals have one type to be.

mod compare;
mod decide;
mod host_only;
mod logic;
mod merge;
mod place;

pub use compare::{Compare, Comparison, Equal, eq, ge, gt, le, lt, ne};
pub use decide::{Condition, Decision, decide};
pub use host_only::{HostAssignment, HostBreak, HostContinue, HostPanic, HostQuestion, HostReturn};
pub use host_only::{host_only_assignment, host_only_break, host_only_continue, host_only_panic};
pub use host_only::{host_only_question, host_only_return};
pub use logic::{Logic, and, or};
pub use merge::{Merge, merge};
pub use place::{IndirectPlace, Keep, Kept, NotKept, Place, keep};
