//! Runs that end before their end: in two halves, by Ctrl-C, by `kill -9` at any moment.
#![cfg(unix)]

mod support;

use rustix::process::{Pid, Signal, kill_process};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};
use spark::checkpoint::Checkpoint;
use spark::config::Config;
use spark::controller::{BrainConfig, ModuleSpecs, NeuronConfig, PortMap};
use spark::prelude::*;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use support::golden_dir;
use tempfile::TempDir;

fn spark(args: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spark"));
    command.args(args).current_dir(folder);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn succeeds(args: &[&str], folder: &Path) -> String {
    let Output { status, stdout, stderr } = spark(args, folder).output().unwrap();
    assert!(status.success(), "spark {args:?}: {}", text(&stderr));
    text(&stdout)
}

#[track_caller]
fn fails(args: &[&str], folder: &Path, part: &str) {
    let Output { status, stderr, .. } = spark(args, folder).output().unwrap();
    let message = text(&stderr);
    assert!(!status.success() && message.contains(part), "spark {args:?}: {part} is not in {message}");
}

/// Dimensions and bytes of a tensor of a file.
fn tensor(path: &Path, name: &str) -> (Vec<usize>, Vec<u8>) {
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let view = file.tensor(name).unwrap();
    (view.shape().to_vec(), view.data().to_vec())
}

/// A brain of a spiker with random numbers and a plastic pool that reads itself, in a folder with its input.
fn brain() -> (TempDir, BrainConfig) {
    let folder = tempfile::tempdir().unwrap();
    let spiker = ModuleSpecs::new("spiker", "PoissonSpiker")
        .config(&PoissonSpikerConfig::default().with_max_freq(500.0))
        .input("signal", PortMap::output(PortMap::CALL, "signal"));
    // Synapses strong enough for spikes.
    let mut modules = LIFNeuron::modules();
    let synapses = modules.iter_mut().find(|m| m.name == "synapses").unwrap();
    synapses.config = LinearSynapsesConfig::new([100]).with_kernel(400.0).to_tree();
    let pool = ModuleSpecs::new("pool", "LIFNeuron")
        .config(&NeuronConfig::new([100], modules))
        .input("in_spikes", PortMap::output("spiker", "spikes"))
        .input("in_spikes", PortMap::output("pool", "out_spikes"))
        .output("spikes", "out_spikes");
    let brain = BrainConfig::new(vec![spiker, pool]);
    std::fs::write(folder.path().join("brain.scfg"), spark::scfg::write(&brain.to_tree(), false).unwrap()).unwrap();
    let bytes: Vec<u8> = [1.0f32; 40].iter().flat_map(|x| x.to_le_bytes()).collect();
    let view = TensorView::new(Dtype::F32, vec![40], &bytes).unwrap();
    std::fs::write(folder.path().join("in.safetensors"), serialize([("signal", view)], None).unwrap()).unwrap();
    (folder, brain)
}

fn signal() -> [(&'static str, HostPayload); 1] {
    [("signal", vec![1.0f32; 40].into())]
}

/// The same brain, run without interruption.
struct Reference(Model);

impl Reference {
    fn new(brain: BrainConfig) -> Reference {
        Reference(Model::component(brain).input("signal", [40]).build().unwrap())
    }

    /// Checks that a checkpoint holds what the model remembers after as many steps.
    #[track_caller]
    fn check(&mut self, path: &Path) -> u64 {
        let checkpoint = Checkpoint::read(path).unwrap();
        let left = checkpoint.steps() - self.0.steps();
        if left > 0 {
            self.0.run(left as usize, &signal()).unwrap();
        }
        assert_eq!(checkpoint.state().diff(&self.0.save_state()), [], "after {} steps", checkpoint.steps());
        checkpoint.steps()
    }
}

/// Kills the child when it is dropped, so that a test that fails leaves nothing running.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What tells a file from one that was there before under the same name: number, and time of the last change.
fn identity(path: &Path) -> Option<(u64, i64)> {
    std::fs::metadata(path).ok().map(|found| (found.ino(), found.mtime_nsec()))
}

/// Waits until there is a file, another one than `before`.
#[track_caller]
fn wait_for(path: &Path, before: Option<(u64, i64)>) {
    let start = Instant::now();
    while identity(path).is_none() || identity(path) == before {
        std::thread::sleep(Duration::from_millis(1));
        assert!(start.elapsed() < Duration::from_secs(60), "{} is not written", path.display());
    }
}

#[test]
fn killed_at_any_moment_a_run_leaves_a_sound_checkpoint() {
    let (folder, brain) = brain();
    let mut reference = Reference::new(brain);
    let path = folder.path().join("brain.spark");
    let options = ["-i", "in.safetensors", "--constant", "signal", "--steps", "1000000", "--save", "brain.spark"];
    let (mut file, mut before) = (None, 0);
    for kill in 0..40u64 {
        let model = if path.exists() { "brain.spark" } else { "brain.scfg" };
        let args = [&["run", model][..], &options, &["--every", "1"]].concat();
        let child = spark(&args, folder.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut child = Running(child);
        // From the first checkpoint on, nearly all the time is spent on the next ones.
        wait_for(&path, file);
        std::thread::sleep(Duration::from_micros(kill * 7_919 % 20_000));
        // SIGKILL.
        child.0.kill().unwrap();
        assert!(!child.0.wait().unwrap().success());
        file = identity(&path);
        let steps = reference.check(&path);
        assert!(steps > before, "from {before} to {steps} steps");
        before = steps;
    }
    println!("{before} steps in 40 runs");
    // What was being written may stay behind under its own name, nothing else.
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let known = ["brain.scfg", "brain.spark", "in.safetensors"].contains(&name.as_str());
        assert!(known || name.starts_with(".spark-") && name.ends_with(".tmp"), "{name}");
    }
}

#[test]
fn ctrl_c_loses_nothing() {
    for signal in [Signal::INT, Signal::TERM] {
        let (folder, brain) = brain();
        let mut reference = Reference::new(brain.clone());
        let path = folder.path().join("brain.spark");
        let args = ["run", "brain.scfg", "-i", "in.safetensors", "--constant", "signal", "--steps", "2000000"];
        let args = [&args[..], &["--save", "brain.spark", "--every", "50", "-o", "out.safetensors"]].concat();
        let child = spark(&args, folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut child = Running(child);
        wait_for(&path, None);
        kill_process(Pid::from_child(&child.0), signal).unwrap();
        assert_eq!(child.0.wait().unwrap().code(), Some(130));
        let mut message = String::new();
        std::io::Read::read_to_string(child.0.stderr.as_mut().unwrap(), &mut message).unwrap();
        let steps = reference.check(&path);
        let said = format!("interrupted after {steps} of 2000000 steps; `spark run brain.spark` goes on");
        assert!(message.contains(&said), "{message}");
        // Every step's outputs are there, and those of the steps that follow.
        let more = [
            "run",
            "brain.spark",
            "-i",
            "in.safetensors",
            "--constant",
            "signal",
            "--steps",
            "20",
            "-o",
            "more.safetensors",
        ];
        succeeds(&more, folder.path());
        let mut model = Reference::new(brain).0;
        for (file, count) in [("out.safetensors", steps as usize), ("more.safetensors", 20)] {
            let (dims, spikes) = tensor(&folder.path().join(file), "out/spikes");
            assert_eq!(dims, [count, 100]);
            for (t, found) in spikes.chunks(100).enumerate() {
                let expected = model.step(&self::signal()).unwrap().spikes("spikes").unwrap();
                assert!(found.iter().map(|&x| x != 0).eq(expected), "{file}, step {t}");
            }
        }
    }
}

fn golden(path: &str) -> String {
    golden_dir().join(path).display().to_string()
}

const LIF: &str = "scfg/neuron_lif_f32.json.scfg";
const LIF_INPUT: &str = "neuron/lif.f32.safetensors";

/// A golden neuron's run to step 150, saved as `half.spark`.
fn half_way(options: &[&str]) -> (TempDir, PathBuf, String) {
    let folder = tempfile::tempdir().unwrap();
    let input = golden(LIF_INPUT);
    let model = golden(LIF);
    let args = [&["run", &model, "-i", &input, "--record", "soma.potential"], options].concat();
    succeeds(&[&args[..], &["-o", "whole.safetensors"]].concat(), folder.path());
    let half = ["--steps", "150", "-o", "first.safetensors", "--save", "half.spark"];
    succeeds(&[&args[..], &half].concat(), folder.path());
    let path = folder.path().join("half.spark");
    (folder, path, input)
}

#[test]
fn two_halves_are_a_whole() {
    for options in [&[][..], &["--exact"]] {
        go_on(options);
    }
}

/// A run begun with `options`, and gone on from in several ways.
fn go_on(options: &[&str]) {
    let (folder, _, input) = half_way(options);
    let again = ["run", "half.spark", "-i", &input, "--record", "soma.potential", "-o", "second.safetensors"];
    let eager: &[&[&str]] = if options.is_empty() { &[] } else { &[&["--eager"]] };
    let ways = [&[&[][..], &["--skip", "150"]], eager, &[&["--save", "half.spark", "--steps", "250"]]].concat();
    for extra in ways {
        succeeds(&[&again[..], extra].concat(), folder.path());
        for name in ["out/out_spikes", "state/soma.potential"] {
            let [whole, first, second] = ["whole", "first", "second"]
                .map(|file| tensor(&folder.path().join(format!("{file}.safetensors")), name).1);
            assert!(whole == [first, second].concat(), "{name} {extra:?}");
        }
    }
    // The last of them went on in the checkpoint itself.
    assert_eq!(Checkpoint::read(folder.path().join("half.spark")).unwrap().steps(), 400);
    fails(&again[..4], folder.path(), "the series have 400 steps, all of which are left out");
    succeeds(&[&again[..4], &["--skip", "0"]].concat(), folder.path());
}

#[test]
fn a_checkpoint_goes_on_as_it_began() {
    let (folder, path, input) = half_way(&[]);
    let again = ["run", "half.spark", "-i", &input];
    let with = |more: &[&'static str]| [&again[..], more].concat();
    fails(&with(&["--dtype", "float16"]), folder.path(), "--dtype: a checkpoint goes on as it began");
    fails(&with(&["--no-contract"]), folder.path(), "--no-contract: a checkpoint goes on as it began");
    let model = format!("Mine={}", golden("models/alif_mod_neuron.scfg"));
    fails(&[&again[..], &["--register", &model]].concat(), folder.path(), "a checkpoint brings its neurons along");
    fails(&with(&["-o", "half.spark"]), folder.path(), "would overwrite what is read");
    fails(&with(&["-o", "x", "--save", "x"]), folder.path(), "name the same file");
    fails(&with(&["--every", "5"]), folder.path(), "--save");
    fails(&with(&["--save", "x", "--every", "0"]), folder.path(), "0 is not in 1..");
    fails(&["run", &golden(LIF), "-i", &input, "--save", &input], folder.path(), "would overwrite what is read");
    let damaged = std::fs::read(&path).unwrap();
    std::fs::write(&path, &damaged[..damaged.len() / 2]).unwrap();
    fails(&again, folder.path(), "half.spark: the checkpoint is truncated");
}

#[test]
fn inspect_shows_a_checkpoint() {
    let (folder, ..) = half_way(&[]);
    let shown = succeeds(&["inspect", "half.spark"], folder.path());
    for part in
        ["checkpoint after 150 steps", "input in_spikes: 80", "LIFNeuron", "soma", "potential: float32 48", "step"]
    {
        assert!(shown.contains(part), "`{part}` is not in\n{shown}");
    }
    assert!(!succeeds(&["inspect", "half.spark", "--tree"], folder.path()).contains("checkpoint after"));
    assert!(succeeds(&["inspect", "half.spark", "--state"], folder.path()).contains("after 150 steps\n"));
    assert!(succeeds(&["inspect", "half.spark", "--ir"], folder.path()).contains("soma.potential"));
    fails(&["inspect", &golden(LIF), "--state"], folder.path(), "only a checkpoint has states");
}
