//! Entries that are written, read, damaged and deleted.

use super::*;
use cranelift::codegen::{isa, settings};
use std::process::{Command, Stdio};
use target_lexicon::Triple;

#[path = "../../../build.rs"]
#[allow(dead_code)]
mod build_script;

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

#[test]
fn other_files_in_the_folder_stay() {
    let folder = folder();
    let others = ["notes.tmp", "python.kernel", "x".repeat(64).as_str()].map(|name| folder.path().join(name));
    others.iter().for_each(|path| fs::write(path, [0; 3000]).unwrap());
    for n in 0..4 {
        store_in(folder.path(), &Key([n; 32]), &code(500), LIMIT).unwrap();
    }
    // As a process that was killed leaves it.
    let unfinished = folder.path().join(format!("{UNFINISHED}1-2"));
    fs::write(&unfinished, [0; 100]).unwrap();
    shrink(folder.path(), 100).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), others.len());
    assert!(!unfinished.exists() && others.iter().all(|path| path.exists()));
}

#[test]
fn many_may_use_a_folder_at_once() {
    let folder = folder();
    let use_it = |seed: u8| {
        for n in 0..60 {
            let key = Key([(seed + n) % 3; 32]);
            let _ = store_in(folder.path(), &key, &code(100 + usize::from(key.0[0])), 2000);
            if let Some(found) = load_from(folder.path(), &key) {
                assert_eq!(found[0].code.len(), 100 + usize::from(key.0[0]));
            }
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|seed| drop(scope.spawn(move || use_it(seed)))));
    let names = fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().file_name());
    assert!(names.into_iter().all(|name| name.to_str().unwrap().ends_with(ENTRY)));
}

#[test]
fn what_cannot_be_written_is_not_kept() {
    let folder = folder();
    let file = folder.path().join("file");
    fs::write(&file, "text").unwrap();
    for place in [file.clone(), file.join("kernels"), "/proc/self/spark".into()] {
        store_in(&place, &KEY, &code(20), LIMIT).unwrap_err();
        assert!(load_from(&place, &KEY).is_none(), "{place:?}");
    }
    assert_eq!(fs::read(&file).unwrap(), b"text");
}

#[cfg(unix)]
#[test]
fn links_and_pipes_are_not_followed() {
    use std::os::unix::fs::symlink;
    let outer = folder();
    let [real, link] = ["real", "link"].map(|name| outer.path().join(name));
    store_in(&real, &KEY, &code(20), LIMIT).unwrap();
    symlink(&real, &link).unwrap();
    assert!(load_from(&real, &KEY).is_some() && load_from(&link, &KEY).is_none());
    let (entry, elsewhere) = (KEY.path(&real), outer.path().join("elsewhere"));
    fs::rename(&entry, &elsewhere).unwrap();
    symlink(&elsewhere, &entry).unwrap();
    assert!(load_from(&real, &KEY).is_none());
    assert!(elsewhere.exists());
    fs::remove_file(&entry).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &entry,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    assert!(load_from(&real, &KEY).is_none());
}

#[test]
fn the_code_generator_is_named_by_its_sources() {
    let folder = folder();
    fs::create_dir(folder.path().join("object")).unwrap();
    fs::create_dir(folder.path().join("tests")).unwrap();
    let named = |changes: &[(&str, &str)]| {
        changes.iter().for_each(|(path, text)| fs::write(folder.path().join(path), text).unwrap());
        build_script::name(&build_script::sources(folder.path()).unwrap())
    };
    let first = named(&[("sink.rs", "down"), ("object/mod.rs", "")]);
    let others = [named(&[("sink.rs", "up")]), named(&[("object/entry.rs", "")]), named(&[("object/mod.rs", "up")])];
    let all = [vec![first.clone()], others.to_vec()].concat();
    assert!((1..all.len()).all(|n| !all[..n].contains(&all[n])), "{all:?}");
    assert_eq!(named(&[("tests/mod.rs", ""), ("object/tests.rs", ""), ("object/mod.rs", "")]), others[1]);
    // Tests run in the folder of the package, as the build does.
    let own = build_script::sources(Path::new("src/emit")).unwrap();
    assert!(
        ["src/emit/sink.rs", "src/emit/cache.rs", "src/emit/object/mod.rs"].iter().all(|path| own.contains_key(*path))
    );
    assert_eq!(build_script::name(&own), CODE_GENERATOR);
}

#[test]
fn another_code_generator_has_other_entries() {
    let isa = isa::lookup(Triple::host()).unwrap().finish(settings::Flags::new(settings::builder())).unwrap();
    let key = |generator, functions: &[Function]| Key::of(generator, functions, &*isa, [].into_iter());
    let functions = [Function::new()];
    assert_eq!(key("a", &functions), key("a", &functions));
    assert_ne!(key("a", &functions), key("b", &functions));
    assert_ne!(key("a", &functions), key("a", &[]));
    assert_eq!(Key::new(&functions, &*isa, [].into_iter()), key(CODE_GENERATOR, &functions));
}

/// Names of files in a folder that are being written, or were.
fn unfinished(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    files.filter(|file| is_unfinished(&file.file_name())).map(|file| file.path()).collect()
}

/// In a process of its own, which is killed: writes entries for as long as it lives.
#[test]
fn one_process_that_writes() {
    let Some(folder) = std::env::var_os("SPARK_TEST_WRITES") else { return };
    loop {
        for n in 0..4 {
            store_in(Path::new(&folder), &Key([n; 32]), &code(100_000 + usize::from(n)), LIMIT).unwrap();
        }
    }
}

#[test]
fn processes_that_are_killed_leave_whole_entries_and_a_file_for_a_minute() {
    let folder = folder();
    let spawn = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "emit::cache::tests::one_process_that_writes", "--nocapture"]);
        command.env("SPARK_TEST_WRITES", folder.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let mut killed = 0;
    while unfinished(folder.path()).is_empty() {
        let mut processes = [spawn(), spawn()];
        std::thread::sleep(Duration::from_millis(40 + killed % 7));
        for process in &mut processes {
            assert!(process.try_wait().unwrap().is_none(), "it ended by itself");
            process.kill().unwrap();
            process.wait().unwrap();
        }
        killed += 2;
        assert!(unfinished(folder.path()).len() as u64 <= killed);
        for n in 0..4 {
            let key = Key([n; 32]);
            let entry = key.path(folder.path()).exists();
            assert_eq!(
                load_from(folder.path(), &key).map(|f| f[0].code.len()),
                entry.then_some(100_000 + usize::from(n))
            );
        }
        assert!(killed < 1000, "none was killed while it wrote");
    }
    // Whoever writes may be at it still, for a minute.
    store_in(folder.path(), &KEY, &code(20), LIMIT).unwrap();
    let left = unfinished(folder.path());
    assert!(!left.is_empty());
    for path in &left {
        File::options().append(true).open(path).unwrap().set_modified(SystemTime::now() - ABANDONED).unwrap();
    }
    store_in(folder.path(), &KEY, &code(20), LIMIT).unwrap();
    assert!(unfinished(folder.path()).is_empty() && load_from(folder.path(), &KEY).is_some());
}
