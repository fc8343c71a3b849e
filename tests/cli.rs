//! The `spark` command as its users run it: results of the golden neuron, and what bad input leads to.

mod support;

use safetensors::{Dtype, SafeTensors, serialize, tensor::TensorView};
use spark::config::Config;
use spark::nn::interfaces::PoissonSourceConfig;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use support::command::{fails, spark, succeeds};
use support::{golden_dir, load};
use tempfile::TempDir;

const LIF: &str = "scfg/neuron_lif_f32.json.scfg";
const LIF_XZ: &str = "scfg/neuron_lif_f32.xz.scfg";
const SOMA: &str = "scfg/soma_leaky_hetero.json.scfg";
const LIF_INPUT: &str = "neuron/lif.f32.safetensors";

fn golden(path: &str) -> String {
    golden_dir().join(path).display().to_string()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Writes a tensor file of `f32` tensors.
fn tensors(folder: &Path, entries: &[(&str, &[usize], &[f32])]) -> PathBuf {
    let bytes: Vec<Vec<u8>> = entries.iter().map(|e| e.2.iter().flat_map(|x| x.to_le_bytes()).collect()).collect();
    let views = entries
        .iter()
        .zip(&bytes)
        .map(|(&(name, dims, _), bytes)| (name, TensorView::new(Dtype::F32, dims.to_vec(), bytes).unwrap()));
    let path = folder.join("in.safetensors");
    std::fs::write(&path, serialize(views, None).unwrap()).unwrap();
    path
}

/// A soma's input: three neurons, `steps` steps of 500 pA.
fn currents(folder: &Path, steps: usize) -> PathBuf {
    tensors(folder, &[("current", &[steps, 3], &vec![500.0; steps * 3])])
}

struct Written {
    tensors: HashMap<String, (Dtype, Vec<usize>, Vec<u8>)>,
    notes: HashMap<String, String>,
}

fn read(path: &Path) -> Written {
    let bytes = std::fs::read(path).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let one =
        |(name, view): (String, TensorView<'_>)| (name, (view.dtype(), view.shape().to_vec(), view.data().to_vec()));
    Written {
        tensors: file.tensors().into_iter().map(one).collect(),
        notes: header.metadata().clone().unwrap_or_default(),
    }
}

impl Written {
    #[track_caller]
    fn f32(&self, name: &str) -> Vec<f64> {
        let (dtype, _, bytes) = &self.tensors[name];
        assert_eq!(*dtype, Dtype::F32, "{name}");
        bytes.as_chunks().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect()
    }

    #[track_caller]
    fn u8(&self, name: &str) -> Vec<f64> {
        let (dtype, _, bytes) = &self.tensors[name];
        assert_eq!(*dtype, Dtype::U8, "{name}");
        bytes.iter().map(|&b| f64::from(b)).collect()
    }
}

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
fn optional_ports_decide_the_steps_where_none_is_required() {
    let folder = folder();
    let model = r#"{"__version__": "1.0", "__data__": {"__type__": "exponential_psc_soma_config", "__cfg__": {}}}"#;
    std::fs::write(folder.path().join("psc.scfg"), model).unwrap();
    let input = tensors(folder.path(), &[("current", &[7, 2], &[1.0; 14])]);
    let ran = succeeds(&["run", "psc.scfg", "--input", input.to_str().unwrap()], folder.path());
    assert!(ran.out.contains("7 steps"), "{}", ran.out);
}

#[test]
fn a_brain_uses_neurons_registered_on_the_command_line() {
    let folder = folder();
    let (brain, neuron) = (golden("models/ab_brain.scfg"), golden("models/alif_mod_neuron.scfg"));
    let unknown = fails(&["inspect", &brain], folder.path());
    assert!(unknown.contains("there is no module or neuron called `alif_mod_neuron`"), "{unknown}");
    assert!(unknown.contains("register_neuron, or --register NAME=FILE.scfg"), "{unknown}");
    let register = format!("ALIFModNeuron={neuron}");
    let shown = succeeds(&["inspect", &brain, "--register", &register], folder.path()).out;
    assert!(shown.contains("A_excitatory: ALIFModNeuron"), "{shown}");
    let wrong = fails(&["inspect", &brain, "--register", "ALIFModNeuron"], folder.path());
    assert!(wrong.contains("is not NAME=FILE"), "{wrong}");
}

#[test]
fn the_tree_of_a_model_with_mistakes_comes_with_these() {
    let folder = folder();
    let text = std::fs::read_to_string(golden(LIF)).unwrap();
    let field = "\"potential_rest\":";
    assert!(text.contains(field));
    std::fs::write(folder.path().join("lif.scfg"), text.replacen(field, &format!("\"a\": 1, {field}"), 1)).unwrap();
    for arguments in [&["inspect", "lif.scfg"][..], &["inspect", "lif.scfg", "--tree"]] {
        let ran = spark(arguments, folder.path());
        assert_eq!(ran.code, Some(1), "{}", ran.err);
        assert!(ran.out.contains("soma: "), "{}", ran.out);
        assert!(ran.err.contains("lif.scfg: soma.a: ") && ran.err.contains("has no such field"), "{}", ran.err);
    }
}

#[test]
fn a_limit_of_memory_can_be_given() {
    let folder = folder();
    let text = std::fs::read_to_string(golden(LIF)).unwrap();
    let units = text.rfind("\"units\": [").unwrap();
    let end = units + text[units..].find(']').unwrap();
    std::fs::write(folder.path().join("lif.scfg"), format!("{}\"units\": [300000{}", &text[..units], &text[end..]))
        .unwrap();
    let inspect = ["inspect", "lif.scfg", "--ir", "--input", "in_spikes=1000"];
    let error = fails(&inspect, folder.path());
    assert!(error.contains("300000") && error.contains("--memory-limit"), "{error}");
    let ran = fails(&[&inspect[..], &["--memory-limit", "0"]].concat(), folder.path());
    assert!(ran.contains("--memory-limit"), "{ran}");
    succeeds(&["inspect", &golden(LIF), "--ir", "--memory-limit", "1", "--input", "in_spikes=80"], folder.path());
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

/// Runs the soma of three neurons on `entries`; gives the dimensions of its spikes.
#[track_caller]
fn soma_spikes(entries: &[(&str, &[usize], &[f32])], extra: &[&str]) -> Vec<usize> {
    let folder = folder();
    let (model, input) = (golden(SOMA), tensors(folder.path(), entries));
    let args = ["run", &model, "--input", input.to_str().unwrap(), "-o", "out.safetensors"];
    succeeds(&[&args, extra].concat(), folder.path());
    read(&folder.path().join("out.safetensors")).tensors["out/spikes"].1.clone()
}

#[test]
fn finds_the_time_axis() {
    let series: (&str, &[usize], &[f32]) = ("current", &[4, 3], &[100.0; 12]);
    let constant: (&str, &[usize], &[f32]) = ("in/current", &[3], &[100.0; 3]);
    let mask: (&str, &[usize], &[f32]) = ("inhibition_mask", &[3], &[0.0, 1.0, 0.0]);
    assert_eq!(soma_spikes(&[series, mask], &[]), [4, 3]);
    assert_eq!(soma_spikes(&[series], &["--steps", "2"]), [2, 3]);
    assert_eq!(soma_spikes(&[constant, mask], &["--steps", "7"]), [7, 3]);
}

#[test]
fn a_constant_of_several_dimensions_is_said_to_be_one() {
    let folder = folder();
    let (model, input) = (golden(LIF), tensors(folder.path(), &[("in_spikes", &[5, 16], &[1.0; 80])]));
    let args = ["run", &model, "-i", input.to_str().unwrap(), "-o", "out.safetensors"];
    for (extra, steps) in [(&[][..], 5), (&["--steps", "3", "--constant", "in_spikes"], 3)] {
        succeeds(&[&args, extra].concat(), folder.path());
        let written = read(&folder.path().join("out.safetensors"));
        assert_eq!(written.tensors["out/out_spikes"].1, [steps, 48]);
    }
}

/// Runs the golden synapses behind delays on `input`.
#[track_caller]
fn check_spikes_over_synapses(input: &str, extra: &[&str]) {
    let expected = load("synapses/linear_async.f32");
    let folder = folder();
    let path = folder.path().join("synapses.scfg");
    std::fs::write(&path, spark::scfg::write(&expected.config(), false).unwrap()).unwrap();
    let args = ["run", path.to_str().unwrap(), "--input", input, "-o", "out.safetensors"];
    succeeds(&[&args, extra].concat(), folder.path());
    let currents = read(&folder.path().join("out.safetensors")).f32("out/currents");
    for (found, expected) in currents.iter().zip(&expected.tensors["out/currents"].values) {
        assert!((found - expected).abs() <= 1e-5 * expected.abs(), "{found}, the reference has {expected}");
    }
}

#[test]
fn spikes_over_synapses_are_marked_said_or_inferred() {
    // Marked by the file's notes.
    check_spikes_over_synapses(&golden("synapses/linear_async.f32.safetensors"), &[]);
    // Without notes: spikes of 6 units over 10 inputs, as the mask of the inputs shows.
    let file = load("synapses/linear_async.f32");
    let plain = |name: &str| -> Vec<f32> { file.tensors[name].values.iter().map(|&x| x as f32).collect() };
    let folder = folder();
    let (spikes, mask) = (plain("in/spikes"), plain("in/inhibition_mask"));
    let entries: [(&str, &[usize], &[f32]); 2] =
        [("spikes", &[120, 6, 10], &spikes), ("spikes.inhibition_mask", &[10], &mask)];
    let input = tensors(folder.path(), &entries);
    check_spikes_over_synapses(input.to_str().unwrap(), &[]);
    check_spikes_over_synapses(input.to_str().unwrap(), &["--async", "spikes"]);
}

#[test]
fn every_element_type_is_converted() {
    let folder = folder();
    let input = folder.path().join("in.safetensors");
    // 250 in each type; three neurons, constant.
    let types: [(Dtype, &[u8]); 8] = [
        (Dtype::U8, &[250]),
        (Dtype::U16, &250u16.to_le_bytes()),
        (Dtype::I32, &250i32.to_le_bytes()),
        (Dtype::I64, &250i64.to_le_bytes()),
        (Dtype::F16, &0x5bd0u16.to_le_bytes()),
        (Dtype::BF16, &0x437au16.to_le_bytes()),
        (Dtype::F32, &250f32.to_le_bytes()),
        (Dtype::F64, &250f64.to_le_bytes()),
    ];
    let mut results = Vec::new();
    for (dtype, bytes) in types {
        let view = TensorView::new(dtype, vec![3], bytes.repeat(3).leak()).unwrap();
        std::fs::write(&input, serialize([("current", view)], None).unwrap()).unwrap();
        let (model, input) = (golden(SOMA), input.to_str().unwrap());
        let args = ["run", &model, "-i", input, "--steps", "3", "-o", "out.safetensors", "--record", "potential"];
        succeeds(&args, folder.path());
        results.push(read(&folder.path().join("out.safetensors")).f32("state/potential"));
    }
    assert!(results[0][8] > 3.0);
    assert!(results.iter().all(|potential| *potential == results[0]));
    let view = TensorView::new(Dtype::I64, vec![3], (1i64 << 40).to_le_bytes().repeat(3).leak()).unwrap();
    std::fs::write(&input, serialize([("current", view)], None).unwrap()).unwrap();
    refuses(&input, &["--steps", "3"], "does not fit 32 bits");
    let view = TensorView::new(Dtype::C64, vec![3], vec![0; 24].leak()).unwrap();
    std::fs::write(&input, serialize([("current", view)], None).unwrap()).unwrap();
    refuses(&input, &["--steps", "3"], "elements of type C64 are not read");
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
fn the_soma_is_one_loop_nest() {
    let folder = folder();
    let ran = succeeds(&["inspect", &golden(SOMA), "--loops"], folder.path());
    assert_eq!(ran.out.lines().filter(|line| line.starts_with("nest ")).count(), 1, "{}", ran.out);
    assert!(ran.err.contains("current=3"), "{}", ran.err);
}

#[test]
fn shows_structure_and_stages() {
    let folder = folder();
    let tree = succeeds(&["inspect", &golden(LIF)], folder.path()).out;
    for part in ["LIFNeuron", "synapses: LinearSynapses", "spikes: SpikeArray <- delays.out_spikes", "max_delay = 8 ms"]
    {
        assert!(tree.contains(part), "no `{part}` in\n{tree}");
    }
    for (stage, part) in [("--ir", "state s0"), ("--optimized", "output \"out_spikes\""), ("--clif", "function")] {
        let ran = succeeds(&["inspect", &golden(LIF), stage, "--input", "in_spikes=80"], folder.path());
        assert!(ran.out.contains(part), "{stage}: no `{part}`");
    }
}

#[test]
fn lists_and_describes() {
    let folder = folder();
    let list = succeeds(&["list"], folder.path()).out;
    for name in ["LeakySoma", "LIFNeuron", "SparseUniformInitializer"] {
        assert!(list.contains(name), "no `{name}` in\n{list}");
    }
    let soma = succeeds(&["describe", "leaky_soma"], folder.path()).out;
    for part in ["current: CurrentArray", "potential_tau: Param, default 20 ms; must be positive"] {
        assert!(soma.contains(part), "no `{part}` in\n{soma}");
    }
    // Output ports say what they carry and in which unit, modules with several too, and checks what they demand, and of what.
    for (name, parts) in [
        ("LeakySoma", &["spikes: SpikeArray over (units)\n      True where a neuron spikes."][..]),
        ("LinearSynapses", &["currents: CurrentArray over (units)\n      Current of each neuron, in pA."]),
        (
            "AlphaConductanceSynapses",
            &["inhibitory: ConductanceArray over (units)\n      Inhibitory conductance of each neuron, in nS."],
        ),
        (
            "PoissonSource",
            &["counts: IntegerArray over (units)\n      Events of each unit in the step.", "in pA: its events"],
        ),
        ("zero_one", &["Numbers must lie between 0 and 1.", "RFSTracedSynapsesConfig: alpha"]),
    ] {
        let described = succeeds(&["describe", name], folder.path()).out;
        for part in parts {
            assert!(described.contains(part), "no `{part}` in\n{described}");
        }
    }
    assert!(list.contains("Checks of parameters\n") && list.contains("Numbers must be positive."), "{list}");
    assert!(spark(&["describe", "LeakySomma"], folder.path()).err.contains("did you mean `LeakySoma`?"));
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
fn refuses(input: &Path, extra: &[&str], message: &str) {
    refuses_model(&golden(SOMA), input, extra, message);
}

#[track_caller]
fn refuses_model(model: &str, input: &Path, extra: &[&str], message: &str) {
    let folder = folder();
    let args = ["run", model, "--input", input.to_str().unwrap(), "-o", "out.safetensors"];
    let ran = spark(&[&args, extra].concat(), folder.path());
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.starts_with("error: ") && ran.err.contains(message), "no `{message}` in\n{}", ran.err);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a file was left behind");
}

#[test]
fn refuses_damaged_files() {
    let folder = folder();
    let input = currents(folder.path(), 4);
    let whole = std::fs::read(&input).unwrap();
    let with = |bytes: &[u8]| {
        let path = folder.path().join("damaged");
        std::fs::write(&path, bytes).unwrap();
        path
    };
    refuses(&folder.path().join("missing"), &[], "cannot read the file");
    refuses(folder.path(), &[], "this is a directory");
    refuses(&with(b""), &[], "not a sound safetensors file");
    refuses(&with(&whole[..whole.len() - 1]), &[], "not a sound safetensors file");
    refuses(&with(&[0xff; 64]), &[], "not a sound safetensors file");
    refuses(&with(b"\x08\0\0\0\0\0\0\0{\"\xff\xfe\"}  "), &[], "invalid UTF-8");
    let huge = br#"{"current":{"dtype":"F32","shape":[4611686018427387904,8],"data_offsets":[0,4]}}"#;
    let length = (huge.len() as u64).to_le_bytes();
    refuses(&with(&[&length[..], huge, &[0; 4]].concat()), &[], "not a sound safetensors file");
    refuses_model(folder.path().to_str().unwrap(), &input, &[], "this is a directory");
    let cut = &std::fs::read(golden(LIF_XZ)).unwrap()[..300];
    refuses_model(with(cut).to_str().unwrap(), &input, &[], "truncated");
}

#[test]
fn refuses_tensors_that_do_not_fit() {
    let folder = folder();
    let file = |entries: &[(&str, &[usize], &[f32])]| tensors(folder.path(), entries);
    refuses(&file(&[]), &[], "there is no tensor for the input port `current`");
    refuses(&file(&[("curent", &[2, 3], &[0.0; 6])]), &[], "did you mean `current`?");
    refuses(&file(&[("current", &[3], &[0.0; 3])]), &[], "--steps");
    refuses(&file(&[("current", &[0, 3], &[])]), &[], "a series of 0 steps");
    refuses(&file(&[("current", &[2, 4], &[0.0; 8])]), &[], "does not match the shape");
    refuses(&file(&[("current", &[2, 3], &[0.0, 0.0, 0.0, 0.0, f32::NAN, 0.0])]), &[], "(NaN) in step 1");
    refuses(&file(&[("current", &[2, 3], &[0.0; 6])]), &["--steps", "0"], "0 steps");
    refuses(&file(&[("current", &[2, 3], &[0.0; 6])]), &["--steps", "3"], "--constant current");
    let twice = file(&[("current", &[2, 3], &[0.0; 6]), ("in/current", &[2, 3], &[0.0; 6])]);
    refuses(&twice, &[], "feed the same port");
    let spikes = file(&[("in_spikes", &[2, 4], &[0.0, 1.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0])]);
    refuses_model(&golden(LIF), &spikes, &[], "-1 is not a spike in step 0");
    let mask = file(&[("in_spikes", &[2, 4], &[0.0; 8]), ("in_spikes.inhibition_mask", &[3], &[0.0; 3])]);
    refuses_model(&golden(LIF), &mask, &[], "a mask of 3 does not fit spikes of 2x4");
    // A constant of 4x4 with its mask, or 4 steps of 4 with a mask for each step.
    let either = file(&[("in_spikes", &[4, 4], &[0.0; 16]), ("in_spikes.inhibition_mask", &[4, 4], &[0.0; 16])]);
    refuses_model(&golden(LIF), &either, &[], "--steps 4 or --constant in_spikes");
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
fn a_wrong_command_line_is_exit_code_2() {
    let folder = folder();
    let model = golden(SOMA);
    for args in [&["run"][..], &["run", &model, "-i", "x", "--dtype", "int8"], &["inspect", &model, "--input", "a=b"]] {
        assert_eq!(spark(args, folder.path()).code, Some(2), "{args:?}");
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

#[test]
fn wiring_mistakes_come_before_mistakes_of_the_input() {
    let folder = folder();
    let text = std::fs::read_to_string(golden(LIF)).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&text).unwrap();
    config["__cfg__"]["modules_specs"].as_array_mut().unwrap().remove(0);
    let model = folder.path().join("model.scfg");
    std::fs::write(&model, config.to_string()).unwrap();
    refuses_model(&model.display().to_string(), Path::new(&golden(LIF_INPUT)), &[], "there is no module `delays`");
}

#[test]
fn tensors_in_unknown_folders_are_not_skipped() {
    let folder = folder();
    let entries: [(&str, &[usize], &[f32]); 2] =
        [("current", &[4, 3], &[0.0; 12]), ("inn/current", &[4, 3], &[0.0; 12])];
    refuses(&tensors(folder.path(), &entries), &[], "inn/current");
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
