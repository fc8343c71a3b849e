//! Ahead of time: a model as an object file for another machine.
//!
//! ```
//! use spark::aot::Target;
//! use spark::prelude::*;
//!
//! let model = Model::component(LeakySomaConfig::default()).input("current", [3]).build()?;
//! let object = model.object("soma", &Target::new("aarch64-unknown-linux-gnu", "")?)?;
//! assert!(object.header().contains("void soma_step(soma *model, const soma_inputs *inputs, soma_outputs *outputs);"));
//!
//! let folder = tempfile::tempdir().unwrap();
//! spark::aot::write(&object, folder.path())?; // soma.o, soma.h, soma.rs, soma.json
//! # Ok::<(), spark::Error>(())
//! ```
//!
//! The object starts in the state that the model has now: train it, or load a checkpoint, before. See
//! [`Object`] for what there is in it, and [`Build`] to have it made when a Cargo project is built.

pub use spark_compiler::aot::{AotError, Object, Port, Sizes, Target};

use crate::atomic;
use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result};
use crate::model::{InputShape, Model};
use std::path::{Path, PathBuf};

impl From<AotError> for Error {
    fn from(error: AotError) -> Error {
        let help = match &error {
            AotError::Target { .. } => {
                "targets are triples, such as x86_64-unknown-linux-gnu or riscv64gc-unknown-linux-gnu"
            }
            AotError::Feature { .. } => "give instruction sets with commas in between, or a level such as x86-64-v3",
            AotError::Name { .. } => "give another name",
            AotError::Missing { .. } => {
                "choose a processor that has it, or build the model with single rounding switched off (contract)"
            }
            AotError::Block { .. } => "use the model, and the options, that the object was compiled from",
            AotError::Codegen(_) => return Error::new(error.to_string()),
        };
        Error::new(error.to_string()).help(help)
    }
}

impl Model {
    /// Compiles the model for another machine. `name` begins every symbol; the object starts in the state that the model has
    /// now.
    ///
    /// # Errors
    /// If the model is eager, `name` is no identifier, or the target cannot do what the model needs.
    pub fn object(&self, name: &str, target: &Target) -> Result<Object> {
        let Some(instance) = self.instance() else {
            let error = Error::new("an eager model has no code");
            return Err(error.help("build it without `eager`"));
        };
        Ok(Object::compile(instance, name, target)?)
    }
}

impl Model {
    /// Sets what the model remembers to what the memory of an object's model holds: such as one that learned on a robot. The
    /// model has to be the one that the object was compiled from; its number of steps stays.
    ///
    /// # Errors
    /// If it is not, or the memory is short or damaged.
    pub fn load_block(&mut self, object: &Object, block: &[u8]) -> Result<()> {
        let eager = || Error::new("an eager model has another memory than an object").help("build it without `eager`");
        Ok(object.restore(block, self.instance_mut().ok_or_else(eager)?)?)
    }
}

/// Writes an object and its texts: `NAME.o`, `NAME.h`, `NAME.rs` and `NAME.json`. Gives their paths.
///
/// A process that is killed in between leaves no `NAME.o` beside texts of another one. Where files come together in another way, the
/// hash in each of them tells: `NAME_hash` of the object that was linked against `NAME_HASH` of the header, `Model::linked_hash()`
/// against `HASH` of the Rust module.
///
/// # Errors
/// If the folder does not exist or cannot be written to; then none of the files is written.
pub fn write(object: &Object, folder: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
    let name = object.name();
    let files = [
        (format!("{name}.o"), object.bytes().to_vec()),
        (format!("{name}.h"), object.header().into_bytes()),
        (format!("{name}.rs"), object.wrapper().into_bytes()),
        (format!("{name}.json"), object.manifest().into_bytes()),
    ];
    atomic::write_all(folder.as_ref(), &files)?;
    Ok(files.iter().map(|(name, _)| folder.as_ref().join(name)).collect())
}

/// Compiles a model's file in the build script of a Cargo project, for the machine the project is built for.
///
/// In `build.rs`:
/// ```no_run
/// // A checkpoint says itself what its inputs are; for a .scfg file, `input` does.
/// spark::aot::Build::new("models/brain.spark").name("brain").run()?;
/// # Ok::<(), spark::Error>(())
/// ```
/// and where the model is used, which needs neither `std` nor this crate:
/// ```ignore
/// mod brain {
///     include!(concat!(env!("OUT_DIR"), "/brain.rs"));
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Build {
    file: PathBuf,
    name: Option<String>,
    inputs: Vec<(String, InputShape)>,
    cpu: Option<String>,
}

impl Build {
    /// Of a `.scfg` file, or a checkpoint.
    pub fn new(file: impl Into<PathBuf>) -> Build {
        Build { file: file.into(), name: None, inputs: Vec::new(), cpu: None }
    }

    /// The object's name; without, that of the file.
    pub fn name(mut self, name: impl Into<String>) -> Build {
        self.name = Some(name.into());
        self
    }

    /// Declares an input of a `.scfg` file.
    pub fn input(mut self, port: impl Into<String>, shape: impl Into<InputShape>) -> Build {
        self.inputs.push((port.into(), shape.into()));
        self
    }

    /// Instruction sets that may be relied on, as [`Target::new`] takes them; without, those of the project's target.
    pub fn cpu(mut self, cpu: impl Into<String>) -> Build {
        self.cpu = Some(cpu.into());
        self
    }

    /// Compiles the model, and tells Cargo to link it.
    ///
    /// # Errors
    /// If this is no build script, the model has a mistake, or the target cannot do what it needs.
    pub fn run(self) -> Result<Object> {
        let variable = |name: &str| {
            std::env::var(name).map_err(|_| {
                Error::new(format!("the environment variable {name} is not set")).help("call this from a build script")
            })
        };
        let (triple, folder) = (variable("TARGET")?, PathBuf::from(variable("OUT_DIR")?));
        let target = match &self.cpu {
            Some(cpu) => Target::new(&triple, cpu)?,
            None => Target::of_rust(&triple, &std::env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default())?,
        };
        let model = self.model().map_err(|e| e.in_file(&self.file))?;
        let object = model.object(&self.name.unwrap_or_else(|| name_of(&self.file)), &target)?;
        write(&object, &folder)?;
        println!("cargo:rerun-if-changed={}", self.file.display());
        if triple.contains("-apple-") {
            println!("cargo:rustc-link-arg={}", folder.join(format!("{}.o", object.name())).display());
        } else {
            let library = match triple.ends_with("-msvc") {
                true => format!("{}.lib", object.name()),
                false => format!("lib{}.a", object.name()),
            };
            atomic::write(&folder.join(library), |out| out.write_all(&object.archive()))?;
            println!("cargo:rustc-link-search=native={}", folder.display());
            println!("cargo:rustc-link-lib=static={}", object.name());
        }
        Ok(object)
    }

    fn model(&self) -> Result<Model> {
        if Checkpoint::is_checkpoint(&self.file)? {
            let checkpoint = Checkpoint::read(&self.file)?;
            if let Some((port, _)) = self.inputs.first() {
                let error = Error::new("a checkpoint says itself what its inputs are").at(port);
                return Err(error.help("leave `input` out"));
            }
            checkpoint.graphdef().register_neurons()?;
            return checkpoint.model();
        }
        let builder = Model::from_file(&self.file)?;
        self.inputs.iter().fold(builder, |builder, (port, shape)| builder.input(port, shape.clone())).build()
    }
}

/// An identifier made from the name of a file.
pub fn name_of(file: &Path) -> String {
    let stem = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = stem.split('.').next().unwrap_or_default();
    let name: String =
        stem.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name } else { format!("model_{name}") }
}
