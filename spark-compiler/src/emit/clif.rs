//! Functions of a program, run one after another: in memory `extern "C" fn(table: *const *mut u8) -> i64`, in objects
//! `fn(block: *mut u8)`.
//!
//! Register allocation takes more than linear time, so a function ends when it has passed [`LIMIT`] instructions and the
//! next nest starts another. The last function advances the positions of histories.

use super::access::{Homes, Memories};
use super::lanes::{Abilities, Clif};
use super::nest;
use crate::loops::{BufferId, Lowered, Role};
use cranelift::codegen::ir::{Function, UserFuncName};
use cranelift::codegen::isa::{CallConv, TargetIsa};
use cranelift::prelude::*;
use target_lexicon::Architecture;

/// CLIF instructions after which a function ends.
const LIMIT: usize = 4000;

/// All functions of one step, in order, for buffers that are at `homes`.
pub(crate) fn functions(lowered: &Lowered, isa: &dyn TargetIsa, homes: Homes<'_>) -> Vec<Function> {
    let mut functions = Vec::new();
    let mut context = FunctionBuilderContext::new();
    let mut next = 0;
    loop {
        let name = UserFuncName::user(0, functions.len() as u32);
        let mut function = Function::with_name_signature(name, signature(isa, homes));
        let mut c = Clif::new(FunctionBuilder::new(&mut function, &mut context), Abilities::of(isa));
        let base = c.enter()[0];
        let mut m = Memories::new(c, base, lowered, homes);
        while next < lowered.nests.len() && m.c.b.func.dfg.num_insts() < LIMIT {
            nest::emit(&mut m, next);
            next += 1;
        }
        let last = next == lowered.nests.len();
        if last {
            advance_histories(&mut m);
        }
        let status = match homes {
            Homes::Table => vec![m.index(0)],
            Homes::Block(_) => vec![],
        };
        m.c.leave(&status, isa);
        functions.push(function);
        if last {
            return functions;
        }
    }
}

/// The signature of every function.
pub(crate) fn signature(isa: &dyn TargetIsa, homes: Homes<'_>) -> Signature {
    match homes {
        Homes::Table => {
            let mut signature = Signature::new(isa.default_call_conv());
            signature.params.push(AbiParam::new(isa.pointer_type()));
            signature.returns.push(AbiParam::new(types::I64));
            signature
        }
        Homes::Block(_) => procedure(isa, 1),
    }
}

/// The signature of a function of an object that takes so many pointers and returns nothing.
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
