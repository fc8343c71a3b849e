//! Types of neurons that are known when a program is compiled.

use super::wiring::ModuleSpecs;

/// What a neuron of a type has inside, for `#[spark::neuron]` on the type.
///
/// ```
/// use spark::nn::neurons::LIFNeuron;
/// use spark::prelude::*;
///
/// /// As a `LIFNeuron`, with spikes that are followed by two refractory milliseconds.
/// #[spark::neuron]
/// pub struct PausingNeuron;
///
/// impl NeuronModel for PausingNeuron {
///     fn modules() -> Vec<ModuleSpecs> {
///         let mut modules = LIFNeuron::modules();
///         modules[2].module_cls = "RefractoryLeakySoma".into();
///         modules
///     }
/// }
///
/// let model = Model::component(PausingNeuronConfig::new([10])).input("in_spikes", [20]).build()?;
/// assert!(model.states().contains(&"soma.refractory.counter".to_string()));
/// # Ok::<(), spark::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which modules its neurons have",
    label = "needs `impl NeuronModel`",
    note = "a neuron type is a struct with #[spark::neuron] and an `impl NeuronModel` that gives its modules"
)]
pub trait NeuronModel {
    /// The modules and their connections, unless a configuration names others.
    fn modules() -> Vec<ModuleSpecs>;
}
