//! Machine code on disk: a program that was compiled before, by this version on this kind of processor, need not be compiled
//! again.
//!
//! What is looked up is the code generator's whole input: the functions as they are handed to Cranelift, its version and
//! flags, the processor's instruction sets, and the functions that may be called. So an entry can only be what compiling again would
//! give. Entries end with a hash of their content; one that does not match is deleted and the program compiled. Entries are
//! data, never mapped as code: the code is copied and linked as fresh code is. The folder and its files belong to the user
//! alone, and are not used if somebody else could write there.
//!
//! Entries are in `spark/kernels` of the user's cache folder, or where the environment variable `SPARK_CACHE` says; with
//! `SPARK_CACHE=off`, or after [`switch_off`], nothing is read or written. When they take more than [`LIMIT`] bytes,
//! those that were not used for the longest time are deleted. Every failure to read or write only costs time.

use cranelift::codegen::binemit::Reloc;
use cranelift::codegen::ir::Function;
use cranelift::codegen::isa::TargetIsa;
use cranelift_module::{FuncId, ModuleReloc, ModuleRelocTarget};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::SystemTime;

/// Bytes that all entries may take.
pub const LIMIT: u64 = 256 << 20;

/// What entries begin with.
const MAGIC: &[u8; 8] = b"SPARKJ02";

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
        let mut hasher = Digester(Sha256::new());
        (MAGIC, env!("CARGO_PKG_VERSION"), cranelift::VERSION, isa.triple().to_string()).hash(&mut hasher);
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
        folder.join(format!("{name}.kernel"))
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
    let file = File::open(&path).ok()?;
    if !is_private(&path) || file.metadata().ok()?.len() > LIMIT {
        return None;
    }
    let bytes = fs::read(&path).ok()?;
    let found = decode(&bytes, key);
    match found {
        // Used now: deleted last.
        Some(_) => drop(File::options().append(true).open(&path).and_then(|f| f.set_modified(SystemTime::now()))),
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
    let unique = format!("{}-{}.tmp", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
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

/// Deletes the entries that were not used for the longest time, if all take more than `limit`.
fn shrink(folder: &Path, limit: u64) -> io::Result<()> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let ours = entry.path().extension().is_some_and(|e| e == "kernel" || e == "tmp");
        if let (true, Ok(metadata)) = (ours, entry.metadata()) {
            entries.push((metadata.modified()?, metadata.len(), entry.path()));
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

fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// True if only this user can write to a file or folder: whoever can, decides what this process runs.
fn is_private(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let own = |metadata: fs::Metadata| {
            metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o022 == 0
        };
        fs::symlink_metadata(path).is_ok_and(own)
    }
    #[cfg(not(unix))]
    path.exists()
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
mod tests {
    use super::*;
    use std::time::Duration;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn code(bytes: usize) -> Vec<Compiled> {
        let name = ModuleRelocTarget::user(0, 3);
        let kinds = [Reloc::Abs8, Reloc::X86CallPCRel4];
        let relocations = kinds.map(|kind| ModuleReloc { offset: 2, kind, name: name.clone(), addend: -4 }).to_vec();
        let plain = Compiled { align: 16, code: (0..bytes).map(|i| i as u8).collect(), relocations: vec![] };
        vec![plain.clone(), Compiled { align: 32, relocations, ..plain }]
    }

    const KEY: Key = Key([7; 32]);

    #[test]
    fn code_comes_back_as_it_was() {
        let folder = folder();
        assert!(load_from(folder.path(), &KEY).is_none());
        store_in(folder.path(), &KEY, &code(100), LIMIT).unwrap();
        let text = |functions: Vec<Compiled>| {
            let one = |f: Compiled| {
                (
                    f.align,
                    f.code,
                    f.relocations.iter().map(|r| (r.offset, r.kind, r.name.to_string(), r.addend)).collect::<Vec<_>>(),
                )
            };
            functions.into_iter().map(one).collect::<Vec<_>>()
        };
        assert_eq!(load_from(folder.path(), &KEY).map(text), Some(text(code(100))));
        assert!(load_from(folder.path(), &Key([8; 32])).is_none());
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().path()).collect();
        assert_eq!(names, [KEY.path(folder.path())]);
    }

    #[test]
    fn damaged_entries_are_deleted() {
        let folder = folder();
        let path = KEY.path(folder.path());
        store_in(folder.path(), &KEY, &code(20), LIMIT).unwrap();
        let good = fs::read(&path).unwrap();
        let mut damaged: Vec<Vec<u8>> = (0..good.len()).map(|cut| good[..cut].to_vec()).collect();
        damaged.extend((0..good.len()).map(|at| {
            let mut bytes = good.clone();
            bytes[at] ^= 16;
            bytes
        }));
        damaged.push([&good[..], &[0]].concat());
        for bytes in damaged {
            fs::write(&path, bytes).unwrap();
            assert!(load_from(folder.path(), &KEY).is_none());
            assert!(!path.exists());
        }
        // The entry of another program under this name.
        store_in(folder.path(), &Key([8; 32]), &code(20), LIMIT).unwrap();
        fs::rename(Key([8; 32]).path(folder.path()), &path).unwrap();
        assert!(load_from(folder.path(), &KEY).is_none());
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let folder = folder();
        let keys: Vec<Key> = (0..8).map(|n| Key([n; 32])).collect();
        for (n, key) in keys.iter().enumerate() {
            store_in(folder.path(), key, &code(500), 1 << 20).unwrap();
            let then = SystemTime::now() - Duration::from_secs(100 - n as u64);
            File::options().append(true).open(key.path(folder.path())).unwrap().set_modified(then).unwrap();
        }
        load_from(folder.path(), &keys[0]).unwrap();
        shrink(folder.path(), 6000).unwrap();
        let left: Vec<usize> = (0..8).filter(|&n| keys[n].path(folder.path()).exists()).collect();
        assert_eq!(left, [0, 6, 7]);
    }

    #[cfg(unix)]
    #[test]
    fn files_are_private_and_folders_of_others_are_not_used() {
        use std::os::unix::fs::PermissionsExt;
        let outer = folder();
        let folder = outer.path().join("spark").join("kernels");
        store_in(&folder, &KEY, &code(20), LIMIT).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&KEY.path(&folder))), (0o700, 0o600));
        assert!(load_from(&folder, &KEY).is_some());
        for open in [KEY.path(&folder), folder.clone()] {
            let before = mode(&open);
            fs::set_permissions(&open, fs::Permissions::from_mode(before | 0o020)).unwrap();
            assert!(load_from(&folder, &KEY).is_none());
            fs::set_permissions(&open, fs::Permissions::from_mode(before)).unwrap();
        }
        assert!(load_from(&folder, &KEY).is_some());
    }

    #[test]
    fn code_with_unusual_references_is_not_kept() {
        let name = ModuleRelocTarget::user(0, 3);
        let relocations = vec![ModuleReloc { offset: 2, kind: Reloc::X86SecRel, name, addend: -4 }];
        assert!(encode(&[Compiled { align: 1, code: vec![0; 9], relocations }], &KEY).is_none());
    }
}
