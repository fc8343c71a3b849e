//! Machine code on disk as users meet it: where it cannot be kept, everything works and nothing is said of it.

use crate::files::{LIF, LIF_INPUT, folder, golden};
use std::path::Path;
use std::process::{Command, Output};

/// Runs the golden neuron for ten steps behind `prefix`, with this cache folder.
fn run(prefix: &[&str], cache: &Path) -> Output {
    let (model, input) = (golden(LIF), golden(LIF_INPUT));
    let spark = [env!("CARGO_BIN_EXE_spark"), "run", &model, "--input", &input, "--steps", "10"];
    let command = [prefix, &spark].concat();
    Command::new(command[0]).args(&command[1..]).env("SPARK_CACHE", cache).output().unwrap()
}

/// What a run says, without times.
#[track_caller]
fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let results = text(&output.stdout).lines().filter(|line| line.contains("spikes")).collect::<Vec<_>>().join("\n");
    (results, text(&output.stderr))
}

#[cfg(unix)]
#[test]
fn where_nothing_can_be_kept_runs_are_as_quiet_as_elsewhere() {
    let folder = folder();
    let here = folder.path();
    let expected = said(&run(&[], Path::new("off")));
    assert!(!expected.0.is_empty());
    let file = here.join("file");
    std::fs::write(&file, "text").unwrap();
    for place in [file.clone(), file.join("below"), "/proc/self/spark".into(), "/dev/full".into()] {
        assert_eq!(said(&run(&[], &place)), expected, "{place:?}");
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"text");
    // Folders can be made, but files have no room.
    let full = here.join("full");
    let no_room = ["sh", "-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh"];
    assert_eq!(said(&run(&no_room, &full)), expected);
    assert_eq!(std::fs::read_dir(&full).unwrap().count(), 0);
    // With room, it is kept.
    assert_eq!(said(&run(&[], &full)), expected);
    assert_eq!(std::fs::read_dir(&full).unwrap().count(), 1);
}
