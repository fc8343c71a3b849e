//! What is in object files, and what is refused.

use crate::models::{self, Case};
use crate::run::{Program, array_of, here, host_bytes};
use object::read::{Object as _, ObjectSection as _, ObjectSymbol as _};
use object::{Architecture, BinaryFormat, RelocationFlags, RelocationTarget, SectionFlags};
use spark::aot::{Object, Target};
use spark::model::Outputs;
use spark::prelude::*;
use std::collections::HashSet;
use std::path::Path;
use std::process::Command;

fn brain() -> Model {
    models::cartpole().0.build().unwrap()
}

/// Targets; what their object files are, and what a linker takes to make a library of one.
const TARGETS: [(&str, &str, BinaryFormat, Architecture, &[&str]); 9] = [
    ("x86_64-unknown-linux-gnu", "", BinaryFormat::Elf, Architecture::X86_64, &["gnu", "-melf_x86_64"]),
    ("x86_64-unknown-linux-gnu", "x86-64-v3", BinaryFormat::Elf, Architecture::X86_64, &["gnu", "-melf_x86_64"]),
    ("x86_64-apple-darwin", "", BinaryFormat::MachO, Architecture::X86_64, &["darwin", "-arch", "x86_64"]),
    ("x86_64-pc-windows-msvc", "x86-64-v3", BinaryFormat::Coff, Architecture::X86_64, &["link"]),
    ("aarch64-unknown-linux-gnu", "", BinaryFormat::Elf, Architecture::Aarch64, &["gnu", "-maarch64linux"]),
    ("aarch64-unknown-none", "", BinaryFormat::Elf, Architecture::Aarch64, &["gnu", "-maarch64elf"]),
    ("aarch64-apple-darwin", "", BinaryFormat::MachO, Architecture::Aarch64, &["darwin", "-arch", "arm64"]),
    ("riscv64gc-unknown-none-elf", "", BinaryFormat::Elf, Architecture::Riscv64, &["gnu", "-melf64lriscv"]),
    ("riscv64gc-unknown-linux-gnu", "v,zba,zbb", BinaryFormat::Elf, Architecture::Riscv64, &["gnu", "-melf64lriscv"]),
];

/// True for a reference from code to something in the object that holds wherever the object is: relative to the code.
fn is_relative(architecture: Architecture, flags: RelocationFlags) -> bool {
    use object::{elf, macho, pe};
    match (flags, architecture) {
        (RelocationFlags::Elf { r_type }, Architecture::X86_64) => r_type == elf::R_X86_64_PLT32,
        (RelocationFlags::Elf { r_type }, Architecture::Aarch64) => {
            // The last one is the offset in a page of 4 KiB, which stays.
            [elf::R_AARCH64_CALL26, elf::R_AARCH64_ADR_PREL_PG_HI21, elf::R_AARCH64_ADD_ABS_LO12_NC].contains(&r_type)
        }
        (RelocationFlags::Elf { r_type }, Architecture::Riscv64) => {
            [elf::R_RISCV_CALL_PLT, elf::R_RISCV_PCREL_HI20, elf::R_RISCV_PCREL_LO12_I].contains(&r_type)
        }
        (RelocationFlags::MachO { r_type, r_pcrel, .. }, Architecture::X86_64) => {
            r_pcrel && [macho::X86_64_RELOC_BRANCH, macho::X86_64_RELOC_GOT].contains(&r_type)
        }
        (RelocationFlags::MachO { r_type, .. }, _) => {
            [macho::ARM64_RELOC_BRANCH26, macho::ARM64_RELOC_PAGE21, macho::ARM64_RELOC_PAGEOFF12].contains(&r_type)
        }
        (RelocationFlags::Coff { typ }, _) => typ == pe::IMAGE_REL_AMD64_REL32,
        _ => false,
    }
}

/// Whether what is in a section may be executed, and written, once it is loaded; `None` if it is not.
fn rights(section: &object::Section<'_, '_>) -> Option<(bool, bool)> {
    use object::{elf, pe};
    match section.flags() {
        SectionFlags::Elf { sh_flags } => {
            let has = |flag: u32| sh_flags & u64::from(flag) != 0;
            has(elf::SHF_ALLOC).then(|| (has(elf::SHF_EXECINSTR), has(elf::SHF_WRITE)))
        }
        SectionFlags::Coff { characteristics } => {
            let has = |flag: u32| characteristics & flag != 0;
            (!has(pe::IMAGE_SCN_LNK_REMOVE)).then(|| (has(pe::IMAGE_SCN_MEM_EXECUTE), has(pe::IMAGE_SCN_MEM_WRITE)))
        }
        SectionFlags::MachO { .. } => {
            let name = section.name().unwrap();
            Some((name == "__text", section.segment_name().unwrap() != Some("__TEXT")))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn objects_of_every_format_need_nothing_and_cannot_be_written() {
    let brain = brain();
    let folder = tempfile::tempdir().unwrap();
    for (triple, cpu, format, architecture, linker) in TARGETS {
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
        let mut names = HashSet::new();
        for section in file.sections() {
            assert!(names.insert(section.name().unwrap().to_string()), "{triple}: {section:?} twice");
            let rights = rights(&section);
            assert!(rights.is_none_or(|(_, written)| !written), "{triple}: {section:?}");
            for (at, relocation) in section.relocations() {
                assert!(rights.is_some_and(|(executed, _)| executed), "{triple}: {section:?} refers to something");
                assert!(is_relative(architecture, relocation.flags()), "{triple}: {at:#x} {relocation:?}");
                let defined = match relocation.target() {
                    RelocationTarget::Symbol(symbol) => file.symbol_by_index(symbol).unwrap().section_index().is_some(),
                    target => matches!(target, RelocationTarget::Section(_)),
                };
                assert!(defined, "{triple}: {at:#x} {relocation:?}");
            }
        }
        let sizes = made.sizes();
        crate::support::row(format!("{:<44} {sizes:?}", made.target().chars().take(44).collect::<String>()));
        assert!(sizes.code < 256 << 10 && sizes.stack < 16 << 10, "{triple}: {sizes:?}");
        let path = folder.path().join("brain.o");
        std::fs::write(&path, made.bytes()).unwrap();
        link(&path, linker);
    }
}

/// Links an object alone to a library, which has to be position-independent.
#[track_caller]
fn link(object: &Path, flavor: &[&str]) {
    let rustc = std::env::var_os("RUSTC").unwrap_or("rustc".into());
    let sysroot = String::from_utf8(Command::new(rustc).args(["--print", "sysroot"]).output().unwrap().stdout).unwrap();
    let host = Target::host(false).unwrap().triple();
    let linker = Path::new(sysroot.trim()).join("lib/rustlib").join(host).join("bin/rust-lld");
    let made = object.with_file_name("library");
    let mut command = Command::new(&linker);
    command.arg("-flavor").args(flavor).arg(object);
    match flavor[0] {
        "gnu" => command.args(["-shared", "-ztext", "--no-undefined", "--fatal-warnings", "-o"]).arg(&made),
        "darwin" => command.args(["-dylib", "-platform_version", "macos", "11.0", "11.0", "-o"]).arg(&made),
        _ => command
            .args(["/dll", "/noentry", "/nodefaultlib", "/export:brain_step"])
            .arg(format!("/out:{}", made.display())),
    };
    let Ok(output) = command.output() else {
        return crate::support::row(format!("SKIPPED, not passed: there is no {}", linker.display()));
    };
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    let bytes = std::fs::read(&made).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    // What the loader would have to change; Mach-O keeps that elsewhere.
    let changed = file.dynamic_relocations().into_iter().flatten().count();
    assert!(changed == 0 && file.section_by_name(".reloc").is_none(), "{command:?}: {changed}");
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
    let named = |input: &str| {
        let soma = ModuleSpecs::new("soma", "LeakySoma").config(&LeakySomaConfig::default()).output("spikes", "spikes");
        let soma = soma.input("current", PortMap::output(PortMap::CALL, input));
        Model::component(NeuronConfig::new([2], vec![soma])).input(input, [2]).build().unwrap()
    };
    let other = hash(&crate::brain::build(2).unwrap(), "");
    let [left, right] = ["left", "right"].map(|name| hash(&named(name), ""));
    let hashes = [fresh, hash(&one, ""), hash(&one, "x86-64-v3"), other, left, right];
    for (i, hash) in hashes.iter().enumerate() {
        assert!(hash.len() == 64 && !hashes[..i].contains(hash), "{hashes:?}");
    }
}

/// A step of the kernel in memory with any inputs, which the model would refuse.
fn step(model: &mut Model, inputs: &[(&'static str, HostPayload)], object: &Object) -> Outputs {
    let instance = model.instance_mut().unwrap();
    for (n, port) in object.layout().inputs.iter().enumerate() {
        let (_, payload) = inputs.iter().find(|(name, _)| *name == port.name).unwrap();
        instance.set_input(n, payload.value().data()).unwrap();
    }
    model.advance().unwrap()
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
    let cases: [Case; 2] = [("mutual_lif", || models::golden("brain/mutual_lif.f32")), ("cartpole", models::cartpole)];
    for (what, case) in cases {
        for wild in [0, 1, 7] {
            let (builder, inputs) = case();
            let mut model = builder.build().unwrap();
            relied += usize::from(model.lowered().unwrap().dense.is_some());
            let program = Program::new(&model, here("native"));
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
                fed.push(program.inputs(&given));
                expected.push(program.outputs(&step(&mut model, &given, &program.object)));
            }
            let (found, blocks) = program.run(None, &fed);
            for (t, (found, expected)) in found.iter().zip(&expected).enumerate() {
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
                assert!(alike(kept.dtype(), &array_of(&blocks[0], array, 0), &expected), "{what}, {wild}: {name}");
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
    refused("x86_64-unknown-uefi", "", "a calling convention of its own");
    refused("aarch64-pc-windows-msvc", "", "COFF object files, which can be written for x86_64 only");
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
fn instruction_sets_bring_what_they_build_on() {
    let model = models::golden("neuron/lif.f32").0.build().unwrap();
    let code = |cpu| model.object("lif", &Target::new("x86_64-unknown-linux-gnu", cpu).unwrap()).unwrap().sizes().code;
    let (none, all) = (code(""), code("sse3,ssse3,sse4.1,sse4.2,avx,avx2,fma"));
    assert!(code("avx2,fma") == all && all < none, "{none}, {all}, {}", code("avx2,fma"));
}

#[test]
fn what_the_target_cannot_do_is_said() {
    let build = |contract| models::golden("neuron/adex.f32").0.dtype(DType::F64).contract(contract).build().unwrap();
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
    // A name that the system refuses, after it took another.
    let files = ["first".to_string(), "x".repeat(300)].map(|name| (name, vec![0]));
    spark::atomic::write_all(folder.path(), &files).unwrap_err();
    assert_eq!(names(), ["brain.h", "brain.json", "brain.o", "brain.rs"]);
}

/// Files of two states of one model: nothing but the hash tells them apart.
#[test]
fn an_object_with_the_texts_of_another_is_found_out() {
    const IN_C: &str = "
        #include \"soma.h\"
        #include <string.h>
        int main(void) { return strcmp(soma_hash, SOMA_HASH) ? 7 : 0; }";
    const IN_RUST: &str = "
        mod soma { include!(concat!(env!(\"OUT_DIR\"), \"/soma.rs\")); }
        fn main() { std::process::exit(if soma::Model::linked_hash() == soma::HASH { 0 } else { 7 }) }";
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let mut model = Model::component(LeakySomaConfig::default()).input("current", [3]).build().unwrap();
    let object = |model: &Model| model.object("soma", &Target::host(false).unwrap()).unwrap();
    let first = object(&model);
    model.run(3, &[("current", vec![100.0f32; 3].into())]).unwrap();
    std::fs::write(here.join("main.c"), IN_C).unwrap();
    std::fs::write(here.join("main.rs"), IN_RUST).unwrap();
    spark::aot::write(&object(&model), here).unwrap();
    for (what, expected) in [("its own", 0), ("another", 7)] {
        crate::run::compile("cc", here, |command| {
            command.args(["main.c", "soma.o", "-o", "in_c"]);
        });
        let in_rust = crate::embedded::rustc(here, Path::new("main.rs"), "-D warnings -C link-arg=soma.o");
        for program in [here.join("in_c"), in_rust] {
            assert_eq!(Command::new(&program).status().unwrap().code(), Some(expected), "{what}: {program:?}");
        }
        std::fs::write(here.join("soma.o"), first.bytes()).unwrap();
    }
}
