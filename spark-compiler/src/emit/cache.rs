//! Machine code on disk: a program that was compiled before, by this version on this kind of processor, need not be compiled
//! again.
//!
//! What is looked up is the code generator and its whole input: the functions as they are handed to Cranelift, its version and
//! flags, the processor's instruction sets, and the functions that may be called. So an entry can only be what compiling again would
//! give. Functions do not show what is done with them afterwards, as in `sink.rs`; that is all in the folder `emit`, so
//! `build.rs` hashes its files when the crate is compiled, which costs nothing later, and nobody has to think of it.
//!
//! Entries end with a hash of their content; one that does not match is deleted and the program compiled. Entries are
//! data, never mapped as code: the code is copied and linked as fresh code is. The folder and its files belong to the user
//! alone, and are not used if somebody else could write there.
//!
//! Entries are in `spark/kernels` of the user's cache folder, or where the environment variable `SPARK_CACHE` says; with
//! `SPARK_CACHE=off`, or after [`switch_off`], nothing is read or written. When they take more than [`LIMIT`] bytes,
//! those that were not used for the longest time are deleted. Every failure to read or write only costs time.
//!
//! An entry is written under another name and gets its own when it is complete, so processes that start at once see whole entries or
//! none; the last one to write stays. What a process leaves that is killed while it writes, at most one file, is deleted when
//! another process writes a minute later or after that.

use cranelift::codegen::binemit::Reloc;
use cranelift::codegen::ir::Function;
use cranelift::codegen::isa::TargetIsa;
use cranelift_module::{FuncId, ModuleReloc, ModuleRelocTarget};
use sha2::{Digest, Sha256};
use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// Bytes that all entries may take.
pub const LIMIT: u64 = 256 << 20;

/// What entries begin with; another number for another form of entries.
const MAGIC: &[u8; 8] = b"SPARKJ02";

/// A hash of what makes code of functions.
const CODE_GENERATOR: &str = env!("SPARK_CODE_GENERATOR");

/// Age from which on nobody is still writing a file.
const ABANDONED: Duration = Duration::from_secs(60);

/// What names of entries end with, and what those begin with that are being written.
const ENTRY: &str = ".kernel";
const UNFINISHED: &str = ".spark-kernel-";

/// References to other functions that entries may have, and how many bytes each changes.
const KINDS: [(Reloc, usize); 6] = [
    (Reloc::Abs8, 8),
    (Reloc::X86PCRel4, 4),
    (Reloc::X86CallPCRel4, 4),
    (Reloc::X86CallPLTRel4, 4),
    (Reloc::Arm64Call, 4),
    (Reloc::RiscvCallPlt, 8),
];

static OFF: AtomicBool = AtomicBool::new(false);

/// Has this process neither read nor write machine code on disk.
pub fn switch_off() {
    OFF.store(true, Ordering::Relaxed);
}

/// The folder of the entries; `None` if nothing is kept.
pub fn folder() -> Option<PathBuf> {
    if OFF.load(Ordering::Relaxed) {
        return None;
    }
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    match variable("SPARK_CACHE") {
        Some(off) if off.as_os_str() == "off" || off.as_os_str() == "0" => None,
        Some(folder) => Some(folder),
        None => {
            let caches = if cfg!(windows) {
                variable("LOCALAPPDATA")
            } else {
                variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")))
            };
            caches.filter(|folder| folder.is_absolute()).map(|folder| folder.join("spark").join("kernels"))
        }
    }
}

/// A compiled function.
#[derive(Clone)]
pub(super) struct Compiled {
    /// Alignment of the code.
    pub(super) align: u64,
    /// The code.
    pub(super) code: Vec<u8>,
    /// Where it refers to other functions.
    pub(super) relocations: Vec<ModuleReloc>,
}

/// Names a program's entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Key([u8; 32]);

/// A hasher whose result cannot be met by chance.
struct Digester(Sha256);

impl Hasher for Digester {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        unreachable!("the whole digest is asked for")
    }
}

impl Key {
    /// The key of a program. `imports` names the functions that may be called, by their numbers.
    pub(super) fn new<'a>(
        functions: &[Function],
        isa: &dyn TargetIsa,
        imports: impl Iterator<Item = (FuncId, &'a str)>,
    ) -> Key {
        Key::of(CODE_GENERATOR, functions, isa, imports)
    }

    fn of<'a>(
        generator: &str,
        functions: &[Function],
        isa: &dyn TargetIsa,
        imports: impl Iterator<Item = (FuncId, &'a str)>,
    ) -> Key {
        let mut hasher = Digester(Sha256::new());
        (MAGIC, generator, env!("CARGO_PKG_VERSION"), cranelift::VERSION, isa.triple().to_string()).hash(&mut hasher);
        isa.flags().to_string().hash(&mut hasher);
        isa.isa_flags().iter().for_each(|flag| (flag.name, flag.value_string()).hash(&mut hasher));
        imports.for_each(|(id, name)| (id.as_u32(), name).hash(&mut hasher));
        for function in functions {
            function.stencil.hash(&mut hasher);
            function.params.user_named_funcs().values().for_each(|name| (name.namespace, name.index).hash(&mut hasher));
        }
        Key(hasher.0.finalize().into())
    }

    fn path(&self, folder: &Path) -> PathBuf {
        let name: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        folder.join(format!("{name}{ENTRY}"))
    }
}

/// The functions of a program, if they were kept.
pub(super) fn load(key: &Key) -> Option<Vec<Compiled>> {
    load_from(&folder()?, key)
}

fn load_from(folder: &Path, key: &Key) -> Option<Vec<Compiled>> {
    if !is_private(folder) {
        return None;
    }
    let path = key.path(folder);
    let mut options = File::options();
    options.read(true).append(true);
    // What is behind a link is somewhere else, and a pipe would have us wait for whoever writes to it.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits() as i32,
    );
    let mut file = options.open(&path).ok()?;
    let metadata = file.metadata().ok()?;
    if !metadata.is_file() || !is_own(&metadata) || metadata.len() > LIMIT {
        return None;
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    let found = decode(&bytes, key);
    match found {
        // Used now: deleted last.
        Some(_) => drop(file.set_modified(SystemTime::now())),
        None => drop(fs::remove_file(&path)),
    }
    found
}

/// Keeps the functions of a program, if they can be.
pub(super) fn store(key: &Key, functions: &[Compiled]) {
    if let Some(folder) = folder() {
        let _ = store_in(&folder, key, functions, LIMIT);
    }
}

fn store_in(folder: &Path, key: &Key, functions: &[Compiled], limit: u64) -> io::Result<()> {
    let Some(bytes) = encode(functions, key) else { return Ok(()) };
    if bytes.len() as u64 > limit / 4 {
        return Ok(());
    }
    make_private(folder)?;
    if !is_private(folder) {
        return Ok(());
    }
    // The name is that of this process and call, so nobody else writes to it.
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let unique = format!("{UNFINISHED}{}-{count}", std::process::id());
    let temporary = folder.join(unique);
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&temporary).and_then(|mut file| file.write_all(&bytes));
    let written = written.and_then(|()| fs::rename(&temporary, key.path(folder)));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written.and_then(|()| shrink(folder, limit))
}

/// Deletes what was left unfinished, and the entries that were not used for the longest time, if all take more than `limit`.
fn shrink(folder: &Path, limit: u64) -> io::Result<()> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let (true, Ok(metadata)) = (is_entry(&name) || is_unfinished(&name), entry.metadata()) else { continue };
        let (path, modified) = (entry.path(), metadata.modified()?);
        if is_unfinished(&name) && modified.elapsed().is_ok_and(|age| age >= ABANDONED) {
            let _ = fs::remove_file(path);
        } else {
            entries.push((modified, metadata.len(), path));
        }
    }
    let mut total: u64 = entries.iter().map(|(_, bytes, _)| bytes).sum();
    if total <= limit {
        return Ok(());
    }
    entries.sort();
    for (_, bytes, path) in entries {
        if total <= limit / 4 * 3 {
            break;
        }
        // Somebody else may have deleted it.
        let _ = fs::remove_file(path);
        total -= bytes;
    }
    Ok(())
}

/// True for names of entries: the folder may have other files, too.
fn is_entry(name: &OsStr) -> bool {
    let hash = |stem: &str| stem.len() == 64 && stem.bytes().all(|b| b.is_ascii_hexdigit());
    name.to_str().and_then(|name| name.strip_suffix(ENTRY)).is_some_and(hash)
}

/// True for names of entries that are being written, or that a killed process left.
fn is_unfinished(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(UNFINISHED))
}

fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// True if only this user can write to a folder: whoever can, decides what this process runs. A link to one is none.
fn is_private(folder: &Path) -> bool {
    fs::symlink_metadata(folder).is_ok_and(|metadata| metadata.is_dir() && is_own(&metadata))
}

/// True if only this user can write to a file or folder.
fn is_own(metadata: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o022 == 0
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        true
    }
}

fn encode(functions: &[Compiled], key: &Key) -> Option<Vec<u8>> {
    let mut out = [&MAGIC[..], &key.0].concat();
    let numbers = |out: &mut Vec<u8>, numbers: &[u64]| numbers.iter().for_each(|n| out.extend(n.to_le_bytes()));
    numbers(&mut out, &[functions.len() as u64]);
    for Compiled { align, code, relocations } in functions {
        numbers(&mut out, &[*align, code.len() as u64, relocations.len() as u64]);
        out.extend(code);
        for relocation in relocations {
            let ModuleRelocTarget::User { namespace, index } = &relocation.name else { return None };
            let kind = KINDS.iter().position(|(kind, _)| *kind == relocation.kind)? as u64;
            numbers(&mut out, &[kind, relocation.addend as u64]);
            numbers(&mut out, &[relocation.offset, *namespace, *index].map(u64::from));
        }
    }
    let digest = Sha256::digest(&out);
    out.extend(digest);
    Some(out)
}

fn decode(bytes: &[u8], key: &Key) -> Option<Vec<Compiled>> {
    let (content, digest) = bytes.split_at_checked(bytes.len().checked_sub(32)?)?;
    if Sha256::digest(content)[..] != *digest {
        return None;
    }
    let mut rest = content.strip_prefix(MAGIC)?.strip_prefix(&key.0)?;
    let count = number(&mut rest)?;
    let mut functions = Vec::new();
    for _ in 0..count {
        let (align, code, relocations) = (number(&mut rest)?, number(&mut rest)?, number(&mut rest)?);
        let (code, after) = rest.split_at_checked(usize::try_from(code).ok()?)?;
        rest = after;
        let relocation = |rest: &mut &[u8]| {
            let &(kind, bytes) = KINDS.get(usize::try_from(number(rest)?).ok()?)?;
            let addend = number(rest)? as i64;
            let place = [number(rest)?, number(rest)?, number(rest)?].map(|n| u32::try_from(n).ok());
            let offset = place[0].filter(|&offset| offset as usize + bytes <= code.len())?;
            Some(ModuleReloc { offset, kind, name: ModuleRelocTarget::user(place[1]?, place[2]?), addend })
        };
        let relocations = (0..relocations).map(|_| relocation(&mut rest)).collect::<Option<_>>()?;
        functions.push(Compiled { align, code: code.to_vec(), relocations });
    }
    rest.is_empty().then_some(functions)
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let (number, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u64::from_le_bytes(*number))
}

#[cfg(test)]
mod tests;
