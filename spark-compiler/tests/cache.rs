//! Machine code that is kept on disk: a second process skips compilation, and damage or distrust only costs time.

use spark_compiler::emit::cache;
use spark_compiler::ir::Data;
use spark_compiler::ir::parse::parse;
use spark_compiler::kernel::Kernel;
use spark_compiler::passes::CompileOptions;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = include_str!("../../tests/filetests/neurons_of_size_100.spark-ir");

/// In a process of its own, whose folder the environment says: whether the kernel was on disk, and what it does.
#[test]
fn one_process() {
    let Some(mode) = std::env::var_os("SPARK_TEST_PROCESS") else { return };
    if mode == "switched-off" {
        cache::switch_off();
    }
    let kernel = Kernel::compile(parse(PROGRAM).unwrap(), &CompileOptions::default()).unwrap();
    let mut instance = kernel.instance().unwrap();
    let mut outputs = Vec::new();
    for step in 0..20 {
        instance.set_input(0, &Data::F32((0..100).map(|i| (step * i) as f32 / 50.0).collect())).unwrap();
        instance.step();
        outputs.extend(instance.output(0).to_f32().iter().map(|x| x.to_bits()));
    }
    println!("kept: {} {:?}", kernel.stats().code.cached, outputs);
}

fn process(folder: &str, mode: &str) -> (bool, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "one_process", "--nocapture"]).env("SPARK_CACHE", folder).env("SPARK_TEST_PROCESS", mode);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let line = text.lines().find_map(|line| line.split_once("kept: ")).unwrap().1;
    let (kept, outputs) = line.split_once(' ').unwrap();
    (kept == "true", outputs.to_string())
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
    assert!(!process(cache.join("below").to_str().unwrap(), "").0);
    assert_eq!(std::fs::read(&cache).unwrap(), b"");
}
