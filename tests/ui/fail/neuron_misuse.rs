use spark::prelude::*;

#[spark::neuron]
struct Silent;

#[spark::neuron(name = "Named")]
struct Keyed;

#[spark::neuron]
struct Filled {
    units: usize,
}

#[spark::neuron]
struct Generic<T>(T);

#[spark::neuron]
fn function() {}

/// Right.
#[spark::neuron]
struct Right;

impl NeuronModel for Right {
    fn modules() -> Vec<ModuleSpecs> {
        Vec::new()
    }
}

fn main() {
    let _ = (Silent, Keyed, Filled { units: 1 }, Generic(1), function(), RightConfig::new([1]));
}
