//! States as trees of arrays, as files, and as what a model takes and refuses.

use spark::prelude::*;
use spark::state::Difference;

fn array(dims: &[usize], data: Data) -> Array {
    let shape = if dims.is_empty() { Shape::scalar() } else { Shape::of(Axis::anonymous(0), dims) };
    Array::new(shape, data).unwrap()
}

fn floats(values: &[f32]) -> Array {
    array(&[values.len()], Data::F32(values.to_vec()))
}

/// A state with an array of every type, and numbers that only their bits tell apart.
fn everything() -> State {
    let f16 = |bits: &[u16]| bits.iter().map(|&b| f16_of(b)).collect::<Vec<_>>();
    let mut state = State::new();
    state.insert("half", array(&[3], Data::F32(vec![0.5, -0.0, 6e-8]).convert(DType::F16)));
    state.insert("brain", array(&[2], Data::F32(vec![1.5, f32::NEG_INFINITY]).convert(DType::BF16)));
    state.insert("pool.soma.potential", floats(&[f32::NAN, -0.0, f32::MIN_POSITIVE / 2.0]));
    state.insert("pool.soma.gain", array(&[2, 1, 2], Data::F64(vec![0.1, 1e300, -0.0, f64::NAN])));
    state.insert("pool.synapses.delays", array(&[4], Data::U8(vec![0, 1, 254, 255])));
    state.insert("wide", array(&[1], Data::U16(vec![65_535])));
    state.insert("rng.high", array(&[], Data::I32(vec![i32::MIN])));
    state.insert("mask", array(&[3], Data::Bool(vec![true, false, true])));
    state.insert("nothing", array(&[0, 7], Data::F32(f16(&[]))));
    state.set_steps(u64::MAX - 1);
    state
}

fn f16_of(bits: u16) -> f32 {
    f32::from(bits)
}

#[test]
fn a_tree_is_read_and_changed_by_path() {
    let mut state = everything();
    let paths: Vec<&str> = state.paths().collect();
    assert!(paths.is_sorted());
    assert_eq!(paths.len(), state.len());
    assert_eq!(state.get("pool.synapses.delays").unwrap().dims(), [4]);
    let error = state.get("pool.synapses.delay").unwrap_err().to_string();
    assert!(error.contains("did you mean `pool.synapses.delays`?"), "{error}");

    let pool = state.subtree("pool");
    assert_eq!(pool.paths().collect::<Vec<_>>(), ["soma.gain", "soma.potential", "synapses.delays"]);
    assert!(state.subtree("poo").is_empty());
    assert!(state.remove("pool.soma.gain").is_some());
    state.graft("other", &pool);
    assert_eq!(state.subtree("other"), pool);
    *state.get_mut("mask").unwrap() = array(&[1], Data::Bool(vec![false]));
    assert_eq!(state.get("mask").unwrap().to_bool(), [false]);
    let collected: State = state.iter().map(|(path, array)| (path.to_string(), array.clone())).collect();
    assert_eq!(collected.paths().collect::<Vec<_>>(), state.paths().collect::<Vec<_>>());
}

#[test]
fn differences_are_named() {
    let state = everything();
    assert_eq!(state.diff(&everything()), []);
    assert_eq!(state, everything());
    let mut other = everything();
    other.set_steps(3);
    other.remove("wide");
    other.insert("new", floats(&[1.0]));
    other.insert("half", array(&[1], Data::F32(vec![0.5]).convert(DType::F16)));
    other.insert("brain", array(&[2], Data::F32(vec![1.5, 0.0])));
    other.insert("pool.soma.potential", floats(&[f32::NAN, 0.0, 2.5]));
    assert_ne!(state, other);
    let found: Vec<String> = state.diff(&other).iter().map(Difference::to_string).collect();
    assert_eq!(
        found,
        [
            "18446744073709551614 steps, 3 on the right",
            "brain: bf16, f32 on the right",
            "half: dimensions [3], [1] on the right",
            "pool.soma.potential: 2 of 3 elements differ, by at most 2.5e0",
            "wide: only on the left",
            "new: only on the right",
        ]
    );
}

#[test]
fn print_shows_the_tree() {
    let mut state = State::new();
    state.insert("pool_a.soma.potential", floats(&[-1.0, 2.5]));
    state.insert("pool_a.soma.trace", floats(&[0.0, 0.0]));
    state.insert("pool_a.synapses.kernel", array(&[2, 1], Data::F32(vec![f32::NAN, 2.0])));
    state.insert("#step", array(&[], Data::I32(vec![7])));
    state.set_steps(7);
    let expected = "4 arrays, 28 bytes, after 7 steps
  #step: int32 = 7
  pool_a
    soma
      potential: float32 2, -1 to 2.5
      trace: float32 2, all 0
    synapses
      kernel: float32 2x1, all 2, some not a number";
    assert_eq!(state.to_string(), expected);
}

#[test]
fn every_type_survives_a_file() {
    let state = everything();
    let bytes = state.to_safetensors().unwrap();
    assert_eq!(State::from_safetensors(&bytes).unwrap().diff(&state), []);
    assert_eq!(
        State::from_safetensors(&bytes).unwrap().to_safetensors().unwrap(),
        bytes,
        "equal bytes for equal states"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.safetensors");
    state.write(&path).unwrap();
    assert_eq!(State::read(&path).unwrap(), state);
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let error = State::read(&path).unwrap_err().to_string();
    assert!(error.contains("state.safetensors: not a sound safetensors file"), "{error}");
}

#[test]
fn tensors_that_no_state_has_are_named() {
    use safetensors::tensor::{Dtype, TensorView};
    let view = |dtype, dims: &[usize], bytes| TensorView::new(dtype, dims.to_vec(), bytes).unwrap();
    let tensors = [
        ("a", view(Dtype::I64, &[1], &[0; 8])),
        ("b", view(Dtype::BOOL, &[2], &[0, 2])),
        ("c", view(Dtype::F32, &[1], &[0; 4])),
        ("#steps", view(Dtype::I32, &[1], &[0; 4])),
    ];
    let error = State::from_safetensors(&safetensors::serialize(tensors, None).unwrap()).unwrap_err().to_string();
    assert_eq!(error.lines().filter(|line| !line.starts_with("  help")).count(), 3, "{error}");
    for part in
        ["a: no state has elements of type I64", "b: a truth value is 0 or 1, found 2", "#steps: the number of steps"]
    {
        assert!(error.contains(part), "{error}");
    }
}

fn neuron(units: usize) -> Model {
    let config = NeuronConfig::new([units], LIFNeuron::modules());
    Model::component(config).input("in_spikes", [6]).build().unwrap()
}

#[test]
fn a_state_of_another_model_is_refused_with_every_reason() {
    let mut model = neuron(3);
    model.run(5, &[("in_spikes", vec![true; 6].into())]).unwrap();
    let before = model.save_state();
    let mut state = before.clone();
    state.insert("soma.potential", floats(&[1.0; 4]));
    state.insert("synapses.kernel", state.get("synapses.kernel").unwrap().convert(DType::F16));
    state.remove("delays.line").unwrap();
    state.insert("delays.lime", floats(&[1.0]));
    let error = model.load_state(&state).unwrap_err();
    let text = error.to_string();
    assert_eq!(error.errors().len(), 4, "{text}");
    for part in [
        "delays.line: the state lacks this variable of the model",
        "delays.lime: the model has no such variable\n  help: did you mean `delays.line`?",
        "soma.potential: dimensions [4], where the model has [3]",
        "synapses.kernel: float16, where the model has float32",
    ] {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
    assert_eq!(model.save_state(), before, "nothing was set");
}

#[test]
fn a_partial_state_reports_what_it_did() {
    let mut trained = neuron(3);
    trained.run(40, &[("in_spikes", vec![true; 6].into())]).unwrap();
    let mut state = trained.save_state();
    state.insert("soma.potential", state.get("soma.potential").unwrap().convert(DType::F64));
    state.insert("somewhere.else", floats(&[0.0]));
    state.remove("synapses.kernel");
    let mut model = neuron(3);
    let kernel = model.state("synapses.kernel").unwrap();
    let report = model.load_state_partial(&state).unwrap();
    assert!(report.loaded.contains(&"soma.potential".to_string()));
    assert_eq!(report.converted, [("soma.potential".to_string(), DType::F64, DType::F32)]);
    assert_eq!(report.unused, [("somewhere.else".to_string(), "the model has no such variable".to_string())]);
    assert_eq!(report.kept, ["synapses.kernel"]);
    assert_eq!(model.state("soma.potential").unwrap(), trained.state("soma.potential").unwrap());
    assert_eq!(model.state("synapses.kernel").unwrap(), kernel);
    assert_eq!(model.steps(), 0);
    let text = report.to_string();
    assert!(text.contains("somewhere.else: not used, the model has no such variable"), "{text}");

    let other: State = [("x".to_string(), floats(&[0.0]))].into_iter().collect();
    assert!(model.load_state_partial(&other).unwrap_err().to_string().contains("nothing of the state fits"));
}

#[test]
fn steps_are_counted_in_both_modes() {
    for eager in [false, true] {
        let builder = Model::component(LeakySomaConfig::default()).input("current", [1]).eager(eager);
        let mut model = builder.build().unwrap();
        model.run(7, &[("current", vec![1.0f32].into())]).unwrap();
        assert_eq!((model.steps(), model.save_state().steps()), (7, 7));
        model.reset();
        assert_eq!(model.steps(), 0);
    }
}
