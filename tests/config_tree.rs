//! Configurations as trees: paths, partial configurations, differences, seeds and metadata, against what the Python Spark
//! makes of the same files (`tests/interop/record_config.py` recorded it).

use spark::config::{Config, ConfigTree};
use spark::controller::{BrainConfig, register_neuron_from_file};
use spark::prelude::*;
use spark::scfg::read_path;
use std::path::PathBuf;

fn golden(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden")).join(name)
}

fn read(name: &str) -> ConfigTree {
    read_path(&golden(name)).unwrap()
}

fn lif() -> ConfigTree {
    ConfigTree::new("LIFNeuronConfig").with("units", [4, 2])
}

#[test]
fn new_seeds_are_the_references() {
    register_neuron_from_file("ALIFModNeuron", golden("models/alif_mod_neuron.scfg")).unwrap();
    let text = std::fs::read_to_string(golden("config/seeds.json")).unwrap();
    let cases: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut count = 0;
    for case in cases.as_array().unwrap() {
        let (file, seed) = (case["file"].as_str().unwrap(), case["seed"].as_u64().unwrap());
        let renewed = read(file).with_new_seeds(seed as u32);
        for (path, expected) in case["seeds"].as_object().unwrap() {
            assert_eq!(renewed.read::<u32>(path).unwrap() as u64, expected.as_u64().unwrap(), "{file} {seed} {path}");
            count += 1;
        }
    }
    assert_eq!(count, 126);
}

/// What differs, but for fields that the Python Spark does not have.
#[track_caller]
fn equal(found: &ConfigTree, expected: &ConfigTree) {
    let own = |path: &str| [".wrap", ".as_in_python"].iter().any(|field| path.ends_with(field));
    let differences = found.diff(expected).into_iter().filter(|difference| !own(&difference.path));
    let lines: Vec<String> = differences.map(|difference| difference.to_string()).collect();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

/// A file with `partial` is the file that the Python Spark made of the two.
#[track_caller]
fn merges(file: &str, partial: ConfigTree, expected: &str) {
    let (before, expected) = (read(file), read(expected));
    assert!(!before.is_equivalent(&expected));
    equal(&before.merged(&partial).unwrap(), &expected);
}

#[test]
fn partial_configurations_are_taken_over_as_in_the_reference() {
    let neuron = ConfigTree::partial().with("_s_dt", 0.5).with("soma__potential_tau", 33.0);
    let neuron = neuron.with("hebbian_rule__eta", 0.5).with("inhibitory_rate", 0.4);
    merges("scfg/neuron_lif_f32.json.scfg", neuron, "config/merged_neuron.json.scfg");
    let brain = ConfigTree::partial().with("_s_dtype", DType::F16).with("pool_a__soma__threshold", -45.0);
    let brain = brain.with("pool_b___s_units", [3, 5]).with("spiker__max_freq", 77.0);
    merges("scfg/brain_mutual_lif_f32.json.scfg", brain, "config/merged_brain.json.scfg");
    let synapses = ConfigTree::partial().with("kernel__scale", 4.0).with("_s_dtype", DType::F16);
    merges("scfg/synapses_traced_normalized.json.scfg", synapses, "config/merged_synapses.json.scfg");
}

#[test]
fn defaults_are_the_references() {
    for neuron in ["LIFNeuron", "ALIFNeuron", "AdExNeuron"] {
        // Keys of a configuration may be paths and shared parameters, too.
        let made = ConfigTree::new(format!("{neuron}Config")).with("units", [4, 2]).with("_s_dtype", DType::F32);
        let made = made.with("_s_dt", 0.25).with("soma__potential_rest", -66.0).with_new_seeds(5);
        equal(&made, &read(&format!("config/{neuron}Config.json.scfg")));
    }
}

/// The shipped neuron as a typed configuration.
fn typed() -> NeuronConfig {
    let tree = lif().with("units", [4]).completed();
    let modules = tree.read("modules_specs").unwrap();
    NeuronConfig::new([4], modules)
}

#[test]
fn a_typed_configuration_is_worked_on_by_paths() {
    let mut neuron = typed();
    neuron.set("synapses.kernel", Uniform::default()).unwrap();
    neuron.set("synapses.kernel.scale", 2.5).unwrap();
    neuron.set("soma.threshold", vec![-40.0, -41.0, -42.0, -43.0]).unwrap();
    assert_eq!(neuron.read::<f64>("synapses.kernel.scale").unwrap(), 2.5);
    assert_eq!(neuron.read::<f64>("soma.threshold[2]").unwrap(), -42.0);
    assert_eq!(neuron.read::<Vec<usize>>("units").unwrap(), [4]);
    neuron.merge(&ConfigTree::partial().with("_s_dtype", DType::F64).with("units", 3)).unwrap();
    assert_eq!((neuron.units.clone(), neuron.read::<DType>("soma.dtype").unwrap()), (Units::from(3), DType::F64));
    assert_eq!(neuron.with_new_seeds(7).unwrap().seed, 400014582);
    neuron.refresh_seeds(0).unwrap();
    assert_eq!(neuron.seed, 4274742258);
    let brain = Brain::builder().input("x").module("pool", neuron.clone()).connect("x", "pool.in_spikes").build();
    let mut brain: BrainConfig = brain.unwrap();
    brain.set("pool.soma.potential_tau", 12).unwrap();
    assert_eq!(brain.read::<f64>("pool__soma__potential_tau").unwrap(), 12.0);
    let mut other = brain.clone();
    other.set("pool.synapses.kernel.scale", 7.0).unwrap();
    let differences = brain.diff(&other);
    assert_eq!(differences.len(), 1);
    assert_eq!(
        (differences[0].path.as_str(), &differences[0].right),
        ("pool.synapses.kernel.scale", &Some(7.0.into()))
    );
}

#[test]
fn differences_have_their_paths() {
    let mut other = lif();
    other.set("delays", ConfigTree::partial().with("max_delay", 4.0)).unwrap();
    other.set("modules_specs[2].name", "body").unwrap();
    other.set("hebbian_rule.pre_tau", Uniform::default()).unwrap();
    let lines: Vec<String> = lif().diff(&other).iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "delays.max_delay: 8 | 4",
            "soma: leaky_soma | nothing",
            "hebbian_rule.pre_tau: 20 | uniform(scale = 1)",
            "body: nothing | leaky_soma",
        ]
    );
    // What is written differently may mean the same.
    let written = lif().with("dt", 1).with("inhibitory_rate", 0.2).with("__metadata__", "mine");
    assert!(written.is_equivalent(&lif()) && written != lif());
}

#[track_caller]
fn refused(result: Result<impl std::fmt::Debug>, text: &str) {
    assert_eq!(result.unwrap_err().to_string(), text);
}

#[test]
fn paths_that_lead_nowhere_are_refused_with_the_nearest_name() {
    refused(
        lif().lookup("some.potential_tau"),
        "some: `LIFNeuronConfig` has no such field or module\n  help: did you mean `soma`?",
    );
    refused(
        lif().lookup("soma.tau.x"),
        "soma.tau: `LeakySomaConfig` has no such field\n  help: known: `potential_rest`, `potential_reset`, `potential_tau`, `resistance`, `threshold`, `seed`, `dtype`, `dt`",
    );
    refused(lif().lookup("soma.dt.x"), "soma.dt.x: must be a configuration with a field `x`, found 1");
    refused(lif().lookup("units[2]"), "units[2]: there are 2 elements");
    refused(ConfigTree::new("LIFNeuronConfig").lookup("units"), "units: is not given and has no default");
    refused(lif().read::<f64>("soma.dtype"), "soma.dtype: must be a number, found a dtype");
    refused(
        lif().lookup("soma..dt"),
        "`soma..dt` is not a path: a name is missing\n  help: for example `soma.threshold_tau`, `soma__threshold_tau` or `units[0]`",
    );
    let wrong = ConfigTree::partial().with("_s_unit", 3).with("soma.thresold", 1.0).with("dt", 2.0);
    let mut neuron = lif();
    refused(
        neuron.merge(&wrong),
        "soma.thresold: `LeakySomaConfig` has no such field\n  help: did you mean `threshold`?\n_s_unit: nothing here has a field `unit`\n  help: did you mean `units`?",
    );
    assert_eq!(neuron, lif(), "nothing is changed");
    refused(
        neuron.merge(&ConfigTree::new("LeakySomaConfig")),
        "cannot merge a `LeakySomaConfig` into a `LIFNeuronConfig`",
    );
    let mut soma = LeakySomaConfig::default();
    refused(
        soma.set("potential_tau", -1.0),
        "potential_tau: must be positive, found -1 ms\n  help: Membrane time constant.",
    );
    assert_eq!(soma, LeakySomaConfig::default());
}

#[test]
fn validation_returns_every_mistake_with_its_path() {
    let mut brain = read("scfg/brain_mutual_lif_f32.json.scfg");
    for (path, value) in
        [("pool_a.soma.potential_tau", -1.0), ("pool_b.delays.max_delay", 0.0), ("spiker.max_freq", -5.0)]
    {
        brain.set(path, value).unwrap();
    }
    brain.set("pool_a.synapses.kernel.density", 2.0).unwrap();
    let error = brain.validate().unwrap_err();
    let mut paths: Vec<String> = error.errors().iter().map(|error| error.path().to_string()).collect();
    paths.sort();
    let expected =
        ["pool_a.soma.potential_tau", "pool_a.synapses.kernel.density", "pool_b.delays.max_delay", "spiker.max_freq"];
    assert_eq!(paths, expected);
    assert_eq!(brain.get_field_errors("pool_a").len(), 2);
    assert!(ConfigTree::new("UniformConfig").with("scale", "x").validate().is_err());
    assert!(ConfigTree::new("LIFNeuronConfig").validate().is_err());
    ConfigTree::new("LIFNeuronConfig").validate_partial().unwrap();
    let neuron = NeuronConfig::new(
        [4],
        vec![ModuleSpecs::new("soma", "LeakySoma").config(&LeakySomaConfig::default().with_potential_tau(-1.0))],
    );
    assert_eq!(neuron.validate().unwrap_err().path(), "soma.potential_tau");
}

#[test]
fn metadata_is_nested() {
    let mut neuron = lif();
    neuron.set("synapses.kernel", SparseUniform::default().with_density(0.3)).unwrap();
    let metadata = neuron.get_metadata();
    assert_eq!(metadata.type_name, "LIFNeuronConfig");
    assert_eq!(
        metadata.modules.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["delays", "synapses", "soma", "hebbian_rule"]
    );
    let density = metadata.field("synapses.kernel.density").unwrap();
    assert_eq!(
        (&density.value, &density.default, density.allowed.as_slice()),
        (&Some(0.3.into()), &Some(0.2.into()), &["lie between 0 and 1"][..])
    );
    let dtype = metadata.field("soma.dtype").unwrap();
    assert_eq!(dtype.value_options, ["float16", "bfloat16", "float32", "float64"]);
    assert!(metadata.field("units").unwrap().required && metadata.field("soma.x").is_none());
    assert_eq!(LeakySomaConfig::default().get_metadata().fields.len(), 8);
}

#[test]
fn files_are_written_whole_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let neuron = typed();
    for name in ["n.scfg", "n.json.scfg", "n.json"] {
        let path = folder.path().join(name);
        neuron.to_file(&path).unwrap();
        assert!(NeuronConfig::from_file(&path).unwrap().diff(&neuron).is_empty());
        assert_eq!(std::fs::read(&path).unwrap().starts_with(b"{"), name != "n.scfg");
    }
    let mut wrong = neuron.clone();
    wrong.dt = f64::NAN;
    assert!(wrong.to_file(folder.path().join("n.scfg")).is_err());
    assert!(neuron.to_file(folder.path().join("none/n.scfg")).is_err());
    assert!(NeuronConfig::from_file(folder.path().join("n.scfg")).is_ok(), "the old file is left");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "nothing else is left behind");
}
