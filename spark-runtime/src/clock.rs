//! Time inside a step.

use spark_compiler::array::{Int, tape};

/// Number of steps since the start or the last reset: 0 in the first. The step covers the time from `step_index·dt` on.
///
/// Counts up to 2³¹ − 1, and from there on backwards from −2³¹.
pub fn step_index() -> Int {
    Int::from_value(tape::step_index())
}
