//! Somas: membrane dynamics and spike generation.
//!
//! | soma | membrane | refractory | adapts by |
//! |---|---|---|---|
//! | [`LeakySoma`] | leaky | | |
//! | [`RefractoryLeakySoma`] | leaky | takes no input | |
//! | [`StrictRefractoryLeakySoma`] | leaky | held at reset | |
//! | [`AdaptiveLeakySoma`] | leaky | takes no input | threshold |
//! | [`ExponentialSoma`] | exponential | | |
//! | [`RefractoryExponentialSoma`] | exponential | takes no input | |
//! | [`AdaptiveExponentialSoma`] | exponential | | current |
//! | [`SimplifiedAdaptiveExponentialSoma`] | exponential | takes no input | threshold |
//! | [`IzhikevichSoma`] | quadratic | | current |
//!
//! What they share are parts: the membranes ([`LeakyMembrane`], [`ExponentialMembrane`]), [`Refractory`], and the tracer
//! that an adapting threshold is.

mod adaptive_exponential;
mod adaptive_leaky;
mod exponential;
mod izhikevich;
mod leaky;
mod membrane;
mod refractory;
mod refractory_leaky;

pub use adaptive_exponential::{
    AdaptiveExponentialSoma, AdaptiveExponentialSomaConfig, SimplifiedAdaptiveExponentialSoma,
    SimplifiedAdaptiveExponentialSomaConfig,
};
pub use adaptive_leaky::{AdaptiveLeakySoma, AdaptiveLeakySomaConfig};
pub use exponential::{
    ExponentialSoma, ExponentialSomaConfig, RefractoryExponentialSoma, RefractoryExponentialSomaConfig,
};
pub use izhikevich::{IzhikevichSoma, IzhikevichSomaConfig};
pub use leaky::{LeakySoma, LeakySomaConfig};
pub use membrane::{ExponentialMembrane, LeakyMembrane};
pub use refractory::Refractory;
pub use refractory_leaky::{
    RefractoryLeakySoma, RefractoryLeakySomaConfig, StrictRefractoryLeakySoma, StrictRefractoryLeakySomaConfig,
};
