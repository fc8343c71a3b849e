//! Code generation: from loop nests to machine code.
//!
//! In: a [`Lowered`](crate::loops::Lowered) program. Out: [`Code`], functions that run one step on a
//! [`Memory`](crate::memory::Memory).
//!
//! * `check`: what memory safety of the generated code rests on, checked before anything is emitted.
//! * `clif`: functions of the program; splits long programs, advances histories.
//! * `nest`: one loop nest. `instructions`: what is in it. `access`: loads and stores. `reduce`: reductions. `counted`: loops.
//! * `scan`: lists of events. `crossover`: whether to use them. `visits`: nests that go over some elements only. `replay`: events
//!   that were put off. `near`: memory that is asked for before it is used. `beside`: values of rows that are copied to lie beside each
//!   other. `deliver`: sums of arrivals. `parts`: which of these are functions of their own.
//! * `stages`, `blocks`: nests with elementary functions, random numbers or halves, done by intrinsics a block at a time.
//! * `ops`, `recipes`, `lanes`: arithmetic on four lanes at a time. `draws`: random numbers.
//! * `substitutes`: instructions that old machines lack. `scalar`: functions for machines without vectors.
//! * `sink`: Cranelift's optimisations and one of our own. `jit`: machine code in memory. [`cache`]: on disk for the next time.
//!   `subnormals`: the mode in which it runs. `object`: in files of its own.
//!
//! The generated functions take one argument, the start of the memory, or in objects of a block, that holds the buffers; parts take a
//! few numbers more. They do not allocate, call nothing but parts and intrinsics and cannot trap: loads and stores stay inside their
//! buffers because of what `check` verifies, divisions are floating-point and conversions saturate.
//!
//! Within one nest, an instruction may read what the same nest writes only at the element that it writes, and the
//! instructions' order decides which value it sees. Fusion guarantees this.

mod access;
mod beside;
mod blocks;
pub mod cache;
mod check;
mod clif;
mod counted;
mod crossover;
mod deliver;
mod draws;
mod instructions;
mod jit;
mod lanes;
mod near;
mod nest;
pub(crate) mod object;
mod ops;
mod parts;
mod recipes;
mod reduce;
mod replay;
mod scalar;
mod scan;
mod sink;
mod stages;
mod subnormals;
mod substitutes;
mod visits;

#[cfg(test)]
mod tests;

pub(crate) use access::Home;
#[cfg(test)]
use jit::assembly;
pub use jit::{Code, CodeStats, ForeignMemory, clif_text, compile};

/// Why a program could not be compiled. All cases but [`CompileError::Missing`] are faults of the compiler, not of the model.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CompileError {
    /// The lowered program breaks a rule of [`crate::loops`].
    #[error("nest {nest}, instruction v{inst}: {why}")]
    Malformed {
        /// Index of the nest.
        nest: usize,
        /// Index of the instruction.
        inst: usize,
        /// The broken rule.
        why: String,
    },
    /// The target cannot do what the program asks for.
    #[error("this target has no instruction for {operation}")]
    Missing {
        /// What it lacks.
        operation: String,
    },
    /// The code generator refused the program or failed.
    #[error("code generation failed: {0}")]
    Backend(String),
}
