//! Checkpoints (`.spark`): a model on disk, from which a run goes on with the same bits, on this machine or another.
//!
//! A checkpoint is a `tar` archive compressed with `gzip`. Its parts, in this order:
//!
//! | part | what |
//! |---|---|
//! | `manifest.json` | versions, number of steps, inputs, how numbers round; length and SHA-256 of every other part |
//! | `model.scfg` | the configuration |
//! | `neurons/NAME.scfg` | a neuron of the user's that the configuration names, one part each |
//! | `state.safetensors` | everything the model remembers ([`crate::state`]) |
//!
//! Writing is all or nothing ([`crate::atomic`]): a crash leaves the old checkpoint or the new one. Reading refuses a file of
//! which anything is damaged, missing, superfluous or in another place, and takes memory in proportion to the file, however
//! much it claims to hold. Inputs are not part of a checkpoint: give them again.
//!
//! ```
//! use spark::prelude::*;
//!
//! let folder = tempfile::tempdir().unwrap();
//! let path = folder.path().join("soma.spark");
//! let current = [("current", vec![300.0f32, 400.0].into())];
//!
//! let mut model = Model::component(LeakySomaConfig::default()).input("current", [2]).build()?;
//! model.run(100, &current)?;
//! model.save(&path)?;
//! model.run(100, &current)?;
//!
//! let mut resumed = Model::load(&path)?;
//! resumed.run(100, &current)?;
//! assert_eq!(resumed.save_state(), model.save_state());
//! # Ok::<(), spark::Error>(())
//! ```

mod archive;
mod manifest;
mod nesting;

use crate::config::ConfigTree;
use crate::error::{Error, Result};
use crate::model::{GraphDef, Model, ModelBuilder};
use crate::registry::snake_case;
use crate::regular;
use crate::scfg;
use crate::state::State;
use archive::Part;
use manifest::{ConstantNote, Manifest};
use sha2::{Digest, Sha256};
use spark_compiler::ir::{Data, Program};
use std::io::{BufReader, Read};
use std::path::Path;

/// The configuration's part.
const MODEL: &str = "model.scfg";
/// The state's part.
const STATE: &str = "state.safetensors";

/// Bytes that building a checkpoint's model may take: so many, and so many for every element of its state. Configurations
/// that draw large constants and remember little are refused; [`GraphDef::builder`] builds those.
const MEMORY: (u64, u64) = (256 << 20, 256);

/// A checkpoint in memory.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    version: String,
    graphdef: GraphDef,
    state: State,
    constants: Vec<ConstantNote>,
}

impl Model {
    /// Writes a checkpoint, all or nothing.
    ///
    /// # Errors
    /// If the file cannot be written, and as [`Checkpoint::to_bytes`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        Checkpoint::of(self).write(path)
    }

    /// The compiled model of a checkpoint, where it was when it was saved. [`Checkpoint::builder`] builds it otherwise.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged, or is of a model that this program cannot build.
    pub fn load(path: impl AsRef<Path>) -> Result<Model> {
        let path = path.as_ref();
        Checkpoint::read(path)?.model().map_err(|e| e.in_file(path))
    }
}

impl Checkpoint {
    /// The checkpoint of a model as it is now.
    pub fn of(model: &Model) -> Checkpoint {
        Checkpoint {
            version: env!("CARGO_PKG_VERSION").into(),
            graphdef: model.graphdef().clone(),
            state: model.save_state(),
            constants: constants(model.program()),
        }
    }

    /// True if a file begins as checkpoints do, and not as a configuration.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn is_checkpoint(path: impl AsRef<Path>) -> Result<bool> {
        let path = path.as_ref();
        let cannot = |e: std::io::Error| Error::new(format!("cannot read the file: {e}")).in_file(path);
        let mut start = Vec::new();
        regular::open(path).map_err(|e| e.in_file(path))?.0.take(2).read_to_end(&mut start).map_err(cannot)?;
        Ok(start == archive::MAGIC)
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// If the file cannot be read, or anything of it is damaged, missing or superfluous; the error names the file.
    pub fn read(path: impl AsRef<Path>) -> Result<Checkpoint> {
        let path = path.as_ref();
        let open = || {
            let (file, size) = regular::open(path)?;
            from_parts(archive::read(BufReader::new(file), size)?)
        };
        open().map_err(|e| e.in_file(path))
    }

    /// Reads the bytes of a checkpoint.
    ///
    /// # Errors
    /// If anything of them is damaged, missing or superfluous.
    pub fn from_bytes(bytes: &[u8]) -> Result<Checkpoint> {
        from_parts(archive::read(bytes, bytes.len() as u64)?)
    }

    /// The bytes of a file; equal for equal checkpoints.
    ///
    /// # Errors
    /// If a number of the configuration is not finite, or the configuration is too large for a file.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let config = |tree: &ConfigTree| {
            let bytes = scfg::write(tree, false)?;
            if bytes.len() as u64 <= scfg::FILE_LIMIT {
                return Ok(bytes);
            }
            let message = format!("the configuration is larger than {} MiB", scfg::FILE_LIMIT >> 20);
            Err(Error::new(message).help("have an initializer draw large arrays, or set them with Model::set_state"))
        };
        let mut parts = vec![Part { name: MODEL.into(), bytes: config(&self.graphdef.config)? }];
        for (name, tree) in &self.graphdef.neurons {
            let tree = ConfigTree { type_name: NEURON.into(), ..tree.clone() };
            parts.push(Part { name: neuron_part(name), bytes: config(&tree).map_err(|e| e.prefixed(name))? });
        }
        parts.push(Part { name: STATE.into(), bytes: self.state.to_safetensors()? });
        let manifest = Manifest::new(&self.version, &self.graphdef, self.state.steps(), &self.constants, &parts);
        archive::write(&manifest.to_json(), &parts)
    }

    /// Writes the file, all or nothing.
    ///
    /// # Errors
    /// If it cannot be written, and as [`Checkpoint::to_bytes`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let bytes = self.to_bytes()?;
        crate::atomic::write(path.as_ref(), |out| out.write_all(&bytes))
    }

    /// The version of Spark that wrote it.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What the model is made from.
    pub fn graphdef(&self) -> &GraphDef {
        &self.graphdef
    }

    /// What the model remembers.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Number of steps that were done.
    pub fn steps(&self) -> u64 {
        self.state.steps()
    }

    /// A builder of the model, to choose how it runs or what is recorded; [`Checkpoint::restore`] then sets its state.
    ///
    /// It may take as much memory as a model of such a state needs, and not more ([`ModelBuilder::memory_limit`]).
    pub fn builder(&self) -> ModelBuilder {
        let elements: u64 = self.state.iter().map(|(_, array)| array.len() as u64).sum();
        let (least, per_element) = MEMORY;
        self.graphdef.builder().memory_limit(elements.saturating_mul(per_element).saturating_add(least))
    }

    /// The compiled model.
    ///
    /// # Errors
    /// If it cannot be built, and as [`Checkpoint::restore`].
    pub fn model(&self) -> Result<Model> {
        let mut model = self.builder().build()?;
        self.restore(&mut model)?;
        Ok(model)
    }

    /// Sets the state of a model that was built from [`Checkpoint::builder`].
    ///
    /// # Errors
    /// If the state does not fit the model, or the model has drawn other constants than it had: then it would not go on as
    /// it did.
    pub fn restore(&self, model: &mut Model) -> Result<()> {
        model.check_state(&self.state)?;
        let drawn = constants(model.program());
        if let Some(other) = self.constants.iter().find(|constant| !drawn.contains(constant)) {
            let message = format!(
                "Spark {} builds this constant otherwise than Spark {}, which wrote the checkpoint",
                env!("CARGO_PKG_VERSION"),
                self.version
            );
            let help = "go on with that version, or take over the state alone: Model::load_state_partial";
            return Err(Error::new(message).at(&other.name).help(help));
        }
        model.load_state(&self.state)
    }
}

/// What the type of a neuron's part is called.
const NEURON: &str = "neuron_config";

fn neuron_part(name: &str) -> String {
    format!("neurons/{name}.scfg")
}

/// The name of the neuron in this part.
fn neuron_of(part: &str) -> Option<&str> {
    part.strip_prefix("neurons/")?.strip_suffix(".scfg")
}

fn from_parts((manifest, parts): (Manifest, Vec<Part>)) -> Result<Checkpoint> {
    let [model, neurons @ .., state] = &parts[..] else {
        return Err(Error::new("the manifest lists too few parts"));
    };
    let config = |part: &Part| scfg::parse(&part.bytes).map_err(|e| e.prefixed(&part.name));
    let tree = config(model)?;
    let neuron = |part: &Part| {
        let name = neuron_of(&part.name).unwrap_or_default();
        let ConfigTree { values, .. } = config(part)?;
        Ok((name.to_string(), ConfigTree { type_name: String::new(), values }))
    };
    let neurons: Vec<(String, ConfigTree)> = neurons.iter().map(neuron).collect::<Result<_>>()?;
    nesting::check(&neurons, &tree)?;
    let state = State::from_safetensors(&state.bytes).map_err(|e| e.prefixed(STATE))?;
    if state.steps() != manifest.steps {
        let message = format!("{} steps, where the manifest says {}", state.steps(), manifest.steps);
        return Err(Error::new(message).at(STATE));
    }
    let graphdef = manifest.graphdef(tree, neurons)?;
    Ok(Checkpoint { version: manifest.spark, graphdef, state, constants: manifest.constants })
}

/// Names and digests of the arrays that a program does not change.
fn constants(program: &Program) -> Vec<ConstantNote> {
    let note = |constant: &spark_compiler::ir::Constant| {
        let mut hasher = Sha256::new();
        hasher.update(format!("{} {:?}\n", constant.value.dtype(), constant.value.dims()));
        update(&mut hasher, constant.value.data());
        ConstantNote { name: constant.name.clone(), sha256: hex(&hasher.finalize()) }
    };
    let mut notes: Vec<ConstantNote> = program.constants.iter().map(note).collect();
    notes.sort();
    notes.dedup();
    notes
}

/// Adds the elements, little-endian.
fn update(hasher: &mut Sha256, data: &Data) {
    fn all<T: Copy, const N: usize>(hasher: &mut Sha256, values: &[T], one: fn(T) -> [u8; N]) {
        for block in values.chunks(4096) {
            hasher.update(block.iter().flat_map(|&value| one(value)).collect::<Vec<u8>>());
        }
    }
    match data {
        Data::F16(v) => all(hasher, v, half::f16::to_le_bytes),
        Data::BF16(v) => all(hasher, v, half::bf16::to_le_bytes),
        Data::F32(v) => all(hasher, v, f32::to_le_bytes),
        Data::F64(v) => all(hasher, v, f64::to_le_bytes),
        Data::U8(v) => hasher.update(v),
        Data::U16(v) => all(hasher, v, u16::to_le_bytes),
        Data::I32(v) => all(hasher, v, i32::to_le_bytes),
        Data::Bool(v) => all(hasher, v, |x| [u8::from(x)]),
    }
}

/// A digest as text.
fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Equal if they go on alike: the version that wrote them does not matter.
impl PartialEq for Checkpoint {
    fn eq(&self, other: &Checkpoint) -> bool {
        let Checkpoint { version: _, graphdef, state, constants } = self;
        (graphdef, state, constants) == (&other.graphdef, &other.state, &other.constants)
    }
}

/// The key under which a neuron is found.
fn key(name: &str) -> String {
    snake_case(name)
}
