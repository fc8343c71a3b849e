//! Controllers: modules wired together.
//!
//! * [`ModuleSpecs`] and [`PortMap`]: the wiring, as configurations and files hold it.
//! * [`Neuron`]: modules that run in dependency order within one step; a rule's output may become another module's
//!   property at the end of the step (an *effect*).
//! * [`Brain`]: modules that read each other's outputs of the previous step, so that they may form circles.
//! * [`Blueprint`]: a configuration of any of these, or of a single module, whose type has been found.
//! * [`BrainBuilder`] and [`NeuronBuilder`]: wiring in code, by names.
//! * [`NeuronModel`] gives a type of neuron a name when the program is compiled, [`register_neuron`] while it runs.

mod blueprint;
mod brain;
mod builder;
mod children;
mod class;
mod endpoint;
mod interface;
mod lookup;
mod model;
mod neuron;
mod order;
mod parts;
mod user;
mod wiring;

pub use blueprint::Blueprint;
pub use brain::{Brain, BrainConfig};
pub use builder::{BrainBuilder, ControllerBuilder, ControllerConfig, NeuronBuilder};
pub(crate) use class::{layout_of_class, layout_of_config};
pub use endpoint::{IntoModule, IntoSources, ModuleHandle, Source, Target};
pub use model::NeuronModel;
pub use neuron::{Neuron, NeuronConfig};
pub use parts::Parts;
pub(crate) use user::{check_name, module_types, neurons_of, register, with_neurons};
pub use user::{register_neuron, register_neuron_from_file, registered_neurons};
pub use wiring::{ModuleSpecs, PortMap};
