//! Writing files so that nothing half-written is ever left behind.

use super::{read_path, write};
use crate::config::ConfigTree;
use crate::error::{Error, Result};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The two forms of a configuration file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// JSON compressed with xz, as the Python Spark writes by default.
    Xz,
    /// Plain JSON.
    Json,
}

impl Format {
    /// The form a file's name asks for: plain for `.json` and `.json.scfg`, else compressed.
    pub fn of(path: &Path) -> Format {
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        if name.ends_with(".json") || name.ends_with(".json.scfg") { Format::Json } else { Format::Xz }
    }
}

/// Writes a configuration file. It is complete or not there at all: it is written under another name, read back and compared,
/// and then renamed.
///
/// # Errors
/// If the configuration cannot be written, or the file system refuses; a file that was there is left as it was then.
pub fn write_path(path: &Path, tree: &ConfigTree, format: Format) -> Result<()> {
    let bytes = write(tree, format == Format::Xz).map_err(|error| error.in_file(path))?;
    let temporary = beside(path)?;
    let written = store(&temporary, &bytes)
        .and_then(|()| verify(&temporary, tree))
        .and_then(|()| fs::rename(&temporary, path).map_err(|e| Error::new(format!("cannot write the file: {e}"))));
    written.map_err(|error| {
        // The error to report is the first one.
        let _ = fs::remove_file(&temporary);
        error.in_file(path)
    })
}

/// A name in the same folder that nobody else uses.
fn beside(path: &Path) -> Result<PathBuf> {
    let Some(name) = path.file_name() else {
        return Err(Error::new("this is not the name of a file").in_file(path));
    };
    Ok(path.with_file_name(format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id())))
}

fn store(path: &Path, bytes: &[u8]) -> Result<()> {
    // What a run that was stopped has left; a link there is not followed.
    let _ = fs::remove_file(path);
    let stored = File::create_new(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    stored.map_err(|e| Error::new(format!("cannot write the file: {e}")))
}

/// Reads the file back.
fn verify(path: &Path, tree: &ConfigTree) -> Result<()> {
    let back = read_path(path)?;
    let differences = tree.diff(&back);
    match differences.first() {
        None => Ok(()),
        Some(difference) => Err(Error::new(format!("what was written reads back differently: {difference}"))),
    }
}
