//! The archive: from bytes to named parts and back, within limits.
//!
//! The manifest comes first, and what follows must be what it lists: names, order, lengths and digests. Nothing is
//! unpacked to disk, so names cannot lead anywhere; links, folders and other special entries are refused all the same.

use super::digest;
use super::manifest::Manifest;
use crate::error::{Error, Result, printable};
use flate2::bufread::GzDecoder;
use flate2::{Compression, GzBuilder};
use std::io::{self, BufRead, Read, Write};
use tar::{Archive, Builder, Entry, EntryType, Header};

/// The first bytes of a `gzip` stream.
pub(super) const MAGIC: [u8; 2] = [0x1F, 0x8B];

/// Name of the first part.
const MANIFEST: &str = "manifest.json";
/// The largest manifest, in bytes.
const MANIFEST_LIMIT: u64 = 16 << 20;

/// How much a file may expand to: so much, and so many times its own length. `gzip` reaches a thousand times.
const EXPANSION: (u64, u64) = (64 << 20, 64);

/// A file in the archive.
pub(super) struct Part {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// The largest archive that a file of `len` bytes may expand to.
fn expansion_limit(len: u64) -> u64 {
    len.saturating_mul(EXPANSION.1).saturating_add(EXPANSION.0)
}

/// The bytes of an archive with these parts, the manifest before them.
///
/// # Errors
/// If there is no memory for them.
pub(super) fn write(manifest: &[u8], parts: &[Part]) -> Result<Vec<u8>> {
    let cannot = |e: io::Error| Error::new(format!("cannot write the checkpoint: {e}"));
    let all = || std::iter::once((MANIFEST, manifest)).chain(parts.iter().map(|p| (p.name.as_str(), &p.bytes[..])));
    let bytes = compress(all(), Compression::fast()).map_err(cannot)?;
    // What is nearly all zeros shrinks so far that the reader would take it for an attack.
    let expanded: u64 = all().map(|(_, bytes)| bytes.len() as u64 + 1024).sum::<u64>() + 1024;
    if expanded < expansion_limit(bytes.len() as u64) {
        return Ok(bytes);
    }
    compress(all(), Compression::none()).map_err(cannot)
}

/// Names, times and owners are left out where a format allows that, so that equal content gives equal bytes.
fn compress<'a>(parts: impl Iterator<Item = (&'a str, &'a [u8])>, level: Compression) -> io::Result<Vec<u8>> {
    let mut archive = Builder::new(GzBuilder::new().mtime(0).write(Vec::new(), level));
    for (name, bytes) in parts {
        let mut header = Header::new_ustar();
        header.set_path(name)?;
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        archive.append(&header, bytes)?;
    }
    let mut out = archive.into_inner()?;
    out.flush()?;
    out.finish()
}

/// Reads an archive of `len` bytes: the manifest and the parts it lists, all of them and no more, each with its digest
/// checked.
///
/// # Errors
/// If anything is otherwise.
pub(super) fn read(mut file: impl BufRead, len: u64) -> Result<(Manifest, Vec<Part>)> {
    match file.fill_buf() {
        Ok([]) => return Err(Error::new("the file is empty")),
        Ok(start) if start.starts_with(&MAGIC[..start.len().min(2)]) => {}
        Ok(_) => {
            return Err(Error::new("this is not a checkpoint").help("a checkpoint is a .spark file of Model::save"));
        }
        Err(e) => return Err(Error::new(format!("cannot read the file: {e}"))),
    }
    let limit = expansion_limit(len);
    let mut archive = Archive::new(GzDecoder::new(file).take(limit));
    let read = parts(&mut archive);
    let mut expanded = archive.into_inner();
    // The digest of the whole stream is at its end, after the archive's own end.
    let read = read.and_then(|read| finish(&mut expanded).map(|()| read).map_err(|e| damaged(&e)));
    if expanded.limit() == 0 {
        let error = Error::new(format!("the file of {len} bytes expands to more than {limit}"));
        return Err(error.help("no checkpoint does; do not trust where it comes from"));
    }
    let read = read?;
    let mut file = expanded.into_inner().into_inner();
    match file.fill_buf() {
        Ok([]) => Ok(read),
        Ok(_) => Err(Error::new("something follows the checkpoint's end")),
        Err(e) => Err(damaged(&e)),
    }
}

/// Reads to the end; nothing but zeros may come.
fn finish(rest: &mut impl Read) -> io::Result<()> {
    let mut block = [0; 512];
    loop {
        match rest.read(&mut block)? {
            0 => return Ok(()),
            n if block[..n].iter().all(|&byte| byte == 0) => {}
            _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "something follows the archive's end")),
        }
    }
}

fn parts(archive: &mut Archive<impl Read>) -> Result<(Manifest, Vec<Part>)> {
    // Raw entries: no extensions that give an entry another name or length than its header says.
    let mut entries = archive.entries().map_err(|e| damaged(&e))?.raw(true);
    let mut next = |name: &str, limit: u64| -> Result<Vec<u8>> {
        let entry = entries.next().ok_or_else(|| Error::new(format!("the part `{name}` is missing")))?;
        content(entry.map_err(|e| damaged(&e))?, name, limit)
    };
    let manifest = Manifest::parse(&next(MANIFEST, MANIFEST_LIMIT)?).map_err(|e| e.prefixed(MANIFEST))?;
    let mut parts = Vec::new();
    for note in &manifest.parts {
        let bytes = next(&note.name, note.bytes)?;
        if bytes.len() as u64 != note.bytes {
            let message = format!("{} bytes, where the manifest says {}", bytes.len(), note.bytes);
            return Err(Error::new(message).at(&note.name));
        }
        if digest(&bytes) != note.sha256 {
            return Err(Error::new("its SHA-256 is not the one in the manifest: it is damaged").at(&note.name));
        }
        parts.push(Part { name: note.name.clone(), bytes });
    }
    match entries.next() {
        None => Ok((manifest, parts)),
        Some(Err(e)) => Err(damaged(&e)),
        Some(Ok(entry)) => Err(Error::new(format!("an entry `{}` that no checkpoint has", shown(&entry)))),
    }
}

/// The content of an entry that must have this name.
fn content(entry: Entry<'_, impl Read>, name: &str, limit: u64) -> Result<Vec<u8>> {
    if *entry.path_bytes() != *name.as_bytes() {
        return Err(Error::new(format!("an entry `{}` in the place of `{name}`", shown(&entry))));
    }
    if entry.header().entry_type() != EntryType::Regular {
        return Err(Error::new("this entry is a link or otherwise special, not a file").at(name));
    }
    let size = entry.header().size().map_err(|e| damaged(&e))?;
    if size > limit {
        return Err(Error::new(format!("{size} bytes are more than the {limit} there may be")).at(name));
    }
    let mut bytes = Vec::new();
    // The length is a claim of the header's: memory grows with what is there.
    entry.take(size).read_to_end(&mut bytes).map_err(|e| damaged(&e))?;
    if bytes.len() as u64 != size {
        return Err(Error::new(format!("{} of {size} bytes are there", bytes.len())).at(name));
    }
    Ok(bytes)
}

/// An entry's name, fit to be printed.
fn shown(entry: &Entry<'_, impl Read>) -> String {
    printable(&String::from_utf8_lossy(&entry.path_bytes()))
}

fn damaged(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Error::new("the checkpoint is truncated"),
        _ => Error::new(format!("the checkpoint is damaged: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Model;
    use crate::prelude::LeakySomaConfig;

    #[test]
    fn honest_zeros_are_no_bomb() {
        let model = Model::component(LeakySomaConfig::default()).input("current", [1]).build().unwrap();
        let part = |name: &str, bytes| Part { name: name.into(), bytes };
        // They shrink to less than a two-hundredth.
        let parts = [part("model.scfg", vec![b'x']), part("state.safetensors", vec![0; 100 << 20])];
        let manifest = Manifest::new("0", model.graphdef(), 0, &[], &parts);
        let small = compress([("zeros", &parts[1].bytes[..])].into_iter(), Compression::fast()).unwrap();
        assert!(expansion_limit(small.len() as u64) < 100 << 20);
        let bytes = write(&manifest.to_json(), &parts).unwrap();
        let (read, found) = super::read(&bytes[..], bytes.len() as u64).unwrap();
        assert_eq!(read, manifest);
        assert!(found[1].bytes == parts[1].bytes);
    }
}
