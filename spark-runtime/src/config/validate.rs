//! Checks on the numbers of a field: `#[param(check = positive)]`.
//!
//! A validator looks at one number at a time and names its allowed range; a field passes if all its numbers do. NaN never
//! passes, checked or not, and infinity only where the field asks for it ([`checks::infinite`]). Initializers are not checked here: their numbers exist only after drawing.

use super::spec::FieldSpec;
use crate::error::{Error, Result};

/// A named check.
#[derive(Debug)]
pub struct ValidatorSpec {
    /// Registered name.
    pub name: &'static str,
    /// The allowed range as the continuation of "must": `be positive`.
    pub allowed: &'static str,
    /// True if the number is allowed.
    pub accepts: fn(f64) -> bool,
}

/// What `check = ..` names: written by `#[spark::validator]`, as a type of the function's name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a check",
    label = "not a check",
    note = "a check is a function `fn(f64) -> bool` with #[spark::validator(allowed = \"..\")]"
)]
pub trait Validator {
    /// Its description.
    const SPEC: &'static ValidatorSpec;
}

/// The checks every configuration may use by name.
pub mod checks {
    /// Above zero.
    #[spark::validator(allowed = "be positive")]
    pub fn positive(x: f64) -> bool {
        x > 0.0
    }

    /// Not below zero.
    #[spark::validator(allowed = "be zero or positive")]
    pub fn non_negative(x: f64) -> bool {
        x >= 0.0
    }

    /// 0 or 1.
    #[spark::validator(allowed = "be 0 or 1")]
    pub fn binary(x: f64) -> bool {
        x == 0.0 || x == 1.0
    }

    /// From 0 to 1.
    #[spark::validator(allowed = "lie between 0 and 1")]
    pub fn zero_one(x: f64) -> bool {
        (0.0..=1.0).contains(&x)
    }

    /// Not infinite.
    #[spark::validator(allowed = "be finite")]
    pub fn finite(x: f64) -> bool {
        x.is_finite()
    }

    /// Any number, also an infinite one: fields without this check refuse those.
    #[spark::validator(allowed = "be a number")]
    pub fn infinite(x: f64) -> bool {
        !x.is_nan()
    }

    /// Any number: what has another type is refused when a field is read, whether or not it names this check. It is here
    /// because Spark's files and code name it.
    #[spark::validator(allowed = "have the field's type", name = "type")]
    pub fn of_type(_: f64) -> bool {
        true
    }
}

/// Runs the checks of `field` on its numbers.
///
/// # Errors
/// If a number is NaN, infinite in a field that does not ask for that, or outside an allowed range (the message names the first one, its position, the unit and the
/// range).
pub fn check(numbers: &[f64], field: &FieldSpec) -> Result<()> {
    if let Some(index) = numbers.iter().position(|x| x.is_nan()) {
        return Err(refused("be a number", numbers, index, field));
    }
    let infinite = <checks::infinite as Validator>::SPEC.name;
    if !field.checks.iter().any(|validator| validator.name == infinite)
        && let Some(index) = numbers.iter().position(|x| x.is_infinite())
    {
        return Err(refused("be finite", numbers, index, field));
    }
    for validator in field.checks {
        if let Some(index) = numbers.iter().position(|&x| !(validator.accepts)(x)) {
            return Err(refused(validator.allowed, numbers, index, field));
        }
    }
    Ok(())
}

fn refused(allowed: &str, numbers: &[f64], index: usize, field: &FieldSpec) -> Error {
    let unit = field.units.filter(|&unit| unit != "1").map(|unit| format!(" {unit}")).unwrap_or_default();
    let position = if numbers.len() == 1 { String::new() } else { format!(" at position {index}") };
    let error = Error::new(format!("must {allowed}, found {}{unit}{position}", numbers[index]));
    if field.description.is_empty() { error } else { error.help(field.description) }
}
