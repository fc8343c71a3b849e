//! Functions of a program: `extern "C" fn(table: *const *mut u8) -> i64`, run one after another. They may call functions for
//! single columns (see `replay`), which come first, since they are known by their numbers.
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

/// The functions of a program. A function calls others by their numbers: those of columns first, then the steps.
pub(crate) struct Functions {
    /// Replays of columns, one for each of [`Lowered::logs`].
    pub(crate) columns: Vec<Function>,
    /// One step, in order.
    pub(crate) steps: Vec<Function>,
    /// Replays all that is put off, between two steps; `None` if nothing ever is.
    pub(crate) flush: Option<Function>,
}

impl Functions {
    /// All of them, by number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Function> {
        self.columns.iter().chain(&self.steps).chain(&self.flush)
    }
}

/// All functions of a program. With `intrinsics`, they may call those this machine has.
pub(crate) fn functions(lowered: &Lowered, isa: &dyn TargetIsa, intrinsics: bool) -> Functions {
    let host = (isa, intrinsics);
    let columns = lowered.logs.iter().map(|log| {
        function(lowered, host, column_signature(isa), |m, parameters| {
            super::replay::column(m, log, [parameters[1], parameters[2], parameters[3]]);
            Vec::new()
        })
    });
    let flush = (!lowered.logs.is_empty()).then(|| {
        function(lowered, host, signature(isa), |m, _| {
            (0..lowered.logs.len()).for_each(|log| super::replay::flush(m, log));
            vec![m.index(0)]
        })
    });
    Functions { columns: columns.collect(), steps: steps(lowered, host), flush }
}

/// One function; `body` gets its parameters, of which the first is the table, and gives what it returns.
fn function<'l>(
    lowered: &'l Lowered,
    (isa, intrinsics): (&dyn TargetIsa, bool),
    signature: Signature,
    body: impl for<'f> FnOnce(&mut Memories<'l, 'f>, &[Value]) -> Vec<Value>,
) -> Function {
    let mut context = FunctionBuilderContext::new();
    let mut function = Function::with_name_signature(UserFuncName::default(), signature);
    let mut b = FunctionBuilder::new(&mut function, &mut context);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    let parameters = b.block_params(entry).to_vec();
    let mut m = Memories::new(b, parameters[0], lowered, intrinsics);
    m.column_signature = Some(column_signature(isa));
    let results = body(&mut m, &parameters);
    let mut b = m.c.b;
    b.ins().return_(&results);
    b.seal_all_blocks();
    b.finalize(isa.frontend_config());
    function
}

/// The functions of one step, in order.
fn steps(lowered: &Lowered, host: (&dyn TargetIsa, bool)) -> Vec<Function> {
    let mut functions = Vec::new();
    let mut next = 0;
    loop {
        let mut last = false;
        functions.push(function(lowered, host, signature(host.0), |m, _| {
            while next < lowered.nests.len() && m.c.b.func.dfg.num_insts() < LIMIT {
                nest::emit(m, next);
                next += 1;
            }
            last = next == lowered.nests.len();
            if last {
                advance_histories(m);
            }
            vec![m.index(0)]
        }));
        if last {
            return functions;
        }
    }
}

/// The signature of the functions that a step consists of.
pub(crate) fn signature(isa: &dyn TargetIsa) -> Signature {
    let mut signature = Signature::new(isa.default_call_conv());
    signature.params.push(AbiParam::new(isa.pointer_type()));
    signature.returns.push(AbiParam::new(types::I64));
    signature
}

/// The signature of functions for a column: the table, the column, the newest entry and the step.
fn column_signature(isa: &dyn TargetIsa) -> Signature {
    let mut signature = Signature::new(isa.default_call_conv());
    signature.params.push(AbiParam::new(isa.pointer_type()));
    signature.params.extend([types::I64, types::I32, types::I32].map(AbiParam::new));
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
