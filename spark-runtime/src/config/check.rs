//! Checks of untyped configurations: every mistake, with its path.

use super::layout::{Layout, Values};
use super::merge::fold;
use super::value::ConfigTree;
use crate::controller::Blueprint;
use crate::error::{Error, Result};
use crate::init::AnyInitializer;
use crate::registry::{Registry, snake_case};

impl ConfigTree {
    /// Checks the types and values of all fields, here and inside, and the wiring of controllers.
    ///
    /// ```
    /// use spark::config::ConfigTree;
    ///
    /// let wrong = ConfigTree::partial().with("soma.potential_tau", -1.0).with("synapses.dtype", "float61");
    /// let neuron = ConfigTree::new("LIFNeuronConfig").merged(&wrong)?;
    /// assert_eq!(neuron.validate().unwrap_err().errors().len(), 3);
    /// // A size is still missing, but what is there can be checked.
    /// assert_eq!(neuron.validate_partial().unwrap_err().errors().len(), 2);
    /// # Ok::<(), spark::Error>(())
    /// ```
    ///
    /// # Errors
    /// Every mistake, each with its path.
    pub fn validate(&self) -> Result<()> {
        let registry = Registry::global()?;
        let wanted = snake_case(&self.type_name);
        let named = |name: &str| snake_case(name) == wanted;
        if registry.initializers.iter().any(|spec| named(spec.name) || named((spec.config)().name)) {
            return AnyInitializer::from_tree(self).map(drop);
        }
        let layout = Layout::of_config(&self.type_name);
        if layout.is_known() && crate::controller::layout_of_config(&self.type_name).is_none() {
            return check_fields(&layout, self.values.clone());
        }
        let errors = Blueprint::new(self.clone())?.parameter_errors();
        if errors.is_empty() { Ok(()) } else { Err(Error::many(errors)) }
    }

    /// Checks what is given: what is missing is no mistake.
    ///
    /// # Errors
    /// Every mistake, each with its path.
    pub fn validate_partial(&self) -> Result<()> {
        let Err(error) = self.validate() else { return Ok(()) };
        let errors: Vec<Error> = error.errors().into_iter().filter(|error| !error.is_missing()).collect();
        if errors.is_empty() { Ok(()) } else { Err(Error::many(errors)) }
    }

    /// The mistakes at a dotted path and below it.
    pub fn get_field_errors(&self, path: &str) -> Vec<Error> {
        let Err(error) = self.validate() else { return Vec::new() };
        let inside = |error: &Error| {
            error.path().strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        error.errors().into_iter().filter(inside).collect()
    }
}

/// Checks the names of a configuration of which only the fields are known: one that belongs to no module.
fn check_fields(layout: &Layout, mut values: Values) -> Result<()> {
    fold(layout, &mut values)?;
    let mut errors = Vec::new();
    for name in values.keys().filter(|name| !name.starts_with("__") && layout.field(name).is_none()) {
        errors.push(layout.no_such_field(name, &values));
    }
    for field in layout.fields.iter().filter(|field| field.default.is_none()) {
        if layout.key(field.name, &values).is_none_or(|key| !values.contains_key(&key)) {
            errors.push(super::spec::missing(field).at(field.name));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Error::many(errors)) }
}
