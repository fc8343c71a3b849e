//! The programs of `examples/embedded`: a brain learns to balance a pole, in C and in Rust without its standard library.

use crate::run::{compile, here};
use spark::aot::{Build, Target, write};
use spark::prelude::*;
use std::path::{Path, PathBuf};
use std::process::Command;

mod build_script {
    include!("../../examples/embedded/rust/build.rs");

    pub(super) fn run() {
        main().unwrap();
    }
}

fn example() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/embedded"))
}

fn brain() -> Model {
    let builder = Model::from_file(example().join("cartpole.scfg")).unwrap().input("signal", [16]);
    builder.input("mod_a", [1]).input("mod_b", [1]).input("mod_critic", [1]).build().unwrap()
}

#[test]
fn the_brain_is_that_of_the_cartpole_example() {
    let hash = |model: Model| model.object("cartpole", &here("").target()).unwrap().hash().to_string();
    assert_eq!(hash(brain()), hash(crate::brain::build(4).unwrap()));
}

/// Runs a program; checks that its episodes become longer, and gives how long they were.
#[track_caller]
fn learns(program: &Path) -> Vec<f64> {
    let output = Command::new(program).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let lengths: Vec<f64> = text
        .lines()
        .filter_map(|line| {
            line.strip_prefix("episode ")?.split_once(": ")?.1.strip_suffix(" steps")?.trim().parse().ok()
        })
        .collect();
    let mean = |lengths: &[f64]| lengths.iter().sum::<f64>() / lengths.len() as f64;
    let (first, last) = (mean(&lengths[..8]), mean(&lengths[24..]));
    crate::support::row(format!("{}: {first} steps at first, {last} at last", program.display()));
    assert!(lengths.len() == 32 && last > 3.0 * first, "{lengths:?}");
    lengths
}

#[test]
fn a_program_in_c_learns() {
    let folder = tempfile::tempdir().unwrap();
    write(&brain().object("cartpole", &here("").target()).unwrap(), folder.path()).unwrap();
    let program = folder.path().join("program");
    compile("cc", folder.path(), |command| {
        command.arg(example().join("main.c")).args(["cartpole.o", "-lm", "-o"]).arg(&program);
    });
    learns(&program);
}

/// Runs as a build script does, in a process of its own.
#[test]
fn a_program_in_rust_is_built_and_learns() {
    if std::env::var_os("SPARK_RUNS_BUILD_SCRIPT").is_some() {
        build_script::run();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let host = Target::host(false).unwrap().triple();
    let script = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "embedded::a_program_in_rust_is_built_and_learns", "--nocapture"])
        .env("SPARK_RUNS_BUILD_SCRIPT", "1")
        .env("TARGET", &host)
        .env("OUT_DIR", folder.path())
        .env("CARGO_CFG_TARGET_FEATURE", "fxsr,sse,sse2,ssse3,unheard-of")
        .current_dir(example().join("rust"))
        .output()
        .unwrap();
    let said = String::from_utf8(script.stdout).unwrap();
    assert!(script.status.success(), "{said}{}", String::from_utf8_lossy(&script.stderr));
    for line in ["rerun-if-changed=../cartpole.scfg", "rustc-link-lib=static=cartpole", "rustc-link-search=native="] {
        assert!(said.contains(&format!("cargo:{line}")), "{said}");
    }
    let program = folder.path().join("program");
    let arguments = "-D warnings -C panic=abort -C opt-level=2 -l static=cartpole -L .";
    rustc(folder.path(), &example().join("rust/src/main.rs"), arguments);
    learns(&program);
}

#[test]
fn the_wrapper_refuses_memory_that_is_short_or_misaligned() {
    const PROGRAM: &str = "
        mod model { include!(concat!(env!(\"OUT_DIR\"), \"/soma.rs\")); }
        use model::{Inputs, Memory, MemoryError, Model, Outputs, STATE_ALIGN, STATE_SIZE};
        fn send<T: Send + Sync>(_: &T) {}
        fn main() {
            let mut bytes = vec![0xffu8; STATE_SIZE + 2 * STATE_ALIGN];
            let start = bytes.as_ptr().align_offset(STATE_ALIGN);
            assert_eq!(Model::in_slice(&mut bytes[start + 1..]).err(), Some(MemoryError::Misaligned));
            assert_eq!(Model::in_slice(&mut bytes[start..start + STATE_SIZE - 1]).err(), Some(MemoryError::Short));
            assert_eq!(Model::in_slice(&mut bytes[start..start]).err(), Some(MemoryError::Short));
            println!(\"{} {}\", MemoryError::Misaligned, MemoryError::Short);
            let (mut one, mut other) = (Memory::new(), Memory::default());
            let mut models =
                [Model::new(&mut one), Model::new(&mut other), Model::in_slice(&mut bytes[start..]).unwrap()];
            send(&models);
            let mut found = Vec::new();
            for model in &mut models {
                let mut outputs = Outputs::ZERO;
                let inputs = Inputs { current: [0.0, 100.0, 5000.0] };
                model.step(&inputs, &mut outputs);
                model.step(&inputs, &mut outputs);
                model.reset();
                model.step(&inputs, &mut outputs);
                found.push((outputs.spikes, model.bytes().to_vec()));
                unsafe { model.patch(|bytes| assert_eq!(bytes.len(), STATE_SIZE)) };
            }
            assert!(found.iter().all(|f| f.0 == [false, false, true] && *f == found[0]));
        }";
    let folder = tempfile::tempdir().unwrap();
    let model = Model::component(LeakySomaConfig::default()).input("current", [3]).build().unwrap();
    write(&model.object("soma", &here("").target()).unwrap(), folder.path()).unwrap();
    std::fs::write(folder.path().join("main.rs"), PROGRAM).unwrap();
    let program = rustc(folder.path(), Path::new("main.rs"), "-C link-arg=soma.o");
    let output = Command::new(&program).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("aligned to 64 bytes") && said.contains("bytes of memory"), "{said}");
}

/// Compiles a program in Rust, in the folder of objects and their modules.
#[track_caller]
pub(crate) fn rustc(folder: &Path, source: &Path, arguments: &str) -> PathBuf {
    let program = folder.join("program");
    let rustc = Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()))
        .args(["--edition", "2024"])
        .args(arguments.split(' '))
        .arg(source)
        .arg("-o")
        .arg(&program)
        .env("OUT_DIR", folder)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(rustc.status.success(), "{}", String::from_utf8_lossy(&rustc.stderr));
    program
}

#[test]
fn two_models_run_in_many_threads() {
    const PROGRAM: &str = "
        mod cartpole { include!(concat!(env!(\"OUT_DIR\"), \"/cartpole.rs\")); }
        mod neuron { include!(concat!(env!(\"OUT_DIR\"), \"/neuron.rs\")); }
        fn run() -> Vec<u32> {
            let (mut one, mut other) = (Box::new(cartpole::Memory::new()), Box::new(neuron::Memory::new()));
            let (mut one, mut other) = (cartpole::Model::new(&mut one), neuron::Model::new(&mut other));
            let (mut outputs, mut spikes) = (cartpole::Outputs::ZERO, neuron::Outputs::ZERO);
            let mut inputs = neuron::Inputs::ZERO;
            let mut found = Vec::new();
            for t in 0..300 {
                let signal = core::array::from_fn(|i| ((t + i) as f32 / 7.0).sin());
                one.step(&cartpole::Inputs { signal, mod_a: [0.5], ..cartpole::Inputs::ZERO }, &mut outputs);
                inputs.in_spikes[t % 80] ^= true;
                other.step(&inputs, &mut spikes);
                found.extend(outputs.activity.map(f32::to_bits));
                found.push(spikes.out_spikes.iter().fold(0, |hash, &x| hash * 31 % 65521 + x as u32));
            }
            found
        }
        fn main() {
            let expected = run();
            std::thread::scope(|s| {
                let threads = [(); 4].map(|_| s.spawn(run));
                threads.map(|thread| assert!(thread.join().unwrap() == expected));
            });
        }";
    let folder = tempfile::tempdir().unwrap();
    let neuron = crate::models::golden("neuron/alif.f32").0.build().unwrap();
    for (name, model) in [("cartpole", brain()), ("neuron", neuron)] {
        write(&model.object(name, &here("").target()).unwrap(), folder.path()).unwrap();
    }
    std::fs::write(folder.path().join("main.rs"), PROGRAM).unwrap();
    let program = rustc(folder.path(), Path::new("main.rs"), "-C link-arg=cartpole.o -C link-arg=neuron.o");
    let output = Command::new(&program).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn headers_are_c_and_cpp_and_modules_rust() {
    let folder = tempfile::tempdir().unwrap();
    let half = crate::models::golden("neuron/alif.f16").0;
    for (name, model) in [("neuron", half), ("odd", crate::models::odd_ports().0)] {
        let model = model.build().unwrap();
        write(&model.object(name, &here("").target()).unwrap(), folder.path()).unwrap();
        std::fs::write(folder.path().join("lib.rs"), format!("mod {name} {{ include!(\"{name}.rs\"); }}")).unwrap();
        rustc(folder.path(), Path::new("lib.rs"), "--crate-type lib -D warnings -A dead_code");
        for (compiler, standard) in
            [("cc", "-std=c99"), ("cc", "-std=c11"), ("c++", "-std=c++11"), ("c++", "-std=c++20")]
        {
            let language = if compiler == "cc" { "c" } else { "c++" };
            let source = folder.path().join(format!("include.{language}"));
            std::fs::write(&source, format!("#include \"{name}.h\"\n#include \"{name}.h\"\n{name}_memory memory;\n"))
                .unwrap();
            let output = Command::new(compiler)
                .args([
                    standard,
                    "-Wall",
                    "-Wextra",
                    "-Wpedantic",
                    "-Werror",
                    "-ffreestanding",
                    "-fsyntax-only",
                    "-x",
                    language,
                ])
                .arg(&source)
                .output();
            match output {
                Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
                Err(_) => crate::support::row(format!("SKIPPED, not passed: there is no {compiler}")),
            }
        }
    }
}

#[test]
fn build_scripts_are_told_what_is_wrong() {
    let error = Build::new("missing.scfg").run().unwrap_err().to_string();
    assert!(error.contains("TARGET is not set") && error.contains("build script"), "{error}");
}

#[test]
fn the_readme_shows_the_programs() {
    let readme = include_str!("../../README.md");
    let section = readme.split("## Compile it for a robot").nth(1).unwrap().split("\n## ").next().unwrap();
    let files = ["main.c", "rust/build.rs", "rust/src/main.rs"];
    let files = files.map(|name| std::fs::read_to_string(example().join(name)).unwrap());
    let blocks: Vec<&str> = section.split("\n```").skip(1).step_by(2).collect();
    let of = |language: &str| blocks.iter().filter_map(|block| block.strip_prefix(language)).collect::<Vec<_>>();
    let (c, rust) = (of("c\n"), of("rust,ignore\n"));
    assert_eq!((c.len(), rust.len(), blocks.len()), (1, 2, 4));
    for (block, file) in c.iter().chain(&rust).zip(&files) {
        for line in block.lines().map(str::trim).filter(|line| !line.is_empty()) {
            assert!(file.lines().any(|other| other.trim() == line), "`{line}` is not in the file");
        }
    }
    assert!(section.contains("examples/embedded/cartpole.scfg"));
}
