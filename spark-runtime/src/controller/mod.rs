//! Controllers: modules wired together.
//!
//! * [`ModuleSpecs`] and [`PortMap`]: the wiring, as configurations and files hold it.
//! * [`Neuron`]: modules that run in dependency order within one step; a rule's output may become another module's
//!   property at the end of the step (an *effect*).
//! * [`Brain`]: modules that read each other's outputs of the previous step, so that they may form circles.
//! * [`Blueprint`]: a configuration of any of these, or of a single module, whose type has been found.
//! * [`NeuronModel`] gives a type of neuron a name when the program is compiled, [`register_neuron`] while it runs.

mod blueprint;
mod brain;
mod children;
mod class;
mod interface;
mod model;
mod neuron;
mod order;
mod user;
mod wiring;

pub use blueprint::Blueprint;
pub use brain::{Brain, BrainConfig};
pub use model::NeuronModel;
pub use neuron::{Neuron, NeuronConfig};
pub use user::{register_neuron, register_neuron_from_file, registered_neurons};
pub use wiring::{ModuleSpecs, PortMap};
