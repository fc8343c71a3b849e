//! Traces: decaying memories of an input, parts that modules hold in `#[module]` fields.
//!
//! Each is a sum of exponentials, advanced exactly from step to step: [`Tracer`] has one, [`RDTracer`] two,
//! [`RFSTracer`] four.

mod exponential;
mod rise_decay;
mod rise_fast_slow;

pub use exponential::{Exponential, Tracer};
pub use rise_decay::RDTracer;
pub use rise_fast_slow::RFSTracer;
