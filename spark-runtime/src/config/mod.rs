//! Configurations: the parameters of a module, as typed structs and as untyped trees.
//!
//! A configuration exists in three forms:
//!
//! * a [`ConfigTree`], the untyped form a file holds ([`crate::scfg`]);
//! * [`ConfigValues`], a tree under a [`ConfigSpec`], the static description of one configuration type;
//! * the typed struct, which implements [`Config`] (normally through `#[spark::config]`).
//!
//! Typed and untyped configurations are worked on alike: by dotted paths (`soma.potential_tau`, [`ConfigTree::lookup`],
//! [`ConfigTree::set`]), with partial configurations and shared parameters ([`ConfigTree::merge`]), and as a whole
//! ([`ConfigTree::diff`], [`ConfigTree::validate`], [`ConfigTree::with_new_seeds`], [`ConfigTree::get_metadata`]).
//! [`Config`] has the same for structs.
//!
//! Reading a typed struct converts and checks every field and reports every mistake, not only the first. The way back
//! never fails, and a round trip is the identity.

mod check;
mod complete;
mod convert;
mod default;
mod diff;
mod display;
mod field;
mod group;
mod layout;
mod merge;
mod metadata;
mod param;
mod path;
mod seeds;
mod spec;
pub mod validate;
mod value;

pub(crate) use complete::HandedDown;
pub use default::FromDefault;
pub use diff::Difference;
pub(crate) use display::with_unit;
pub use field::{FieldType, IntoConfigValue, Units};
pub(crate) use field::{mismatch, parse_dtype};
pub use group::{ConfigGroup, GroupField};
pub(crate) use layout::Layout;
pub(crate) use merge::fold;
pub use metadata::{ConfigMetadata, FieldMetadata};
pub use param::Param;
pub use spec::{ConfigErrors, ConfigSpec, ConfigValues, FieldSpec};
pub use value::{ConfigTree, ConfigValue};

use crate::error::{Error, Result};
use crate::registry::snake_case;
use spark_compiler::ir::DType;
use std::fmt::Debug;
use std::path::Path;

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
        let mut values = tree.values.clone();
        if let Err(error) = fold(&Layout::of_spec(spec), &mut values) {
            errors.push(error);
        }
        let values = ConfigValues::from_tree(spec, &ConfigTree { type_name: String::new(), values });
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

    /// The value at a dotted path as a field's type; see [`ConfigTree::read`].
    ///
    /// # Errors
    /// If the path leads nowhere, or the value is of another type.
    fn read<T: FieldType>(&self, path: &str) -> Result<T> {
        self.to_tree().read(path)
    }

    /// Sets the value at a dotted path; see [`ConfigTree::set`].
    ///
    /// ```
    /// use spark::prelude::*;
    ///
    /// let mut config = LinearSynapsesConfig::new([4]).with_kernel(Uniform::default());
    /// config.set("kernel.scale", 3.0)?;
    /// assert_eq!(config.read::<f64>("kernel.scale")?, 3.0);
    /// assert!(config.set("kernel.scale", "large").is_err());
    /// # Ok::<(), spark::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the path leads nowhere, or the value does not fit; nothing is changed then.
    fn set(&mut self, path: &str, value: impl Into<ConfigValue>) -> Result<()> {
        let mut tree = self.to_tree();
        tree.set(path, value)?;
        *self = Self::from_tree(&tree)?;
        Ok(())
    }

    /// Takes over what a partial configuration gives; see [`ConfigTree::merge`].
    ///
    /// # Errors
    /// If `partial` names what is not there, or gives values that do not fit; nothing is changed then.
    fn merge(&mut self, partial: &ConfigTree) -> Result<()> {
        *self = Self::from_tree(&self.to_tree().merged(partial)?)?;
        Ok(())
    }

    /// Where this configuration and `other` mean different things; see [`ConfigTree::diff`].
    fn diff(&self, other: &impl Config) -> Vec<Difference> {
        self.to_tree().diff(&other.to_tree())
    }

    /// This configuration with new seeds here and inside; see [`ConfigTree::with_new_seeds`].
    ///
    /// # Errors
    /// If the configuration is not valid.
    fn with_new_seeds(&self, seed: u32) -> Result<Self> {
        Self::from_tree(&self.to_tree().with_new_seeds(seed))
    }

    /// Replaces the seeds here and inside by new ones; has no effect on models that are built.
    ///
    /// # Errors
    /// If the configuration is not valid.
    fn refresh_seeds(&mut self, seed: u32) -> Result<()> {
        *self = self.with_new_seeds(seed)?;
        Ok(())
    }

    /// What is known of every field, here and inside; see [`ConfigTree::get_metadata`].
    fn get_metadata(&self) -> ConfigMetadata {
        self.to_tree().get_metadata()
    }

    /// Reads a `.scfg` file.
    ///
    /// # Errors
    /// If the file cannot be read, and as [`Config::from_tree`].
    fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::from_tree(&crate::scfg::read_path(path)?).map_err(|error| error.in_file(path))
    }

    /// Writes a `.scfg` file: compressed, or plain if its name ends in `.json` or `.json.scfg`. Every field is written, given or
    /// not, so that the Python Spark, whose defaults are others, reads the same model.
    ///
    /// # Errors
    /// If the file cannot be written; one that was there is left as it was then.
    fn to_file(&self, path: impl AsRef<Path>) -> Result<()> {
        crate::scfg::write_path(path.as_ref(), &self.to_tree().completed(), crate::scfg::Format::of(path.as_ref()))
    }
}

/// The configuration, if nothing was wrong with it.
fn finish<C: Config>(config: Option<C>, errors: ConfigErrors) -> Result<C> {
    errors.into_result()?;
    config.ok_or_else(|| Error::new(format!("`{}` could not be read", C::spec().name)))
}
