//! Cranelift's optimisations, and after them one of our own: loads move down to where their value is used.
//!
//! After Cranelift's optimisations, all loads of a group of four lanes come first and the instructions that put them into vectors
//! where these are used, so that many values are live at once and some go to the stack and back. Here each load whose value is
//! used once, in the same block, goes to just before its use, if nothing is stored or called on the way. The CartPole brain
//! gains a twentieth.

use super::CompileError;
use super::jit::backend;
use cranelift::codegen::Context;
use cranelift::codegen::cursor::{Cursor, FuncCursor};
use cranelift::codegen::ir::{Function, Inst, Opcode, Value};
use cranelift::codegen::isa::{Builder, OwnedTargetIsa};
use cranelift::codegen::settings::{self, Configurable};
use std::collections::HashMap;

/// A machine, and the same without Cranelift's optimisations.
pub(super) struct Optimizer {
    optimizing: OwnedTargetIsa,
    plain: OwnedTargetIsa,
}

impl Optimizer {
    /// For functions of a machine.
    pub(super) fn new(isa: OwnedTargetIsa) -> Result<Optimizer, CompileError> {
        let mut flags = settings::builder();
        for flag in isa.flags().iter().filter(|flag| flag.name != "opt_level") {
            flags.set(flag.name, &flag.value_string()).map_err(backend)?;
        }
        let plain = Builder::from_target_isa(&*isa).finish(settings::Flags::new(flags)).map_err(backend)?;
        Ok(Optimizer { optimizing: isa, plain })
    }

    /// The machine that optimised functions are compiled for.
    pub(super) fn plain(&self) -> &OwnedTargetIsa {
        &self.plain
    }

    /// Optimises the context's function.
    pub(super) fn run(&self, context: &mut Context) -> Result<(), CompileError> {
        context.optimize(&*self.optimizing, &mut Default::default()).map_err(|e| super::jit::failed(&e))?;
        sink_loads(&mut context.func);
        Ok(())
    }
}

/// Moves loads down to their only use.
fn sink_loads(function: &mut Function) {
    let mut uses: HashMap<Value, usize> = HashMap::new();
    let blocks: Vec<_> = function.layout.blocks().collect();
    for &block in &blocks {
        for inst in function.layout.block_insts(block) {
            for value in function.dfg.inst_values(inst) {
                *uses.entry(function.dfg.resolve_aliases(value)).or_default() += 1;
            }
        }
    }
    for &block in &blocks {
        let insts: Vec<Inst> = function.layout.block_insts(block).collect();
        // Where each load of this block is, if nothing was stored or called since.
        let mut loads: HashMap<Value, Inst> = HashMap::new();
        for inst in insts {
            let opcode = function.dfg.insts[inst].opcode();
            // The last operand that comes from memory is the one that is folded.
            let operands: Vec<Value> = function.dfg.inst_args(inst).to_vec();
            for value in operands {
                if let Some(load) = loads.remove(&function.dfg.resolve_aliases(value)) {
                    function.layout.remove_inst(load);
                    FuncCursor::new(function).at_inst(inst).insert_inst(load);
                }
            }
            if opcode.can_store() || opcode.is_call() || opcode.other_side_effects() {
                loads.clear();
            }
            if opcode == Opcode::Load {
                let value = function.dfg.first_result(inst);
                if uses.get(&value) == Some(&1) {
                    loads.insert(value, inst);
                }
            }
        }
    }
}
