//! Objects of single programs, called from C.

use super::{Parts, compile};
use crate::aot::{Layout, Target};
use crate::ir::{Array, BinaryOp, DType, Data, Elem, Literal, Location, Shape};
use crate::loops::{Buffer, BufferId, Inst, Lowered, Nest, Role, Typed, Val};
use crate::memory::Memory;
use std::path::Path;
use std::process::Command;

/// `out = in / 4`, of one number.
fn quarter() -> Lowered {
    let buffer = |name: &str, role| Buffer::new(name, role, DType::F32, Shape::scalar());
    let state = Role::State(Array::new(Shape::scalar(), Data::F32(vec![1.0])).unwrap());
    let typed = |inst| Typed { inst, elem: Elem::F32, location: Location::UNKNOWN };
    let insts = vec![
        typed(Inst::Load { buffer: BufferId(0), map: vec![] }),
        typed(Inst::Literal(Literal::F32(0.25))),
        typed(Inst::Binary(BinaryOp::Mul, Val(0), Val(1))),
        typed(Inst::Store { buffer: BufferId(1), map: vec![], value: Val(2) }),
    ];
    Lowered {
        name: "quarter".into(),
        buffers: vec![buffer("x", Role::Input), buffer("y", Role::Output), buffer("unused", state)],
        nests: vec![Nest { insts, ..Nest::default() }],
        ..Lowered::default()
    }
}

fn object(target: &Target, flush: bool) -> Vec<u8> {
    let lowered = quarter();
    let (layout, memory) = (Layout::new(&lowered), Memory::new(&lowered).unwrap());
    let parts = Parts {
        name: "quarter",
        lowered: &lowered,
        layout: &layout,
        memory: &memory,
        image: &[],
        ranges: &[],
        flush,
        target: "",
        names: Vec::new(),
    };
    compile(&parts, target.isa()).unwrap().bytes
}

/// Prints the results of two inputs, and whether subnormal numbers are still there afterwards.
const DRIVER: &str = r#"
#include <stdio.h>
#include <stdlib.h>
void *quarter_init(void *memory, size_t size);
void quarter_step(void *block, const float *input, float *output);
int main(void) {
    void *block = quarter_init(aligned_alloc(64, 1 << 16), 1 << 16);
    float least = 1.17549435e-38f, subnormal = 1e-40f, one = 1, result;
    quarter_step(block, &least, &result);
    printf("%d", result != 0);
    quarter_step(block, &subnormal, &result);
    printf("%d", result != 0);
    quarter_step(block, &one, &result);
    volatile float after = least;
    after *= 0.5f;
    printf("%d%d\n", result == 0.25f, after != 0);
    return 0;
}"#;

fn run(folder: &Path, target: &Target, flush: bool, compiler: &str, emulator: &[&str]) -> Option<String> {
    std::fs::write(folder.join("quarter.o"), object(target, flush)).unwrap();
    std::fs::write(folder.join("main.c"), DRIVER).unwrap();
    let arguments = ["-O1", "-static", "main.c", "quarter.o", "-o", "main"];
    let Ok(made) = Command::new(compiler).args(arguments).current_dir(folder).output() else {
        eprintln!("SKIPPED, not passed: there is no {compiler}");
        return None;
    };
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let command = [emulator, &["./main"]].concat();
    let Ok(output) = Command::new(command[0]).args(&command[1..]).current_dir(folder).output() else {
        eprintln!("SKIPPED, not passed: there is no {}", command[0]);
        return None;
    };
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[track_caller]
fn check(target: &Target, compiler: &str, emulator: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    for (flush, expected) in [(false, "1111\n"), (true, "0011\n")] {
        if let Some(found) = run(folder.path(), target, flush, compiler, emulator) {
            assert_eq!(found, expected, "{target}, {flush}");
        }
    }
}

#[test]
fn subnormal_numbers_are_zero_during_a_step_only() {
    check(&Target::host(false).unwrap(), "cc", &[]);
    let aarch64 = Target::new("aarch64-unknown-linux-gnu", "").unwrap();
    check(&aarch64, "aarch64-linux-gnu-gcc", &["qemu-aarch64-static"]);
}
