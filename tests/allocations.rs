//! A compiled step allocates nothing.

use spark::prelude::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

struct Counting;

#[allow(unsafe_code)]
// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static GLOBAL: Counting = Counting;

#[test]
fn a_compiled_step_allocates_nothing() {
    let config = NeuronConfig::new([20], LIFNeuron::modules());
    let mut model = Model::component(config).input("in_spikes", [30]).build().unwrap();
    model.set_inputs(&[("in_spikes", vec![true; 30].into())]).unwrap();
    let spikes = Data::Bool(vec![true; 30]);
    let instance = model.instance_mut().unwrap();
    instance.step();
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for _ in 0..1000 {
        instance.set_input(0, &spikes).unwrap();
        instance.step();
    }
    assert_eq!(ALLOCATIONS.load(Ordering::Relaxed), before);
}
