//! Conduction delays.

mod n2n;

pub use n2n::{N2NDelays, N2NDelaysConfig};
