//! Plasticity: how spikes change weights.
//!
//! What the rules share are parts: [`SpikeTraces`] of the spikes on both sides, with the terms that rules make of them, and
//! [`Learning`], the step of a kernel.

mod hebbian;
mod inputs;
mod oja;
mod pair_stdp;
mod pairs;
mod power_law_stdp;
mod quadruplet;
mod quadruplet_tensor;
mod rule;
mod three_factor;
mod traces;
mod zenke;

pub use hebbian::{HebbianRule, HebbianRuleConfig};
pub use inputs::RuleInputs;
pub use oja::{OjaRule, OjaRuleConfig};
pub use pair_stdp::{PairSTDPRule, PairSTDPRuleConfig};
pub use pairs::SpikePairsConfig;
pub use power_law_stdp::{PowerLawSTDPRule, PowerLawSTDPRuleConfig};
pub use quadruplet::{QuadrupletRule, QuadrupletRuleConfig};
pub use quadruplet_tensor::{QuadrupletRuleTensor, QuadrupletRuleTensorConfig};
pub use rule::Learning;
pub use three_factor::{ThreeFactorHebbianRule, ThreeFactorHebbianRuleConfig};
pub use traces::{SpikeTraces, SpikeTracesConfig, TracedSpikes};
pub use zenke::{ZenkeRule, ZenkeRuleConfig};
