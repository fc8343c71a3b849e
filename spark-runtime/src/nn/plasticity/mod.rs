//! Plasticity: how spikes change weights.

mod hebbian;

pub use hebbian::{HebbianRule, HebbianRuleConfig};
