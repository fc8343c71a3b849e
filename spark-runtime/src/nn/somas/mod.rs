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
//! | [`AdaptiveCurrentLeakySoma`] | leaky | | current |
//! | [`ExponentialPSCSoma`], [`AlphaPSCSoma`], [`DeltaPSCSoma`] | leaky, with synaptic currents | held at reset | |
//! | [`ConductanceLeakySoma`] | leaky, with synaptic conductances | held at reset | |
//! | [`HodgkinHuxleySoma`] | sodium and potassium channels | | |
//!
//! What they share are parts with their parameters: the membranes ([`LeakyMembrane`], [`ExponentialMembrane`]), alone, with a
//! [`Refractory`] period ([`RefractoryMembrane`]) and with an [`AdaptiveThreshold`], too; the [`Adaptation`] current; and
//! postsynaptic currents ([`PSCDynamics`]).

mod adaptation;
mod adaptive_current_leaky;
mod adaptive_exponential;
mod adaptive_leaky;
mod adaptive_threshold;
mod alpha_psc;
mod conductance_leaky;
mod delta_psc;
mod drive;
mod exponential;
mod exponential_membrane;
mod exponential_psc;
mod hodgkin_huxley;
mod inputs;
mod izhikevich;
mod leaky;
mod leaky_membrane;
mod membrane;
mod postsynaptic_current;
mod psc_membrane;
mod refractory;
mod refractory_exponential;
mod refractory_leaky;
mod refractory_membrane;
mod simplified_adaptive_exponential;
mod stability;
mod strict_refractory_leaky;

pub use adaptation::{Adaptation, AdaptationConfig};
pub use adaptive_current_leaky::{AdaptiveCurrentLeakySoma, AdaptiveCurrentLeakySomaConfig};
pub use adaptive_exponential::{AdaptiveExponentialSoma, AdaptiveExponentialSomaConfig};
pub use adaptive_leaky::{AdaptiveLeakySoma, AdaptiveLeakySomaConfig};
pub use adaptive_threshold::{AdaptiveThreshold, AdaptiveThresholdConfig};
pub use alpha_psc::{AlphaPSCSoma, AlphaPSCSomaConfig};
pub use conductance_leaky::{ConductanceLeakySoma, ConductanceLeakySomaConfig};
pub use delta_psc::{DeltaPSCSoma, DeltaPSCSomaConfig};
pub use drive::Inlet;
pub use exponential::{ExponentialSoma, ExponentialSomaConfig};
pub use exponential_membrane::{ExponentialMembrane, ExponentialMembraneConfig};
pub use exponential_psc::{ExponentialPSCSoma, ExponentialPSCSomaConfig};
pub use hodgkin_huxley::{HodgkinHuxleySoma, HodgkinHuxleySomaConfig};
pub use inputs::{PSCInputs, SomaInputs};
pub use izhikevich::{IzhikevichSoma, IzhikevichSomaConfig};
pub use leaky::{LeakySoma, LeakySomaConfig};
pub use leaky_membrane::{LeakyMembrane, LeakyMembraneConfig, LeakyParameters};
pub use membrane::Membrane;
pub use postsynaptic_current::{AlphaCurrent, ExponentialCurrent, PostsynapticCurrentConfig, SynapticCurrent};
pub use psc_membrane::{PSCDynamics, PSCMembrane, PSCNeuronConfig};
pub use refractory::{Refractory, RefractoryConfig};
pub use refractory_exponential::{RefractoryExponentialSoma, RefractoryExponentialSomaConfig};
pub use refractory_leaky::{RefractoryLeakySoma, RefractoryLeakySomaConfig};
pub use refractory_membrane::RefractoryMembrane;
pub use simplified_adaptive_exponential::{SimplifiedAdaptiveExponentialSoma, SimplifiedAdaptiveExponentialSomaConfig};
pub use strict_refractory_leaky::{StrictRefractoryLeakySoma, StrictRefractoryLeakySomaConfig};
