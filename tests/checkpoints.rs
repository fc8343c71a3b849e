//! Checkpoints: a run that is saved and gone on from has the bits of one that was not interrupted.

mod support;

use spark::checkpoint::Checkpoint;
use spark::config::{Config, ConfigTree, ConfigValue};
use spark::controller::{BrainConfig, ModuleSpecs, NeuronConfig, PortMap, register_neuron, register_neuron_from_file};
use spark::model::{ModelBuilder, Outputs, merge, split};
use spark::prelude::*;
use spark_compiler::passes::CompileOptions;
use std::process::Command;
use support::{Golden, golden_dir, load};
use tempfile::TempDir;

type Inputs<'a> = Vec<(&'a str, HostPayload)>;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// True if all outputs have the same bits.
fn same(a: &Outputs, b: &Outputs) -> bool {
    a.iter().zip(b.iter()).all(|((_, a), (_, b))| {
        let masks = a.inhibition_mask().zip(b.inhibition_mask()).is_none_or(|(a, b)| a == b);
        a.value().data().same_bits(b.value().data()) && masks
    })
}

/// Runs 100 steps, saves, and compares 100 more with 100 of the model that was loaded: compiled, and the first
/// `eager_steps` of them eager.
#[track_caller]
fn goes_on(what: &str, builder: ModelBuilder, eager_steps: usize, inputs: impl Fn(usize) -> Inputs<'static>) {
    let folder = folder();
    let path = folder.path().join("model.spark");
    let mut model = builder.build().unwrap_or_else(|e| panic!("{what}: {e}"));
    for t in 0..100 {
        model.step(&inputs(t)).unwrap();
    }
    let half_way = model.save_state();
    model.save(&path).unwrap_or_else(|e| panic!("{what}: {e}"));
    let mut resumed = Model::load(&path).unwrap_or_else(|e| panic!("{what}: {e}"));
    let mut eager = (eager_steps > 0).then(|| {
        let checkpoint = Checkpoint::read(&path).unwrap();
        let mut eager = checkpoint.builder().eager(true).build().unwrap();
        checkpoint.restore(&mut eager).unwrap();
        eager
    });
    for restored in [Some(&resumed), eager.as_ref()].into_iter().flatten() {
        assert_eq!(restored.save_state().diff(&half_way), [], "{what}");
        assert_eq!(restored.steps(), 100);
    }
    for t in 100..200 {
        // At once and for longer than any delay: some states are read from the past.
        if t <= 120 {
            for path in model.states() {
                let (found, expected) = (resumed.state(&path).unwrap(), model.state(&path).unwrap());
                assert!(found.data().same_bits(expected.data()), "{what}: {path} before step {t}");
            }
        }
        let outputs = model.step(&inputs(t)).unwrap();
        assert!(same(&outputs, &resumed.step(&inputs(t)).unwrap()), "{what}, step {t}");
        if let Some(eager) = eager.as_mut().filter(|_| t < 100 + eager_steps) {
            assert!(same(&outputs, &eager.step(&inputs(t)).unwrap()), "{what}, eager, step {t}");
        }
    }
    assert_eq!(resumed.save_state().diff(&model.save_state()), [], "{what}");
    assert!(!half_way.diff(&model.save_state()).is_empty(), "{what}: nothing happened");
    let bytes = [&model, &resumed].map(|model| Checkpoint::of(model).to_bytes().unwrap());
    assert!(bytes[0] == bytes[1], "{what}: equal checkpoints are equal files");
}

/// The golden case `name` in its own precision and in half precision.
#[track_caller]
fn golden_goes_on(name: &str, ports: &'static [(&str, Option<&str>)]) {
    let golden = load(name);
    for dtype in [None, Some(DType::F16), Some(DType::F64)] {
        let builder = || dtype.into_iter().fold(golden.builder(ports), ModelBuilder::dtype);
        goes_on(&format!("{name} {dtype:?}"), builder(), 0, |t| golden.inputs(ports, t));
        // Eager models keep states as they were declared.
        let whole = builder().options(CompileOptions::whole_states());
        goes_on(&format!("{name} {dtype:?}"), whole, 20, |t| golden.inputs(ports, t));
    }
}

#[test]
fn every_golden_neuron_goes_on() {
    let cases = support::cases("neuron");
    assert_eq!(cases.len(), 8);
    for name in cases {
        golden_goes_on(&name, &[("in_spikes", Some("inhibition_mask"))]);
    }
}

#[test]
fn every_golden_brain_goes_on() {
    for name in ["brain/feedforward_alif.f32", "brain/mutual_lif.f32"] {
        golden_goes_on(name, &[("signal", None)]);
    }
}

const AB_PORTS: [(&str, Option<&str>); 5] =
    [("signal", None), ("mod_a_ex", None), ("mod_b_ex", None), ("mod_a_in", None), ("mod_b_in", None)];

/// The reference's CartPole brain from its files.
fn ab_brain(golden: &Golden) -> ModelBuilder {
    let models = golden_dir().join("models");
    register_neuron_from_file("ALIFModNeuron", models.join("alif_mod_neuron.scfg")).unwrap();
    let builder = Model::from_file(models.join("ab_brain.scfg")).unwrap();
    AB_PORTS.iter().fold(builder, |builder, (name, _)| builder.input(*name, golden.dims(name)))
}

#[test]
fn the_cartpole_brain_goes_on() {
    let golden = load("brain/ab.f32");
    // In its own half precision, and in single.
    for dtype in [None, Some(DType::F32)] {
        let builder = dtype.into_iter().fold(ab_brain(&golden), ModelBuilder::dtype);
        goes_on(&format!("the CartPole brain {dtype:?}"), builder, 0, |t| golden.inputs(&AB_PORTS, t));
    }
}

#[test]
fn random_streams_and_key_chains_go_on() {
    let source = || Model::component(PoissonSourceConfig::new(50).with_rate(200.0));
    goes_on("PoissonSource", source(), 20, |_| Vec::new());
    let spiker = Model::component(PoissonSpikerConfig::default().with_max_freq(500.0)).input("signal", [20]);
    goes_on("PoissonSpiker", spiker, 20, |_| vec![("signal", vec![0.5f32; 20].into())]);
    // Rounding and recorded ports are part of a checkpoint.
    goes_on("recorded, not contracted", source().contract(false).record("counts"), 20, |_| Vec::new());
}

#[test]
fn a_program_without_the_neurons_of_the_user_loads_a_checkpoint() {
    let golden = load("brain/ab.f32");
    let folder = folder();
    let path = folder.path().join("ab.spark");
    let mut model = ab_brain(&golden).build().unwrap();
    model.step(&golden.inputs(&AB_PORTS, 0)).unwrap();
    model.save(&path).unwrap();
    // The command has nothing registered but what comes with it.
    let shown = Command::new(env!("CARGO_BIN_EXE_spark")).arg("inspect").arg(&path).output().unwrap();
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    for part in [
        "checkpoint after 1 steps, written by Spark",
        "brings the neuron ALIFModNeuron",
        "A_excitatory: ALIFModNeuron",
        "input mod_a_ex:",
        "kernel: float16",
    ] {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
}

/// A brain with one pool of the user's neuron `name`.
fn pool(name: &str) -> BrainConfig {
    let pool = ModuleSpecs::new("pool", name).input("in_spikes", PortMap::output(PortMap::CALL, "signal"));
    BrainConfig::new(vec![pool.output("spikes", "out_spikes")])
}

fn neuron(rate: f64) -> NeuronConfig {
    NeuronConfig { inhibitory_rate: rate, ..NeuronConfig::new([4], LIFNeuron::modules()) }
}

#[test]
fn a_checkpoint_keeps_its_neurons_whatever_is_registered_later() {
    register_neuron("Inner", neuron(1.0)).unwrap();
    let inner = ModuleSpecs::new("inner", "inner").input("in_spikes", PortMap::output(PortMap::CALL, "in_spikes"));
    let outer =
        NeuronConfig { inhibitory_rate: 0.0, ..NeuronConfig::new([4], vec![inner.output("out_spikes", "out_spikes")]) };
    register_neuron("Outer", outer).unwrap();
    let spikes = [("signal", vec![true; 3].into())];
    let mut model = Model::component(pool("Outer")).input("signal", [3]).build().unwrap();
    model.step(&spikes).unwrap();
    let checkpoint = Checkpoint::of(&model);
    let names: Vec<&str> = checkpoint.graphdef().neurons().iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Inner", "Outer"], "each after those it uses");
    let bytes = checkpoint.to_bytes().unwrap();

    register_neuron("Inner", neuron(0.0)).unwrap();
    let read = Checkpoint::from_bytes(&bytes).unwrap();
    assert_eq!(read, checkpoint);
    let mut loaded = read.model().unwrap();
    for model in [&mut model, &mut loaded] {
        let outputs = model.step(&spikes).unwrap();
        assert_eq!(outputs.get("spikes").unwrap().inhibition_mask().unwrap().to_bool(), [true; 4]);
    }
    assert_eq!(loaded.save_state(), model.save_state());
    // Loading left the registered one as it was.
    let mut fresh = Model::component(pool("Inner")).input("signal", [3]).build().unwrap();
    let outputs = fresh.step(&spikes).unwrap();
    assert_eq!(outputs.get("spikes").unwrap().inhibition_mask().unwrap().to_bool(), [false; 4]);
}

#[test]
fn fields_that_files_of_python_leave_out_keep_their_meaning() {
    // A delay of 4 steps of at most 4: none for the Python Spark, whose files lack `wrap`.
    let bare = |wrap: Option<bool>| {
        let tree = NDelaysConfig::default().with_max_delay(4.0).with_delays(4.0).to_tree();
        let values = tree.values.into_iter().filter(|(name, _)| name != "wrap");
        let tree = ConfigTree { type_name: "NDelaysConfig".into(), values: values.collect() };
        wrap.into_iter().fold(tree, |tree, wrap| tree.with("wrap", ConfigValue::Bool(wrap)))
    };
    for wrap in [None, Some(false), Some(true)] {
        let mut model = Model::from_tree(bare(wrap)).input("in_spikes", [1]).build().unwrap();
        let mut loaded = Checkpoint::from_bytes(&Checkpoint::of(&model).to_bytes().unwrap()).unwrap().model().unwrap();
        for t in 0..8 {
            let spikes = [("in_spikes", vec![t == 0].into())];
            let (a, b) = (model.step(&spikes).unwrap(), loaded.step(&spikes).unwrap());
            assert!(same(&a, &b), "wrap {wrap:?}, step {t}");
        }
    }
}

#[test]
fn a_model_is_its_graphdef_and_its_state() {
    let golden = load("neuron/alif.f32");
    let ports = [("in_spikes", Some("inhibition_mask"))];
    let mut model = golden.builder(&ports).record("soma.potential").build().unwrap();
    model.step(&golden.inputs(&ports, 0)).unwrap();
    let (graphdef, state) = split(&model);
    let twin = merge(&graphdef, &state).unwrap();
    assert_eq!(split(&twin), (graphdef.clone(), state.clone()));
    assert_eq!(twin.outputs().collect::<Vec<_>>(), model.outputs().collect::<Vec<_>>());
    assert_eq!(twin.program(), model.program());
    // Another configuration is another graph, and its state does not fit.
    let other = Model::component(LeakySomaConfig::default()).input("current", [2]).build().unwrap();
    assert!(*other.graphdef() != graphdef);
    let error = merge(other.graphdef(), &state).err().unwrap().to_string();
    assert!(error.contains("potential: the state lacks this variable of the model"), "{error}");
    assert!(error.contains("soma.potential: the model has no such variable"), "{error}");
}

#[test]
fn other_constants_than_the_saved_ones_are_refused() {
    let golden = load("neuron/lif.f32");
    let ports = [("in_spikes", Some("inhibition_mask"))];
    let model = golden.builder(&ports).build().unwrap();
    let checkpoint = Checkpoint::of(&model);
    let mut config = golden.config();
    let Some(ConfigValue::List(modules)) = config.values.get_mut("modules_specs") else { panic!() };
    for module in modules {
        let ConfigValue::Object { fields, .. } = module else { panic!() };
        if let Some(ConfigValue::Map(delays)) = fields.get_mut("config")
            && delays.contains_key("max_delay")
        {
            delays.insert("seed".into(), ConfigValue::Int(99));
        }
    }
    let shapes = |builder: ModelBuilder| {
        model.graphdef().inputs().iter().fold(builder, |b, (name, shape)| b.input(name, shape.clone()))
    };
    let mut other = shapes(Model::from_tree(config)).build().unwrap();
    let error = checkpoint.restore(&mut other).unwrap_err().to_string();
    assert!(error.contains("builds this constant otherwise"), "{error}");
    checkpoint.restore(&mut shapes(Model::from_tree(golden.config())).build().unwrap()).unwrap();
}

#[test]
fn what_cannot_be_written_leaves_the_old_checkpoint() {
    let folder = folder();
    let path = folder.path().join("soma.spark");
    let mut model = Model::component(LeakySomaConfig::default()).input("current", [1]).build().unwrap();
    model.save(&path).unwrap();
    let before = std::fs::read(&path).unwrap();
    model.step(&[("current", vec![1.0f32].into())]).unwrap();
    let missing = folder.path().join("missing").join("soma.spark");
    let error = model.save(&missing).unwrap_err().to_string();
    assert!(error.contains("soma.spark: cannot write the file"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    model.save(&path).unwrap();
    assert!(std::fs::read(&path).unwrap() != before);
    // Nothing else is left in the folder.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let error = Model::load(folder.path()).err().unwrap().to_string();
    assert!(error.contains("not a regular file"), "{error}");
    assert!(Model::load(missing).err().unwrap().to_string().contains("cannot read the file"));
}
