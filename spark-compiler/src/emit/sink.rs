//! Cranelift's optimisations, and after them one of our own: loads move down to where their value is used.
//!
//! After Cranelift's optimisations, all loads of a group of four lanes come first and the instructions that put them into vectors
//! where these are used, so that many values are live at once and some go to the stack and back. Here each load whose value is
//! used once, in the same block, goes to just before its use, if nothing is stored or called on the way. If something is stored, and the
//! use is a sum, the sum goes up instead. The CartPole brain gains a twentieth.

use super::CompileError;
use super::jit::backend;
use cranelift::codegen::Context;
use cranelift::codegen::cursor::{Cursor, FuncCursor};
use cranelift::codegen::ir::{Function, Inst, Opcode, Value};
use cranelift::codegen::isa::{Builder, OwnedTargetIsa};
use cranelift::codegen::settings::{self, Configurable};
use std::collections::{HashMap, HashSet};

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

/// Moves loads down to their only use; where something is stored before it, moves a sum up to the load.
fn sink_loads(function: &mut Function) {
    let mut uses: HashMap<Value, Vec<Inst>> = HashMap::new();
    let blocks: Vec<_> = function.layout.blocks().collect();
    for &block in &blocks {
        for inst in function.layout.block_insts(block) {
            for value in function.dfg.inst_values(inst) {
                uses.entry(function.dfg.resolve_aliases(value)).or_default().push(inst);
            }
        }
    }
    for &block in &blocks {
        let insts: Vec<Inst> = function.layout.block_insts(block).collect();
        let mut passed: HashSet<Inst> = HashSet::new();
        // Loads of this block, if nothing was stored or called since.
        let mut loads: Vec<(Value, Inst)> = Vec::new();
        for inst in insts {
            let opcode = function.dfg.insts[inst].opcode();
            // The last operand that comes from memory is the one that is folded.
            let operands: Vec<Value> = function.dfg.inst_args(inst).to_vec();
            for value in operands {
                let value = function.dfg.resolve_aliases(value);
                if let Some(at) = loads.iter().position(|(loaded, _)| *loaded == value) {
                    move_before(function, loads.remove(at).1, inst);
                }
            }
            if opcode.can_store() || opcode.is_call() || opcode.other_side_effects() {
                for (value, load) in loads.drain(..) {
                    hoist_sum(function, &mut passed, uses[&value][0], [load, inst]);
                }
            }
            if opcode == Opcode::Load {
                let value = function.dfg.first_result(inst);
                if uses.get(&value).is_some_and(|uses| uses.len() == 1) {
                    loads.push((value, inst));
                }
            }
            passed.insert(inst);
        }
    }
}

/// Moves the sum of what `load` loads and a value that is known there, or a lane of one, to before the store that comes first.
fn hoist_sum(function: &mut Function, passed: &mut HashSet<Inst>, sum: Inst, [load, store]: [Inst; 2]) {
    let block = function.layout.inst_block(store);
    let here = function.dfg.insts[sum].opcode() == Opcode::Fadd && function.layout.inst_block(sum) == block;
    let folded = |value: Value| function.dfg.resolve_aliases(value) == function.dfg.first_result(load);
    if !here || !folded(function.dfg.inst_args(sum)[1]) {
        return;
    }
    // What the block computes further down is not known yet.
    let below = |function: &Function, passed: &HashSet<Inst>, value: Value| {
        let made = function.dfg.value_def(function.dfg.resolve_aliases(value)).inst()?;
        (function.layout.inst_block(made) == block && !passed.contains(&made)).then_some(made)
    };
    let lane = below(function, passed, function.dfg.inst_args(sum)[0]);
    if let Some(lane) = lane {
        let picks = function.dfg.insts[lane].opcode() == Opcode::Extractlane;
        if !picks || below(function, passed, function.dfg.inst_args(lane)[0]).is_some() {
            return;
        }
    }
    for inst in lane.into_iter().chain([load, sum]) {
        move_before(function, inst, store);
        passed.insert(inst);
    }
}

fn move_before(function: &mut Function, inst: Inst, other: Inst) {
    function.layout.remove_inst(inst);
    FuncCursor::new(function).at_inst(other).insert_inst(inst);
}
