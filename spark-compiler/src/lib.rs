//! The compiler of Spark: array programs over named axes become fused machine code, once per time step.
//!
//! It knows nothing of neurons. The stages are types, each consumed by the next; the module list is the pipeline:
//!
//! 1. [`array`](mod@array): handles record what a module's body computes, into a
//! 2. [`ir::Program`]: constants, states, inputs, outputs and operations of one step;
//! 3. [`passes`]: rewritten by exact passes into [`passes::Optimized`];
//! 4. [`loops`]: fused into loop nests over buffers, [`loops::Lowered`];
//! 5. [`emit`]: machine code from Cranelift, [`emit::Code`];
//! 6. [`kernel`]: code bound to memory, [`kernel::Kernel`] and [`kernel::Instance`]; or
//!    [`aot`]: code in a file, for another machine, [`aot::Object`].
//!
//! [`eval`] runs a program without compiling: the oracle of every stage, and the engine of eager mode.

pub mod aot;
pub mod array;
mod elements;
pub mod emit;
pub mod error;
pub mod eval;
pub mod intrinsics;
pub mod ir;
pub mod kernel;
pub mod loops;
pub mod math;
pub mod memory;
mod pages;
pub mod passes;
pub mod share;

pub use ndarray;
