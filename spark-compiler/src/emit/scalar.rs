//! From vectors to scalars, for machines without vector registers.
//!
//! In: a function as the rest of [`super`] makes it, whose values of four lanes are 128-bit vectors. Out: the same function
//! where each vector is as many scalars as it has lanes. Lanes are kept in the type they were made in until an instruction
//! wants another, because most reinterpretations go there and back. A lane of a mask remembers the comparison it came
//! from, so that choosing by it is a choice and not arithmetic on bits.
//!
//! Values are made before they are used in the order of blocks, since that is how functions are built.

use super::CompileError;
use cranelift::codegen::cursor::{Cursor, FuncCursor};
use cranelift::codegen::ir::{BlockArg, BlockCall, Function, Inst, InstructionData, Opcode};
use cranelift::prelude::*;
use std::collections::HashMap;
use types::{F32, F64, I8, I16, I32};

/// Replaces every vector of a function.
///
/// # Errors
/// If the function has a vector instruction that nothing here knows.
pub(super) fn scalarize(function: &mut Function) -> Result<(), CompileError> {
    let mut s = Scalars { pos: FuncCursor::new(function), lanes: HashMap::new(), conditions: HashMap::new() };
    let blocks: Vec<Block> = s.pos.func.layout.blocks().collect();
    blocks.iter().for_each(|&block| s.parameters(block));
    for block in blocks {
        s.pos.goto_top(block);
        while let Some(inst) = s.pos.next_inst() {
            s.instruction(inst)?;
        }
    }
    Ok(())
}

struct Scalars<'f> {
    pos: FuncCursor<'f>,
    /// What became of each vector.
    lanes: HashMap<Value, Vec<Value>>,
    /// The comparison that a lane of a mask says the result of.
    conditions: HashMap<Value, Value>,
}

impl Scalars<'_> {
    fn ty(&self, value: Value) -> Type {
        self.pos.func.dfg.value_type(value)
    }

    fn parameters(&mut self, block: Block) {
        let dfg = &mut self.pos.func.dfg;
        let all = dfg.block_params(block).to_vec();
        if !all.iter().any(|&p| dfg.value_type(p).is_vector()) {
            return;
        }
        dfg.detach_block_params(block);
        for parameter in all {
            let ty = dfg.value_type(parameter);
            if ty.is_vector() {
                let lanes = (0..ty.lane_count()).map(|_| dfg.append_block_param(block, ty.lane_type())).collect();
                self.lanes.insert(parameter, lanes);
            } else {
                dfg.attach_block_param(block, parameter);
            }
        }
    }

    fn instruction(&mut self, inst: Inst) -> Result<(), CompileError> {
        let dfg = &self.pos.func.dfg;
        let opcode = dfg.insts[inst].opcode();
        if opcode.is_branch() {
            self.branch(inst);
            return Ok(());
        }
        let (args, results) = (dfg.inst_args(inst).to_vec(), dfg.inst_results(inst).to_vec());
        if !args.iter().chain(&results).any(|&v| self.ty(v).is_vector()) {
            return Ok(());
        }
        let ty = results.first().map_or(types::INVALID, |&v| self.ty(v));
        let lanes = self.expanded(inst, opcode, &args, ty).ok_or_else(|| {
            let text = self.pos.func.dfg.display_inst(inst);
            CompileError::Backend(format!("no scalar form of `{text}`"))
        })?;
        self.pos.func.dfg.clear_results(inst);
        match results.first() {
            Some(&result) if ty.is_vector() => drop(self.lanes.insert(result, lanes)),
            Some(&result) => self.pos.func.dfg.change_to_alias(result, lanes[0]),
            None => {}
        }
        self.pos.remove_inst_and_step_back();
        Ok(())
    }

    /// Gives blocks lanes for the vectors they were given.
    fn branch(&mut self, inst: Inst) {
        let func = &mut self.pos.func;
        let pool = &func.dfg.value_lists;
        let (tables, exceptions) = (&func.dfg.jump_tables, &func.dfg.exception_tables);
        let calls: Vec<(Block, Vec<BlockArg>)> = func.dfg.insts[inst]
            .branch_destination(tables, exceptions)
            .iter()
            .map(|call| (call.block(pool), call.args(pool).collect()))
            .collect();
        let mut changed = Vec::new();
        for (block, args) in calls {
            let mut scalars = Vec::new();
            for arg in args {
                match arg {
                    BlockArg::Value(value) if self.ty(value).is_vector() => {
                        let lanes = self.typed(value, self.ty(value));
                        scalars.extend(lanes.into_iter().map(BlockArg::Value));
                    }
                    other => scalars.push(other),
                }
            }
            changed.push((block, scalars));
        }
        let dfg = &mut self.pos.func.dfg;
        let calls: Vec<BlockCall> =
            changed.into_iter().map(|(block, args)| BlockCall::new(block, args, &mut dfg.value_lists)).collect();
        let places = dfg.insts[inst].branch_destination_mut(&mut dfg.jump_tables, &mut dfg.exception_tables);
        places.copy_from_slice(&calls);
    }

    /// What an instruction becomes: the lanes of its result, or its result; `None` if nobody knows.
    fn expanded(&mut self, inst: Inst, opcode: Opcode, args: &[Value], ty: Type) -> Option<Vec<Value>> {
        use Opcode::*;
        let data = self.pos.func.dfg.insts[inst];
        let lane = ty.lane_type();
        Some(match opcode {
            Vconst => self.constant(&data, ty)?,
            Splat => vec![args[0]; ty.lane_count() as usize],
            ScalarToVector => {
                let zero = self.zero(lane);
                let mut lanes = vec![zero; ty.lane_count() as usize];
                lanes[0] = args[0];
                lanes
            }
            Insertlane => {
                let InstructionData::TernaryImm8 { imm, .. } = data else { return None };
                let mut lanes = self.typed(args[0], ty);
                lanes[usize::from(imm)] = args[1];
                lanes
            }
            Extractlane => {
                let InstructionData::BinaryImm8 { imm, .. } = data else { return None };
                vec![self.own(args[0])[usize::from(imm)]]
            }
            Bitcast if ty.is_vector() => self.lanes[&args[0]].clone(),
            Shuffle => self.shuffled(&data, args)?,
            Fneg | Fabs | Sqrt | Floor | Ceil | Nearest | Trunc | Ineg | Iabs => {
                self.each(args, ty, |pos, lanes| pos.ins().Unary(opcode, lane, lanes[0]).0)
            }
            Bnot => {
                let lanes = self.typed(args[0], ty);
                let not = |s: &mut Self, lane_value| match s.conditions.get(&lane_value).copied() {
                    Some(condition) => {
                        let condition = s.pos.ins().icmp_imm_u(IntCC::Equal, condition, 0);
                        s.mask(lane, condition)
                    }
                    None => s.pos.ins().bnot(lane_value),
                };
                lanes.into_iter().map(|value| not(self, value)).collect()
            }
            Fadd | Fsub | Fmul | Fdiv | Iadd | Isub | Imul | Smin | Smax | Umin | Umax => {
                self.each(args, ty, |pos, lanes| pos.ins().Binary(opcode, lane, lanes[0], lanes[1]).0)
            }
            Band | Bor | Bxor => {
                let (x, y) = (self.typed(args[0], ty), self.typed(args[1], ty));
                x.into_iter().zip(y).map(|(x, y)| self.logic(opcode, lane, x, y)).collect()
            }
            Ishl | Ushr | Sshr => {
                let amount = args[1];
                self.each(&args[..1], ty, |pos, lanes| pos.ins().Binary(opcode, lane, lanes[0], amount).0)
            }
            Fma => self.each(args, ty, |pos, lanes| pos.ins().Ternary(opcode, lane, lanes[0], lanes[1], lanes[2]).0),
            Fcmp | Icmp => {
                let pairs = self.own(args[0]).into_iter().zip(self.own(args[1])).collect::<Vec<_>>();
                let compare = |s: &mut Self, (x, y)| {
                    let condition = match data {
                        InstructionData::FloatCompare { cond, .. } => s.pos.ins().fcmp(cond, x, y),
                        InstructionData::IntCompare { cond, .. } => s.pos.ins().icmp(cond, x, y),
                        _ => return None,
                    };
                    Some(s.mask(lane, condition))
                };
                pairs.into_iter().map(|pair| compare(self, pair)).collect::<Option<_>>()?
            }
            Bitselect => self.chosen(args, ty),
            Snarrow | Unarrow => {
                let both = [self.own(args[0]), self.own(args[1])].concat();
                both.into_iter().map(|value| self.narrowed(opcode, lane, value)).collect()
            }
            SwidenLow | UwidenLow => {
                let lanes = self.own(args[0]);
                let count = ty.lane_count() as usize;
                lanes[..count]
                    .iter()
                    .map(|&value| match opcode {
                        SwidenLow => self.pos.ins().sextend(lane, value),
                        _ => self.pos.ins().uextend(lane, value),
                    })
                    .collect()
            }
            FvpromoteLow => {
                let lanes = self.own(args[0]);
                lanes[..2].iter().map(|&value| self.pos.ins().fpromote(F64, value)).collect()
            }
            Fvdemote => {
                let zero = self.zero(F32);
                let low = self.own(args[0]).into_iter().map(|value| self.pos.ins().fdemote(F32, value));
                low.chain([zero; 2]).collect()
            }
            FcvtFromSint => self.own(args[0]).into_iter().map(|v| self.pos.ins().fcvt_from_sint(lane, v)).collect(),
            FcvtToSintSat => self.own(args[0]).into_iter().map(|v| self.pos.ins().fcvt_to_sint_sat(lane, v)).collect(),
            VallTrue | VanyTrue => {
                let truths: Vec<Value> = self.own(args[0]).into_iter().map(|value| self.truth(value)).collect();
                let both = |x, y| match opcode {
                    VallTrue => self.pos.ins().band(x, y),
                    _ => self.pos.ins().bor(x, y),
                };
                vec![truths.into_iter().reduce(both)?]
            }
            VhighBits => {
                let lanes = self.own(args[0]);
                let mut word = self.zero(ty);
                for (at, value) in lanes.into_iter().enumerate() {
                    let bit = self.sign(value, ty);
                    let bit = self.pos.ins().ishl_imm_u(bit, at as i64);
                    word = self.pos.ins().bor(word, bit);
                }
                vec![word]
            }
            Load | Uload16x4 => {
                let InstructionData::Load { arg, flags, offset, .. } = data else { return None };
                let flags = self.pos.func.dfg.mem_flags[flags];
                let load = |at: u32| {
                    let bytes = if opcode == Load { lane.bytes() } else { 2 };
                    let offset = i32::from(offset) + (at * bytes) as i32;
                    match opcode {
                        Load => self.pos.ins().load(lane, flags, arg, offset),
                        _ => self.pos.ins().uload16(lane, flags, arg, offset),
                    }
                };
                (0..ty.lane_count()).map(load).collect()
            }
            Store => {
                let InstructionData::Store { flags, offset, .. } = data else { return None };
                let flags = self.pos.func.dfg.mem_flags[flags];
                for (at, value) in self.lanes[&args[0]].clone().into_iter().enumerate() {
                    let bytes = self.ty(value).bytes() as usize;
                    self.pos.ins().store(flags, value, args[1], i32::from(offset) + (at * bytes) as i32);
                }
                vec![]
            }
            _ => return None,
        })
    }

    /// The lanes of a vector in its own type.
    fn own(&mut self, vector: Value) -> Vec<Value> {
        self.typed(vector, self.ty(vector))
    }

    /// The lanes of a vector as those of `ty`.
    fn typed(&mut self, vector: Value, ty: Type) -> Vec<Value> {
        let lanes = self.lanes[&vector].clone();
        let (have, want) = (self.ty(lanes[0]), ty.lane_type());
        if have.bits() == want.bits() {
            return lanes.into_iter().map(|value| self.cast(want, value)).collect();
        }
        let whole = |ty: Type| Type::int(ty.bits() as u16).expect("lanes have the sizes of integers");
        let ints: Vec<Value> = lanes.into_iter().map(|value| self.cast(whole(have), value)).collect();
        let ints = if have.bits() > want.bits() {
            let parts = have.bits() / want.bits();
            let split = |(value, part): (Value, u32)| self.part(value, part, whole(want));
            ints.into_iter().flat_map(|value| (0..parts).map(move |part| (value, part))).map(split).collect()
        } else {
            let parts = (want.bits() / have.bits()) as usize;
            ints.chunks(parts).map(|parts| self.joined(parts, whole(want))).collect::<Vec<_>>()
        };
        ints.into_iter().map(|value| self.cast(want, value)).collect()
    }

    /// The same bits in another type of the same size.
    fn cast(&mut self, ty: Type, value: Value) -> Value {
        if self.ty(value) == ty { value } else { self.pos.ins().bitcast(ty, MemFlagsData::new(), value) }
    }

    /// A part of an integer; part 0 has the lowest bits.
    fn part(&mut self, value: Value, part: u32, ty: Type) -> Value {
        if let Some(&condition) = self.conditions.get(&value) {
            return self.mask(ty, condition);
        }
        let moved = match part {
            0 => value,
            _ => self.pos.ins().ushr_imm_u(value, i64::from(part * ty.bits())),
        };
        if self.ty(moved) == ty { moved } else { self.pos.ins().ireduce(ty, moved) }
    }

    /// An integer of parts.
    fn joined(&mut self, parts: &[Value], ty: Type) -> Value {
        let same = |value: &Value| *value == parts[0];
        if let (Some(&condition), true) = (self.conditions.get(&parts[0]), parts.iter().all(same)) {
            return self.mask(ty, condition);
        }
        let bits = self.ty(parts[0]).bits() as usize;
        let mut all = self.zero(ty);
        for (at, &part) in parts.iter().enumerate() {
            let part = self.pos.ins().uextend(ty, part);
            let part = if at == 0 { part } else { self.pos.ins().ishl_imm_u(part, (at * bits) as i64) };
            all = self.pos.ins().bor(all, part);
        }
        all
    }

    fn zero(&mut self, ty: Type) -> Value {
        match ty {
            F32 => self.pos.ins().f32const(0.0),
            F64 => self.pos.ins().f64const(0.0),
            ty => self.pos.ins().iconst(ty, 0),
        }
    }

    /// All ones if `condition` holds, else 0.
    fn mask(&mut self, ty: Type, condition: Value) -> Value {
        let mask = self.pos.ins().bmask(ty, condition);
        self.conditions.insert(mask, condition);
        mask
    }

    /// An `I8` other than 0 if a lane is.
    fn truth(&mut self, lane: Value) -> Value {
        match self.conditions.get(&lane) {
            Some(&condition) => condition,
            None => self.pos.ins().icmp_imm_u(IntCC::NotEqual, lane, 0),
        }
    }

    /// The highest bit of a lane, as a `ty`.
    fn sign(&mut self, lane: Value, ty: Type) -> Value {
        if let Some(&condition) = self.conditions.get(&lane) {
            return self.pos.ins().uextend(ty, condition);
        }
        let highest = i64::from(self.ty(lane).bits() - 1);
        let bit = self.pos.ins().ushr_imm_u(lane, highest);
        if self.ty(bit) == ty { bit } else { self.pos.ins().uextend(ty, bit) }
    }

    /// Applies `f` to the lanes of vectors that have one type.
    fn each(&mut self, args: &[Value], ty: Type, f: impl Fn(&mut FuncCursor<'_>, &[Value]) -> Inst) -> Vec<Value> {
        let lanes: Vec<Vec<Value>> = args.iter().map(|&arg| self.typed(arg, ty)).collect();
        let one = |at: usize| {
            let lanes: Vec<Value> = lanes.iter().map(|lanes| lanes[at]).collect();
            let inst = f(&mut self.pos, &lanes);
            self.pos.func.dfg.first_result(inst)
        };
        (0..lanes[0].len()).map(one).collect()
    }

    /// Logic on bits; of two masks, on what they say.
    fn logic(&mut self, opcode: Opcode, ty: Type, x: Value, y: Value) -> Value {
        let known = |value| self.conditions.get(value).copied();
        let (ty_of, operands, both) = match (known(&x), known(&y)) {
            (Some(a), Some(b)) => (I8, (a, b), true),
            _ => (ty, (x, y), false),
        };
        let (inst, dfg) = self.pos.ins().Binary(opcode, ty_of, operands.0, operands.1);
        let result = dfg.first_result(inst);
        if both { self.mask(ty, result) } else { result }
    }

    fn chosen(&mut self, args: &[Value], ty: Type) -> Vec<Value> {
        let bits = ty.as_int();
        let masks = self.typed(args[0], bits);
        let direct = masks.iter().all(|mask| self.conditions.contains_key(mask));
        let lanes = if direct { ty } else { bits };
        let (then, otherwise) = (self.typed(args[1], lanes), self.typed(args[2], lanes));
        let pairs = then.into_iter().zip(otherwise);
        let one = |(mask, (x, y)): (Value, (Value, Value))| match self.conditions.get(&mask) {
            Some(&condition) => self.pos.ins().select(condition, x, y),
            None => self.pos.ins().bitselect(mask, x, y),
        };
        masks.into_iter().zip(pairs).map(one).collect()
    }

    /// A lane in fewer bits, saturated.
    fn narrowed(&mut self, opcode: Opcode, ty: Type, value: Value) -> Value {
        if let (Opcode::Snarrow, Some(&condition)) = (opcode, self.conditions.get(&value)) {
            return self.mask(ty, condition);
        }
        let wide = self.ty(value);
        let (low, high) = match (opcode, ty) {
            (Opcode::Snarrow, I8) => (i64::from(i8::MIN), i64::from(i8::MAX)),
            (Opcode::Snarrow, I16) => (i64::from(i16::MIN), i64::from(i16::MAX)),
            (Opcode::Snarrow, _) => (i64::from(i32::MIN), i64::from(i32::MAX)),
            (_, ty) => (0, (1 << ty.bits()) - 1),
        };
        let mask = if wide == types::I64 { -1 } else { (1i64 << wide.bits()) - 1 };
        let (low, high) = (self.pos.ins().iconst(wide, low & mask), self.pos.ins().iconst(wide, high & mask));
        let bounded = self.pos.ins().smax(value, low);
        let bounded = self.pos.ins().smin(bounded, high);
        self.pos.ins().ireduce(ty, bounded)
    }

    fn constant(&mut self, data: &InstructionData, ty: Type) -> Option<Vec<Value>> {
        let InstructionData::UnaryConst { constant_handle, .. } = data else { return None };
        let bytes = self.pos.func.dfg.constants.get(*constant_handle).clone().into_vec();
        let lane = ty.lane_type();
        let one = |bytes: &[u8]| {
            let bits = bytes.iter().rev().fold(0u64, |bits, &byte| bits << 8 | u64::from(byte));
            match lane {
                F32 => self.pos.ins().f32const(f32::from_bits(bits as u32)),
                F64 => self.pos.ins().f64const(f64::from_bits(bits)),
                ty => self.pos.ins().iconst(ty, bits as i64),
            }
        };
        Some(bytes.chunks(lane.bytes() as usize).map(one).collect())
    }

    /// Lanes of 32 bits of two vectors.
    fn shuffled(&mut self, data: &InstructionData, args: &[Value]) -> Option<Vec<Value>> {
        let InstructionData::Shuffle { imm, .. } = data else { return None };
        let pick = self.pos.func.dfg.immediates.get(*imm)?.clone().into_vec();
        let single = |s: &Self, vector: Value| s.ty(s.lanes[&vector][0]) == F32;
        let ty = if args.iter().all(|&arg| single(self, arg)) { types::F32X4 } else { types::I32X4 };
        let all = [self.typed(args[0], ty), self.typed(args[1], ty)].concat();
        let lane = |bytes: &[u8]| {
            let whole = bytes[0].is_multiple_of(4) && bytes.windows(2).all(|pair| pair[0] + 1 == pair[1]);
            whole.then(|| all.get(usize::from(bytes[0] / 4)).copied())?
        };
        debug_assert_eq!(self.ty(all[0]).bits(), I32.bits());
        pick.chunks(4).map(lane).collect()
    }
}
