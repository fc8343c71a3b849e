//! What is in object files, and what is refused.

use crate::models::{self, Case};
use crate::run::{Program, array_of, bytes, here, host_bytes, inputs_of, outputs_of};
use object::read::{Object as _, ObjectSection as _, ObjectSymbol as _};
use object::{Architecture, BinaryFormat, RelocationTarget, SectionKind};
use spark::aot::{Object, Target};
use spark::prelude::*;
use std::process::Command;

fn brain() -> Model {
    models::cartpole().0.build().unwrap()
}

/// Targets, and what their object files are.
const TARGETS: [(&str, &str, BinaryFormat, Architecture); 9] = [
    ("x86_64-unknown-linux-gnu", "", BinaryFormat::Elf, Architecture::X86_64),
    ("x86_64-unknown-linux-gnu", "x86-64-v3", BinaryFormat::Elf, Architecture::X86_64),
    ("x86_64-apple-darwin", "", BinaryFormat::MachO, Architecture::X86_64),
    ("x86_64-pc-windows-msvc", "x86-64-v3", BinaryFormat::Coff, Architecture::X86_64),
    ("aarch64-unknown-linux-gnu", "", BinaryFormat::Elf, Architecture::Aarch64),
    ("aarch64-unknown-none", "", BinaryFormat::Elf, Architecture::Aarch64),
    ("aarch64-apple-darwin", "", BinaryFormat::MachO, Architecture::Aarch64),
    ("riscv64gc-unknown-none-elf", "", BinaryFormat::Elf, Architecture::Riscv64),
    ("riscv64gc-unknown-linux-gnu", "v,zba,zbb", BinaryFormat::Elf, Architecture::Riscv64),
];

#[test]
fn objects_of_every_format_need_nothing_and_cannot_be_written() {
    let brain = brain();
    for (triple, cpu, format, architecture) in TARGETS {
        let made = brain.object("brain", &Target::new(triple, cpu).unwrap()).unwrap();
        let file = object::File::parse(made.bytes()).unwrap_or_else(|e| panic!("{triple}: {e}"));
        assert_eq!((file.format(), file.architecture()), (format, architecture), "{triple}");
        let undefined: Vec<_> = file.symbols().filter(|s| s.is_undefined() && s.name() != Ok("")).collect();
        assert!(undefined.is_empty(), "{triple}: {undefined:?}");
        // Mach-O writes a `_` before every name of C.
        let mut global: Vec<&str> =
            file.symbols().filter(|s| s.is_global()).map(|s| s.name().unwrap().trim_start_matches('_')).collect();
        global.sort_unstable();
        let mut expected = made.symbols();
        expected.sort_unstable();
        assert_eq!(global, expected, "{triple}");
        for section in file.sections() {
            let writable = matches!(section.kind(), SectionKind::Data | SectionKind::UninitializedData);
            assert!(!writable || section.size() == 0, "{triple}: {section:?}");
            for (_, relocation) in section.relocations() {
                assert!(matches!(relocation.target(), RelocationTarget::Symbol(_) | RelocationTarget::Section(_)));
            }
        }
        let sizes = made.sizes();
        crate::support::row(format!("{:<44} {sizes:?}", made.manifest().lines().count().to_string() + " " + triple));
        assert!(sizes.code < 256 << 10 && sizes.stack < 16 << 10, "{triple}: {sizes:?}");
    }
}

#[test]
fn nm_finds_no_undefined_symbols() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("brain.o");
    std::fs::write(&path, brain().object("brain", &Target::host(false).unwrap()).unwrap().bytes()).unwrap();
    let output = Command::new("nm").arg(&path).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains(" T brain_step"), "{text}");
    assert!(!text.lines().any(|line| line.trim_start().starts_with("U ")), "{text}");
    assert!(!text.lines().any(|line| line.contains(" D ") || line.contains(" B ") || line.contains(" d ")), "{text}");
}

#[test]
fn equal_models_give_equal_bytes() {
    for (triple, cpu, ..) in TARGETS {
        let make = || brain().object("brain", &Target::new(triple, cpu).unwrap()).unwrap();
        let (one, other) = (make(), make());
        assert_eq!(one.bytes(), other.bytes(), "{triple}");
        assert_eq!((one.header(), one.wrapper()), (other.header(), other.wrapper()), "{triple}");
        assert_eq!((one.manifest(), one.archive()), (other.manifest(), other.archive()), "{triple}");
    }
}

#[test]
fn the_hash_tells_models_states_and_targets_apart() {
    let hash = |model: &Model, cpu| {
        model.object("brain", &Target::new("x86_64-unknown-linux-gnu", cpu).unwrap()).unwrap().hash().to_string()
    };
    let mut one = brain();
    let fresh = hash(&one, "");
    let (_, inputs) = models::cartpole();
    one.step(&inputs(0)).unwrap();
    let hashes = [fresh, hash(&one, ""), hash(&one, "x86-64-v3"), hash(&crate::brain::build(2).unwrap(), "")];
    for (i, hash) in hashes.iter().enumerate() {
        assert!(hash.len() == 64 && !hashes[..i].contains(hash), "{hashes:?}");
    }
}

/// A step of the kernel in memory with any inputs, which the model would refuse.
fn step(model: &mut Model, inputs: &[(&'static str, HostPayload)], object: &Object) {
    let instance = model.instance_mut().unwrap();
    for (n, port) in object.layout().inputs.iter().enumerate() {
        let (_, payload) = inputs.iter().find(|(name, _)| *name == port.name).unwrap();
        instance.set_input(n, payload.value().data()).unwrap();
    }
    instance.step();
}

/// True if all numbers are equal or both NaN.
fn alike(dtype: DType, a: &[u8], b: &[u8]) -> bool {
    let nan = |x: &[u8; 4]| f32::from_le_bytes(*x).is_nan();
    a.len() == b.len()
        && match dtype {
            DType::F32 => a.as_chunks().0.iter().zip(b.as_chunks().0).all(|(a, b)| a == b || nan(a) && nan(b)),
            _ => a == b,
        }
}

#[test]
fn any_inputs_are_safe() {
    const STEPS: usize = 120;
    let values = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, -f32::MAX, f32::MIN_POSITIVE, -0.0, 1e30, 0.5];
    let mut relied = 0;
    let cases: [Case; 2] = [("mutual_lif", || models::golden_brain("mutual_lif")), ("cartpole", models::cartpole)];
    for (what, case) in cases {
        for wild in [0, 1, 7] {
            let (builder, inputs) = case();
            let mut model = builder.build().unwrap();
            relied += usize::from(model.lowered().unwrap().dense.is_some());
            let machine = here("native");
            let object = model.object("wild", &machine.target()).unwrap();
            let program = Program::new(&object, machine);
            let (input_size, output_size) = (bytes(&program.manifest, "inputs"), bytes(&program.manifest, "outputs"));
            let (mut fed, mut expected) = (Vec::new(), Vec::new());
            for t in 0..STEPS {
                let mut given = inputs(t);
                // A while of ordinary inputs, a single wild step, ordinary ones, then wild ones every now and then.
                if t == 40 || t > 80 && t % 3 == 0 {
                    for (_, payload) in &mut given {
                        let array = payload.value();
                        let n = array.len();
                        let data = (0..n).map(|i| values[(wild + i * usize::from(wild == 7)) % values.len()]).collect();
                        *payload = HostPayload::new(Array::new(array.shape().clone(), Data::F32(data)).unwrap());
                    }
                }
                fed.extend(inputs_of(&object, input_size, &given));
                step(&mut model, &given, &object);
                expected.push(outputs_of(&object, output_size, &model));
            }
            let (found, block) = program.run(fed);
            for (t, (found, expected)) in found.chunks(output_size).zip(&expected).enumerate() {
                assert!(alike(DType::F32, found, expected), "{what}, {wild}: the outputs of step {t} differ");
            }
            for array in program.manifest["states"].as_array().unwrap() {
                let name = array["name"].as_str().unwrap();
                let instance = model.instance().unwrap();
                // Flushed, what decays is as of now.
                let kept = match array["declared"]["kept"].as_str() {
                    Some("decayed") => instance.state(name).unwrap(),
                    Some("added") => continue,
                    _ => instance.kept(name).unwrap(),
                };
                let expected = host_bytes(kept.data());
                assert!(alike(kept.dtype(), &array_of(&block, array, 0), &expected), "{what}, {wild}: {name}");
            }
        }
    }
    assert!(relied > 0, "no model relies on ranges");
}

#[track_caller]
fn refused(triple: &str, cpu: &str, expected: &str) {
    let error = spark::Error::from(Target::new(triple, cpu).unwrap_err()).to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn wrong_targets_and_names_are_refused() {
    refused("nonsense", "", "the target `nonsense` is not known");
    refused("thumbv7em-none-eabihf", "", "is not one of those that code can be generated for");
    refused("s390x-unknown-linux-gnu", "", "is not one of those that code can be generated for");
    refused("wasm32-unknown-unknown", "", "is not one of those that code can be generated for");
    refused("x86_64-unknown-linux-gnux32", "", "pointers of less than 64 bits");
    refused("riscv64imac-unknown-none-elf", "", "no floating-point registers");
    refused("x86_64-unknown-linux-gnu", "avx3", "x86_64 has no feature `avx3`; there are");
    refused("aarch64-unknown-linux-gnu", "x86-64-v3", "has no feature `x86-64-v3`");
    refused("riscv64gc-unknown-linux-gnu", "v,w", "has no feature `w`");

    let (model, host) = (brain(), Target::host(false).unwrap());
    for name in ["", "my brain", "2fast", "struct", "brain\0"] {
        let error = model.object(name, &host).unwrap_err().to_string();
        assert!(error.contains("cannot be the name of an object"), "{error}");
    }
    let eager = models::cartpole().0.eager(true).build().unwrap();
    assert!(eager.object("brain", &host).unwrap_err().to_string().contains("an eager model has no code"));
}

#[test]
fn what_the_target_cannot_do_is_said() {
    let build = |contract| models::neuron("adex.f32").0.dtype(DType::F64).contract(contract).build().unwrap();
    let old = Target::new("x86_64-unknown-linux-gnu", "").unwrap();
    let error = build(true).object("adex", &old).unwrap_err().to_string();
    assert!(error.contains("has no instruction for a multiplication and addition of float64"), "{error}");
    assert!(error.contains("contract"), "{error}");
    build(false).object("adex", &old).unwrap();
    build(true).object("adex", &Target::new("x86_64-unknown-linux-gnu", "x86-64-v3").unwrap()).unwrap();
}

#[test]
fn files_are_written_together_or_not_at_all() {
    let object = brain().object("brain", &Target::host(false).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let names = || {
        let mut names: Vec<String> =
            std::fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    // The last of the files cannot be written, for a folder has its name.
    std::fs::create_dir(folder.path().join("brain.json")).unwrap();
    let error = spark::aot::write(&object, folder.path()).unwrap_err().to_string();
    assert!(error.contains("cannot write the file") && error.contains("brain.json"), "{error}");
    assert_eq!(names(), ["brain.json"]);
    std::fs::remove_dir(folder.path().join("brain.json")).unwrap();
    spark::aot::write(&object, folder.path()).unwrap();
    assert_eq!(names(), ["brain.h", "brain.json", "brain.o", "brain.rs"]);
    assert!(spark::aot::write(&object, folder.path().join("missing")).is_err());
}
