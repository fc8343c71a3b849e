//! What came of the training, as files and as a table.

use super::plot;
use super::training::Run;
use spark::prelude::*;
use std::fmt::Write;
use std::path::Path;

/// Names of the files.
const FILES: [&str; 2] = ["cartpole.csv", "cartpole.svg"];

/// Writes the lengths of all episodes as `cartpole.csv` and the learning curves as `cartpole.svg` into `folder`.
///
/// # Errors
/// If the folder cannot be created or a file cannot be written.
pub(crate) fn write(folder: &Path, runs: &[Run]) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|e| failed(folder, &e))?;
    for (name, text) in FILES.into_iter().zip([lengths(runs), plot::curves(runs)?]) {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|e| failed(&path, &e))?;
    }
    Ok(())
}

/// Checks that [`write`] can write; results that are there stay as they are.
///
/// # Errors
/// As [`write`].
pub(crate) fn check(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|e| failed(folder, &e))?;
    for name in FILES {
        let path = folder.join(name);
        let is_new = !path.exists();
        std::fs::OpenOptions::new().create(true).append(true).open(&path).map_err(|e| failed(&path, &e))?;
        if is_new {
            std::fs::remove_file(&path).map_err(|e| failed(&path, &e))?;
        }
    }
    Ok(())
}

fn failed(path: &Path, e: &dyn std::fmt::Display) -> Error {
    Error::new(format!("cannot write {}: {e}", path.display()))
}

/// A line for each episode.
fn lengths(runs: &[Run]) -> String {
    let mut text = String::from("seed,learning,episode,length,average\n");
    for run in runs {
        for (i, (length, average)) in run.lengths.iter().zip(run.averages()).enumerate() {
            let _ = writeln!(text, "{},{},{},{length},{average:.1}", run.seed, run.learns, i + 1);
        }
    }
    text
}

/// A row for each run.
pub(crate) fn table(runs: &[Run]) -> String {
    let mut text = String::from("seed  learning  episodes  first 10  last 10  best average  average above 300\n");
    for run in runs.iter().filter(|run| !run.lengths.is_empty()) {
        let mean = |lengths: &[usize]| lengths.iter().sum::<usize>() as f64 / lengths.len() as f64;
        let (lengths, count) = (&run.lengths, run.lengths.len());
        let best = run.averages().into_iter().fold(0.0, f64::max);
        let learned = run.learned_after().map_or("never".into(), |episode| format!("after {episode} episodes"));
        let _ = writeln!(
            text,
            "{:>4}  {:>8}  {count:>8}  {:>8.1}  {:>7.1}  {best:>12.1}  {learned}",
            run.seed,
            if run.learns { "on" } else { "off" },
            mean(&lengths[..count.min(10)]),
            mean(&lengths[count.saturating_sub(10)..]),
        );
    }
    text
}
