//! The value of an `if` in rewritten code.

use super::super::{Bool, Int, Real};
use super::decide::{Condition, Decision};

/// Decisions that can join arms of the types `T` and `E`.
///
/// Under a host decision both have one type, or one is a handle and the other its host type; under a traced one a host number
/// becomes a handle. A payload type `P` joins by an `impl Merge<P, P> for Decision<Bool>` in its own crate.
#[diagnostic::on_unimplemented(
    message = "the arms of this `if` give `{T}` and `{E}`, which cannot be joined",
    label = "the arms give `{T}` and `{E}`",
    note = "arms have one type, or a handle and its host type (`Real` and `f64`); those of a traced `if` are handles, numbers or `()`"
)]
pub trait Merge<T, E>: Sized {
    /// The type of the whole `if`.
    type Output;
    /// The value of the `if`, of the arms that ran.
    fn merge(self, then: Option<T>, otherwise: Option<E>) -> Self::Output;
}

impl<T> Merge<T, T> for Decision<bool> {
    type Output = T;
    fn merge(self, then: Option<T>, otherwise: Option<T>) -> T {
        match then.or(otherwise) {
            Some(value) => value,
            None => unreachable!("a host `if` runs one of its arms"),
        }
    }
}

/// Joins an arm that is a handle with one that is its host type.
macro_rules! merge_host_and_handle {
    ($($host:ty, $handle:ty;)*) => {$(
        impl Merge<$host, $handle> for Decision<bool> {
            type Output = $handle;
            #[track_caller]
            fn merge(self, then: Option<$host>, otherwise: Option<$handle>) -> $handle {
                self.merge(then.map(<$handle>::from), otherwise)
            }
        }

        impl Merge<$handle, $host> for Decision<bool> {
            type Output = $handle;
            #[track_caller]
            fn merge(self, then: Option<$handle>, otherwise: Option<$host>) -> $handle {
                self.merge(then, otherwise.map(<$handle>::from))
            }
        }
    )*};
}

merge_host_and_handle! { f64, Real; i32, Int; bool, Bool; }

/// Both arms of a traced `if`.
fn both<T, E>(then: Option<T>, otherwise: Option<E>) -> (T, E) {
    match (then, otherwise) {
        (Some(then), Some(otherwise)) => (then, otherwise),
        _ => unreachable!("a traced `if` runs both arms"),
    }
}

impl Merge<(), ()> for Decision<Bool> {
    type Output = ();
    fn merge(self, _: Option<()>, _: Option<()>) {}
}

macro_rules! merge_traced {
    ($($then:ty, $otherwise:ty => $handle:ty;)*) => {$(
        impl Merge<$then, $otherwise> for Decision<Bool> {
            type Output = $handle;
            #[track_caller]
            fn merge(self, then: Option<$then>, otherwise: Option<$otherwise>) -> $handle {
                let (then, otherwise) = both(then, otherwise);
                <$handle>::choose(self.condition, then.into(), otherwise.into())
            }
        }
    )*};
}

merge_traced! {
    Real, Real => Real; f64, Real => Real; Real, f64 => Real; f64, f64 => Real;
    Int, Int => Int; i32, Int => Int; Int, i32 => Int; i32, i32 => Int;
    Bool, Bool => Bool; bool, Bool => Bool; Bool, bool => Bool; bool, bool => Bool;
}

macro_rules! merge_tuples {
    ($(($($then:ident $otherwise:ident $index:tt)+))*) => {$(
        impl<$($then, $otherwise),+> Merge<($($then,)+), ($($otherwise,)+)> for Decision<Bool>
        where
            $(Decision<Bool>: Merge<$then, $otherwise>,)+
        {
            type Output = ($(<Decision<Bool> as Merge<$then, $otherwise>>::Output,)+);
            #[track_caller]
            fn merge(self, then: Option<($($then,)+)>, otherwise: Option<($($otherwise,)+)>) -> Self::Output {
                let (then, otherwise) = both(then, otherwise);
                ($(self.condition.decide().merge(Some(then.$index), Some(otherwise.$index)),)+)
            }
        }
    )*};
}

merge_tuples!((A X 0 B Y 1) (A X 0 B Y 1 C Z 2) (A X 0 B Y 1 C Z 2 D W 3));

/// Ends an `if`.
#[track_caller]
#[inline]
pub fn merge<D: Merge<T, E>, T, E>(decision: D, then: Option<T>, otherwise: Option<E>) -> D::Output {
    decision.merge(then, otherwise)
}
