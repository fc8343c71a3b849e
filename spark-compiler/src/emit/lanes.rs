//! Four lanes of values: the unit every instruction of a nest is emitted in.
//!
//! Cranelift's portable vectors are 128 bits wide, so four `f32` or `i32` are one vector and four `f64` are two. A truth
//! value is a mask, an `I32X4` of all ones or zeros; operations on `f64` widen it to two `I64X2` and back.

use cranelift::codegen::ir::{ConstantData, Endianness};
use cranelift::codegen::isa::TargetIsa;
use cranelift::prelude::*;
use target_lexicon::Architecture;
use types::{F32X4, F64X2, I8X16, I32X4, I64X2};

/// Four lanes: one vector, or two for `f64`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Lanes {
    /// `F32X4` or `I32X4`.
    One(Value),
    /// Lanes 0 and 1, lanes 2 and 3: `F64X2`.
    Two(Value, Value),
}

impl Lanes {
    /// Applies `f` to each vector.
    pub(crate) fn map(self, mut f: impl FnMut(Value) -> Value) -> Lanes {
        match self {
            Lanes::One(v) => Lanes::One(f(v)),
            Lanes::Two(a, b) => Lanes::Two(f(a), f(b)),
        }
    }

    /// Applies `f` to each pair of vectors.
    pub(crate) fn zip(self, other: Lanes, mut f: impl FnMut(Value, Value) -> Value) -> Lanes {
        match (self, other) {
            (Lanes::One(a), Lanes::One(b)) => Lanes::One(f(a, b)),
            (Lanes::Two(a, b), Lanes::Two(c, d)) => Lanes::Two(f(a, c), f(b, d)),
            (Lanes::One(_), Lanes::Two(..)) | (Lanes::Two(..), Lanes::One(_)) => {
                unreachable!("operands of one width")
            }
        }
    }

    /// The vector of a 32-bit type.
    pub(crate) fn one(self) -> Value {
        match self {
            Lanes::One(v) => v,
            Lanes::Two(..) => unreachable!("a 32-bit value"),
        }
    }

    /// The vectors, in lane order.
    pub(crate) fn values(self) -> impl Iterator<Item = Value> {
        let (first, second) = match self {
            Lanes::One(v) => (v, None),
            Lanes::Two(a, b) => (a, Some(b)),
        };
        std::iter::once(first).chain(second)
    }
}

/// Instructions that only some machines of an architecture have, and that have a substitute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Abilities {
    /// Fused multiply-add.
    pub(crate) fma: bool,
    /// Rounding to an integral number.
    pub(crate) rounding: bool,
}

impl Abilities {
    /// Those of a machine.
    pub(crate) fn of(isa: &dyn TargetIsa) -> Abilities {
        let old = isa.triple().architecture == Architecture::X86_64;
        let flags = isa.isa_flags();
        let has = |name: &str| flags.iter().any(|flag| flag.name == name && flag.as_bool() == Some(true));
        Abilities { fma: !old || has("has_avx") && has("has_fma"), rounding: !old || has("has_sse41") }
    }
}

/// A function builder with the vector idioms that code generation needs.
pub(crate) struct Clif<'f> {
    /// The builder of the function.
    pub(crate) b: FunctionBuilder<'f>,
    /// What the machine can.
    pub(crate) abilities: Abilities,
}

impl<'f> Clif<'f> {
    /// A function without code.
    pub(crate) fn new(b: FunctionBuilder<'f>, abilities: Abilities) -> Clif<'f> {
        Clif { b, abilities }
    }
}

impl Clif<'_> {
    /// Begins the function; gives its arguments.
    pub(crate) fn enter(&mut self) -> Vec<Value> {
        let entry = self.b.create_block();
        self.b.append_block_params_for_function_params(entry);
        self.b.switch_to_block(entry);
        self.b.block_params(entry).to_vec()
    }

    /// Returns, and ends the function.
    pub(crate) fn leave(mut self, results: &[Value], isa: &dyn TargetIsa) {
        self.b.ins().return_(results);
        self.b.seal_all_blocks();
        self.b.finalize(isa.frontend_config());
    }

    /// A vector constant of the given bytes.
    fn constant(&mut self, ty: Type, bytes: &[u8]) -> Value {
        let handle = self.b.func.dfg.constants.insert(ConstantData::from(bytes));
        self.b.ins().vconst(ty, handle)
    }

    /// Four `i32`.
    pub(crate) fn ints(&mut self, lanes: [i32; 4]) -> Value {
        let bytes: Vec<u8> = lanes.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.constant(I32X4, &bytes)
    }

    /// Four times the same `i32`.
    pub(crate) fn int(&mut self, value: i32) -> Value {
        self.ints([value; 4])
    }

    /// Two times the same `i64`.
    pub(crate) fn long(&mut self, value: i64) -> Value {
        let bytes: Vec<u8> = [value; 2].iter().flat_map(|x| x.to_le_bytes()).collect();
        self.constant(I64X2, &bytes)
    }

    /// Four times the same `f32`.
    pub(crate) fn single(&mut self, value: f32) -> Value {
        let bytes: Vec<u8> = [value; 4].iter().flat_map(|x| x.to_le_bytes()).collect();
        self.constant(F32X4, &bytes)
    }

    /// Two times the same `f64`.
    pub(crate) fn double(&mut self, value: f64) -> Value {
        let bytes: Vec<u8> = [value; 2].iter().flat_map(|x| x.to_le_bytes()).collect();
        self.constant(F64X2, &bytes)
    }

    /// The mask whose first `count` lanes are set.
    pub(crate) fn first_lanes(&mut self, count: usize) -> Value {
        self.ints([0, 1, 2, 3].map(|lane| if lane < count { -1 } else { 0 }))
    }

    /// The same bits as another vector type.
    pub(crate) fn reinterpret(&mut self, ty: Type, v: Value) -> Value {
        if self.b.func.dfg.value_type(v) == ty {
            return v;
        }
        self.b.ins().bitcast(ty, MemFlagsData::new().with_endianness(Endianness::Little), v)
    }

    /// 32-bit lanes of two vectors of any type: `pick` counts lanes of `a` from 0 and of `b` from 4.
    pub(crate) fn pick(&mut self, a: Value, b: Value, pick: [u8; 4]) -> Value {
        let ty = self.b.func.dfg.value_type(a);
        let bytes: Vec<u8> = pick.iter().flat_map(|&lane| (0..4).map(move |byte| 4 * lane + byte)).collect();
        let mask = self.b.func.dfg.immediates.push(ConstantData::from(bytes));
        let (a, b) = (self.reinterpret(I8X16, a), self.reinterpret(I8X16, b));
        let picked = self.b.ins().shuffle(a, b, mask);
        self.reinterpret(ty, picked)
    }

    /// The upper two 32-bit lanes moved down.
    pub(crate) fn upper(&mut self, v: Value) -> Value {
        self.pick(v, v, [2, 3, 2, 3])
    }

    /// A mask for `f64` lanes.
    pub(crate) fn widen_mask(&mut self, mask: Value) -> (Value, Value) {
        (self.pick(mask, mask, [0, 0, 1, 1]), self.pick(mask, mask, [2, 2, 3, 3]))
    }

    /// The low 32 bits of each 64-bit lane; of masks, the mask.
    pub(crate) fn narrow_longs(&mut self, low: Value, high: Value) -> Value {
        let (low, high) = (self.reinterpret(I32X4, low), self.reinterpret(I32X4, high));
        self.pick(low, high, [0, 2, 4, 6])
    }

    /// `f32` to `f64`, exact.
    pub(crate) fn promote(&mut self, v: Value) -> Lanes {
        let upper = self.upper(v);
        Lanes::Two(self.b.ins().fvpromote_low(v), self.b.ins().fvpromote_low(upper))
    }

    /// `f64` to `f32`, rounded to nearest even.
    pub(crate) fn demote(&mut self, low: Value, high: Value) -> Value {
        let (low, high) = (self.b.ins().fvdemote(low), self.b.ins().fvdemote(high));
        self.pick(low, high, [0, 1, 4, 5])
    }

    /// `i32` to `f64`, exact.
    pub(crate) fn ints_to_doubles(&mut self, v: Value) -> Lanes {
        let upper = self.upper(v);
        let convert = |c: &mut Self, v| {
            let long = c.b.ins().swiden_low(v);
            c.b.ins().fcvt_from_sint(F64X2, long)
        };
        Lanes::Two(convert(self, v), convert(self, upper))
    }

    /// `mask ? then : otherwise` per lane of any one vector type.
    ///
    /// The backend turns this into one blend only if it sees the comparison that made the mask: through a bitcast for
    /// `fcmp`, directly for `icmp`. So the type in which lanes are chosen follows the comparison.
    pub(crate) fn choose(&mut self, mask: Value, then: Value, otherwise: Value) -> Value {
        let ty = self.b.func.dfg.value_type(then);
        let made_by_icmp = self
            .b
            .func
            .dfg
            .value_def(mask)
            .inst()
            .is_some_and(|inst| self.b.func.dfg.insts[inst].opcode() == cranelift::codegen::ir::Opcode::Icmp);
        let choice = if made_by_icmp { self.b.func.dfg.value_type(mask) } else { ty };
        let mask = self.reinterpret(choice, mask);
        let (then, otherwise) = (self.reinterpret(choice, then), self.reinterpret(choice, otherwise));
        let chosen = self.b.ins().bitselect(mask, then, otherwise);
        self.reinterpret(ty, chosen)
    }

    /// `mask ? then : otherwise` for any lanes.
    pub(crate) fn select(&mut self, mask: Value, then: Lanes, otherwise: Lanes) -> Lanes {
        match (then, otherwise) {
            (Lanes::One(x), Lanes::One(y)) => Lanes::One(self.choose(mask, x, y)),
            (Lanes::Two(a, b), Lanes::Two(c, d)) => {
                let (low, high) = self.widen_mask(mask);
                Lanes::Two(self.choose(low, a, c), self.choose(high, b, d))
            }
            (Lanes::One(_), Lanes::Two(..)) | (Lanes::Two(..), Lanes::One(_)) => {
                unreachable!("operands of one width")
            }
        }
    }

    /// One scalar in every lane.
    pub(crate) fn splat(&mut self, scalar: Value) -> Lanes {
        let ty = self.b.func.dfg.value_type(scalar);
        if ty == types::F64 {
            let v = self.b.ins().splat(F64X2, scalar);
            Lanes::Two(v, v)
        } else {
            Lanes::One(self.b.ins().splat(ty.by(4).expect("a 32-bit scalar"), scalar))
        }
    }

    /// Lanes from up to four scalars; what is missing is unspecified.
    pub(crate) fn gather(&mut self, scalars: &[Value]) -> Lanes {
        let ty = self.b.func.dfg.value_type(scalars[0]);
        if let &[scalar] = scalars {
            // One instruction from memory; putting a scalar into a vector of zeros is two.
            return self.splat(scalar);
        }
        let mut join = |scalars: &[Value], ty: Type| {
            // A float is put into a vector of zeros by two instructions.
            let first = match ty {
                F32X4 if scalars.len() == 4 => self.b.ins().splat(ty, scalars[0]),
                _ => self.b.ins().scalar_to_vector(ty, scalars[0]),
            };
            let rest = scalars[1..].iter().zip(1u8..);
            rest.fold(first, |v, (&scalar, lane)| self.b.ins().insertlane(v, scalar, lane))
        };
        if ty == types::F64 {
            let low = join(&scalars[..scalars.len().min(2)], F64X2);
            let high = if scalars.len() > 2 { join(&scalars[2..], F64X2) } else { low };
            Lanes::Two(low, high)
        } else {
            Lanes::One(join(scalars, ty.by(4).expect("a 32-bit scalar")))
        }
    }

    /// The scalar in lane `lane`.
    pub(crate) fn lane(&mut self, lanes: Lanes, lane: usize) -> Value {
        match lanes {
            Lanes::One(v) => self.b.ins().extractlane(v, lane as u8),
            Lanes::Two(low, _) if lane < 2 => self.b.ins().extractlane(low, lane as u8),
            Lanes::Two(_, high) => self.b.ins().extractlane(high, (lane - 2) as u8),
        }
    }

    /// The bits of four masks, lane 0 of the first lowest: an `i32` below 2^16.
    pub(crate) fn pack_masks(&mut self, masks: [Value; 4]) -> Value {
        let low = self.b.ins().snarrow(masks[0], masks[1]);
        let high = self.b.ins().snarrow(masks[2], masks[3]);
        let bytes = self.b.ins().snarrow(low, high);
        self.b.ins().vhigh_bits(types::I32, bytes)
    }
}
