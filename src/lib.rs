//! Spark: a code-generating model compiler for modular spiking neural networks.
//!
//! This crate is the facade: it re-exports the runtime and holds the `spark` command. Start with the [`prelude`], the
//! macros [`config`](macro@config) and [`module`](macro@module), and [`model::Model`]; the module library is [`nn`].
//!
//! The examples below are those of the README.
#![doc = include_str!("../README.md")]

pub use spark_runtime::*;
