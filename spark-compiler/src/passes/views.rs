//! How the host sees the states that passes keep in another form.
//!
//! A program's states are its interface: `trace[post, pre]` can be read whatever the compiler keeps in its place. In:
//! what is kept; out: the array its author declared. Views never look into the program, so they outlive it.

use crate::eval;
use crate::ir::{Array, Location, Node, Op, Program, Shape};
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
    /// In a form that does not tell its elements, such as their sum.
    Gone,
}

/// A state as its author declared it, and how it is kept.
#[derive(Clone, PartialEq, Debug)]
pub struct StateView {
    /// The declared shape.
    pub shape: Shape,
    /// How it is kept.
    pub view: View,
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

    /// The declared array from what is kept. `rows` are those of the history a delayed state names, and the newest of them.
    ///
    /// `None` if the elements are not known.
    pub fn whole(&self, kept: &Array, rows: impl FnOnce(&str) -> Option<(Vec<Array>, usize)>) -> Option<Array> {
        match &self.view {
            View::Whole => Some(kept.clone()),
            View::Broadcast => Some(eval::store(&kept.widen(), &self.shape, kept.dtype())),
            View::Delayed { history, delays } => {
                let (rows, position) = rows(history)?;
                let rows: Vec<Array> = rows.iter().map(Array::widen).collect();
                let node = Node {
                    op: Op::Index,
                    elem: rows.first()?.elem(),
                    shape: self.shape.clone(),
                    location: Location::UNKNOWN,
                };
                Some(eval::delay(&eval::Past { rows: &rows, position }, delays, &node).convert(kept.dtype()))
            }
            View::Gone => None,
        }
    }

    /// What to keep for the declared array `whole`; `None` if it cannot be kept in this form.
    pub fn kept(&self, whole: &Array, shape: &Shape) -> Option<Array> {
        match &self.view {
            View::Whole => Some(whole.clone()),
            View::Broadcast => {
                let missing = self.shape.groups().iter().map(|g| g.axis).filter(|&axis| shape.group(axis).is_none());
                let narrow = missing.fold(whole.clone(), |array, axis| super::narrow::first_along(&array, axis));
                let again = eval::store(&narrow.widen(), &self.shape, whole.dtype());
                again.data().same_bits(whole.data()).then_some(narrow)
            }
            View::Delayed { .. } | View::Gone => None,
        }
    }
}
