//! Files of inputs: which tensor feeds which port, which has a time axis, and what is no input.

use crate::files::{LIF, LIF_INPUT, LIF_XZ, SOMA, currents, folder, golden, read, tensors};
use crate::run::{refuses, refuses_model};
use crate::support::command::succeeds;
use crate::support::load;
use safetensors::{Dtype, serialize, tensor::TensorView};
use std::path::Path;

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
fn optional_ports_decide_the_steps_where_none_is_required() {
    let folder = folder();
    let model = r#"{"__version__": "1.0", "__data__": {"__type__": "exponential_psc_soma_config", "__cfg__": {}}}"#;
    std::fs::write(folder.path().join("psc.scfg"), model).unwrap();
    let input = tensors(folder.path(), &[("current", &[7, 2], &[1.0; 14])]);
    let ran = succeeds(&["run", "psc.scfg", "--input", input.to_str().unwrap()], folder.path());
    assert!(ran.out.contains("7 steps"), "{}", ran.out);
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
fn tensors_in_unknown_folders_are_not_skipped() {
    let folder = folder();
    let entries: [(&str, &[usize], &[f32]); 2] =
        [("current", &[4, 3], &[0.0; 12]), ("inn/current", &[4, 3], &[0.0; 12])];
    refuses(&tensors(folder.path(), &entries), &[], "inn/current");
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
