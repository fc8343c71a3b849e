//! What differs between two states.

use super::State;
use spark_compiler::ir::{Array, DType};
use std::fmt;

/// One difference between two states, the first on the left.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    /// The numbers of steps.
    Steps {
        /// Of the first state.
        left: u64,
        /// Of the second.
        right: u64,
    },
    /// An array that only the first state has.
    OnlyLeft(String),
    /// An array that only the second state has.
    OnlyRight(String),
    /// Dimensions.
    Dims {
        /// The array's name.
        path: String,
        /// Of the first state.
        left: Vec<usize>,
        /// Of the second.
        right: Vec<usize>,
    },
    /// Storage types.
    DType {
        /// The array's name.
        path: String,
        /// Of the first state.
        left: DType,
        /// Of the second.
        right: DType,
    },
    /// Elements.
    Values {
        /// The array's name.
        path: String,
        /// Number of elements that differ.
        differing: usize,
        /// Number of elements.
        of: usize,
        /// The largest absolute difference; not finite if an element is not.
        largest: f64,
    },
}

/// True if both arrays have the same dimensions, type and bits.
fn same(left: &Array, right: &Array) -> bool {
    left.dims() == right.dims() && left.data().same_bits(right.data())
}

impl PartialEq for State {
    fn eq(&self, other: &State) -> bool {
        let equal = |((a, left), (b, right)): ((&str, &Array), (&str, &Array))| a == b && same(left, right);
        self.steps() == other.steps() && self.len() == other.len() && self.iter().zip(other).all(equal)
    }
}

impl State {
    /// Everything in which `other` differs: none if and only if the states are equal.
    pub fn diff(&self, other: &State) -> Vec<Difference> {
        let mut out = Vec::new();
        if self.steps() != other.steps() {
            out.push(Difference::Steps { left: self.steps(), right: other.steps() });
        }
        for (path, left) in self {
            match other.arrays.get(path) {
                Some(right) => out.extend(difference(path, left, right)),
                None => out.push(Difference::OnlyLeft(path.into())),
            }
        }
        out.extend(other.paths().filter(|path| !self.contains(path)).map(|path| Difference::OnlyRight(path.into())));
        out
    }
}

fn difference(path: &str, left: &Array, right: &Array) -> Option<Difference> {
    let path = path.to_string();
    if left.dims() != right.dims() {
        return Some(Difference::Dims { path, left: left.dims(), right: right.dims() });
    }
    if left.dtype() != right.dtype() {
        return Some(Difference::DType { path, left: left.dtype(), right: right.dtype() });
    }
    if left.data().same_bits(right.data()) {
        return None;
    }
    let (mut differing, mut largest) = (0, 0.0f64);
    for i in 0..left.len() {
        let (a, b) = (left.data().get_f64(i), right.data().get_f64(i));
        if a.to_bits() != b.to_bits() {
            differing += 1;
            let difference = (a - b).abs();
            // Written so that NaN wins.
            largest = if largest >= difference { largest } else { difference };
        }
    }
    Some(Difference::Values { path, differing, of: left.len(), largest })
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::Steps { left, right } => write!(f, "{left} steps, {right} on the right"),
            Difference::OnlyLeft(path) => write!(f, "{path}: only on the left"),
            Difference::OnlyRight(path) => write!(f, "{path}: only on the right"),
            Difference::Dims { path, left, right } => write!(f, "{path}: dimensions {left:?}, {right:?} on the right"),
            Difference::DType { path, left, right } => write!(f, "{path}: {left}, {right} on the right"),
            Difference::Values { path, differing, of, largest } => {
                write!(f, "{path}: {differing} of {of} elements differ, by at most {largest:e}")
            }
        }
    }
}
