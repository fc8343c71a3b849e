//! The places an `if` in rewritten code assigns.
//!
//! Around the arms of a traced `if` each place is kept, put back between the arms and selected after them:
//!
//! ```text
//! let mut kept = keep(&decision, &mut x);   // what x was
//! /* first arm */
//! kept.swap(&mut x);                        // x is what it was; kept is what the arm left
//! /* else arm */
//! kept.merge(&decision, &mut x);            // x = select(condition, kept, x)
//! ```
//!
//! On a host condition all three do nothing, for a place of any type.

use super::super::{Bool, Int, Real, tape};
use super::decide::Decision;
use crate::ir::Location;

/// Places that a traced `if` can select: what they held after each arm, by the condition.
///
/// Implemented for handles and collections of them; a module state or payload may implement it as well.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` changes in an arm of an `if` on a traced condition, which cannot choose between two of them",
    label = "changes in an arm, and is no handle",
    note = "both arms of a traced `if` run, so what they change must be a `Real`, `Int`, `Bool` or a collection of these"
)]
pub trait Place {
    /// An owned copy of the place.
    type Saved;
    /// `Kept<Self>`; an associated type so that a host value gives one message.
    type Kept;
    /// Copies the place.
    fn saved(&self) -> Self::Saved;
    /// Exchanges the place and a copy.
    fn exchange(&mut self, copy: &mut Self::Saved);
    /// Makes this, the place after the `else` arm, the selection between it and `then`.
    fn select(&mut self, condition: Bool, then: Self::Saved);
}

macro_rules! handle_places {
    ($($handle:ty)*) => {$(
        impl Place for $handle {
            type Kept = Kept<Self>;
            type Saved = $handle;
            fn saved(&self) -> $handle {
                *self
            }
            fn exchange(&mut self, copy: &mut $handle) {
                std::mem::swap(self, copy);
            }
            #[track_caller]
            fn select(&mut self, condition: Bool, then: $handle) {
                *self = <$handle>::choose(condition, then, *self);
            }
        }
    )*};
}

handle_places!(Real Int Bool);

impl<T: Place> Place for [T] {
    type Kept = Kept<Self>;
    type Saved = Vec<T::Saved>;
    fn saved(&self) -> Self::Saved {
        self.iter().map(T::saved).collect()
    }
    fn exchange(&mut self, copy: &mut Self::Saved) {
        for (place, copy) in self.iter_mut().zip(copy) {
            place.exchange(copy);
        }
    }
    #[track_caller]
    fn select(&mut self, condition: Bool, then: Self::Saved) {
        for (place, then) in self.iter_mut().zip(then) {
            place.select(condition, then);
        }
    }
}

impl<T: Place, const N: usize> Place for [T; N] {
    type Kept = Kept<Self>;
    type Saved = Vec<T::Saved>;
    fn saved(&self) -> Self::Saved {
        self.as_slice().saved()
    }
    fn exchange(&mut self, copy: &mut Self::Saved) {
        self.as_mut_slice().exchange(copy);
    }
    #[track_caller]
    fn select(&mut self, condition: Bool, then: Self::Saved) {
        self.as_mut_slice().select(condition, then);
    }
}

impl<T: Place<Saved = T>> Place for Vec<T> {
    type Kept = Kept<Self>;
    type Saved = Vec<T>;
    fn saved(&self) -> Vec<T> {
        self.as_slice().saved()
    }
    fn exchange(&mut self, copy: &mut Vec<T>) {
        std::mem::swap(self, copy);
    }
    /// Arms that leave different lengths are a mistake, reported at the session's end.
    #[track_caller]
    fn select(&mut self, condition: Bool, then: Vec<T>) {
        if self.len() != then.len() {
            let (first, second) = (then.len(), self.len());
            mistake(format!("the arms of a traced `if` leave {first} and {second} elements; both must leave as many"));
        }
        self.as_mut_slice().select(condition, then);
    }
}

impl<T: Place<Saved = T>> Place for Option<T> {
    type Kept = Kept<Self>;
    type Saved = Option<T>;
    fn saved(&self) -> Option<T> {
        self.as_ref().map(T::saved)
    }
    fn exchange(&mut self, copy: &mut Option<T>) {
        std::mem::swap(self, copy);
    }
    /// Arms that leave `None` and `Some` are a mistake, reported at the session's end.
    #[track_caller]
    fn select(&mut self, condition: Bool, then: Option<T>) {
        match (self.as_mut(), then) {
            (Some(place), Some(then)) => place.select(condition, then),
            (None, None) => {}
            (Some(_), None) | (None, Some(_)) => {
                mistake("one arm of a traced `if` leaves `None`, the other `Some`".into());
            }
        }
    }
}

macro_rules! tuple_places {
    ($(($($name:ident $index:tt)+))*) => {$(
        impl<$($name: Place),+> Place for ($($name,)+) {
            type Kept = Kept<Self>;
            type Saved = ($($name::Saved,)+);
            fn saved(&self) -> Self::Saved {
                ($(self.$index.saved(),)+)
            }
            fn exchange(&mut self, copy: &mut Self::Saved) {
                $(self.$index.exchange(&mut copy.$index);)+
            }
            #[track_caller]
            fn select(&mut self, condition: Bool, then: Self::Saved) {
                $(self.$index.select(condition, then.$index);)+
            }
        }
    )*};
}

tuple_places!((A 0 B 1) (A 0 B 1 C 2) (A 0 B 1 C 2 D 3));

#[track_caller]
fn mistake(message: String) {
    tape::report(message, Location::caller());
}

/// Decisions that can keep a place of type `T`: a host decision any, a traced one a [`Place`].
pub trait Keep<T: ?Sized> {
    /// [`NotKept`] or [`Kept`].
    type Kept;
    /// Keeps what the place holds before the arms run.
    fn keep(&self, place: &mut T) -> Self::Kept;
}

/// A place of a host `if`: only one arm runs, so there is nothing to keep.
#[derive(Debug)]
pub struct NotKept;

impl NotKept {
    /// Does nothing.
    #[inline]
    pub fn swap<T: ?Sized>(&mut self, _: &mut T) {}

    /// Does nothing.
    #[inline]
    pub fn merge<T: ?Sized>(self, _: &Decision<bool>, _: &mut T) {}
}

impl<T: ?Sized> Keep<T> for Decision<bool> {
    type Kept = NotKept;
    #[inline]
    fn keep(&self, _: &mut T) -> NotKept {
        NotKept
    }
}

/// What a place of a traced `if` held: before the arms, then after the first.
#[derive(Debug)]
pub struct Kept<T: Place + ?Sized> {
    copy: T::Saved,
}

impl<T: Place + ?Sized> Kept<T> {
    /// Between the arms: the place is again what it was, and what the first arm left is kept.
    pub fn swap(&mut self, place: &mut T) {
        place.exchange(&mut self.copy);
    }

    /// After the arms: the place becomes what the condition selects.
    #[track_caller]
    pub fn merge(self, decision: &Decision<Bool>, place: &mut T) {
        place.select(decision.condition, self.copy);
    }
}

impl<T: Place<Kept = Kept<T>> + ?Sized> Keep<T> for Decision<Bool> {
    type Kept = T::Kept;
    fn keep(&self, place: &mut T) -> T::Kept {
        Kept { copy: place.saved() }
    }
}

/// Keeps a place that an arm assigns.
#[inline]
pub fn keep<D: Keep<T>, T: ?Sized>(decision: &D, place: &mut T) -> D::Kept {
    decision.keep(place)
}

/// Borrows a place that is assigned through an index or a method.
///
/// As a method it takes `a` of type `&mut [Real]` as well as of type `Vec<Real>`, without `a` being declared `mut`.
pub trait IndirectPlace {
    /// The place.
    #[inline]
    fn indirect_place(&mut self) -> &mut Self {
        self
    }
}

impl<T: ?Sized> IndirectPlace for T {}
