//! Writing files so that nothing half-written is ever left behind.

use super::{parse, write};
use crate::atomic;
use crate::config::ConfigTree;
use crate::error::{Error, Result};
use std::path::Path;

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

/// Writes a configuration file. It is complete or not there at all, and holds what reads back as the same configuration.
///
/// # Errors
/// If the configuration cannot be written, or the file system refuses; a file that was there is left as it was then.
pub fn write_path(path: &Path, tree: &ConfigTree, format: Format) -> Result<()> {
    let bytes = write(tree, format == Format::Xz)
        .and_then(|bytes| verify(&bytes, tree).map(|()| bytes))
        .map_err(|error| error.in_file(path))?;
    atomic::write(path, |out| out.write_all(&bytes))
}

/// Reads what is to be written.
fn verify(bytes: &[u8], tree: &ConfigTree) -> Result<()> {
    let differences = tree.diff(&parse(bytes)?);
    match differences.first() {
        None => Ok(()),
        Some(difference) => Err(Error::new(format!("what was written reads back differently: {difference}"))),
    }
}
