//! A million steps take no more memory than the first few.

use spark::config::Config;
use spark::controller::{BrainConfig, ModuleSpecs, NeuronConfig, PortMap};
use spark::prelude::*;
use std::collections::VecDeque;

const STEPS: usize = 1_000_000;

/// A spiker and a plastic pool that reads itself.
fn brain() -> Model {
    let spiker = ModuleSpecs::new("spiker", "PoissonSpiker")
        .config(&PoissonSpikerConfig::default().with_max_freq(300.0))
        .input("signal", PortMap::output(PortMap::CALL, "signal"));
    // Synapses strong enough for spikes.
    let mut modules = LIFNeuron::modules();
    let synapses = modules.iter_mut().find(|m| m.name == "synapses").unwrap();
    synapses.config = LinearSynapsesConfig::new([8]).with_kernel(400.0).to_tree();
    let pool = ModuleSpecs::new("pool", "LIFNeuron")
        .config(&NeuronConfig::new([8], modules))
        .input("in_spikes", PortMap::output("spiker", "spikes"))
        .input("in_spikes", PortMap::output("pool", "out_spikes"))
        .output("spikes", "out_spikes");
    Model::component(BrainConfig::new(vec![spiker, pool])).input("signal", [4]).build().unwrap()
}

fn signal() -> [(&'static str, HostPayload); 1] {
    [("signal", vec![1.0f32; 4].into())]
}

/// Memory of this process that is in use (`VmRSS`), in kB; `None` if the system does not say.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[track_caller]
fn grew_less_than_a_mib(before: Option<usize>, what: &str) {
    let (Some(before), Some(after)) = (before, resident()) else {
        eprintln!("skipped: no /proc/self/status on this system");
        return;
    };
    println!("{what}: from {before} to {after} kB");
    assert!(after.saturating_sub(before) < 1 << 10, "{what}: from {before} to {after} kB");
}

/// One test, so that nothing else takes memory.
#[test]
fn a_million_steps_are_stable_in_memory() {
    let mut model = brain();
    let kernel = model.state("pool.synapses.kernel").unwrap();
    model.run(10_000, &signal()).unwrap();
    let before = resident();
    model.run(STEPS, &signal()).unwrap();
    grew_less_than_a_mib(before, "not recorded");
    assert_eq!(model.steps(), STEPS as u64 + 10_000);
    let values = model.state("pool.synapses.kernel").unwrap();
    assert!(values != kernel, "the synapses learn");
    assert!(values.to_f32().iter().all(|x| x.is_finite()));

    // A recorder of the last hundred outputs, every tenth step.
    let mut last: VecDeque<Vec<bool>> = VecDeque::with_capacity(100);
    let mut count = 0;
    let mut record = |model: &mut Model, steps: usize| {
        for _ in 0..steps / 10 {
            let spikes = model.run(10, &signal()).unwrap().spikes("spikes").unwrap();
            count += spikes.iter().filter(|spike| **spike).count();
            if last.len() == 100 {
                last.pop_front();
            }
            last.push_back(spikes);
        }
    };
    record(&mut model, 10_000);
    let before = resident();
    record(&mut model, STEPS);
    grew_less_than_a_mib(before, "recorded");
    assert_eq!(model.steps(), 2 * STEPS as u64 + 20_000);
    assert!(count > 0, "the pool fires");
}
