//! Ahead of time: a model as an object file for another machine, with everything it takes to call it.
//!
//! In: an [`Instance`] in any state, a name and a [`Target`]. Out: an [`Object`]: machine code
//! with the weights and that state in read-only data, a C header, a Rust module for `no_std` crates, and a JSON file that says
//! where every state is.
//!
//! The code needs no allocator, no library and no runtime, and has no global mutable state: all that changes is in one
//! block of memory that the caller provides, so there may be any number of instances, each used by one thread at a time.
//! The results are those of the kernel in memory, bit for bit, except which of its bit patterns a NaN has.
//!
//! * [`target`](Target): triples and instruction sets. `layout`: where everything is.
//! * `header`, `wrapper`, `manifest`: the texts. `names`: identifiers in them. `archive`: the object as a static library.

mod archive;
mod header;
mod layout;
mod manifest;
mod names;
mod target;
mod wrapper;

pub use layout::{ALIGN, Layout, Port};
pub use target::Target;

use crate::emit::{self, object};
use crate::kernel::Instance;

/// Why there is no object.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AotError {
    /// A machine that code cannot be generated for.
    #[error("the target `{triple}` {why}")]
    Target {
        /// Its name.
        triple: String,
        /// What is wrong.
        why: String,
    },
    /// A processor or an instruction set that is not known.
    #[error("{architecture} has no feature `{feature}`; there are {known}")]
    Feature {
        /// The name given.
        feature: String,
        /// The processor's architecture.
        architecture: String,
        /// The names there are.
        known: String,
    },
    /// A name that cannot be part of identifiers.
    #[error("`{name}` cannot be the name of an object: {why}")]
    Name {
        /// The name given.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// The model does something that the target cannot.
    #[error("the target `{triple}` has no instruction for {operation}, which the model needs")]
    Missing {
        /// The target.
        triple: String,
        /// What it lacks.
        operation: String,
    },
    /// Memory that is not that of the model.
    #[error("the block is not one of `{name}`: {why}")]
    Block {
        /// Name of the object.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// Code generation failed.
    #[error(transparent)]
    Codegen(emit::CompileError),
}

/// Sizes of an object, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sizes {
    /// Machine code.
    pub code: usize,
    /// Read-only data: constants and the initial state.
    pub data: usize,
    /// Stack that a step takes at most.
    pub stack: usize,
    /// The block of memory of an instance.
    pub block: usize,
}

/// A compiled model: an object file and the texts that describe it.
#[derive(Clone, Debug)]
pub struct Object {
    name: String,
    target: String,
    triple: String,
    bytes: Vec<u8>,
    hash: String,
    sizes: Sizes,
    layout: Layout,
    states: Vec<layout::Kept>,
}

impl Object {
    /// Compiles the model of `instance` for `target`. `name` begins every symbol; the state is what `NAME_init` gives.
    ///
    /// # Errors
    /// If `name` is no identifier, the target cannot do what the model needs, or code generation fails.
    pub fn compile(instance: &Instance, name: &str, target: &Target) -> Result<Object, AotError> {
        names::check(name)?;
        let kernel = instance.kernel();
        let lowered = kernel.lowered();
        let layout = Layout::new(lowered);
        let image = layout.image(instance);
        let ranges = kernel.ranges();
        let states = layout::kept(instance, &layout);
        let ports = layout.inputs.iter().chain(&layout.outputs).map(|port| port.name.as_str());
        let parts = object::Parts {
            name,
            lowered,
            layout: &layout,
            memory: instance.memory(),
            image: &image,
            ranges: &ranges,
            flush: kernel.flushes_subnormals(),
            target: &target.to_string(),
            names: ports.chain(states.iter().map(|kept| kept.name.as_str())).collect(),
        };
        let emitted = object::compile(&parts, target.isa()).map_err(|error| match error {
            emit::CompileError::Missing { operation } => AotError::Missing { triple: target.to_string(), operation },
            error => AotError::Codegen(error),
        })?;
        let sizes = Sizes { code: emitted.code, data: emitted.data, stack: emitted.stack, block: layout.bytes };
        let (name, triple) = (name.to_string(), target.triple());
        Ok(Object {
            name,
            target: target.to_string(),
            triple,
            bytes: emitted.bytes,
            hash: emitted.hash,
            sizes,
            layout,
            states,
        })
    }

    /// Prefix of the symbols.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it was compiled for: the triple, then instruction sets.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The target's triple.
    pub fn triple(&self) -> &str {
        &self.triple
    }

    /// The object file, ELF, Mach-O or COFF, as the target's linker takes it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A static library with the object, for linkers of ELF and COFF.
    pub fn archive(&self) -> Vec<u8> {
        archive::archive(&format!("{}.o", self.name), &self.bytes, &self.symbols())
    }

    /// What a block holds in the state of `instance`: bytes to copy to the beginning of one, before `NAME_patched` is called.
    ///
    /// # Errors
    /// If the instance is one of another model, or was compiled with other passes.
    pub fn block(&self, instance: &Instance) -> Result<Vec<u8>, AotError> {
        self.check(instance)?;
        let mut bytes = self.layout.image(instance);
        bytes.resize(self.layout.persistent, 0);
        Ok(bytes)
    }

    /// Sets the state of `instance` to what a block holds after `NAME_flush`, such as one that learned on another machine. Its number of steps
    /// stays.
    ///
    /// # Errors
    /// If the block is short or damaged, or the instance is one of another model or was compiled with other passes. The
    /// instance is then as it was.
    pub fn restore(&self, block: &[u8], instance: &mut Instance) -> Result<(), AotError> {
        self.check(instance)?;
        let wrong = |why: String| AotError::Block { name: self.name.clone(), why };
        if block.len() < self.layout.persistent {
            let why = format!("it has {} bytes, where states take {}", block.len(), self.layout.persistent);
            return Err(wrong(why));
        }
        let held: Vec<_> = self
            .states
            .iter()
            .map(|kept| kept.read(block).map(|data| (kept, data)))
            .collect::<Result<_, _>>()
            .map_err(wrong)?;
        for (kept, data) in held {
            let set = match kept.position {
                None => instance.set_kept(&kept.name, &data),
                Some(_) => instance.set_past(&kept.name, &data),
            };
            set.unwrap_or_else(|e| crate::bug!("a checked state: {e}"));
        }
        Ok(())
    }

    fn check(&self, instance: &Instance) -> Result<(), AotError> {
        let layout = Layout::new(instance.kernel().lowered());
        if layout == self.layout && layout::kept(instance, &layout) == self.states {
            return Ok(());
        }
        let why = "the instance is one of another model, or was compiled with other passes".to_string();
        Err(AotError::Block { name: self.name.clone(), why })
    }

    /// The symbols it defines.
    pub fn symbols(&self) -> Vec<String> {
        ["init", "reset", "step", "flush", "patched", "hash"].map(|end| format!("{}_{end}", self.name)).to_vec()
    }

    /// The C header.
    pub fn header(&self) -> String {
        header::header(self)
    }

    /// A Rust module that calls the object safely; it needs `core` only.
    pub fn wrapper(&self) -> String {
        wrapper::wrapper(self)
    }

    /// What is where, as JSON: ports, and every state in the block.
    pub fn manifest(&self) -> String {
        manifest::manifest(self)
    }

    /// Sizes in bytes.
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// Where buffers and ports are.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// SHA-256 of the program, its constants, the initial state, names of ports and states, and the target: equal in files that belong
    /// together.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}
