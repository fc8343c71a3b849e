//! Passes: each rewrites a program into a better one that computes the same bits.
//!
//! | pass | what | exact |
//! |---|---|---|
//! | [`fold`](fold()) | operations on constants become constants | yes |
//! | [`simplify`](simplify()) | algebra that holds for every bit pattern (`x·1`, `−−x`, `x/2^k`, constant selects, ...) | yes |
//! | [`cse`](cse()) | equal operations and constants are kept once | yes |
//! | [`dce`](dce()) | operations nothing depends on go | yes |
//!
//! Each is one file with one public function from program to program; [`optimize`] runs those that
//! [`CompileOptions`] asks for, verifying in between in debug builds.

mod cse;
mod dce;
pub(crate) mod fold;
mod rewrite;
mod simplify;

pub use cse::cse;
pub use dce::dce;
pub use fold::fold;
pub use simplify::simplify;

use crate::ir::{Program, verify};

/// What the compiler may do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CompileOptions {
    /// Run [`fold`](fold()).
    pub fold: bool,
    /// Run [`simplify`](simplify()).
    pub simplify: bool,
    /// Run [`cse`](cse()).
    pub cse: bool,
    /// Run [`dce`](dce()).
    pub dce: bool,
}

impl Default for CompileOptions {
    fn default() -> CompileOptions {
        CompileOptions { fold: true, simplify: true, cse: true, dce: true }
    }
}

impl CompileOptions {
    /// No optimisation: operations are lowered as recorded.
    pub fn none() -> CompileOptions {
        CompileOptions { fold: false, simplify: false, cse: false, dce: false }
    }
}

type Pass = fn(&Program) -> Program;

/// A program after the passes; the input of lowering.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimized {
    program: Program,
}

impl Optimized {
    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }
}

/// Runs the passes `options` asks for.
pub fn optimize(program: Program, options: &CompileOptions) -> Optimized {
    let mut program = checked(program, "tracing");
    let passes: [(bool, Pass, &str); 4] = [
        (options.fold, fold, "fold"),
        (options.simplify, simplify, "simplify"),
        (options.cse, cse, "cse"),
        (options.dce, dce, "dce"),
    ];
    for (on, pass, name) in passes {
        if on {
            program = checked(pass(&program), name);
        }
    }
    Optimized { program }
}

fn checked(program: Program, phase: &str) -> Program {
    if cfg!(debug_assertions)
        && let Err(error) = verify(&program)
    {
        crate::bug!("after {phase}: {error}\n{program}");
    }
    program
}
