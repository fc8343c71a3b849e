//! `&&` and `||` in rewritten code.

use super::super::Bool;

/// Values that `&&` and `||` join in rewritten code. The right side of a host `bool` runs only if it is needed; that of a `Bool`
/// always runs.
#[diagnostic::on_unimplemented(
    message = "`&&` and `||` join `bool` and `Bool`, not `{Self}` and `{B}`",
    label = "`{Self}` joined with `{B}`"
)]
pub trait Logic<B> {
    /// `bool` for two host values, otherwise `Bool`.
    type Output;
    /// `self && right()`
    fn and(self, right: impl FnOnce() -> B) -> Self::Output;
    /// `self || right()`
    fn or(self, right: impl FnOnce() -> B) -> Self::Output;
}

impl Logic<bool> for bool {
    type Output = bool;
    fn and(self, right: impl FnOnce() -> bool) -> bool {
        self && right()
    }
    fn or(self, right: impl FnOnce() -> bool) -> bool {
        self || right()
    }
}

impl Logic<Bool> for bool {
    type Output = Bool;
    #[track_caller]
    fn and(self, right: impl FnOnce() -> Bool) -> Bool {
        if self { right() } else { Bool::from(false) }
    }
    #[track_caller]
    fn or(self, right: impl FnOnce() -> Bool) -> Bool {
        if self { Bool::from(true) } else { right() }
    }
}

impl Logic<bool> for Bool {
    type Output = Bool;
    #[track_caller]
    fn and(self, right: impl FnOnce() -> bool) -> Bool {
        if right() { self } else { Bool::from(false) }
    }
    #[track_caller]
    fn or(self, right: impl FnOnce() -> bool) -> Bool {
        if right() { Bool::from(true) } else { self }
    }
}

impl Logic<Bool> for Bool {
    type Output = Bool;
    #[track_caller]
    fn and(self, right: impl FnOnce() -> Bool) -> Bool {
        self & right()
    }
    #[track_caller]
    fn or(self, right: impl FnOnce() -> Bool) -> Bool {
        self | right()
    }
}

/// `left && right()`
#[track_caller]
#[inline]
pub fn and<A: Logic<B>, B>(left: A, right: impl FnOnce() -> B) -> A::Output {
    left.and(right)
}

/// `left || right()`
#[track_caller]
#[inline]
pub fn or<A: Logic<B>, B>(left: A, right: impl FnOnce() -> B) -> A::Output {
    left.or(right)
}
