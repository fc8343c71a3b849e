//! Checkpoints taken apart and put together otherwise, for tests of damaged and hostile files.

use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use tar::{Archive, Builder, EntryType, Header};

/// Names and contents of the parts of a checkpoint, the manifest first.
pub(crate) type Parts = Vec<(String, Vec<u8>)>;

/// The archive inside a checkpoint.
pub(crate) fn unzip(bytes: &[u8]) -> Vec<u8> {
    let mut tar = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut tar).unwrap();
    tar
}

/// A checkpoint's bytes around an archive.
pub(crate) fn zip(tar: &[u8]) -> Vec<u8> {
    let mut out: GzEncoder<Vec<u8>> = GzBuilder::new().write(Vec::new(), Compression::fast());
    out.write_all(tar).unwrap();
    out.finish().unwrap()
}

/// The parts of a checkpoint.
pub(crate) fn take_apart(bytes: &[u8]) -> Parts {
    let tar = unzip(bytes);
    let mut archive = Archive::new(&tar[..]);
    let part = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (entry.path().unwrap().to_str().unwrap().to_string(), content)
    };
    archive.entries().unwrap().map(part).collect()
}

/// A header of an ordinary file; the name is taken as it is.
pub(crate) fn header(name: &str, size: u64) -> Header {
    let mut header = Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_mode(0o644);
    header.set_entry_type(EntryType::Regular);
    header.set_size(size);
    header.set_cksum();
    header
}

/// A checkpoint of these parts, as they are.
pub(crate) fn put_together(parts: &Parts) -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    for (name, content) in parts {
        archive.append(&header(name, content.len() as u64), &content[..]).unwrap();
    }
    zip(&archive.into_inner().unwrap())
}

/// The manifest of the parts.
pub(crate) fn manifest(parts: &Parts) -> Value {
    serde_json::from_slice(&parts[0].1).unwrap()
}

/// Has the manifest say what the parts are: names, lengths and digests. So who made the file meant it.
pub(crate) fn sign(parts: &mut Parts) {
    let mut manifest = manifest(parts);
    let hex = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let note =
        |(name, content): &(String, Vec<u8>)| json!({ "name": name, "bytes": content.len(), "sha256": hex(content) });
    manifest["parts"] = parts[1..].iter().map(note).collect();
    parts[0].1 = serde_json::to_vec(&manifest).unwrap();
}
