//! Controllers: modules wired together.
//!
//! * [`ModuleSpecs`] and [`PortMap`]: the wiring, as configurations and files hold it.
//! * [`Neuron`]: modules that run in dependency order within one step; a rule's output may become another module's
//!   property at the end of the step (an *effect*).

mod neuron;
mod order;
mod wiring;

pub(crate) use neuron::FIELDS as NEURON_FIELDS;
pub use neuron::{Neuron, NeuronConfig};
pub use wiring::{ModuleSpecs, PortMap};
