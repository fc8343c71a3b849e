//! `spark inspect`, `list` and `describe`: what models and modules are made of.

use crate::files::{LIF, SOMA, folder, golden};
use crate::support::command::{fails, spark, succeeds};

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
fn the_soma_is_one_loop_nest() {
    let folder = folder();
    let ran = succeeds(&["inspect", &golden(SOMA), "--loops"], folder.path());
    assert_eq!(ran.out.lines().filter(|line| line.starts_with("nest ")).count(), 1, "{}", ran.out);
    assert!(ran.err.contains("current=3"), "{}", ran.err);
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
fn a_guess_of_the_size_of_an_input_that_does_not_fit_is_named() {
    let brain = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/embedded/cartpole.scfg");
    let error = fails(&["inspect", brain, "--loops"], folder().path());
    assert!(error.contains("dimensions of inputs were not given: --input signal=10 --input mod_a=10"), "{error}");
    assert!(error.contains("say others with --input"), "{error}");
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
fn a_wrong_command_line_is_exit_code_2() {
    let folder = folder();
    let model = golden(SOMA);
    for args in [&["run"][..], &["run", &model, "-i", "x", "--dtype", "int8"], &["inspect", &model, "--input", "a=b"]] {
        assert_eq!(spark(args, folder.path()).code, Some(2), "{args:?}");
    }
}
