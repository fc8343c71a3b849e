//! The tutorial's code is that of the example, which runs here; what documents say about modules is complete.

#[path = "../examples/custom_module/main.rs"]
mod custom_module;

use spark::registry::Registry;

const TUTORIAL: &str = include_str!("../docs/tutorials/modules.md");

/// Blocks of Rust code with the file each is, from its first line.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let code = TUTORIAL.split("\n```rust\n").skip(1).map(|rest| rest.split_once("\n```").expect("a block ends").0);
    let named = |block: &'static str| {
        let (first, rest) = block.split_once('\n').expect("a block begins with its file");
        (first.strip_prefix("// src/").expect("a block begins with its file"), rest)
    };
    code.map(named).collect()
}

fn file(name: &str) -> String {
    let path = format!("{}/examples/custom_module/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Lines that are neither blank nor comments.
fn code(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.trim().is_empty() && !line.trim().starts_with("//")).collect()
}

#[test]
fn the_tutorials_program_runs() {
    custom_module::main().unwrap();
}

#[test]
fn the_tutorials_files_are_those_of_the_example() {
    let blocks = blocks();
    let names: Vec<&str> = blocks.iter().map(|(name, _)| *name).collect();
    let expected =
        ["theta.rs", "rates.rs", "main.rs", "in_a_neuron.rs", "looking_inside.rs", "noise.rs", "noisy_theta.rs"];
    assert_eq!(names, expected);
    for (name, block) in blocks {
        let file = file(name);
        if name == "main.rs" {
            // The tutorial's first program; the example's goes on where it ends.
            let mut lines = file.lines();
            for line in code(block) {
                assert!(lines.any(|other| other == line.replace("fn main", "pub fn main")), "main.rs lacks `{line}`");
            }
        } else {
            assert_eq!(block, file.trim_end(), "{name}");
        }
    }
}

#[test]
fn the_cartpole_tutorials_code_is_that_of_the_example() {
    let text = include_str!("../docs/tutorials/cartpole.md");
    let blocks = text.split("\n```rust\n// ").skip(1).map(|rest| rest.split_once("\n```").expect("a block ends").0);
    let mut count = 0;
    for block in blocks {
        let (path, code) = block.split_once('\n').expect("a block begins with its file");
        let file = std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        assert!(file.contains(code), "{path} does not contain:\n{code}");
        count += 1;
    }
    assert!(count >= 5 && count == text.matches("```rust").count(), "{count} blocks");
}

#[test]
fn a_module_takes_fewer_than_40_lines() {
    let (_, module) = blocks()[0];
    assert!((20..40).contains(&code(module).len()), "{} lines", code(module).len());
}

#[test]
fn paths_in_documents_exist() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let documents = [
        "README.md",
        "CONTRIBUTING.md",
        "docs/architecture.md",
        "docs/differences.md",
        "docs/tutorials/cartpole.md",
        "docs/tutorials/modules.md",
    ];
    let mut paths = 0;
    for document in documents {
        let text = std::fs::read_to_string(root.join(document)).unwrap();
        for quoted in text.split('`').skip(1).step_by(2) {
            let inside = ["spark-macros/", "spark-compiler/", "spark-runtime/", "src/", "tests/", "docs/", "examples/"];
            if inside.iter().any(|folder| quoted.starts_with(folder)) && !quoted.contains([' ', '*', '\n']) {
                assert!(root.join(quoted).exists(), "{document}: {quoted}");
                paths += 1;
            }
        }
    }
    assert!(paths > 50, "{paths}");
}

#[test]
fn the_readme_lists_every_module_and_neuron() {
    let readme = include_str!("../README.md");
    let registry = Registry::global().unwrap();
    let modules = registry.modules.iter().filter(|m| !m.category.starts_with("Tutorial")).map(|m| m.name);
    for name in modules.chain(registry.neurons.iter().map(|n| n.name)) {
        assert!(readme.contains(&format!("| `{name}` |")), "README lacks {name}");
    }
}
