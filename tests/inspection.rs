//! Looking inside a model: its tree before and after it is built, and ports between steps.

use spark::config::ConfigTree;
use spark::prelude::*;
use spark::spec::Direction;

fn brain() -> Model {
    let mut pool = ConfigTree::new("LIFNeuronConfig").with("units", [4]);
    pool.set("synapses.kernel", 900.0).unwrap();
    let brain = Brain::builder()
        .input("signal")
        .module("spiker", PoissonSpikerConfig::default().with_max_freq(1000.0))
        .module("pool", pool)
        .module("integrator", ExponentialIntegratorConfig::new(2_usize))
        .connect("signal", "spiker.signal")
        .connect(["spiker.spikes", "pool.out_spikes"], "pool.in_spikes")
        .connect("pool.out_spikes", "integrator.spikes")
        .output("action", "integrator.signal")
        .build();
    let builder = Model::component(brain.unwrap()).input("signal", [3]);
    builder.record("pool.out_spikes").record("pool.soma.potential").build().unwrap()
}

#[test]
fn shapes_and_states_are_those_of_the_built_model() {
    let mut model = brain();
    let tree = model.inspect().unwrap();
    let dims =
        |module: &str, direction, port: &str| tree.module(module).unwrap().port(direction, port).unwrap().dims.clone();
    assert_eq!(dims("", Direction::Input, "signal"), Some(vec![3]));
    assert_eq!(dims("", Direction::Output, "action"), Some(vec![2]));
    assert_eq!(dims("spiker", Direction::Output, "spikes"), Some(vec![3]));
    // Three signals, and the pool's own four neurons.
    assert_eq!(dims("pool", Direction::Input, "in_spikes"), Some(vec![7]));
    assert_eq!(dims("pool.delays", Direction::Input, "in_spikes"), Some(vec![7]));
    assert_eq!(dims("pool.delays", Direction::Output, "out_spikes"), Some(vec![4, 7]));
    assert_eq!(dims("pool.synapses", Direction::Property, "kernel"), Some(vec![4, 7]));
    assert_eq!(dims("pool.soma", Direction::Input, "inhibition_mask"), Some(vec![4]));
    let kernel = &tree.module("pool.synapses").unwrap().states[0];
    assert_eq!((kernel.name.as_str(), kernel.dims.as_slice(), kernel.bytes()), ("kernel", &[4, 7][..], 112));
    // The ring of the delays: 8 ms, and this step.
    let ring = &tree.module("pool.delays").unwrap().states[0];
    assert_eq!((ring.dims.as_slice(), ring.dtype, ring.bytes()), (&[9, 7][..], DType::Bool, 8));
    let mut names: Vec<String> = Vec::new();
    collect(&tree, "", &mut names);
    names.sort();
    let mut states: Vec<String> = model.program().states.iter().map(|state| state.name.clone()).collect();
    states.extend(model.program().histories.iter().map(|history| history.name.clone()));
    states.sort();
    assert_eq!(names, states, "every state is at one module");
}

fn collect(module: &spark::inspect::Inspection, path: &str, names: &mut Vec<String>) {
    let join = |name: &str| if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
    names.extend(module.states.iter().map(|state| join(&state.name)));
    module.modules.iter().for_each(|inner| collect(inner, &join(&inner.name), names));
}

#[test]
fn the_tree_is_drawn() {
    let shown = brain().inspect().unwrap().to_string();
    for line in [
        "Brain - Neurons and interfaces",
        "signal: FloatArray of 3",
        "in_spikes: SpikeArray of 7 <- spiker.spikes + pool.out_spikes",
        "kernel: float32 of 4x7, 112 B",
        "kernel <- hebbian_rule.kernel",
        "action = integrator.signal",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
}

#[test]
fn ports_are_read_between_steps() {
    let mut models = [brain(), {
        let config = brain().config();
        Model::from_tree(config)
            .input("signal", [3])
            .record("pool.out_spikes")
            .record("pool.soma.potential")
            .eager(true)
            .build()
            .unwrap()
    }];
    for model in &mut models {
        let mut spikes = 0;
        for _ in 0..20 {
            let outputs = model.step(&[("signal", vec![1.0f32; 3].into())]).unwrap();
            let now = model.read_state(&["pool.soma.potential", "pool.out_spikes", "pool.inhibition_mask"]).unwrap();
            let same = |path: &str| {
                assert_eq!(now[path].value().to_f64(), outputs.get(path).unwrap().value().to_f64(), "{path}")
            };
            same("pool.out_spikes");
            same("pool.soma.potential");
            assert_eq!(now["pool.inhibition_mask"].dims(), [4]);
            spikes += now["pool.out_spikes"].value().to_bool().iter().filter(|spike| **spike).count();
        }
        assert!(spikes > 0);
        let error = model.read_state(&["pool.synapses.currents", "pool.soma.potental"]).unwrap_err().to_string();
        assert_eq!(
            error,
            "pool.synapses.currents: this output is not kept after the step\n  help: record it when the model is built, with `record`\n\
             there is no port or property `pool.soma.potental`\n  help: did you mean `pool.soma.potential`?"
        );
    }
}

#[test]
fn the_command_shows_shapes_if_inputs_are_given() {
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/scfg/neuron_lif_f32.json.scfg");
    let inspect = |args: &[&str]| {
        let command =
            std::process::Command::new(env!("CARGO_BIN_EXE_spark")).arg("inspect").arg(model).args(args).output();
        String::from_utf8(command.unwrap().stdout).unwrap()
    };
    assert!(!inspect(&["--tree"]).contains("states"));
    let shown = inspect(&["--tree", "--input", "in_spikes=80"]);
    assert!(shown.contains("kernel: float32 of 48x80"), "{shown}");
}
