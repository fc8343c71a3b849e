//! `spark run`, and `spark` alone: results of golden models, what is recorded, and what is refused before anything is written.

use crate::files::{LIF, LIF_INPUT, LIF_XZ, SOMA, currents, folder, golden, read, tensors};
use crate::support::command::{spark, succeeds};
use crate::support::load;
use safetensors::Dtype;
use spark::config::Config;
use spark::nn::interfaces::PoissonSourceConfig;
use std::path::Path;

#[track_caller]
fn check_lif(model: &str, extra: &[&str]) {
    let folder = folder();
    let (model, input) = (golden(model), golden(LIF_INPUT));
    let args =
        ["run", &model, "--input", &input, "--record", "soma.potential,synapses.currents", "-o", "out.safetensors"];
    let ran = succeeds(&[&args, extra].concat(), folder.path());
    let written = read(&folder.path().join("out.safetensors"));
    let expected = load("neuron/lif.f32");

    let spikes = &expected.tensors["out/out_spikes"];
    assert_eq!(written.tensors["out/out_spikes"].1, [400, 48]);
    assert_eq!(written.u8("out/out_spikes"), spikes.values);
    assert_eq!(written.tensors["out/out_spikes.inhibition_mask"].1, [48]);
    assert_eq!(written.u8("out/out_spikes.inhibition_mask"), expected.tensors["out/out_spikes.inhibition_mask"].values);
    let potential = written.f32("state/soma.potential");
    let own = load("soma/leaky_default.f32").own_difference("state/potential");
    for (i, (found, expected)) in potential.iter().zip(&expected.tensors["state/potential"].values).enumerate() {
        // Near zero a potential is a difference of larger numbers: there it may be off by what the reference's own two
        // modes differ by in this soma.
        let allowed = f64::max(1e-5 * expected.abs(), own);
        assert!((found - expected).abs() <= allowed, "potential {i}: {found}, the reference has {expected}");
    }
    assert_eq!(written.tensors["state/synapses.currents"].1, [400, 48]);

    let count = spikes.values.iter().sum::<f64>();
    assert!(ran.out.contains(&format!("{count} spikes")), "{}", ran.out);
    let mode = if extra.contains(&"--eager") { "eager" } else { "compiled" };
    for (note, value) in [("steps", "400"), ("model", "LIFNeuron"), ("mode", mode), ("dtype", "float32")] {
        assert_eq!(written.notes[note], value);
    }
    for note in ["build_ms", "trace_ms", "compile_ms", "run_ms", "us_per_step"] {
        assert!(written.notes[note].parse::<f64>().unwrap() >= 0.0, "{note}");
    }
}

#[test]
fn runs_the_golden_neuron_compiled() {
    check_lif(LIF, &[]);
    check_lif(LIF_XZ, &[]);
}

#[test]
fn runs_the_golden_neuron_eagerly() {
    check_lif(LIF_XZ, &["--eager"]);
}

#[test]
fn runs_a_brain_and_records_what_is_inside() {
    let folder = folder();
    let args =
        ["run", &golden("scfg/brain_mutual_lif_f32.xz.scfg"), "--input", &golden("brain/mutual_lif.f32.safetensors")];
    let more = ["--record", "pool_a.out_spikes,pool_b.soma.potential,spiker.spikes", "-o", "out.safetensors"];
    let ran = succeeds(&[&args[..], &more[..]].concat(), folder.path());
    assert!(ran.out.contains("Brain: 400 steps"), "{}", ran.out);
    let written = read(&folder.path().join("out.safetensors"));
    let expected = load("brain/mutual_lif.f32");
    for (ours, theirs) in [
        ("out/a_spikes", "out/a_spikes"),
        ("out/b_spikes", "out/b_spikes"),
        ("state/pool_a.out_spikes", "state/pool_a.out_spikes"),
        ("state/spiker.spikes", "state/spiker.spikes"),
    ] {
        assert_eq!(written.u8(ours), expected.tensors[theirs].values, "{ours}");
    }
    let own = load("soma/leaky_default.f32").own_difference("state/potential");
    let potential = written.f32("state/pool_b.soma.potential");
    for (found, expected) in potential.iter().zip(&expected.tensors["state/pool_b.potential"].values) {
        assert!((found - expected).abs() <= f64::max(1e-5 * expected.abs(), own), "{found} {expected}");
    }

    let shown = succeeds(&["inspect", &golden("scfg/brain_mutual_lif_f32.xz.scfg")], folder.path()).out;
    for line in ["Brain - ", "pool_a: LIFNeuron", "in_spikes: SpikeArray <- spiker.spikes + pool_b.out_spikes"] {
        assert!(shown.contains(line), "{shown}");
    }
}

#[test]
fn dtype_and_recorded_ports() {
    let folder = folder();
    let (model, input) = (golden(SOMA), currents(folder.path(), 5));
    let args = ["run", &model, "-i", input.to_str().unwrap(), "-o", "o.safetensors", "--record", "potential,spikes"];
    succeeds(&[&args[..], &["--dtype", "float16"]].concat(), folder.path());
    let written = read(&folder.path().join("o.safetensors"));
    assert_eq!(written.tensors["state/potential"].0, Dtype::F16);
    assert_eq!(written.u8("state/spikes"), written.u8("out/spikes"));
    assert_eq!(written.notes["dtype"], "float16");
}

#[test]
fn a_model_without_inputs_runs_without_a_file() {
    let folder = folder();
    let path = folder.path().join("source.scfg");
    let config = PoissonSourceConfig::new(50).with_rate(200.0);
    std::fs::write(&path, spark::scfg::write(&config.to_tree(), false).unwrap()).unwrap();
    let args = ["run", path.to_str().unwrap(), "-o", "out.safetensors", "--steps", "20"];
    succeeds(&args, folder.path());
    let counts = read(&folder.path().join("out.safetensors"));
    assert_eq!(counts.tensors["out/counts"].1, [20, 50]);
}

#[test]
fn the_shipped_example_runs_anywhere() {
    let folder = folder();
    let ran = succeeds(&[], folder.path());
    let spikes = load("neuron/lif.f32").tensors["out/out_spikes"].values.iter().sum::<f64>();
    assert!(ran.out.contains(&format!("{spikes} spikes")), "{}", ran.out);
    for name in ["raster.svg", "membrane.svg"] {
        let svg = std::fs::read_to_string(folder.path().join("spark-output").join(name)).unwrap();
        assert!(svg.starts_with("<svg") && svg.contains("Time (ms)") && svg.ends_with("</svg>\n"), "{name}");
    }
}

/// Runs the soma on a bad input: the command fails, says `message` and leaves no file behind.
#[track_caller]
pub(crate) fn refuses(input: &Path, extra: &[&str], message: &str) {
    refuses_model(&golden(SOMA), input, extra, message);
}

#[track_caller]
pub(crate) fn refuses_model(model: &str, input: &Path, extra: &[&str], message: &str) {
    let folder = folder();
    let args = ["run", model, "--input", input.to_str().unwrap(), "-o", "out.safetensors"];
    let ran = spark(&[&args, extra].concat(), folder.path());
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.starts_with("error: ") && ran.err.contains(message), "no `{message}` in\n{}", ran.err);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a file was left behind");
}

#[test]
fn refuses_what_cannot_be_recorded() {
    let folder = folder();
    let input = currents(folder.path(), 4);
    refuses(&input, &["--record", "potental"], "recordable: potential, spikes");
    let constant = tensors(folder.path(), &[("current", &[3], &[0.0; 3])]);
    refuses(&constant, &["--steps", "1000000000000", "--record", "potential"], "GiB");
    let (model, missing) = (golden(SOMA), folder.path().join("no/such/folder/out.safetensors"));
    for (target, message) in [(folder.path(), "this is a directory"), (&*missing, "cannot write here")] {
        let args = ["run", &model, "-i", input.to_str().unwrap(), "-o", target.to_str().unwrap()];
        let ran = spark(&args, folder.path());
        assert_eq!(ran.code, Some(1));
        assert!(ran.err.contains(message), "{}", ran.err);
    }
}

#[test]
fn the_output_never_overwrites_what_is_read() {
    let folder = folder();
    let model = folder.path().join("model.scfg");
    std::fs::copy(golden(SOMA), &model).unwrap();
    let input = currents(folder.path(), 4);
    for target in [&model, &input] {
        let before = std::fs::read(target).unwrap();
        let name = |path: &Path| path.display().to_string();
        let ran = spark(&["run", &name(&model), "-i", &name(&input), "-o", &name(target)], folder.path());
        assert_eq!(ran.code, Some(1), "{}", ran.err);
        assert!(ran.err.contains("would overwrite what is read"), "{}", ran.err);
        assert_eq!(std::fs::read(target).unwrap(), before);
    }
}
