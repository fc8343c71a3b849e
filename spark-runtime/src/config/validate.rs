//! Checks on the numbers of a field: `#[param(check = positive)]`.
//!
//! A validator looks at one number at a time and names its allowed range; a field passes if all its numbers do. NaN never
//! passes, checked or not. Initializers are not checked here: their numbers exist only after drawing.

use super::spec::FieldSpec;
use crate::error::{Error, Result, unknown_name_help};
use crate::registry::{Registered, Registry};

/// A named check.
#[derive(Debug)]
pub struct ValidatorSpec {
    /// Name used in `check = name`.
    pub name: &'static str,
    /// The allowed range as the continuation of "must": `be positive`.
    pub allowed: &'static str,
    /// True if the number is allowed.
    pub accepts: fn(f64) -> bool,
}

/// The checks every configuration may use.
static BUILTIN: [ValidatorSpec; 6] = [
    // The conversion to the field's type is this check; it is here because Spark's files and code name it.
    ValidatorSpec { name: "type", allowed: "have the field's type", accepts: |_| true },
    ValidatorSpec { name: "positive", allowed: "be positive", accepts: |x| x > 0.0 },
    ValidatorSpec { name: "non_negative", allowed: "be zero or positive", accepts: |x| x >= 0.0 },
    ValidatorSpec { name: "binary", allowed: "be 0 or 1", accepts: |x| x == 0.0 || x == 1.0 },
    ValidatorSpec { name: "zero_one", allowed: "lie between 0 and 1", accepts: |x| (0.0..=1.0).contains(&x) },
    ValidatorSpec { name: "finite", allowed: "be finite", accepts: f64::is_finite },
];

inventory::submit! { Registered::Validator(|| &BUILTIN[0], file!(), line!()) }
inventory::submit! { Registered::Validator(|| &BUILTIN[1], file!(), line!()) }
inventory::submit! { Registered::Validator(|| &BUILTIN[2], file!(), line!()) }
inventory::submit! { Registered::Validator(|| &BUILTIN[3], file!(), line!()) }
inventory::submit! { Registered::Validator(|| &BUILTIN[4], file!(), line!()) }
inventory::submit! { Registered::Validator(|| &BUILTIN[5], file!(), line!()) }

/// Runs the checks of `field` on its numbers.
///
/// # Errors
/// If a number is NaN or outside an allowed range (the message names the first one, its position, the unit and the
/// range), or if a check is not registered.
pub fn check(numbers: &[f64], field: &FieldSpec) -> Result<()> {
    if let Some(index) = numbers.iter().position(|x| x.is_nan()) {
        return Err(refused("be a number", numbers, index, field));
    }
    for name in field.checks {
        let validator = find(name)?;
        if let Some(index) = numbers.iter().position(|&x| !(validator.accepts)(x)) {
            return Err(refused(validator.allowed, numbers, index, field));
        }
    }
    Ok(())
}

fn find(name: &str) -> Result<&'static ValidatorSpec> {
    match BUILTIN.iter().find(|validator| validator.name == name) {
        Some(validator) => Ok(validator),
        None => Registry::global()?.validators.get(name).map_err(|_| {
            let names = BUILTIN.iter().map(|validator| validator.name);
            Error::new(format!("unknown check `{name}`")).help(unknown_name_help(name, names))
        }),
    }
}

fn refused(allowed: &str, numbers: &[f64], index: usize, field: &FieldSpec) -> Error {
    let unit = field.units.filter(|&unit| unit != "1").map(|unit| format!(" {unit}")).unwrap_or_default();
    let position = if numbers.len() == 1 { String::new() } else { format!(" at position {index}") };
    let error = Error::new(format!("must {allowed}, found {}{unit}{position}", numbers[index]));
    if field.description.is_empty() { error } else { error.help(field.description) }
}
