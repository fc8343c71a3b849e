//! The runtime of Spark: payloads, ports, configurations, the registry, the module library and models.
//!
//! * What travels: [`payload`](mod@payload), [`port`]. What describes: [`spec`], [`config`](mod@config), [`registry`].
//! * What a module is: [`module`](mod@module), [`build`], [`delay`], [`clock`], [`bounds`]; the shipped ones: [`nn`].
//! * Wiring: [`controller`]. Files: [`scfg`]. Random numbers: [`rng`], [`random`], [`init`].
//! * Running: [`model`]; looking inside: [`inspect`]. What a model remembers: [`state`]; on disk: [`checkpoint`], [`atomic`].
//! * For other machines: [`aot`]. Machine code kept on disk: [`cache`].

// The macros emit paths that begin with `::spark`; inside this crate that is this crate.
extern crate self as spark;

pub mod aot;
pub mod atomic;
pub mod bounds;
pub mod build;
pub mod checkpoint;
pub mod clock;
pub mod config;
pub mod controller;
pub mod delay;
pub mod error;
pub mod init;
pub mod inspect;
pub mod model;
pub mod module;
pub mod nn;
pub mod payload;
pub mod port;
pub mod prelude;
pub mod random;
pub mod registry;
mod regular;
pub mod rng;
pub mod scfg;
pub mod spec;
pub mod state;

pub use error::{Error, Result};
pub use spark_compiler::emit::cache;
pub use spark_macros::{config, initializer, module, neuron, part, payload, ports, traced, validator};

/// Runs `f` where array handles are evaluated at once: for tests and experiments outside a module.
///
/// ```
/// use spark::prelude::*;
///
/// let root = spark::eager(|| Real::scalar(9.0).sqrt().known())?;
/// assert_eq!(root.unwrap().to_f32(), [3.0]);
/// # Ok::<(), spark::Error>(())
/// ```
///
/// # Errors
/// Every mistake made in `f` (shapes that do not fit, for example), with its source line.
pub fn eager<R>(f: impl FnOnce() -> R) -> Result<R> {
    spark_compiler::array::tape::eager(f).map_err(module::trace_errors)
}

/// What macro-emitted code refers to; not part of the public interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::config::validate::{Validator, ValidatorSpec, checks};
    pub use crate::config::{
        Config, ConfigErrors, ConfigGroup, ConfigSpec, ConfigValue, ConfigValues, FieldSpec, FieldType, FromDefault,
        GroupField, IntoConfigValue, Units,
    };
    pub use crate::controller::{ModuleSpecs, NeuronModel};
    pub use crate::error::Result;
    pub use crate::init::{InitializerSpec, InitializerType};
    pub use crate::module::{
        Build, FieldVisitor, InputPorts, Module, ModuleFields, Nested, assert_port, attempt, count_ports, join_inputs,
        join_ports, no_setter, output_shape, validate, visit_flattened, visit_nested,
    };
    pub use crate::payload::{Payload, PayloadKind, PayloadPart, PayloadType, ValuePayload, check_payload};
    pub use crate::port::Args;
    pub use crate::registry::{Registered, submit};
    pub use crate::spec::{ModuleType, NeuronType, PortSpecs};
    pub use spark_compiler::array::*;
    pub use spark_compiler::ir::{Axis, DType, Shape};
    pub use spark_macros::flatten;
}
