//! `<`, `<=`, `>`, `>=`, `==` and `!=` in rewritten code.
//!
//! Host values compare by `PartialOrd` and `PartialEq`. The impls for handles stand beside these blanket impls because handles
//! implement neither, which only the crate that defines the handles can promise.

use super::super::{Bool, Int, Real};

/// The comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `==`
    Eq,
    /// `!=`
    Ne,
}

/// Values that `<`, `<=`, `>` and `>=` compare in rewritten code: host values, and handles with each other and with numbers.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be compared with `{B}`",
    label = "no `<`, `<=`, `>` or `>=` for `{Self}` and `{B}`",
    note = "a `Real` compares with `Real` and `f64`, an `Int` with `Int` and `i32`"
)]
pub trait Compare<B: ?Sized> {
    /// `bool` for host values, `Bool` for handles.
    type Output;
    /// Compares in the order `self`, `other`.
    fn compare(&self, how: Comparison, other: &B) -> Self::Output;
}

#[diagnostic::do_not_recommend]
impl<A: PartialOrd<B> + ?Sized, B: ?Sized> Compare<B> for A {
    type Output = bool;
    fn compare(&self, how: Comparison, other: &B) -> bool {
        match how {
            Comparison::Lt => self < other,
            Comparison::Le => self <= other,
            Comparison::Gt => self > other,
            Comparison::Ge => self >= other,
            Comparison::Eq | Comparison::Ne => unreachable!("equality is not an order"),
        }
    }
}

/// Values that `==` and `!=` compare in rewritten code: host values, and handles with each other and with numbers.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be compared with `{B}`",
    label = "no `==` or `!=` for `{Self}` and `{B}`",
    note = "a `Real` compares with `Real` and `f64`, an `Int` with `Int` and `i32`, a `Bool` with `Bool` and `bool`"
)]
pub trait Equal<B: ?Sized> {
    /// `bool` for host values, `Bool` for handles.
    type Output;
    /// Compares for [`Comparison::Eq`] or [`Comparison::Ne`].
    fn equal(&self, how: Comparison, other: &B) -> Self::Output;
}

#[diagnostic::do_not_recommend]
impl<A: PartialEq<B> + ?Sized, B: ?Sized> Equal<B> for A {
    type Output = bool;
    fn equal(&self, how: Comparison, other: &B) -> bool {
        (self == other) == (how == Comparison::Eq)
    }
}

/// Comparisons of a handle type with itself, its host type and through references.
macro_rules! compare_handles {
    ($trait_:ident :: $method:ident, $($left:ty, $right:ty => $handle:ty;)*) => {$(
        impl $trait_<$right> for $left {
            type Output = Bool;
            #[track_caller]
            fn $method(&self, how: Comparison, other: &$right) -> Bool {
                <$handle>::compared((*self).into(), how, (*other).into())
            }
        }
    )*};
}

compare_handles! { Compare::compare,
    Real, Real => Real; Real, f64 => Real; f64, Real => Real;
    Int, Int => Int; Int, i32 => Int; i32, Int => Int;
}

compare_handles! { Equal::equal,
    Real, Real => Real; Real, f64 => Real; f64, Real => Real;
    Int, Int => Int; Int, i32 => Int; i32, Int => Int;
    Bool, Bool => Bool; Bool, bool => Bool; bool, Bool => Bool;
}

/// References to handles compare as the handles do, as references to host values do.
macro_rules! compare_references {
    ($trait_:ident :: $method:ident, $($handle:ty)*) => {$(
        impl $trait_<&$handle> for &$handle {
            type Output = Bool;
            #[track_caller]
            fn $method(&self, how: Comparison, other: &&$handle) -> Bool {
                <$handle>::compared(**self, how, **other)
            }
        }
    )*};
}

compare_references!(Compare::compare, Real Int);
compare_references!(Equal::equal, Real Int Bool);

macro_rules! comparison_functions {
    ($($(#[$doc:meta])* $name:ident, $trait_:ident :: $method:ident, $how:ident;)*) => {$(
        $(#[$doc])*
        #[track_caller]
        #[inline]
        pub fn $name<A, B>(left: &A, right: &B) -> A::Output
        where
            A: $trait_<B> + ?Sized,
            B: ?Sized,
        {
            left.$method(Comparison::$how, right)
        }
    )*};
}

comparison_functions! {
    /// `left < right`
    lt, Compare::compare, Lt;
    /// `left <= right`
    le, Compare::compare, Le;
    /// `left > right`
    gt, Compare::compare, Gt;
    /// `left >= right`
    ge, Compare::compare, Ge;
    /// `left == right`
    eq, Equal::equal, Eq;
    /// `left != right`
    ne, Equal::equal, Ne;
}
