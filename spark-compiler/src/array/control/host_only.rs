//! Conditions of an `if` that must be host values, because an arm leaves the function or a loop.
//!
//! One trait per reason, because each has its own message; written out, because rustc shows their source in that message.

/// Conditions of an `if` with a `return` in an arm.
#[diagnostic::on_unimplemented(
    message = "`return` inside an `if` on a traced condition: both arms of a traced `if` run, so none can leave the function",
    label = "this condition is a `{Self}`, and must be a host `bool` here",
    note = "give the `if` a value instead: let both arms give one, and return after it"
)]
pub trait HostReturn {
    /// The host value.
    fn host(self) -> bool;
}

impl HostReturn for bool {
    fn host(self) -> bool {
        self
    }
}

/// Condition of an `if` with a `return` in an arm.
#[inline]
pub fn host_only_return(condition: impl HostReturn) -> bool {
    condition.host()
}

/// Conditions of an `if` with a `break` in an arm.
#[diagnostic::on_unimplemented(
    message = "`break` inside an `if` on a traced condition: both arms of a traced `if` run, so none can leave the loop",
    label = "this condition is a `{Self}`, and must be a host `bool` here",
    note = "a traced loop runs to its end: assign inside the `if` instead of leaving"
)]
pub trait HostBreak {
    /// The host value.
    fn host(self) -> bool;
}

impl HostBreak for bool {
    fn host(self) -> bool {
        self
    }
}

/// Condition of an `if` with a `break` in an arm.
#[inline]
pub fn host_only_break(condition: impl HostBreak) -> bool {
    condition.host()
}

/// Conditions of an `if` with a `continue` in an arm.
#[diagnostic::on_unimplemented(
    message = "`continue` inside an `if` on a traced condition: both arms of a traced `if` run, so none can leave the loop's body",
    label = "this condition is a `{Self}`, and must be a host `bool` here",
    note = "put the rest of the loop's body into the other arm"
)]
pub trait HostContinue {
    /// The host value.
    fn host(self) -> bool;
}

impl HostContinue for bool {
    fn host(self) -> bool {
        self
    }
}

/// Condition of an `if` with a `continue` in an arm.
#[inline]
pub fn host_only_continue(condition: impl HostContinue) -> bool {
    condition.host()
}

/// Conditions of an `if` with a `?` in an arm.
#[diagnostic::on_unimplemented(
    message = "`?` inside an `if` on a traced condition: both arms of a traced `if` run, so none can leave the function",
    label = "this condition is a `{Self}`, and must be a host `bool` here",
    note = "do what may fail before the `if`, or in `build`"
)]
pub trait HostQuestion {
    /// The host value.
    fn host(self) -> bool;
}

impl HostQuestion for bool {
    fn host(self) -> bool {
        self
    }
}

/// Condition of an `if` with a `?` in an arm.
#[inline]
pub fn host_only_question(condition: impl HostQuestion) -> bool {
    condition.host()
}

/// Conditions of an `if` with an arm that ends in a panic.
#[diagnostic::on_unimplemented(
    message = "an arm that panics inside an `if` on a traced condition: both arms of a traced `if` run, so it would always panic",
    label = "this condition is a `{Self}`, and must be a host `bool` here",
    note = "check host values only, or in `build`"
)]
pub trait HostPanic {
    /// The host value.
    fn host(self) -> bool;
}

impl HostPanic for bool {
    fn host(self) -> bool {
        self
    }
}

/// Condition of an `if` with an arm that ends in a panic.
#[inline]
pub fn host_only_panic(condition: impl HostPanic) -> bool {
    condition.host()
}

/// Conditions of an `if` that assigns to something that is no variable or field.
#[diagnostic::on_unimplemented(
    message = "assignment to a temporary place inside an `if` on a traced condition: Spark cannot keep what it held before",
    label = "this condition is a `{Self}`, and must be a host `bool` here",
    note = "bind the place to a variable before the `if` and assign through that: `let slot = f();` then `*slot = x;`"
)]
pub trait HostAssignment {
    /// The host value.
    fn host(self) -> bool;
}

impl HostAssignment for bool {
    fn host(self) -> bool {
        self
    }
}

/// Condition of an `if` that assigns to something that is no variable or field.
#[inline]
pub fn host_only_assignment(condition: impl HostAssignment) -> bool {
    condition.host()
}
