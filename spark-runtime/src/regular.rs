//! Opening files whose names come from outside: regular ones only, since a pipe or a device may never end.

use crate::error::{Error, Result};
use std::fs::File;
use std::path::Path;

/// Opens a regular file; gives its size in bytes, too.
///
/// # Errors
/// If it cannot be opened, or is something else. What it is, is asked before: to open a pipe may wait for ever.
pub(crate) fn open(path: &Path) -> Result<(File, u64)> {
    let cannot = |e: std::io::Error| Error::new(format!("cannot read the file: {e}"));
    let metadata = std::fs::metadata(path).map_err(cannot)?;
    if !metadata.is_file() {
        let kind = if metadata.is_dir() { "a directory, " } else { "" };
        return Err(Error::new(format!("this is {kind}not a regular file")));
    }
    Ok((File::open(path).map_err(cannot)?, metadata.len()))
}
