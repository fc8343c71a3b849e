//! What the passes did and why not more, for people.

use std::fmt;

/// What one pass did with one array, or why it left it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// The pass.
    pub pass: &'static str,
    /// The state or value it is about.
    pub what: String,
    /// Whether the pass applied.
    pub applied: bool,
    /// What was done, or what prevented it.
    pub why: String,
}

impl Note {
    pub(crate) fn done(pass: &'static str, what: &str, why: impl Into<String>) -> Note {
        Note { pass, what: what.into(), applied: true, why: why.into() }
    }

    pub(crate) fn left(pass: &'static str, what: &str, why: impl Into<String>) -> Note {
        Note { pass, what: what.into(), applied: false, why: why.into() }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.applied { "+" } else { "-" };
        write!(f, "{mark} {}: {}: {}", self.pass, self.what, self.why)
    }
}
