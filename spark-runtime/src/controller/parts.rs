//! A controller's modules, resolved: what each is once the controller's own configuration has been read.
//!
//! Types are found and configurations completed and read once; checks, ports, contracts, precision and building ask the
//! result.

use super::blueprint::Blueprint;
use super::children::Inherited;
use super::interface::Interface;
use super::wiring::ModuleSpecs;
use crate::config::ConfigErrors;
use crate::error::{Error, Result};

/// The modules of a controller.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    list: Vec<Part>,
}

/// One module of a controller.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Its specs, with what the controller hands down to its configuration.
    pub(super) specs: ModuleSpecs,
    /// What it is, as far as it can be read.
    resolved: Option<(Blueprint, Interface)>,
    /// Why its type is not known, or what is wrong with a controller's own fields.
    unread: Vec<Error>,
}

impl Parts {
    /// Resolves the modules of a controller.
    pub(super) fn of(modules: &[ModuleSpecs], inherited: &Inherited<'_>) -> Parts {
        let part = |(index, specs)| {
            let specs = inherited.completed(specs, index);
            let mut unread = ConfigErrors::new();
            let blueprint = Blueprint::read_module(&specs, &mut unread);
            let resolved = blueprint.map(|blueprint| {
                let interface = Interface::new(&blueprint);
                (blueprint, interface)
            });
            Part { specs, resolved, unread: unread.into_errors() }
        };
        Parts { list: modules.iter().enumerate().map(part).collect() }
    }

    /// The modules, in the order given.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Part> {
        self.list.iter()
    }

    /// All of them.
    pub(super) fn as_slice(&self) -> &[Part] {
        &self.list
    }

    /// The module called `name`.
    pub(super) fn find(&self, name: &str) -> Option<&Part> {
        self.list.iter().find(|part| part.specs.name == name)
    }

    /// The mistakes of the modules' parameters, as far as they show without building. Modules of unknown types are left out,
    /// and controllers' own fields; the check of the wiring reports them.
    pub(super) fn parameter_errors(&self) -> Vec<Error> {
        self.list.iter().flat_map(Part::parameter_errors).collect()
    }
}

impl Part {
    /// What it is, as far as it can be read.
    pub(super) fn blueprint(&self) -> Option<&Blueprint> {
        self.resolved.as_ref().map(|(blueprint, _)| blueprint)
    }

    /// Its ports, if its type is known.
    pub(super) fn interface(&self) -> Option<&Interface> {
        self.resolved.as_ref().map(|(_, interface)| interface)
    }

    /// Why its type is not known, or what is wrong with a controller's own fields.
    pub(super) fn unread(&self) -> &[Error] {
        &self.unread
    }

    /// What it is.
    ///
    /// # Errors
    /// If that is not known, or a controller's own fields are ill-formed.
    pub(super) fn readable(&self) -> Result<(&Blueprint, &Interface)> {
        match &self.resolved {
            Some((blueprint, interface)) if self.unread.is_empty() => Ok((blueprint, interface)),
            _ => Err(Error::many(self.unread.clone())),
        }
    }

    /// The mistakes of its parameters, under its name.
    pub(super) fn parameter_errors(&self) -> Vec<Error> {
        let errors = self.blueprint().into_iter().flat_map(Blueprint::parameter_errors);
        errors.map(|error| error.prefixed(&self.specs.name)).collect()
    }
}
