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
//! What they share are parts with their parameters: the membranes ([`LeakyMembrane`], [`ExponentialMembrane`]), the
//! [`Refractory`] period, the [`Adaptation`] current, and the adaptive threshold ([`AdaptiveThresholdConfig`]).

mod adaptation;
mod adaptive_exponential;
mod adaptive_leaky;
mod adaptive_threshold;
mod exponential;
mod exponential_membrane;
mod izhikevich;
mod leaky;
mod leaky_membrane;
mod refractory;
mod refractory_exponential;
mod refractory_leaky;
mod simplified_adaptive_exponential;
mod strict_refractory_leaky;

pub use adaptation::{Adaptation, AdaptationConfig};
pub use adaptive_exponential::{AdaptiveExponentialSoma, AdaptiveExponentialSomaConfig};
pub use adaptive_leaky::{AdaptiveLeakySoma, AdaptiveLeakySomaConfig};
pub use adaptive_threshold::AdaptiveThresholdConfig;
pub use exponential::{ExponentialSoma, ExponentialSomaConfig};
pub use exponential_membrane::{ExponentialMembrane, ExponentialMembraneConfig};
pub use izhikevich::{IzhikevichSoma, IzhikevichSomaConfig};
pub use leaky::{LeakySoma, LeakySomaConfig};
pub use leaky_membrane::{LeakyMembrane, LeakyMembraneConfig};
pub use refractory::{Refractory, RefractoryConfig};
pub use refractory_exponential::{RefractoryExponentialSoma, RefractoryExponentialSomaConfig};
pub use refractory_leaky::{RefractoryLeakySoma, RefractoryLeakySomaConfig};
pub use simplified_adaptive_exponential::{SimplifiedAdaptiveExponentialSoma, SimplifiedAdaptiveExponentialSomaConfig};
pub use strict_refractory_leaky::{StrictRefractoryLeakySoma, StrictRefractoryLeakySomaConfig};
