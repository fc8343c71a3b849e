//! How the host sees the states that passes keep in another form.
//!
//! A program's states are its interface: `trace[post, pre]` can be read whatever the compiler keeps in its place. In:
//! what is kept; out: the array its author declared. Views never look into the program, so they outlive it.

use crate::eval;
use crate::ir::{Array, Data, Location, Node, Op, Program, Shape};
use std::collections::HashSet;

/// How a state is kept.
#[derive(Clone, PartialEq, Debug)]
pub enum View {
    /// As declared.
    Whole,
    /// Without an axis along which it is the same.
    Broadcast,
    /// As the last rows of an undelayed value; each element is the one so many steps ago.
    Delayed {
        /// Name of the history that has the rows.
        history: String,
        /// Steps for each element.
        delays: Array,
    },
    /// As it was when each element last changed: since then it has been multiplied by a factor in every step.
    Decayed {
        /// Name of the state that says in which step that was, modulo 2^16.
        last: String,
        /// Name of the state that says which step is next, modulo 2^16.
        now: String,
        /// Powers of the factor, from the zeroth on.
        powers: Array,
    },
    /// In a form that does not tell its elements, such as their sum.
    Gone,
    /// Not declared at all: a pass added it.
    Added,
}

/// Steps are counted modulo this in 16 bits.
pub(crate) const STEPS: i32 = 1 << 16;

/// A state as its author declared it, and how it is kept.
#[derive(Clone, PartialEq, Debug)]
pub struct StateView {
    /// The declared shape.
    pub shape: Shape,
    /// How it is kept.
    pub view: View,
}

/// What is kept besides a state.
pub trait Keeper {
    /// The rows of a history, and the newest of them.
    fn rows(&self, history: &str) -> Option<(Vec<Array>, usize)>;
    /// A state as it is kept.
    fn state(&self, name: &str) -> Option<Array>;
}

/// Names of the histories that something is pushed into: one that nothing reads is not kept up.
pub(super) fn pushed(program: &Program) -> HashSet<&str> {
    let of = |node: &Node| match node.op {
        Op::Delay { history, .. } => Some(history),
        _ => None,
    };
    program.nodes.iter().filter_map(of).map(|id| program.history(id).name.as_str()).collect()
}

impl StateView {
    /// Gives the state up if the history that tells its elements is not among `histories`.
    pub(super) fn keep_only(&mut self, histories: &HashSet<&str>) {
        if let View::Delayed { history, .. } = &self.view
            && !histories.contains(history.as_str())
        {
            self.view = View::Gone;
        }
    }

    /// The declared array from what is kept of it and `besides`.
    ///
    /// `None` if the elements are not known.
    pub fn whole(&self, kept: &Array, besides: &impl Keeper) -> Option<Array> {
        match &self.view {
            View::Whole => Some(kept.clone()),
            View::Broadcast => Some(eval::store(&kept.widen(), &self.shape, kept.dtype())),
            View::Delayed { history, delays } => {
                let (rows, position) = besides.rows(history)?;
                let rows: Vec<Array> = rows.iter().map(Array::widen).collect();
                let node = Node {
                    op: Op::Index,
                    elem: rows.first()?.elem(),
                    shape: self.shape.clone(),
                    location: Location::UNKNOWN,
                };
                Some(eval::delay(&eval::Past { rows: &rows, position }, delays, &node).convert(kept.dtype()))
            }
            View::Decayed { last, now, powers } => {
                let (last, now) = (besides.state(last)?, besides.state(now)?.to_i32()[0]);
                Some(decayed(kept, &last, now, powers))
            }
            View::Gone | View::Added => None,
        }
    }

    /// What to keep for the declared array `whole`; `None` if it cannot be kept in this form.
    pub fn kept(&self, whole: &Array, shape: &Shape) -> Option<Array> {
        match &self.view {
            // Its last change is then now.
            View::Whole | View::Decayed { .. } => Some(whole.clone()),
            View::Broadcast => {
                let missing = self.shape.groups().iter().map(|g| g.axis).filter(|&axis| shape.group(axis).is_none());
                let narrow = missing.fold(whole.clone(), |array, axis| super::narrow::first_along(&array, axis));
                let again = eval::store(&narrow.widen(), &self.shape, whole.dtype());
                again.data().same_bits(whole.data()).then_some(narrow)
            }
            View::Delayed { .. } | View::Gone | View::Added => None,
        }
    }
}

/// Values that have been multiplied by a factor in every step since `last`.
fn decayed(kept: &Array, last: &Array, now: i32, powers: &Array) -> Array {
    let ago = last.to_i32().into_iter().map(|last| (now - last).rem_euclid(STEPS)).collect();
    let power = |ago: Vec<i32>| ago.into_iter().map(|ago| powers.data().get_f64(ago as usize % powers.len())).collect();
    let powers = Array::new(last.shape().clone(), Data::F64(power(ago)).convert(powers.dtype()));
    let powers = powers.expect("one for each element of `last`");
    let powers = eval::store(&powers, kept.shape(), powers.dtype());
    let product = match (kept.data(), powers.data()) {
        (Data::F32(kept), Data::F32(powers)) => Data::F32(kept.iter().zip(powers).map(|(a, b)| a * b).collect()),
        (Data::F64(kept), Data::F64(powers)) => Data::F64(kept.iter().zip(powers).map(|(a, b)| a * b).collect()),
        _ => crate::bug!("a state of {} with powers of {}", kept.dtype(), powers.dtype()),
    };
    Array::new(kept.shape().clone(), product).expect("one element per element")
}
