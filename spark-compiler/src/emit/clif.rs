//! Functions of a program: `extern "C" fn(table: *const *mut u8) -> i64`, run one after another.
//!
//! Register allocation takes more than linear time, so a function ends when it has passed [`LIMIT`] instructions and the
//! next nest starts another. The last function advances the positions of histories.

use super::access::Memories;
use super::nest;
use crate::loops::{BufferId, Lowered, Role};
use cranelift::codegen::ir::{Function, UserFuncName};
use cranelift::codegen::isa::TargetIsa;
use cranelift::prelude::*;

/// CLIF instructions after which a function ends.
const LIMIT: usize = 4000;

/// All functions of one step, in order. With `intrinsics`, they may call those this machine has.
pub(crate) fn functions(lowered: &Lowered, isa: &dyn TargetIsa, intrinsics: bool) -> Vec<Function> {
    let mut functions = Vec::new();
    let mut context = FunctionBuilderContext::new();
    let mut next = 0;
    loop {
        let name = UserFuncName::user(0, functions.len() as u32);
        let mut function = Function::with_name_signature(name, signature(isa));
        let mut b = FunctionBuilder::new(&mut function, &mut context);
        let entry = b.create_block();
        b.append_block_params_for_function_params(entry);
        b.switch_to_block(entry);
        let table = b.block_params(entry)[0];
        let mut m = Memories::new(b, table, lowered, intrinsics);
        while next < lowered.nests.len() && m.c.b.func.dfg.num_insts() < LIMIT {
            nest::emit(&mut m, next);
            next += 1;
        }
        let last = next == lowered.nests.len();
        if last {
            advance_histories(&mut m);
        }
        let status = m.index(0);
        let mut b = m.c.b;
        b.ins().return_(&[status]);
        b.seal_all_blocks();
        b.finalize(isa.frontend_config());
        functions.push(function);
        if last {
            return functions;
        }
    }
}

/// The signature of every function.
pub(crate) fn signature(isa: &dyn TargetIsa) -> Signature {
    let mut signature = Signature::new(isa.default_call_conv());
    signature.params.push(AbiParam::new(isa.pointer_type()));
    signature.returns.push(AbiParam::new(types::I64));
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
