//! Objects put to work: linked with a driver in C, run, and what comes out read as the header and the JSON file say.

use serde_json::Value;
use spark::aot::{Object, Port, Target, write};
use spark::model::Model;
use spark::prelude::*;
use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A machine to run objects on: this one, or one that is emulated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine {
    pub(crate) triple: &'static str,
    pub(crate) cpu: &'static str,
    compiler: &'static str,
    /// Runs programs for the machine; nothing on this one.
    emulator: &'static [&'static str],
}

/// This machine, with instruction sets that may be relied on.
pub(crate) const fn here(cpu: &'static str) -> Machine {
    Machine { triple: "", cpu, compiler: "cc", emulator: &[] }
}

pub(crate) const AARCH64: Machine = Machine {
    triple: "aarch64-unknown-linux-gnu",
    cpu: "",
    compiler: "aarch64-linux-gnu-gcc",
    emulator: &["qemu-aarch64-static"],
};

pub(crate) const RISCV64: Machine = Machine {
    triple: "riscv64gc-unknown-linux-gnu",
    cpu: "",
    compiler: "riscv64-linux-gnu-gcc",
    emulator: &["qemu-riscv64-static", "-cpu", "rv64,v=false"],
};

pub(crate) const RISCV64_VECTORS: Machine =
    Machine { cpu: "v", emulator: &["qemu-riscv64-static", "-cpu", "rv64,v=true,vlen=128"], ..RISCV64 };

impl Machine {
    pub(crate) fn target(self) -> Target {
        let target = match (self.triple, self.cpu) {
            ("", "native") => Target::host(true),
            ("", cpu) => Target::new(&Target::host(false).unwrap().triple(), cpu),
            (triple, cpu) => Target::new(triple, cpu),
        };
        target.unwrap_or_else(|e| panic!("{self:?}: {e}"))
    }

    /// True if programs for the machine can be made and run; says so if not.
    pub(crate) fn is_there(self) -> bool {
        let found = |program: &str| Command::new(program).arg("--version").output().is_ok();
        let missing = [Some(&self.compiler), self.emulator.first()].into_iter().flatten().find(|name| !found(name));
        if let Some(missing) = missing {
            crate::support::row(format!("SKIPPED, not passed: {} needs {missing}; see .ci/emulators", self.triple));
        }
        missing.is_none()
    }
}

/// An object as a program that steps it.
pub(crate) struct Program {
    folder: tempfile::TempDir,
    path: PathBuf,
    machine: Machine,
    pub(crate) manifest: Value,
}

impl Program {
    pub(crate) fn new(object: &Object, machine: Machine) -> Program {
        let folder = tempfile::tempdir().unwrap();
        write(object, folder.path()).unwrap();
        let name = object.name();
        let path = folder.path().join("driver");
        compile(machine.compiler, folder.path(), |command| {
            command.arg(format!("-DMODEL={name}")).arg(format!("-DMODEL_HEADER=\"{name}.h\""));
            command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/aot/driver.c"));
            command.arg(format!("{name}.o")).arg("-static").arg("-o").arg(&path);
        });
        let manifest = std::fs::read_to_string(folder.path().join(format!("{name}.json"))).unwrap();
        Program { folder, path, machine, manifest: serde_json::from_str(&manifest).unwrap() }
    }

    /// Runs the program: the structures of outputs, one after another, and the block.
    pub(crate) fn run(&self, inputs: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
        self.run_from(None, inputs)
    }

    /// Runs the program from a state of the block.
    pub(crate) fn run_from(&self, state: Option<&[u8]>, inputs: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
        let mut command = match self.machine.emulator {
            [] => Command::new(&self.path),
            [emulator, arguments @ ..] => {
                let mut command = Command::new(emulator);
                command.args(arguments).arg(&self.path);
                command
            }
        };
        if let Some(state) = state {
            let file = self.folder.path().join("state");
            std::fs::write(&file, state).unwrap();
            command.arg(file);
        }
        // Files, because both ends of two pipes would wait for each other.
        let file = self.folder.path().join("inputs");
        std::fs::File::create(&file).unwrap().write_all(&inputs).unwrap();
        command.stdin(std::fs::File::open(&file).unwrap()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        assert!(output.status.success(), "{:?}: {}", output.status, String::from_utf8_lossy(&output.stderr));
        let mut outputs = output.stdout;
        let block = outputs.split_off(outputs.len() - bytes(&self.manifest, "state"));
        (outputs, block)
    }
}

/// Runs a C compiler strictly.
#[track_caller]
pub(crate) fn compile(compiler: &str, folder: &Path, arguments: impl FnOnce(&mut Command)) {
    let mut command = Command::new(compiler);
    command.current_dir(folder).args(["-std=c11", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I."]);
    arguments(&mut command);
    let output = command.output().unwrap_or_else(|e| panic!("{compiler}: {e}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A size of the manifest.
pub(crate) fn bytes(manifest: &Value, of: &str) -> usize {
    manifest["bytes"][of].as_u64().unwrap() as usize
}

/// Elements as C has them.
pub(crate) fn host_bytes(data: &Data) -> Vec<u8> {
    match data {
        Data::F16(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Data::BF16(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Data::F32(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Data::F64(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Data::U8(v) => v.clone(),
        Data::U16(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Data::I32(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Data::Bool(v) => v.iter().map(|&x| u8::from(x)).collect(),
    }
}

/// A structure with these arrays.
pub(crate) fn structure(size: usize, ports: &[Port], array: impl Fn(usize, &Port) -> Data) -> Vec<u8> {
    let mut out = vec![0; size];
    for (n, port) in ports.iter().enumerate() {
        let data = host_bytes(&array(n, port).convert(port.dtype));
        out[port.offset..port.offset + data.len()].copy_from_slice(&data);
    }
    out
}

/// The structure of inputs of a step.
pub(crate) fn inputs_of(object: &Object, size: usize, inputs: &[(&str, HostPayload)]) -> Vec<u8> {
    let inputs: HashMap<&str, &HostPayload> = inputs.iter().map(|(name, payload)| (*name, payload)).collect();
    structure(size, &object.layout().inputs, |_, port| match port.name.strip_suffix(".inhibition_mask") {
        Some(name) => inputs[name].inhibition_mask().map_or(Data::zeros(port.dtype, port.len()), |m| m.data().clone()),
        None => inputs[port.name.as_str()].value().data().clone(),
    })
}

/// The structure of outputs that the model in memory gave.
pub(crate) fn outputs_of(object: &Object, size: usize, model: &Model) -> Vec<u8> {
    let instance = model.instance().unwrap();
    structure(size, &object.layout().outputs, |n, _| instance.output(n).data().clone())
}

/// Bytes of the elements of an array of the block, row-major, as the manifest says: truth values one byte each.
pub(crate) fn array_of(block: &[u8], array: &Value, row: usize) -> Vec<u8> {
    let number = |value: &Value| value.as_u64().unwrap() as usize;
    let list = |name: &str| array[name].as_array().unwrap().iter().map(number).collect::<Vec<_>>();
    let (dims, strides, dtype) = (list("dims"), list("strides"), array["dtype"].as_str().unwrap());
    let start = number(&array["offset"]) + row * array.get("row_bytes").map_or(0, number);
    let size = DType::parse(dtype).unwrap().bits() / 8;
    let mut out = Vec::new();
    for index in 0..dims.iter().product() {
        let (mut rest, mut at) = (index, 0);
        for (dim, stride) in dims.iter().zip(&strides).rev() {
            at += rest % dim * stride;
            rest /= dim;
        }
        match size {
            0 => out.push(block[start + at / 8] >> (at % 8) & 1),
            _ => out.extend(&block[start + at * size..][..size]),
        }
    }
    out
}

static OBJECTS: AtomicUsize = AtomicUsize::new(0);

/// Compiles the model as it is, runs `steps` steps in both and compares every output and, at the end, every state, bit for
/// bit.
#[track_caller]
pub(crate) fn compare(
    what: &str,
    model: &mut Model,
    machine: Machine,
    steps: usize,
    inputs: &dyn Fn(usize) -> Vec<(&'static str, HostPayload)>,
) -> Object {
    let name = format!("model_{}", OBJECTS.fetch_add(1, Ordering::Relaxed));
    let object = model.object(&name, &machine.target()).unwrap_or_else(|e| panic!("{what}: {e}"));
    let program = Program::new(&object, machine);
    let (input_size, output_size) = (bytes(&program.manifest, "inputs"), bytes(&program.manifest, "outputs"));
    let (mut fed, mut expected) = (Vec::new(), Vec::new());
    for t in 0..steps {
        let given = inputs(t);
        fed.extend(inputs_of(&object, input_size, &given));
        model.step(&given).unwrap_or_else(|e| panic!("{what}, step {t}: {e}"));
        expected.push(outputs_of(&object, output_size, model));
    }
    let (found, block) = program.run(fed);
    for (t, (found, expected)) in found.chunks(output_size).zip(&expected).enumerate() {
        let wrong = found.iter().zip(expected).position(|(a, b)| a != b);
        assert!(wrong.is_none(), "{what} on {machine:?}: byte {wrong:?} of the outputs of step {t} differs");
    }
    assert_eq!(found.len(), output_size * steps, "{what}");
    compare_block(what, model, &program.manifest, &block);
    let sizes = object.sizes();
    crate::support::row(format!(
        "{what:<28} {:<40} equal over {steps} steps; {:>6} code, {:>7} data, {:>4} stack, {:>7} memory",
        machine.target().to_string().chars().take(40).collect::<String>(),
        sizes.code,
        sizes.data,
        sizes.stack,
        sizes.block
    ));
    object
}

/// Compares everything that is remembered.
#[track_caller]
pub(crate) fn compare_block(what: &str, model: &Model, manifest: &Value, block: &[u8]) {
    let instance = model.instance().unwrap();
    for array in manifest["states"].as_array().unwrap() {
        let name = array["name"].as_str().unwrap();
        let expected = match array["declared"]["kept"].as_str() {
            // Flushed, it is as of now.
            Some("decayed") => instance.state(name),
            Some("added") => continue,
            _ => instance.kept(name),
        };
        let expected = host_bytes(expected.unwrap_or_else(|| panic!("{what}: {name}")).data());
        assert!(array_of(block, array, 0) == expected, "{what}: the state {name} differs");
    }
    for array in manifest["histories"].as_array().unwrap() {
        let name = array["name"].as_str().unwrap();
        let [rows, steps] = ["rows", "steps"].map(|key| array[key].as_u64().unwrap() as usize);
        let at = array["position"].as_u64().unwrap() as usize;
        let position = i32::from_le_bytes(block[at..at + 4].try_into().unwrap()) as usize;
        let past = (1..steps).flat_map(|ago| array_of(block, array, (position + rows - ago) % rows));
        let expected = host_bytes(&instance.past(name).unwrap());
        assert!(past.collect::<Vec<u8>>() == expected, "{what}: the history {name} differs");
    }
    assert!(!manifest["states"].as_array().unwrap().is_empty(), "{what} remembers nothing");
}
