//! Groups of parameters that several configurations flatten.

use super::spec::{ConfigErrors, ConfigValues, FieldSpec};
use std::fmt::Debug;

/// A group of parameters: `#[spark::config(group)]` implements it for a struct.
///
/// A configuration flattens a group with `#[flatten]`. The group's fields are then the configuration's own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a group of parameters",
    note = "only a struct with #[spark::config(group)] can be flattened"
)]
pub trait ConfigGroup: Clone + Debug + PartialEq + Send + Sync + 'static {
    /// The fields, in declaration order.
    const FIELDS: &'static [FieldSpec];

    /// Reads every field. Mistakes are recorded, with defaults in place of what is wrong; `None` if a field that is wrong has
    /// no default.
    ///
    /// `fields` are the configuration's for this group: [`ConfigGroup::FIELDS`], but where it replaces a default.
    fn read(values: &ConfigValues, fields: &[FieldSpec], errors: &mut ConfigErrors) -> Option<Self>;

    /// Adds the values of every field.
    fn write(&self, values: &mut ConfigValues);
}

/// The type of a group's field, by its index in [`ConfigGroup::FIELDS`].
pub trait GroupField<const INDEX: usize> {
    /// That type.
    type Type;
}
