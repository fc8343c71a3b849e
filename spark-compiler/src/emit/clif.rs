//! Functions of a program, run one after another: `extern "C" fn(memory: *mut u8)`. They may call parts (see
//! `parts`), which come first, since they are known by their numbers.
//!
//! Register allocation takes more than linear time, so a function ends when it has passed [`LIMIT`] instructions and the
//! next nest starts another. The last function advances the positions of histories.

use super::access::{Homes, Memories};
use super::lanes::{Abilities, Clif};
use super::scalar::scalarize;
use super::{nest, parts, replay};
use crate::loops::{BufferId, Lowered, Role};
use cranelift::codegen::ir::{Function, UserFuncName};
use cranelift::codegen::isa::{CallConv, TargetIsa};
use cranelift::prelude::*;
use target_lexicon::Architecture;

/// CLIF instructions after which a function ends.
const LIMIT: usize = 4000;

/// The functions of a program. A function calls others by their numbers: parts come first, then the steps.
pub(crate) struct Functions {
    /// Parts of steps.
    pub(crate) parts: Vec<Function>,
    /// One step, in order.
    pub(crate) steps: Vec<Function>,
    /// Replays all that is put off, between two steps; `None` if nothing ever is.
    pub(crate) flush: Option<Function>,
    /// Brings states that decay up to date, between two steps; `None` if there are none.
    pub(crate) settle: Option<Function>,
}

impl Functions {
    /// All of them, by number.
    pub(crate) fn into_iter(self) -> impl Iterator<Item = Function> {
        self.parts.into_iter().chain(self.steps).chain(self.flush).chain(self.settle)
    }
}

/// What functions are made for: a machine, where buffers are, and whether intrinsics may be called.
#[derive(Clone, Copy)]
struct Host<'a> {
    isa: &'a dyn TargetIsa,
    homes: Homes<'a>,
    intrinsics: bool,
}

/// All functions of a program, for buffers that are at `homes`. With `intrinsics`, they may call those this machine has.
pub(crate) fn functions<'l>(
    lowered: &'l Lowered,
    isa: &'l dyn TargetIsa,
    homes: Homes<'l>,
    intrinsics: bool,
) -> Functions {
    let host = Host { isa, homes, intrinsics };
    let parts = parts::parts(lowered).into_iter().map(|part| {
        let mut function = function(lowered, host, parts::with_numbers(signature(isa)), |m, parameters| {
            parts::emit(m, part, [parameters[1], parameters[2], parameters[3], parameters[4]]);
        });
        if part.of_single_elements() {
            scalarize(&mut function).expect("every instruction has a scalar form");
        }
        function
    });
    let flush = (!lowered.logs.is_empty()).then(|| {
        function(lowered, host, signature(isa), |m, _| {
            (0..lowered.logs.len()).for_each(|log| replay::flush(m, log));
        })
    });
    let settle = (!lowered.settles.is_empty()).then(|| {
        function(lowered, host, signature(isa), |m, _| {
            lowered.settles.iter().for_each(|settle| nest::emit_all(m, settle));
        })
    });
    Functions { parts: parts.collect(), steps: steps(lowered, host), flush, settle }
}

/// One function; `body` gets its parameters, of which the first leads to the buffers.
fn function<'l>(
    lowered: &'l Lowered,
    host: Host<'l>,
    signature: Signature,
    body: impl for<'f> FnOnce(&mut Memories<'l, 'f>, &[Value]),
) -> Function {
    let mut context = FunctionBuilderContext::new();
    let mut function = Function::with_name_signature(UserFuncName::default(), signature);
    let mut c = Clif::new(FunctionBuilder::new(&mut function, &mut context), Abilities::of(host.isa));
    let parameters = c.enter();
    let mut m = Memories::new(c, parameters[0], lowered, host.homes, host.intrinsics);
    m.part_signature = Some(parts::with_numbers(procedure(host.isa, 1)));
    body(&mut m, &parameters);
    m.c.leave(&[], host.isa);
    function
}

/// The functions of one step, in order.
fn steps<'l>(lowered: &'l Lowered, host: Host<'l>) -> Vec<Function> {
    let mut functions = Vec::new();
    let mut next = 0;
    loop {
        let mut last = false;
        functions.push(function(lowered, host, signature(host.isa), |m, _| {
            while next < lowered.nests.len() && m.c.b.func.dfg.num_insts() < LIMIT {
                nest::emit(m, next);
                next += 1;
            }
            last = next == lowered.nests.len();
            if last {
                advance_histories(m);
            }
        }));
        if last {
            return functions;
        }
    }
}

/// The signature of every function.
pub(crate) fn signature(isa: &dyn TargetIsa) -> Signature {
    procedure(isa, 1)
}

/// The signature of a function that takes so many pointers and returns nothing.
pub(crate) fn procedure(isa: &dyn TargetIsa, pointers: usize) -> Signature {
    // On RISC-V, Cranelift 0.135 takes the register fs1 for one that callers save. Saving all registers is right, and possible
    // where nothing is returned.
    let convention = match isa.triple().architecture {
        Architecture::Riscv64(_) => CallConv::PreserveAll,
        _ => isa.default_call_conv(),
    };
    let mut signature = Signature::new(convention);
    signature.params = vec![AbiParam::new(isa.pointer_type()); pointers];
    signature
}

fn advance_histories(m: &mut Memories) {
    let positions: Vec<(BufferId, usize)> = (m.lowered.iter())
        .filter_map(|(id, buffer)| match buffer.role {
            Role::Position { rows } => Some((id, rows)),
            _ => None,
        })
        .collect();
    for (id, rows) in positions {
        let place = m.place(id, &vec![], None, &[]);
        let position = m.load_element(place, None, 0);
        let next = m.c.b.ins().iadd_imm_s(position, 1);
        let wraps = m.c.b.ins().icmp_imm_s(IntCC::Equal, next, rows as i64);
        let zero = m.c.b.ins().iconst(types::I32, 0);
        let next = m.c.b.ins().select(wraps, zero, next);
        m.store_element(place, None, 0, next);
    }
}
