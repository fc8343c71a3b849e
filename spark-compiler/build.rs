//! Names the code generator by its sources, for `src/emit/cache.rs`: machine code on disk is that of this code generator.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::{fs, io};

fn main() -> io::Result<()> {
    let sources = sources(Path::new("src/emit"))?;
    // File by file, so that tests can change without compiling the crate; a new one changes the `mod.rs` that names it.
    sources.keys().for_each(|path| println!("cargo::rerun-if-changed={path}"));
    println!("cargo::rustc-env=SPARK_CODE_GENERATOR={}", name(&sources));
    Ok(())
}

/// Paths and contents of the files below `folder` but tests.
pub(crate) fn sources(folder: &Path) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_stem().is_some_and(|stem| stem == "tests") {
            continue;
        }
        if path.is_dir() {
            found.append(&mut sources(&path)?);
        } else {
            found.insert(path.display().to_string(), fs::read(&path)?);
        }
    }
    Ok(found)
}

/// A hash. Where another version of Rust computes it otherwise, code is compiled once more than needed.
pub(crate) fn name(sources: &BTreeMap<String, Vec<u8>>) -> String {
    let mut hasher = DefaultHasher::new();
    sources.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
