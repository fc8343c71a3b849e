//! Spark: a code-generating model compiler for modular spiking neural networks.

pub use spark_runtime::*;
