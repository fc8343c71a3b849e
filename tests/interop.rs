//! The Python Spark loads what we write, and what it makes of it is what we wrote.
//!
//! Needs an interpreter with `spark-snn` 1.0.0: `SPARK_PYTHON`, else `target/interop/bin/python` (which `.ci/run` installs),
//! else `python3`. Without one the test says so and is skipped.

use spark::config::{Config, ConfigTree};
use spark::controller::{BrainConfig, register_neuron_from_file};
use spark::prelude::*;
use spark::scfg::{Format, read_path, write_path};
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// How the scripts say that the Python Spark is not installed.
const ABSENT: i32 = 3;

fn python() -> PathBuf {
    let installed = Path::new(ROOT).join("target/interop/bin/python");
    match std::env::var_os("SPARK_PYTHON") {
        Some(python) => python.into(),
        None if installed.exists() => installed,
        None => "python3".into(),
    }
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(Path::new(ROOT).join("tests/golden").join(folder)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "scfg"));
    files.sort();
    files
}

/// Every golden file, and models from code with every field in place, as they are written.
fn models() -> Vec<(String, ConfigTree)> {
    let mut models = Vec::new();
    for path in ["scfg", "models", "config"].into_iter().flat_map(files) {
        models.push((path.file_name().unwrap().to_str().unwrap().into(), read_path(&path).unwrap()));
    }
    let kernel = SparseUniform::default().with_scale(300.0);
    let mut lif = ConfigTree::new("LIFNeuronConfig").with("units", [3, 4]);
    lif.set("synapses.kernel", kernel).unwrap();
    lif.set("soma.threshold", vec![-40.0; 12]).unwrap();
    let brain: BrainConfig = Brain::builder()
        .seed(9)
        .dt(0.5)
        .input("signal")
        .module("spiker", PoissonSpikerConfig::default())
        .module("pool", lif.clone())
        .module("plain", ConfigTree::new("ALIFNeuronConfig").with("units", 5))
        .module("integrator", ExponentialIntegratorConfig::new(2usize))
        .connect("signal", "spiker.signal")
        .connect(["spiker.spikes", "pool.out_spikes"], "pool.in_spikes")
        .connect("pool.out_spikes", "plain.in_spikes")
        .connect("plain.out_spikes", "integrator.spikes")
        .output("action", "integrator.signal")
        .build()
        .unwrap();
    let rule = QuadrupletRuleTensorConfig::default().to_tree().completed();
    models.push(("from_code_rule.scfg".into(), rule));
    let spiker = TopologicalLinearSpikerConfig::default()
        .with_mins(vec![0.0, -1.0])
        .with_maxs(vec![0.1, 1.0])
        .with_glue(vec![0.0, 1.0]);
    models.push(("from_code_spiker.scfg".into(), spiker.to_tree().completed()));
    models.push(("from_code_neuron.scfg".into(), lif.completed()));
    models.push(("from_code_brain.scfg".into(), brain.to_tree().completed()));
    models
}

/// Fields that the Python Spark does not have.
const OWN: [&str; 2] = ["wrap", "as_in_python"];

#[test]
fn the_python_spark_loads_what_we_write() {
    let neuron = Path::new(ROOT).join("tests/golden/models/alif_mod_neuron.scfg");
    register_neuron_from_file("ALIFModNeuron", &neuron).unwrap();
    let (written, dumped) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let models = models();
    for (at, (name, tree)) in models.iter().enumerate() {
        let format = if at % 2 == 0 { Format::Xz } else { Format::Json };
        write_path(&written.path().join(name), tree, format).unwrap();
    }
    let script = Path::new(ROOT).join("tests/interop/roundtrip.py");
    let register = format!("ALIFModNeuron={}", neuron.display());
    let command = Command::new(python()).arg(script).args([written.path(), dumped.path()]).arg(register).output();
    let ran = match command {
        Ok(ran) => ran,
        Err(error) => return println!("skipped: there is no Python here: {error}"),
    };
    let said = String::from_utf8_lossy(&ran.stderr);
    if ran.status.code() == Some(ABSENT) {
        return println!("skipped: {said}");
    }
    assert!(ran.status.success(), "{said}");
    for (name, tree) in models {
        let back = read_path(&dumped.path().join(&name)).unwrap();
        let differences = tree.diff(&back);
        let own = |path: &str| OWN.iter().any(|field| path.rsplit('.').next() == Some(field));
        let lines: Vec<String> =
            differences.iter().filter(|d| !own(&d.path)).map(|difference| difference.to_string()).collect();
        assert!(lines.is_empty(), "{name}:\n{}", lines.join("\n"));
    }
}
