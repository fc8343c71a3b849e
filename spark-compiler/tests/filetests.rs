//! Programs and what is expected of them, one file each: `tests/filetests/*.spark-ir` at the repository root.
//!
//! A file is a program in text form (see `spark_compiler::ir::print`) below comments with directives:
//!
//! ```text
//! // test: run
//! // steps: 3
//! // input i0: 1, 2, 3 | 4, 5, 6
//! // input i1: random 7
//! // check: output "sum" = 6 | 15
//! // check: state "memory" = _ | 21
//! ```
//!
//! * `test: run` runs it in every way (see `common`); all must agree on every output and state after every step.
//!   `input` gives one list per step, a list of one number fills the port, the last list is repeated; without it inputs
//!   are random, special values included. `check` gives what an output or state must be after each step, computed by
//!   hand from the documentation; `_` skips a step. A file needs at least one check, or a comment why not: `unchecked:`.
//! * `test: verify-error TEXT`, `test: parse-error TEXT`: reading it fails, in the verifier (line 0) or before; the
//!   message contains the text.
//! * `test: optimize`: after a line `// ====` follows the program after the passes, or those of `passes: fold, cse`.
//! * `test: loops`: the same with the loop nests, after all passes.
//! * `note: TEXT`: the passes say so (see `Optimized::notes`); for files of `optimize` and `loops`.
//!
//! Programs of `optimize` and `loops` files are run as well. `UPDATE=1 cargo test -p spark-compiler --test filetests`
//! rewrites what follows `// ====`.

mod common;

use common::{Random, difference, run, ways};
use spark_compiler::ir::parse::{ParseError, parse};
use spark_compiler::ir::{Array, Data, Program, Shape};
use spark_compiler::loops::lower;
use spark_compiler::passes::{CompileOptions, Optimized, optimize};
use std::fmt::Write;
use std::path::{Path, PathBuf};

const SEPARATOR: &str = "// ====\n";

#[test]
fn filetests() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/filetests");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|e| e == "spark-ir"))
        .collect();
    files.sort();
    assert!(files.len() > 40, "{} files in {}", files.len(), folder.display());
    let mut failures = String::new();
    for file in &files {
        if let Err(why) = std::panic::catch_unwind(|| check(file)).unwrap_or(Err("panicked (see above)".into())) {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            writeln!(failures, "---- {name}\n{why}\n").expect("writing to a string");
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

/// Checks one file.
fn check(file: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|e| e.to_string())?;
    let (source, expected) = text.split_once(SEPARATOR).unwrap_or((&text, ""));
    let directives = directives(source);
    let test = directives.iter().find(|(name, _)| *name == "test").ok_or("no `// test:` line")?.1;
    let (kind, rest) = test.split_once(' ').unwrap_or((test, ""));
    match (kind, parse(source)) {
        ("parse-error", Err(error)) if error.line > 0 => contains(&error, rest),
        ("verify-error", Err(error)) if error.line == 0 => contains(&error, rest),
        ("parse-error" | "verify-error", found) => Err(format!("found {found:?}")),
        (_, Err(error)) => Err(error.to_string()),
        ("run", Ok(program)) => run_file(&program, &directives, true),
        ("optimize", Ok(program)) => {
            let optimized = optimize(program.clone(), &passes(&directives)?);
            notes(&optimized, &directives)?;
            same_text(file, source, expected, &optimized.program().to_string())?;
            run_file(&program, &directives, false)
        }
        ("loops", Ok(program)) => {
            let optimized = optimize(program.clone(), &passes(&directives)?);
            notes(&optimized, &directives)?;
            let lowered = lower(&optimized);
            same_text(file, source, expected, &lowered.to_string())?;
            run_file(&program, &directives, false)
        }
        (other, Ok(_)) => Err(format!("unknown test `{other}`")),
    }
}

/// Names and values of the directives: leading comment lines of the form `// name: value`.
fn directives(source: &str) -> Vec<(&str, &str)> {
    let comments = source.lines().map_while(|line| line.strip_prefix("//"));
    comments.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.trim(), value.trim())).collect()
}

fn contains(error: &ParseError, text: &str) -> Result<(), String> {
    let holds = !text.is_empty() && error.to_string().contains(text);
    if holds { Ok(()) } else { Err(format!("expected `{text}`, found `{error}`")) }
}

fn passes(directives: &[(&str, &str)]) -> Result<CompileOptions, String> {
    let Some((_, list)) = directives.iter().find(|(name, _)| *name == "passes") else {
        return Ok(CompileOptions::default());
    };
    let mut options = CompileOptions::none();
    for name in list.split(", ") {
        if name != "none" {
            options = options.with(name, true).ok_or(format!("unknown pass `{name}`"))?;
        }
    }
    Ok(options)
}

/// Every wanted note is there.
fn notes(optimized: &Optimized, directives: &[(&str, &str)]) -> Result<(), String> {
    let found: Vec<String> = optimized.notes().iter().map(ToString::to_string).collect();
    let missing = |(name, text): &&(&str, &str)| *name == "note" && !found.iter().any(|note| note.contains(text));
    match directives.iter().find(missing) {
        Some((_, text)) => Err(format!("no note `{text}` among {found:#?}")),
        None => Ok(()),
    }
}

fn same_text(file: &Path, source: &str, expected: &str, found: &str) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    if std::env::var_os("UPDATE").is_some() {
        return std::fs::write(file, format!("{source}{SEPARATOR}{found}")).map_err(|e| e.to_string());
    }
    Err(format!("expected\n{expected}\nfound\n{found}\nUPDATE=1 accepts it"))
}

fn run_file(program: &Program, directives: &[(&str, &str)], needs_check: bool) -> Result<(), String> {
    let text = program.to_string();
    let again = parse(&text).map_err(|e| format!("the printed program cannot be read: {e}\n{text}"))?;
    if again.to_string() != text {
        return Err(format!("printed, read and printed again it is another program:\n{text}\n{again}"));
    }
    let all =
        |wanted: &'static str| directives.iter().filter(move |(name, _)| *name == wanted).map(|(_, value)| *value);
    let steps = match all("steps").next() {
        Some(number) => number.parse::<usize>().map_err(|_| format!("`{number}` is not a number of steps"))?,
        None => 3,
    };
    let mut inputs: Vec<Vec<Array>> = Vec::new();
    for step in 0..steps {
        let mut arrays = Vec::new();
        for (i, port) in program.inputs.iter().enumerate() {
            let name = format!("input i{i}");
            let given = directives.iter().find(|(n, _)| *n == name).map_or("random", |(_, value)| value);
            arrays.push(match given.strip_prefix("random") {
                Some(seed) => {
                    let seed: u64 = seed.trim().parse().unwrap_or(i as u64);
                    Random(seed << 32 | step as u64).array(port.dtype, &port.shape)
                }
                None => {
                    let lists: Vec<&str> = given.split('|').collect();
                    read(lists[step.min(lists.len() - 1)], &port.shape, port.dtype)?
                }
            });
        }
        inputs.push(arrays);
    }
    let seen = run(program, &inputs, &ways(true))?;
    for check in all("check") {
        let (what, lists) = check.split_once(" = ").ok_or(format!("no ` = ` in `{check}`"))?;
        let (kind, name) = what.split_once(' ').ok_or(format!("no name in `{what}`"))?;
        let name = name.trim_matches('"');
        let position = match kind {
            "output" => program.outputs.iter().position(|o| o.name == name),
            "state" => program.states.iter().position(|s| s.name == name),
            _ => None,
        };
        let position = position.ok_or(format!("there is no {kind} `{name}`"))?;
        let lists: Vec<&str> = lists.split('|').map(str::trim).collect();
        if lists.len() > seen.len() {
            return Err(format!("`{check}` is about {} steps, {} are run", lists.len(), seen.len()));
        }
        for (step, (list, seen)) in lists.iter().zip(&seen).enumerate().filter(|(_, (list, _))| **list != "_") {
            let state = || seen.states[position].as_ref().expect("the program as written tells its states");
            let found = if kind == "output" { &seen.outputs[position] } else { state() };
            let expected = read(list, found.shape(), found.dtype())?;
            if let Some(difference) = difference(&expected, found) {
                return Err(format!("{kind} `{name}` after step {step}: {difference}"));
            }
        }
    }
    let excused = all("unchecked").next().is_some();
    if needs_check && !excused && all("check").next().is_none() {
        return Err("no `// check:` line, and no `// unchecked:` line that says why".into());
    }
    Ok(())
}

/// An array in text form: what the reader of programs makes of it.
fn read(list: &str, shape: &Shape, dtype: spark_compiler::ir::DType) -> Result<Array, String> {
    let suffix = if shape.is_scalar() { String::new() } else { shape.to_string() };
    let program = parse(&format!("const c0 \"list\": {dtype}{suffix} = {list}"))
        .map_err(|e| format!("`{list}` is not a list of {dtype}{shape}: {e}"))?;
    Ok(program.constants[0].value.clone())
}

#[test]
fn the_runner_sees_a_wrong_expectation() {
    let program = parse("output \"one\": f32 = %0").unwrap_err();
    assert_eq!(program.line, 0);
    let program = parse("%0 = literal 1.0: f32\noutput \"one\": f32 = %0").unwrap();
    assert_eq!(run_file(&program, &[("check", "output \"one\" = 1.0")], true), Ok(()));
    let wrong = run_file(&program, &[("check", "output \"one\" = 2.0")], true).unwrap_err();
    assert!(wrong.contains("element 0 is 1.0 instead of 2.0"), "{wrong}");
    let signed_zero = Data::F32(vec![-0.0]);
    assert!(
        difference(
            &Array::zeros(Shape::scalar(), signed_zero.dtype()),
            &Array::new(Shape::scalar(), signed_zero).unwrap()
        )
        .is_some()
    );
}
