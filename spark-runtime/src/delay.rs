//! A delay line: reads a value as it was a given number of steps ago.

use crate::module::{FieldVisitor, Nested};
use spark_compiler::array::{Bool, Handle, Real, tape};
use spark_compiler::ir::Array;

/// A part of a module that delays a value by a constant number of steps per element.
///
/// Before the first step every past value is zero (or `false`). A delay of 0 is the value of this step.
#[derive(Clone, Debug)]
pub struct DelayLine {
    delays: Array,
    rows: usize,
    path: String,
}

impl DelayLine {
    /// A line with these delays (integers of any shape that covers the delayed value's), the longest being `longest`.
    pub fn new(delays: Array, longest: usize) -> DelayLine {
        DelayLine { delays, rows: longest.saturating_add(1), path: String::new() }
    }

    /// The delays, in steps.
    pub fn delays(&self) -> &Array {
        &self.delays
    }

    /// Truth values, delayed. Call once per step.
    #[track_caller]
    pub fn delay(&mut self, value: Bool) -> Bool {
        Bool::from_value(tape::delay(&self.path, value.value(), &self.delays, self.rows))
    }

    /// Numbers, delayed. Call once per step.
    #[track_caller]
    pub fn delay_real(&mut self, value: Real) -> Real {
        Real::from_value(tape::delay(&self.path, value.value(), &self.delays, self.rows))
    }

    pub(crate) fn bind(&mut self, path: String) {
        self.path = path;
    }
}

impl Nested for DelayLine {
    fn visit_parts(&mut self, visitor: &mut dyn FieldVisitor) {
        visitor.delay("delay", self);
    }

    fn visit_nested(&mut self, visitor: &mut dyn FieldVisitor, name: &'static str) {
        visitor.delay(name, self);
    }
}
