//! Machine code that is kept on disk: a second process skips compilation, and damage or distrust only costs time.

use spark_compiler::emit::cache;
use spark_compiler::ir::Data;
use spark_compiler::ir::parse::parse;
use spark_compiler::kernel::Kernel;
use spark_compiler::passes::CompileOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Three programs, of which the first is a file.
fn text(number: usize) -> String {
    let text = include_str!("../../tests/filetests/neurons_of_size_100.spark-ir");
    text.replace("literal 0.5", ["literal 0.5", "literal 0.25", "literal 0.75"][number])
}

/// In a process of its own, whose folder the environment says: whether the kernel was on disk, and what it does.
#[test]
fn one_process() {
    let Ok(mode) = std::env::var("SPARK_TEST_PROCESS") else { return };
    if mode == "switched-off" {
        cache::switch_off();
    }
    let number = mode.strip_prefix("program ").map_or(0, |number| number.parse().unwrap());
    let kernel = Kernel::compile(parse(&text(number)).unwrap(), &CompileOptions::default()).unwrap();
    let mut instance = kernel.instance().unwrap();
    let mut outputs = Vec::new();
    for step in 0..20 {
        instance.set_input(0, &Data::F32((0..100).map(|i| (step * i) as f32 / 50.0).collect())).unwrap();
        instance.step();
        outputs.extend(instance.output(0).to_f32().iter().map(|x| x.to_bits()));
    }
    println!("kept: {} {:?}", kernel.stats().code.cached, outputs);
}

fn spawn(folder: &str, mode: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "one_process", "--nocapture"]).env("SPARK_CACHE", folder).env("SPARK_TEST_PROCESS", mode);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What a process says in the end.
#[track_caller]
fn result(process: Child) -> (bool, String) {
    let output = process.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let line = text.lines().find_map(|line| line.split_once("kept: ")).unwrap().1;
    let (kept, outputs) = line.split_once(' ').unwrap();
    (kept == "true", outputs.to_string())
}

#[track_caller]
fn process(folder: &str, mode: &str) -> (bool, String) {
    result(spawn(folder, mode))
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(folder).map_or_else(|_| Vec::new(), |files| files.map(|file| file.unwrap().path()).collect());
    found.sort();
    found
}

#[test]
fn a_second_process_finds_the_code_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("kernels");
    let name = cache.to_str().unwrap();
    let (kept, expected) = process(name, "");
    assert!(!kept);
    let files = entries(&cache);
    assert_eq!(files.len(), 1);
    assert_eq!(process(name, ""), (true, expected.clone()));
    assert_eq!(entries(&cache), files);

    // A damaged entry is compiled again and replaced.
    let good = std::fs::read(&files[0]).unwrap();
    let mut bad = good.clone();
    bad[good.len() / 2] ^= 1;
    std::fs::write(&files[0], bad).unwrap();
    assert_eq!(process(name, ""), (false, expected.clone()));
    assert_eq!(std::fs::read(&files[0]).unwrap(), good);
    assert_eq!(process(name, ""), (true, expected.clone()));

    assert_eq!(process(name, "switched-off"), (false, expected.clone()));
    assert_eq!(process("off", ""), (false, expected.clone()));
}

#[test]
fn nothing_is_written_where_it_is_switched_off_or_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("kernels");
    assert!(!process(cache.to_str().unwrap(), "switched-off").0);
    assert!(!cache.exists());
    // A file in the place of the folder.
    std::fs::write(&cache, "").unwrap();
    assert!(!process(cache.to_str().unwrap(), "").0);
    for place in [cache.join("below"), "/proc/self/spark".into(), "/dev/null".into(), "/dev/full".into()] {
        assert!(!process(place.to_str().unwrap(), "").0);
    }
    assert_eq!(std::fs::read(&cache).unwrap(), b"");
}

#[test]
fn processes_that_start_at_once_and_are_killed_do_not_disturb_each_other() {
    const MODES: [&str; 3] = ["program 0", "program 1", "program 2"];
    let expected = MODES.map(|mode| process("off", mode).1);
    assert!(expected[0] != expected[1] && expected[1] != expected[2]);
    let mut survivors = 0;
    for round in 0..12 {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("kernels");
        let name = cache.to_str().unwrap();
        let alike = |n: usize| if round % 2 == 0 { n % 3 } else { 0 };
        let started: Vec<Child> = (0..9).map(|n| spawn(name, MODES[alike(n)])).collect();
        std::thread::sleep(Duration::from_millis(4 * round));
        for (n, mut process) in started.into_iter().enumerate() {
            if n % 3 == 1 {
                process.kill().unwrap();
                process.wait().unwrap();
            } else {
                assert_eq!(result(process).1, expected[alike(n)], "round {round}");
                survivors += 1;
            }
        }
        // What is there now is whole, and the same for all.
        for (mode, expected) in MODES.iter().zip(&expected) {
            assert_eq!(process(name, mode).1, *expected, "round {round}");
            assert_eq!(process(name, mode), (true, expected.clone()), "round {round}");
        }
        let (whole, unfinished): (Vec<PathBuf>, _) =
            entries(&cache).into_iter().partition(|path| path.extension().is_some_and(|end| end == "kernel"));
        // At most a file for each process that was killed.
        assert!(whole.len() == 3 && unfinished.len() <= 3, "{whole:?} {unfinished:?}");
    }
    assert_eq!(survivors, 12 * 6);
}
