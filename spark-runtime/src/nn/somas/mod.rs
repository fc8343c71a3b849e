//! Somas: membrane dynamics and spike generation.

mod leaky;

pub use leaky::{LeakySoma, LeakySomaConfig};
