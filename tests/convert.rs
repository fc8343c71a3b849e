//! `spark convert`: both directions, what it refuses, and what it leaves behind.

use spark::scfg::read_path;
use std::path::Path;
use std::process::{Command, Output};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/scfg");

fn convert(args: &[&str], folder: &Path) -> (bool, String, String) {
    let command = Command::new(env!("CARGO_BIN_EXE_spark")).arg("convert").args(args).current_dir(folder).output();
    let Output { status, stdout, stderr } = command.unwrap();
    (status.success(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn both_forms_become_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let plain = format!("{GOLDEN}/brain_mutual_lif_f32.json.scfg");
    let (done, out, _) = convert(&[&plain, "small.scfg"], folder.path());
    assert!(done && out.starts_with("small.scfg: compressed, "), "{out}");
    let small = folder.path().join("small.scfg");
    assert!(std::fs::read(&small).unwrap().starts_with(b"\xfd7zXZ"));
    let (done, out, _) = convert(&["small.scfg", "back.json"], folder.path());
    assert!(done && out.starts_with("back.json: plain, "), "{out}");
    // To the last byte what the Python Spark wrote.
    let back = std::fs::read_to_string(folder.path().join("back.json")).unwrap();
    assert_eq!(back, std::fs::read_to_string(&plain).unwrap());
    assert!(convert(&["small.scfg", "named.scfg", "--format", "json"], folder.path()).0);
    assert_eq!(read_path(&folder.path().join("named.scfg")).unwrap(), read_path(&small).unwrap());
    assert!(std::fs::read(folder.path().join("named.scfg")).unwrap().starts_with(b"{"));
}

#[test]
fn a_file_is_replaced_only_if_asked_for_and_only_by_a_whole_one() {
    let folder = tempfile::tempdir().unwrap();
    let plain = format!("{GOLDEN}/zenke_rule.json.scfg");
    let there = folder.path().join("there.scfg");
    std::fs::write(&there, "mine").unwrap();
    let (done, _, err) = convert(&[&plain, "there.scfg"], folder.path());
    assert!(!done);
    let message =
        "error: there.scfg: the file exists already\n  help: choose another name, or replace it with --force\n";
    assert_eq!((err.as_str(), std::fs::read_to_string(&there).unwrap().as_str()), (message, "mine"));
    std::fs::write(folder.path().join("broken.scfg"), "{").unwrap();
    assert!(!convert(&["broken.scfg", "there.scfg", "--force"], folder.path()).0);
    assert_eq!(std::fs::read_to_string(&there).unwrap(), "mine");
    assert!(convert(&[&plain, "there.scfg", "--force"], folder.path()).0);
    assert_eq!(read_path(&there).unwrap(), read_path(plain.as_ref()).unwrap());
    assert!(!convert(&[&plain, "none/there.scfg"], folder.path()).0);
    let mut names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["broken.scfg", "there.scfg"]);
}
