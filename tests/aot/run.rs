//! Objects put to work: linked with a driver in C, run, and what comes out read as the header and the JSON file say.

use crate::models::Inputs;
use serde_json::Value;
use spark::aot::{Object, Port, Sizes, Target, write};
use spark::model::{Model, Outputs};
use spark::prelude::*;
use spark_compiler::passes::View;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// Steps that are compared.
pub(crate) const STEPS: usize = 1000;

/// Steps from one look at what a model remembers to the next: no divisor of any period of the models.
const BLOCK_EVERY: usize = 293;

/// What a model was given and gave, step by step, and what it remembered every [`BLOCK_EVERY`] steps and in the end.
pub(crate) struct Trace {
    given: Vec<Vec<(&'static str, HostPayload)>>,
    outputs: Vec<Outputs>,
    states: Vec<Vec<(String, Array)>>,
}

impl Trace {
    /// Runs the model over [`STEPS`] steps.
    pub(crate) fn of(model: &mut Model, inputs: &Inputs) -> Trace {
        let mut trace = Trace { given: (0..STEPS).map(inputs).collect(), outputs: Vec::new(), states: Vec::new() };
        for (t, given) in trace.given.iter().enumerate() {
            trace.outputs.push(model.step(given).unwrap_or_else(|e| panic!("step {t}: {e}")));
            if is_looked_at(t + 1, STEPS) {
                let state = |path: String| (path.clone(), model.state(&path).unwrap());
                trace.states.push(model.states().into_iter().map(state).collect());
                settle(model);
            }
        }
        trace
    }
}

/// Brings what decays up to date, as `NAME_flush` does in the program: its powers are rounded then.
fn settle(model: &mut Model) {
    let decayed = |path: &String| {
        let view = model.instance().and_then(|instance| instance.view(path));
        view.is_some_and(|view| matches!(view.view, View::Decayed { .. }))
    };
    for path in model.states().into_iter().filter(decayed).collect::<Vec<_>>() {
        let value = model.state(&path).unwrap();
        model.set_state(&path, &value).unwrap();
    }
}

/// An object as a program that steps it.
pub(crate) struct Program {
    folder: tempfile::TempDir,
    path: PathBuf,
    machine: Machine,
    pub(crate) object: Object,
    pub(crate) manifest: Value,
}

impl Program {
    /// Of the model in the state that it has now.
    #[track_caller]
    pub(crate) fn new(model: &Model, machine: Machine) -> Program {
        let object = model.object("brain", &machine.target()).unwrap_or_else(|e| panic!("{machine:?}: {e}"));
        let folder = tempfile::tempdir().unwrap();
        write(&object, folder.path()).unwrap();
        let path = folder.path().join("driver");
        compile(machine.compiler, folder.path(), |command| {
            command.args(["-DMODEL=brain", "-DMODEL_HEADER=\"brain.h\""]).arg(format!("-DBLOCK_EVERY={BLOCK_EVERY}"));
            command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/aot/driver.c"));
            command.args(["brain.o", "-static", "-o"]).arg(&path);
        });
        let manifest = std::fs::read_to_string(folder.path().join("brain.json")).unwrap();
        Program { folder, path, machine, object, manifest: serde_json::from_str(&manifest).unwrap() }
    }

    /// Runs the program, from a state of the block if there is one: the structures of outputs, and what the block held every
    /// [`BLOCK_EVERY`] steps and in the end.
    #[track_caller]
    pub(crate) fn run(&self, state: Option<&[u8]>, inputs: &[Vec<u8>]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
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
        // A file, because both ends of two pipes would wait for each other.
        let file = self.folder.path().join("inputs");
        std::fs::write(&file, inputs.concat()).unwrap();
        let output = command.stdin(std::fs::File::open(&file).unwrap()).output().unwrap();
        assert!(output.status.success(), "{:?}: {}", output.status, String::from_utf8_lossy(&output.stderr));
        let (mut outputs, mut blocks, mut rest) = (Vec::new(), Vec::new(), &output.stdout[..]);
        let take = |rest: &mut &[u8], of: &str| rest.split_off(..bytes(&self.manifest, of)).unwrap().to_vec();
        for t in 1..=inputs.len() {
            outputs.push(take(&mut rest, "outputs"));
            if is_looked_at(t, inputs.len()) {
                blocks.push(take(&mut rest, "state"));
            }
        }
        assert!(rest.is_empty(), "{} bytes too many", rest.len());
        (outputs, blocks)
    }

    /// Runs the program with what a model was given, and compares, bit for bit, all that it then gave and remembered. What the
    /// blocks hold is read by `model`, the one that was compiled.
    #[track_caller]
    pub(crate) fn follow(&self, what: &str, trace: &Trace, model: &mut Model) {
        let inputs: Vec<_> = trace.given.iter().map(|given| self.inputs(given)).collect();
        let (outputs, blocks) = self.run(None, &inputs);
        for (t, (found, expected)) in outputs.iter().zip(&trace.outputs).enumerate() {
            let wrong = found.iter().zip(self.outputs(expected)).position(|(a, b)| *a != b);
            assert!(wrong.is_none(), "{what} on {:?}: byte {wrong:?} of the outputs of step {t} differs", self.machine);
        }
        assert_eq!((outputs.len(), blocks.len()), (trace.outputs.len(), trace.states.len()), "{what}");
        for (n, (block, states)) in blocks.iter().zip(&trace.states).enumerate() {
            model.load_block(&self.object, block).unwrap();
            // The evaluator knows also those that passes keep in a form that does not tell their elements.
            let known = model.states();
            for (path, expected) in states.iter().filter(|(path, _)| known.contains(path)) {
                let same = host_bytes(model.state(path).unwrap().data()) == host_bytes(expected.data());
                assert!(same, "{what} on {:?}: the state {path} differs, look {n}", self.machine);
            }
        }
        let Sizes { code, data, stack, block } = self.object.sizes();
        let target: String = self.object.target().chars().take(40).collect();
        let states = trace.states[0].len();
        crate::support::row(format!(
            "{what:<32} {target:<40} equal, {states:>3} states; {code:>6} code, {data:>7} data, {stack:>4} stack, {block:>7} memory",
        ));
    }

    /// The structure of inputs of a step.
    pub(crate) fn inputs(&self, given: &[(&str, HostPayload)]) -> Vec<u8> {
        let given: HashMap<&str, &HostPayload> = given.iter().map(|(name, payload)| (*name, payload)).collect();
        structure(bytes(&self.manifest, "inputs"), &self.object.layout().inputs, |name| given[name])
    }

    /// The structure of outputs with what a step of a model gave.
    pub(crate) fn outputs(&self, given: &Outputs) -> Vec<u8> {
        structure(bytes(&self.manifest, "outputs"), &self.object.layout().outputs, |name| given.get(name).unwrap())
    }
}

/// True if blocks are compared after `t` of `steps` steps.
fn is_looked_at(t: usize, steps: usize) -> bool {
    t == steps || t.is_multiple_of(BLOCK_EVERY)
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

/// A structure with the arrays of these ports.
fn structure<'a>(size: usize, ports: &[Port], payload: impl Fn(&str) -> &'a HostPayload) -> Vec<u8> {
    let mut out = vec![0; size];
    for port in ports {
        let data = match port.name.strip_suffix(".inhibition_mask") {
            Some(name) => payload(name).inhibition_mask().map(Array::data),
            None => Some(payload(&port.name).value().data()),
        };
        let data = data.map_or(Data::zeros(port.dtype, port.len()), |data| data.convert(port.dtype));
        let data = host_bytes(&data);
        out[port.offset..port.offset + data.len()].copy_from_slice(&data);
    }
    out
}

/// Bytes of the elements of an array of the block, row-major, as the manifest says: truth values one byte each.
pub(crate) fn array_of(block: &[u8], array: &Value, row: usize) -> Vec<u8> {
    let number = |value: &Value| value.as_u64().unwrap() as usize;
    let list = |name: &str| array[name].as_array().unwrap().iter().map(number).collect::<Vec<_>>();
    let (dims, dtype) = (list("dims"), array["dtype"].as_str().unwrap());
    let (strides, elements) = match array.get("strides") {
        Some(_) => (list("strides"), Vec::new()),
        None => {
            let elements = array["elements"].as_str().unwrap();
            (Vec::new(), elements.split(' ').map(|element| element.parse().unwrap()).collect())
        }
    };
    let start = number(&array["offset"]) + row * array.get("row_bytes").map_or(0, number);
    let size = DType::parse(dtype).unwrap().bits() / 8;
    let mut out = Vec::new();
    for index in 0..dims.iter().product() {
        let (mut rest, mut at) = (index, 0);
        for (dim, stride) in dims.iter().zip(&strides).rev() {
            at += rest % dim * stride;
            rest /= dim;
        }
        if let Some(&element) = elements.get(index) {
            at = element;
        }
        match size {
            0 => out.push(block[start + at / 8] >> (at % 8) & 1),
            _ => out.extend(&block[start + at * size..][..size]),
        }
    }
    out
}

/// Compiles the model as it is, runs it in memory and on the machines, and compares all that each gives and remembers.
#[track_caller]
pub(crate) fn compare(what: &str, model: &mut Model, machines: &[Machine], inputs: &Inputs) {
    let programs: Vec<Program> = machines.iter().map(|&machine| Program::new(model, machine)).collect();
    let trace = Trace::of(model, inputs);
    programs.iter().for_each(|program| program.follow(what, &trace, model));
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
        let kept = instance.past_steps(name).unwrap();
        assert!(kept == steps || kept + 1 == steps, "{what}: {name}");
        let past = (1..=kept).flat_map(|ago| array_of(block, array, (position + rows - ago) % rows));
        let expected = host_bytes(&instance.past(name).unwrap());
        assert!(past.collect::<Vec<u8>>() == expected, "{what}: the history {name} differs");
    }
}
