//! A compiled step allocates nothing.

#[path = "support/memory.rs"]
mod memory;

use memory::allocations;
use spark::prelude::*;

#[test]
fn a_compiled_step_allocates_nothing() {
    let config = NeuronConfig::new([20], LIFNeuron::modules());
    let mut model = Model::component(config).input("in_spikes", [30]).build().unwrap();
    model.set_inputs(&[("in_spikes", vec![true; 30].into())]).unwrap();
    let spikes = Data::Bool(vec![true; 30]);
    let instance = model.instance_mut().unwrap();
    instance.step();
    let before = allocations();
    for _ in 0..1000 {
        instance.set_input(0, &spikes).unwrap();
        instance.step();
    }
    assert_eq!(allocations(), before);
}
