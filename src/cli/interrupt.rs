//! Ctrl-C during a run: the run ends after the step at hand, and what it has is written. A second Ctrl-C ends the program.

use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};

/// What shells expect of a program that was interrupted.
pub(crate) const EXIT_CODE: u8 = 130;

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C (and being asked to terminate) asks the run to end instead of ending the program.
pub(crate) fn watch() {
    let asked = || {
        if REQUESTED.swap(true, Ordering::Relaxed) {
            exit(i32::from(EXIT_CODE));
        }
    };
    if let Err(error) = ctrlc::set_handler(asked) {
        super::remark("note", &format!("Ctrl-C will lose the run's results: {error}"));
    }
}

/// True once the run was asked to end.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}
