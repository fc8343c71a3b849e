//! Neurons as Spark ships them: populations with default modules.

mod lif;

pub use lif::lif_modules;
