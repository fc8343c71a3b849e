//! Files that belong together, as whoever looks in between sees them.

use super::*;

const NAMES: [&str; 4] = ["brain.o", "brain.h", "brain.rs", "brain.json"];

fn files(content: &str) -> Vec<(String, Vec<u8>)> {
    NAMES.iter().map(|name| (name.to_string(), content.into())).collect()
}

/// The contents of the files that are there, the first one's first.
fn contents(folder: &Path) -> Vec<Option<String>> {
    NAMES.iter().map(|name| std::fs::read_to_string(folder.join(name)).ok()).collect()
}

fn count(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

#[test]
fn the_first_file_is_there_with_those_it_belongs_to_only() {
    let folder = tempfile::tempdir().unwrap();
    for (round, content) in ["old", "new", "newer"].into_iter().enumerate() {
        let mut seen = Vec::new();
        write_in_steps(folder.path(), &files(content), &mut || seen.push(contents(folder.path()))).unwrap();
        for files in &seen {
            assert!(files[0].is_none() || files.iter().all(|file| *file == files[0]), "{files:?}");
        }
        assert_eq!(seen.len(), 5);
        // What was there before is seen in between, without the first.
        assert_eq!(seen[1].iter().flatten().count(), if round == 0 { 1 } else { 3 });
        assert_eq!(contents(folder.path()), [const { None::<String> }; 4].map(|_| Some(content.to_string())));
        assert_eq!(count(folder.path()), 4);
    }
}

#[test]
fn what_cannot_get_its_name_leaves_no_mix() {
    for (at, name) in NAMES.into_iter().enumerate().skip(1) {
        let folder = tempfile::tempdir().unwrap();
        write_all(folder.path(), &files("old")).unwrap();
        // A folder takes the name of a file after the first look.
        let path = folder.path().join(name);
        let mut steps = 0;
        let error = write_in_steps(folder.path(), &files("new"), &mut || {
            if steps == 0 {
                std::fs::remove_file(&path).unwrap();
                std::fs::create_dir(&path).unwrap();
            }
            steps += 1;
        });
        assert!(error.unwrap_err().to_string().contains(name));
        let expected = match at {
            // Nothing had changed yet.
            1 => Some("old".to_string()),
            _ => None,
        };
        assert_eq!(contents(folder.path())[0], expected);
        assert_eq!(count(folder.path()), if at == 1 { 4 } else { 3 });
    }
}
