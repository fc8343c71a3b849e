//! Configurations: the parameters of a module, as typed structs and as untyped trees.
//!
//! A configuration exists in three forms:
//!
//! * a [`ConfigTree`], the untyped form a file holds ([`crate::scfg`]);
//! * [`ConfigValues`], a tree under a [`ConfigSpec`], the static description of one configuration type;
//! * the typed struct, which implements [`Config`] (normally through `#[spark::config]`).
//!
//! Reading a typed struct converts and checks every field and reports every mistake, not only the first. The way back
//! never fails, and a round trip is the identity.

mod default;
mod field;
mod group;
mod param;
mod spec;
pub mod validate;
mod value;

pub use default::FromDefault;
pub(crate) use field::parse_dtype;
pub use field::{FieldType, IntoConfigValue, Units};
pub use group::{ConfigGroup, GroupField};
pub use param::Param;
pub use spec::{ConfigErrors, ConfigSpec, ConfigValues, FieldSpec};
pub use value::{ConfigTree, ConfigValue};

use crate::error::{Error, Result};
use crate::registry::snake_case;
use spark_compiler::ir::DType;
use std::fmt::Debug;

/// A typed configuration. `#[spark::config]` implements it for a struct.
pub trait Config: Clone + Debug + PartialEq + Send + Sync + 'static {
    /// Name, fields, defaults and checks.
    fn spec() -> &'static ConfigSpec;

    /// Reads every field. Mistakes are recorded, with defaults in place of what is wrong; `None` if a field that is wrong
    /// has no default.
    fn from_values(values: &ConfigValues, errors: &mut ConfigErrors) -> Option<Self>;

    /// The values of every field.
    fn to_values(&self) -> ConfigValues;

    /// Seed of the module's random numbers.
    fn seed(&self) -> u32 {
        0
    }

    /// Storage type of the module's floating-point states.
    fn dtype(&self) -> DType {
        DType::F32
    }

    /// Time step, in milliseconds.
    fn dt(&self) -> f64 {
        1.0
    }

    /// Reads an untyped tree.
    ///
    /// # Errors
    /// If the tree is of another type, a required field is missing, a field is unknown, or a value has the wrong type or
    /// lies outside its allowed range. All mistakes are reported at once.
    fn from_tree(tree: &ConfigTree) -> Result<Self> {
        let mut errors = ConfigErrors::new();
        let config = Self::read_tree(tree, &mut errors);
        finish(config, errors)
    }

    /// Reads an untyped tree as far as it goes: mistakes are recorded, with defaults in place of what is wrong. `None` if
    /// the tree is of another type, or a field that is wrong has no default.
    fn read_tree(tree: &ConfigTree, errors: &mut ConfigErrors) -> Option<Self> {
        let spec = Self::spec();
        if !tree.type_name.is_empty() && snake_case(&tree.type_name) != snake_case(spec.name) {
            let message = format!("expected a `{}`, found a `{}`", spec.name, tree.type_name);
            errors.push(Error::new(message));
            return None;
        }
        let values = ConfigValues::from_tree(spec, tree);
        values.unknown(errors);
        Self::from_values(&values, errors)
    }

    /// The untyped tree of this configuration.
    fn to_tree(&self) -> ConfigTree {
        self.to_values().into_tree()
    }

    /// Checks every field's value, as reading does.
    ///
    /// # Errors
    /// If a value lies outside its allowed range. All mistakes are reported at once.
    fn validate(&self) -> Result<()> {
        let mut errors = ConfigErrors::new();
        let config = Self::from_values(&self.to_values(), &mut errors);
        finish(config, errors).map(drop)
    }
}

/// The configuration, if nothing was wrong with it.
fn finish<C: Config>(config: Option<C>, errors: ConfigErrors) -> Result<C> {
    errors.into_result()?;
    config.ok_or_else(|| Error::new(format!("`{}` could not be read", C::spec().name)))
}
