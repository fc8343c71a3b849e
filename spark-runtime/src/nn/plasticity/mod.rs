//! Plasticity: how spikes change weights.

mod hebbian;
mod oja;
mod pair_stdp;
mod pairs;
mod power_law_stdp;
mod quadruplet;
mod quadruplet_tensor;
mod rule;
mod three_factor;
mod zenke;

pub use hebbian::{HebbianRule, HebbianRuleConfig};
pub use oja::{OjaRule, OjaRuleConfig};
pub use pair_stdp::{PairSTDPRule, PairSTDPRuleConfig};
pub use power_law_stdp::{PowerLawSTDPRule, PowerLawSTDPRuleConfig};
pub use quadruplet::{QuadrupletRule, QuadrupletRuleConfig};
pub use quadruplet_tensor::{QuadrupletRuleTensor, QuadrupletRuleTensorConfig};
pub use three_factor::{ThreeFactorHebbianRule, ThreeFactorHebbianRuleConfig};
pub use zenke::{ZenkeRule, ZenkeRuleConfig};
