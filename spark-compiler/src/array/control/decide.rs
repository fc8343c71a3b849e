//! The condition of an `if` in rewritten code: which arms run.

use super::super::Bool;

/// What an `if` branches on.
#[diagnostic::on_unimplemented(
    message = "an `if` condition must be `bool` or `Bool`, found `{Self}`",
    label = "expected `bool` or `Bool`",
    note = "compare it with something: `x > 0.0`"
)]
pub trait Condition: Sized {
    /// `Self`; an associated type so that a wrong condition gives one message.
    type Decided;
    /// Which arms run.
    fn decide(self) -> Decision<Self::Decided>;
}

impl Condition for bool {
    type Decided = bool;
    fn decide(self) -> Decision<bool> {
        Decision { condition: self, runs_then: self, runs_else: !self }
    }
}

impl Condition for Bool {
    type Decided = Bool;
    #[track_caller]
    fn decide(self) -> Decision<Bool> {
        Decision { condition: self, runs_then: true, runs_else: true }
    }
}

/// A condition that has been evaluated, and which arms it runs: one for `bool`, both for `Bool`.
#[derive(Debug)]
pub struct Decision<C> {
    pub(super) condition: C,
    runs_then: bool,
    runs_else: bool,
}

impl<C> Decision<C> {
    /// Whether the first arm runs.
    #[inline]
    pub fn runs_then(&self) -> bool {
        self.runs_then
    }

    /// Whether the `else` arm runs.
    #[inline]
    pub fn runs_else(&self) -> bool {
        self.runs_else
    }
}

/// Starts an `if`.
#[track_caller]
#[inline]
pub fn decide<C: Condition>(condition: C) -> Decision<C::Decided> {
    condition.decide()
}
