//! `spark bench`: what it prints, writes and draws, and what it refuses. Times are not judged.

mod support;

use safetensors::SafeTensors;
use serde_json::Value;
use std::path::Path;
use support::command::{fails, succeeds};
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// The lines of JSON that a benchmark prints.
#[track_caller]
fn lines(args: &[&str], folder: &Path) -> Vec<Value> {
    let ran = succeeds(&[&["bench"], args, &["--json"]].concat(), folder);
    ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[track_caller]
fn number(line: &Value, field: &str) -> f64 {
    line[field].as_f64().unwrap_or_else(|| panic!("no number `{field}` in {line}"))
}

/// Equal but for the digits that a rounded figure leaves out.
#[track_caller]
fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-3 * expected.abs().max(1.0), "{found}, expected {expected}");
}

#[test]
fn json_has_the_fields_of_the_peers() {
    let folder = folder();
    let line = &lines(&["spark-lif", "48", "--steps", "30", "--runs", "3", "--scale", "2000"], folder.path())[0];
    assert_eq!(line["benchmark"], "spark-lif");
    assert_eq!(line["dtype"], "float32");
    assert!(line["peer"].as_str().unwrap().starts_with("spark "));
    let sizes =
        [("N", 48.0), ("synapses", 4608.0), ("steps", 30.0), ("runs", 3.0), ("dt", 1.0), ("simulated_ms", 30.0)];
    for (field, expected) in sizes {
        assert_eq!(number(line, field), expected, "{field}");
    }
    for field in ["build_s", "compile_s", "sim_s", "cpu_s", "memory_bytes"] {
        assert!(number(line, field) > 0.0, "{field}");
    }
    assert_eq!(line["runs_ms_per_step"].as_array().unwrap().len(), 3);
    near(number(line, "ms_per_step"), number(line, "cpu_s") / 30.0 * 1e3);
    let spikes = number(line, "spikes");
    assert!(spikes > 0.0);
    near(number(line, "mean_rate_hz"), spikes / 48.0 / 0.03);
    near(number(line, "synaptic_events"), spikes * 48.0);
    let populations = line["populations"].as_array().unwrap();
    assert_eq!(*populations, ["pool, excitatory", "pool, inhibitory"]);
    assert_eq!(line["pop_rates_hz"].as_array().unwrap().len(), 2);
    assert!(line["passes"].as_array().unwrap().contains(&"events".into()));
}

/// Writes a network and runs the file: spikes of every step and neuron, as 0 and 1.
#[track_caller]
fn spikes_of_file(network: &[&str], input: &str, steps: usize, folder: &Path) -> Vec<u8> {
    succeeds(&[&["bench"], network, &["--write", "model.scfg"]].concat(), folder);
    let fed = ["run", "model.scfg", "--input", "model.safetensors", "--constant", input];
    succeeds(&[&fed[..], &["--steps", &steps.to_string(), "-o", "out.safetensors"]].concat(), folder);
    let bytes = std::fs::read(folder.join("out.safetensors")).unwrap();
    SafeTensors::deserialize(&bytes).unwrap().tensor("out/spikes").unwrap().data().to_vec()
}

#[test]
fn the_rate_is_that_of_the_steps_that_are_timed() {
    let folder = folder();
    let network = ["spark-lif", "48", "--scale", "2000"];
    let line = &lines(&[&network[..], &["--steps", "30", "--runs", "3"]].concat(), folder.path())[0];
    let spikes = spikes_of_file(&network, "signal", 120, folder.path());
    assert_eq!(spikes.len(), 120 * 48);
    // The first 30 steps are a run that is not timed.
    let timed: u32 = spikes[30 * 48..].iter().map(|&spike| u32::from(spike)).sum();
    near(number(line, "spikes"), f64::from(timed) / 3.0);
}

#[test]
fn the_brain_has_a_rate_for_each_pool() {
    let folder = folder();
    let line = &lines(&["ab", "--steps", "10", "--runs", "1"], folder.path())[0];
    let pools = line["populations"].as_array().unwrap();
    assert_eq!(*pools, ["A_excitatory", "B_excitatory", "A_inhibitory", "B_inhibitory"]);
    let rates: Vec<f64> = line["pop_rates_hz"].as_array().unwrap().iter().map(|rate| rate.as_f64().unwrap()).collect();
    // 256 excitatory and 64 inhibitory neurons each.
    let mean = (256.0 * (rates[0] + rates[1]) + 64.0 * (rates[2] + rates[3])) / 640.0;
    near(number(line, "mean_rate_hz"), mean);
}

#[test]
fn somas_do_not_spike_together() {
    let folder = folder();
    for name in ["update-lif", "update-adex", "update-hh"] {
        let line = &lines(&[name, "200", "--steps", "400", "--runs", "1"], folder.path())[0];
        assert!(number(line, "spikes") > 40.0, "{name}");
        assert_eq!(number(line, "dt"), 0.1);
        assert_eq!(number(line, "synaptic_events"), 0.0);
        let spikes = spikes_of_file(&[name, "200"], "current", 400, folder.path());
        let most = spikes.chunks(200).map(|step| step.iter().filter(|&&spike| spike > 0).count()).max();
        assert!(most.is_some_and(|most| (1..100).contains(&most)), "{name}: {most:?} of 200 neurons in one step");
    }
}

#[test]
fn every_pass_is_left_out_and_run_alone() {
    let folder = folder();
    let network = ["spark-alif", "24", "--scale", "800", "--steps", "20", "--runs", "2", "--every-pass"];
    let lines = lines(&network, folder.path());
    let passes = lines[0]["passes"].as_array().unwrap();
    assert_eq!(lines[0]["choice"], "all");
    assert_eq!(lines[1]["choice"], "none");
    assert_eq!(lines[1]["passes"].as_array().unwrap().len(), 0);
    assert_eq!(lines.len(), 2 + 2 * passes.len());
    for pass in passes {
        let of = |choice: String| lines.iter().find(|line| line["choice"] == choice.as_str()).unwrap();
        let (without, only) =
            (of(format!("without {}", pass.as_str().unwrap())), of(format!("only {}", pass.as_str().unwrap())));
        assert!(!without["passes"].as_array().unwrap().contains(pass));
        assert_eq!(only["passes"].as_array().unwrap(), std::slice::from_ref(pass));
    }
    for line in &lines {
        assert!(number(line, "to_all") > 0.0);
        assert!(number(line, "spikes") > 0.0);
    }
    let exact: Vec<&Value> =
        lines.iter().filter(|line| !line["passes"].as_array().unwrap().contains(&"sum_filters".into())).collect();
    assert!(exact.iter().all(|line| line["spikes"] == lines[1]["spikes"]), "exact passes change no spike");

    let table = succeeds(&[&["bench"], &network[..]].concat(), folder.path()).out;
    assert!(table.contains("| without events |"), "{table}");
}

#[test]
fn a_written_network_runs_with_the_command_that_is_printed() {
    for (network, steps) in [
        (&["spark-lif", "16"][..], "200"),
        (&["spark-alif", "16", "--dtype", "float16"], "200"),
        (&["spark-adex", "16"], "200"),
        (&["ab"], "300"),
        (&["update-lif", "16"], "1000"),
        (&["update-adex", "16"], "1000"),
        (&["update-hh", "16"], "200"),
    ] {
        let folder = folder();
        let ran = succeeds(&[&["bench"], network, &["--write", "model.scfg"]].concat(), folder.path());
        let words: Vec<&str> = ran.out.split_whitespace().collect();
        assert_eq!(words[0], "spark");
        assert!(network[0].starts_with("spark-") || words[words.len() - 1] == steps, "{}", ran.out);
        let (steps, command) = (words.len() - 1, &words[1..]);
        let short = [&command[..steps - 1], &["3"]].concat();
        succeeds(&short, folder.path());
        let registered: Vec<&str> = command.iter().copied().skip_while(|word| *word != "--register").take(2).collect();
        succeeds(&[&["inspect", "model.scfg"], &registered[..]].concat(), folder.path());
        if network.contains(&"float16") {
            assert!(succeeds(&["inspect", "model.scfg"], folder.path()).out.contains("float16"));
        }
    }
}

#[test]
fn weights_are_found_for_a_rate() {
    let folder = folder();
    let network = ["spark-lif", "64", "--steps", "150", "--runs", "2"];
    let line = &lines(&[&network[..], &["--rate", "40"]].concat(), folder.path())[0];
    let rate = number(line, "mean_rate_hz");
    assert!((20.0..=80.0).contains(&rate), "{rate} Hz");
    // What was found can be asked for again.
    let scale = number(line, "scale").to_string();
    let again = &lines(&[&network[..], &["--scale", &scale]].concat(), folder.path())[0];
    assert_eq!(again["spikes"], line["spikes"]);
}

#[test]
fn sweeps_are_drawn() {
    let folder = folder();
    let peers = r#"{"peer": "another one", "benchmark": "spark-lif", "N": 16, "ms_per_step": 0.5}
{"peer": "spark 0.1.0", "benchmark": "spark-lif", "N": 16, "ms_per_step": 0.5}"#;
    std::fs::write(folder.path().join("peers.jsonl"), peers).unwrap();
    let quick = ["--steps", "40", "--runs", "1", "-o", "out"];
    let sweep = ["bench", "spark-lif", "--sweep", "neurons", "--at", "16,24", "--peers", "peers.jsonl"];
    succeeds(&[&sweep[..], &quick[..]].concat(), folder.path());
    let sweep = ["bench", "spark-lif", "32", "--sweep", "rate", "--at", "40,80"];
    succeeds(&[&sweep[..], &quick[..]].concat(), folder.path());
    for (name, axis) in [("neurons", "Neurons of the pool"), ("rate", "Firing rate")] {
        let read =
            |ending| std::fs::read_to_string(folder.path().join(format!("out/spark-lif-{name}.{ending}"))).unwrap();
        let (picture, points) = (read("svg"), read("jsonl"));
        assert!(picture.starts_with("<svg") && picture.trim_end().ends_with("</svg>"));
        assert_eq!(picture.matches("<text").count(), picture.matches("</text>").count());
        for text in [axis, "Time of a step", "one core", "dense", "roofline"] {
            assert!(picture.contains(text), "{name}: {text}");
        }
        assert!(!picture.contains("NaN") && !picture.contains("inf"));
        assert_eq!(picture.contains("another one"), name == "neurons");
        let points: Vec<Value> = points.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(points.len(), 2);
        for point in &points {
            for field in ["ms_per_step", "dense_ms_per_step", "bound_ms_per_step", "input_rate_hz"] {
                assert!(number(point, field) > 0.0, "{field}");
            }
        }
    }
}

#[test]
fn nonsense_is_refused() {
    let folder = folder();
    std::fs::write(folder.path().join("peers.jsonl"), "no json").unwrap();
    for (args, message) in [
        (&["spark-lif", "0"][..], "must be from 1"),
        (&["spark-lif", "99999999"], "must be from 1"),
        (&["ab", "12"], "its own number of neurons"),
        (&["ab", "--scale", "2"], "--scale"),
        (&["update-lif", "--input-rate", "5"], "--input-rate"),
        (&["update-lif", "--rate", "5"], "no weights to tune"),
        (&["ab", "--sweep", "rate", "-o", "out"], "no weights to tune"),
        (&["spark-lif", "16", "--scale", "nan"], "positive number"),
        (&["spark-lif", "16", "--scale=-1"], "positive number"),
        (&["spark-lif", "16", "--rate", "0"], "above 0"),
        (&["spark-lif", "16", "--rate", "nan"], "above 0"),
        (&["spark-lif", "16", "--rate", "900", "--steps", "2", "--runs", "1"], "no weights make the pool fire"),
        (&["spark-lif", "16", "--input-rate", "2000"], "above 0"),
        (&["spark-lif", "16", "--steps", "0"], "--steps"),
        (&["spark-lif", "16", "--runs", "0"], "--runs"),
        (&["spark-lif", "16", "--without", "evnts"], "did you mean `events`"),
        (&["spark-lif", "16", "--dtype", "int32"], "floating-point"),
        (&["spark-lif", "16", "--sweep", "rate"], "--output"),
        (&["spark-lif", "16", "--sweep", "rate", "--at", "0", "-o", "out"], "above 0"),
        (&["spark-lif", "--sweep", "neurons", "--at", "1e9", "-o", "out"], "at most"),
        (&["spark-lif", "--sweep", "neurons", "--at", "8", "--peers", "peers.jsonl", "-o", "out"], "line 1"),
        (&["spark-lif", "--sweep", "neurons", "--at", "8", "--peers", "none.jsonl", "-o", "out"], "none.jsonl"),
        (&["spark-lif", "16", "--at", "5"], "--sweep"),
        (&["spark-lif", "16", "--rate", "5", "--scale", "5"], "cannot be used with"),
        (&["spark-lif", "16", "--write", "no/such/folder/model.scfg"], "no/such/folder"),
        (&["spark-lif", "16", "--write", "model.safetensors"], "choose a name"),
        (&["roofline", "16"], "no network"),
        (&["roofline", "--every-pass"], "no network"),
        (&["sprak-lif"], "spark-lif"),
    ] {
        let error = fails(&[&["bench"], args].concat(), folder.path());
        assert!(error.contains(message), "{args:?}: {error}");
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name == "peers.jsonl" || name == "out"), "{left:?}");
}
