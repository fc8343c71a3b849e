//! Entries that are written, read, damaged and deleted.

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
