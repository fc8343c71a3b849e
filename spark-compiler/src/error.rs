//! Errors of running a program or kernel. A fault of the compiler itself is reported by [`bug!`](crate::bug).

use crate::ir::{DType, Shape};

/// A step that cannot run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RunError {
    /// Wrong number of inputs.
    #[error("the program has {expected} inputs, {found} were given")]
    InputCount {
        /// Input ports of the program.
        expected: usize,
        /// Arrays given.
        found: usize,
    },
    /// An input of the wrong size.
    #[error("input `{port}` takes {} elements (shape {expected}), {found} were given", .expected.size())]
    InputSize {
        /// The port.
        port: String,
        /// Its shape.
        expected: Shape,
        /// Elements given.
        found: usize,
    },
    /// A name the program does not have.
    #[error("there is no {kind} `{name}`; there are {known}")]
    Unknown {
        /// What was looked for.
        kind: &'static str,
        /// The name.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A state of another size or type.
    #[error("state `{name}` holds {expected_dtype}{expected}, found {found_dtype} with {found} elements")]
    StateSize {
        /// The state.
        name: String,
        /// Its shape.
        expected: Shape,
        /// Its storage type.
        expected_dtype: DType,
        /// Elements given.
        found: usize,
        /// Type given.
        found_dtype: DType,
    },
    /// A state that the passes keep in a form that cannot hold the value.
    #[error(
        "state `{name}` is kept with shape {kept} only, by a pass that holds for a run from the start; compile without the pass to set it"
    )]
    Form {
        /// The state.
        name: String,
        /// What is kept.
        kept: Shape,
    },
}

/// Stops with a request to report: for states only a fault of the compiler can reach.
#[macro_export]
macro_rules! bug {
    ($($arg:tt)*) => {
        panic!("{} (this is a fault of Spark, not of your model: please report it)", format_args!($($arg)*))
    };
}
