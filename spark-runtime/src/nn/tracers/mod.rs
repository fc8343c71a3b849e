//! Traces: decaying memories of an input, parts that modules hold in `#[module]` fields.
//!
//! Each is advanced exactly from step to step. Sums of exponentials: [`Tracer`] has one, [`RDTracer`] two, [`RFSTracer`]
//! four. [`AlphaTracer`] has the shape of an alpha function, [`RUTracer`] is the state of a synapse with short-term
//! plasticity.

mod alpha;
mod exponential;
mod kinetics;
mod resource_utilisation;
mod rise_decay;
mod rise_fast_slow;
mod shape;

pub use alpha::AlphaTracer;
pub use exponential::{Exponential, Tracer};
pub use kinetics::Kinetics;
pub use resource_utilisation::RUTracer;
pub use rise_decay::RDTracer;
pub use rise_fast_slow::RFSTracer;
pub use shape::trace_shape;
