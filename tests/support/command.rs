//! The `spark` command as a test runs it.

use std::path::Path;
use std::process::{Command, Output};

/// A command's result.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs `spark` in a folder.
pub(crate) fn spark(args: &[&str], folder: &Path) -> Ran {
    let command = Command::new(env!("CARGO_BIN_EXE_spark")).args(args).current_dir(folder).output();
    let Output { status, stdout, stderr } = command.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: status.code(), out: text(stdout), err: text(stderr) }
}

/// The result of a command that must succeed.
#[track_caller]
pub(crate) fn succeeds(args: &[&str], folder: &Path) -> Ran {
    let ran = spark(args, folder);
    assert_eq!(ran.code, Some(0), "spark {args:?}: {}", ran.err);
    ran
}

/// What a command that must fail says.
#[track_caller]
pub(crate) fn fails(args: &[&str], folder: &Path) -> String {
    let ran = spark(args, folder);
    assert!(matches!(ran.code, Some(1 | 2)), "spark {args:?}: {:?}", ran.code);
    ran.err
}
