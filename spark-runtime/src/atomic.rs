//! Files that are either complete or as they were.
//!
//! What is written goes to a temporary file in the same folder first. When it is complete and the system has stored it, it
//! takes the name of the old file in one step. So a crash, a full disk or `kill -9` at any moment leaves the old file or the
//! new one, never a part of it; at worst a file `.spark-*.tmp` stays behind, which may be deleted.

use crate::error::{Error, Result};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use tempfile::{NamedTempFile, TempPath};

/// Writes a file: `content` gets where to write to. The folder must exist; a link is replaced, not followed.
///
/// ```
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("notes.txt");
/// spark::atomic::write(&path, |out| out.write_all(b"old"))?;
/// // What fails half-way leaves the old file as it was.
/// let failed = spark::atomic::write(&path, |out| {
///     out.write_all(b"ne")?;
///     Err(std::io::Error::other("the disk is full"))
/// });
/// assert!(failed.unwrap_err().to_string().ends_with("cannot write the file: the disk is full"));
/// assert_eq!(std::fs::read(&path).unwrap(), b"old");
/// # Ok::<(), spark::Error>(())
/// ```
///
/// # Errors
/// If the file cannot be written, or `content` fails; the file is then as it was.
pub fn write(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let write = || -> io::Result<()> {
        let file = temporary(path)?;
        let mut out = BufWriter::new(file.as_file());
        content(&mut out)?;
        out.flush()?;
        drop(out);
        file.as_file().sync_all()?;
        file.persist(path).map_err(|e| e.error)?;
        sync_folder(path)
    };
    write().map_err(|e| Error::new(format!("cannot write the file: {e}")).in_file(path))
}

/// Writes several files of one folder that belong together, of which the first is of no use without the others, or they without it.
///
/// All of them are complete and stored before one takes its name. From before the others are replaced until they are, the first is not
/// there: so a crash or `kill -9` at any moment leaves either no first file, or one that all others belong to.
///
/// # Errors
/// If a file cannot be written; all are then as they were. Only if the system refuses a name after it took others, files that
/// had one of those before are new ones already, and the first is missing.
pub fn write_all(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<()> {
    write_in_steps(folder, files, &mut || {})
}

/// As [`write_all`]; `changed` is called after every change of a name.
fn write_in_steps(folder: &Path, files: &[(String, Vec<u8>)], changed: &mut dyn FnMut()) -> Result<()> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |e: io::Error| Error::new(format!("cannot write the file: {e}")).in_file(&path)
    };
    let mut written = Vec::new();
    for (name, bytes) in files {
        let path = folder.join(name);
        if path.is_dir() {
            return Err(failed(&path)(io::ErrorKind::IsADirectory.into()));
        }
        let mut file = temporary(&path).map_err(failed(&path))?;
        let complete = file.write_all(bytes).and_then(|()| file.as_file().sync_all());
        complete.map_err(failed(&path))?;
        written.push((file, path));
    }
    let Some(first) = written.first().map(|(_, path)| path.clone()) else { return Ok(()) };
    let mut old = set_aside(&first).map_err(failed(&first))?;
    changed();
    written.rotate_left(1);
    let mut added = Vec::new();
    for (file, path) in written {
        if path == first {
            // The first is not stored under its name before the others are under theirs.
            sync_folder(&first).map_err(failed(&first))?;
        }
        let replaces = path.symlink_metadata().is_ok();
        if let Err(e) = file.persist(&path) {
            added.iter().for_each(|path| drop(std::fs::remove_file(path)));
            old.take().map(|old| old.persist(&first)).transpose().map_err(|e| failed(&first)(e.error))?;
            return Err(failed(&path)(e.error));
        }
        changed();
        match replaces {
            true => old = None,
            false => added.push(path),
        }
    }
    sync_folder(&first).map_err(failed(&first))
}

/// Takes a file's name away, if it is there; it is deleted with what is returned, unless it gets a name.
fn set_aside(path: &Path) -> io::Result<Option<TempPath>> {
    if path.symlink_metadata().is_err() {
        return Ok(None);
    }
    let aside = temporary(path)?.into_temp_path();
    std::fs::rename(path, &aside)?;
    if let Err(e) = sync_folder(path) {
        aside.persist(path).map_err(|e| e.error)?;
        return Err(e);
    }
    Ok(Some(aside))
}

/// Checks that [`write`](write()) can make a file beside `path`; leaves nothing behind.
///
/// # Errors
/// If the folder does not exist or cannot be written to.
pub fn check(path: &Path) -> Result<()> {
    temporary(path).map(drop).map_err(|e| Error::new(format!("cannot write here: {e}")).in_file(path))
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file beside `path` that is deleted unless it gets a name.
fn temporary(path: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".spark-").suffix(".tmp");
    // As other new files, where temporary ones are for their owner only.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder(path))
}

/// Has the system store the new name.
fn sync_folder(path: &Path) -> io::Result<()> {
    // Elsewhere folders cannot be opened, and names are stored with the file.
    if cfg!(unix) { File::open(folder(path))?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests;
