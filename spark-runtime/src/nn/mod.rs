//! The module library: written with the public macros only, so that it is the example of how to write one's own.

pub mod delays;
pub mod interfaces;
pub mod neurons;
pub mod plasticity;
pub mod somas;
pub mod synapses;
pub mod tracers;
