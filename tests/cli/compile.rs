//! `spark compile`: what is written, and that nothing is where something is wrong.

use crate::files::{LIF, LIF_INPUT, SOMA, folder, golden};
use crate::support::command::{fails, succeeds};
use spark::config::Config;
use spark::prelude::*;
use std::path::Path;

#[test]
fn compile_writes_an_object_and_what_describes_it() {
    let folder = folder();
    let build = folder.path().join("deep").join("build");
    let out = build.display().to_string();
    let ran =
        succeeds(&["compile", &golden(LIF), "--input", "in_spikes=80", "--name", "lif", "-o", &out], folder.path());
    for name in ["lif.o", "lif.h", "lif.rs", "lif.json"] {
        assert!(ran.out.contains(name) && build.join(name).is_file(), "{}", ran.out);
    }
    assert!(ran.out.contains("stack of a step") && ran.out.contains("memory of a model"), "{}", ran.out);
    // Another process gives the same bytes.
    succeeds(&["compile", &golden(LIF), "--input", "in_spikes=80", "--name", "lif", "-o", "again"], folder.path());
    for name in ["lif.o", "lif.h", "lif.rs", "lif.json"] {
        let again = std::fs::read(folder.path().join("again").join(name)).unwrap();
        assert!(std::fs::read(build.join(name)).unwrap() == again, "{name}");
    }
    let manifest: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(build.join("lif.json")).unwrap()).unwrap();
    assert_eq!(manifest["inputs"][0]["name"], "in_spikes");
    assert!(manifest["states"].as_array().unwrap().iter().any(|state| state["name"] == "soma.potential"));
    for target in ["aarch64-apple-darwin", "x86_64-pc-windows-msvc", "riscv64gc-unknown-none-elf"] {
        let ran = succeeds(
            &["compile", &golden(LIF), "--input", "in_spikes=80", "--target", target, "-o", &out],
            folder.path(),
        );
        assert!(ran.out.contains(target) && ran.out.contains("neuron_lif_f32.o"), "{}", ran.out);
    }
    succeeds(&["compile", &golden(LIF), "--input", "in_spikes=80", "--cpu", "native", "-o", &out], folder.path());
}

#[test]
fn compile_starts_where_a_checkpoint_is() {
    let folder = folder();
    let here = folder.path();
    let run = ["run", &golden(LIF), "--input", &golden(LIF_INPUT), "--steps", "50", "--save", "trained.spark"];
    succeeds(&run, here);
    succeeds(&["compile", &golden(LIF), "--input", "in_spikes=80", "--name", "lif", "-o", "fresh"], here);
    let ran = succeeds(&["compile", "trained.spark", "--name", "lif", "-o", "trained"], here);
    assert!(ran.err.contains("after 50 steps"), "{}", ran.err);
    let hash = |folder: &str| {
        let text = std::fs::read_to_string(here.join(folder).join("lif.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
        (manifest["hash"].clone(), manifest["states"].clone())
    };
    let (fresh, trained) = (hash("fresh"), hash("trained"));
    assert_ne!(fresh.0, trained.0);
    let error = fails(&["compile", "trained.spark", "--input", "in_spikes=80", "-o", "x"], here);
    assert!(error.contains("--input") && error.contains("leave --input out"), "{error}");
}

#[test]
fn compile_refuses_what_is_wrong_and_writes_nothing() {
    let folder = folder();
    let here = folder.path();
    let compile = |more: &[&str]| {
        let model = golden(LIF);
        let error = fails(&[&["compile", &model, "--input", "in_spikes=80"], more].concat(), here);
        assert!(!here.join("out").exists(), "{more:?}");
        error
    };
    let error = compile(&["-o", "out", "--target", "z80-unknown-none"]);
    assert!(error.contains("the target `z80-unknown-none`") && error.contains("help"), "{error}");
    let error = compile(&["-o", "out", "--target", "aarch64-unknown-linux-gnu", "--cpu", "native"]);
    assert!(error.contains("--cpu"), "{error}");
    let error = compile(&["-o", "out", "--target", "x86_64-unknown-linux-gnu", "--cpu", "mmx2"]);
    assert!(error.contains("no feature `mmx2`") && error.contains("avx2"), "{error}");
    let error = compile(&["-o", "out", "--name", "my brain"]);
    assert!(error.contains("`my brain` cannot be the name of an object"), "{error}");
    let error = compile(&["-o", "out", "--input", "nothing=3"]);
    assert!(error.contains("nothing"), "{error}");
    std::fs::write(here.join("file"), "").unwrap();
    let error = compile(&["-o", "file"]);
    assert!(error.contains("cannot make the folder"), "{error}");
    // A folder in the place of the last file: the others are not written either.
    std::fs::create_dir_all(here.join("full").join("lif.json")).unwrap();
    let error = compile(&["-o", "full", "--name", "lif"]);
    assert!(error.contains("cannot write the file"), "{error}");
    assert_eq!(std::fs::read_dir(here.join("full")).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_nothing_of_an_object() {
    let folder = folder();
    // Files may have 4 KiB, of which the object is the first to need more.
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$@\"";
    let output = std::process::Command::new("sh")
        .args(["-c", script, "sh", env!("CARGO_BIN_EXE_spark"), "compile", &golden(LIF)])
        .args(["--input", "in_spikes=80", "-o", "deep/out"])
        .env("SPARK_CACHE", "off")
        .current_dir(folder.path())
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && error.contains("cannot write the file"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Compiles a model without `--input`; what is said, and the dimensions of the first input in the JSON file.
#[track_caller]
fn compiled_dims(model: &str, folder: &Path) -> (String, serde_json::Value) {
    let ran = succeeds(&["compile", model, "--name", "model", "-o", "out"], folder);
    let manifest = std::fs::read_to_string(folder.join("out").join("model.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    (ran.err, manifest["inputs"][0]["dims"].clone())
}

#[test]
fn sizes_of_inputs_that_the_model_fixes_need_not_be_said() {
    let folder = folder();
    let here = folder.path();
    let (said, dims) = compiled_dims(&golden(SOMA), here);
    assert!(said.contains("--input current=3"), "{said}");
    assert_eq!(dims, serde_json::json!([3]));

    // A kernel of 4 units over 7 inputs, alone, in a neuron and in a neuron of a brain.
    let kernel = Array::full(Shape::units(&[4]).with(Axis::PRE, &[7]), DType::F32, 1.0);
    let config = LinearSynapsesConfig::new([4]).with_kernel(Param::Array(kernel));
    let modules = |config: &LinearSynapsesConfig| {
        let synapses = ModuleSpecs::new("synapses", "LinearSynapses").config(config);
        let soma = ModuleSpecs::new("soma", "LeakySoma").config(&LeakySomaConfig::default());
        vec![
            synapses.input("spikes", PortMap::output(PortMap::CALL, "in_spikes")),
            soma.input("current", PortMap::output("synapses", "currents")).output("out_spikes", "spikes"),
        ]
    };
    let neuron = NeuronConfig::new([4], modules(&config));
    let pool = ModuleSpecs::new("pool", "Neuron").config(&neuron);
    let pool = pool.input("in_spikes", PortMap::output(PortMap::CALL, "signal")).output("spikes", "out_spikes");
    let brain = BrainConfig::new(vec![pool]);
    for (what, tree) in [("synapses", config.to_tree()), ("neuron", neuron.to_tree()), ("brain", brain.to_tree())] {
        let file = format!("{what}.scfg");
        std::fs::write(here.join(&file), spark::scfg::write(&tree, false).unwrap()).unwrap();
        let (said, dims) = compiled_dims(&file, here);
        assert!(said.contains("=7, for nothing else fits"), "{what}: {said}");
        assert_eq!(dims, serde_json::json!([7]), "{what}");
    }
}

#[test]
fn sizes_of_inputs_that_the_model_leaves_open_are_asked_for() {
    let folder = folder();
    let brain = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/embedded/cartpole.scfg");
    let asks = |model: &str, given: &[&str], expected: &str| {
        let error = fails(&[&["compile", model, "-o", "out"], given].concat(), folder.path());
        assert!(error.contains(model) && error.contains(expected), "no `{expected}` in\n{error}");
        assert!(!folder.path().join("out").exists());
    };
    let all =
        "add --input signal=DIMS --input mod_a=DIMS --input mod_b=DIMS --input mod_critic=DIMS, with DIMS as 80 or 4x5";
    asks(brain, &[], all);
    asks(
        brain,
        &["--input", "signal=16", "--input", "mod_a=1", "--input", "mod_b=1"],
        "how large these inputs are: `mod_critic`",
    );
    asks(&golden(LIF), &[], "add --input in_spikes=DIMS");
    // Of a name that is wrong, not that one is missing.
    asks(&golden(LIF), &["--input", "in_spike=80"], "did you mean `in_spikes`?");
}
