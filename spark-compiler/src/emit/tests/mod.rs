//! Generated code against the oracle, instruction by instruction.

mod arithmetic;
mod logs;
mod loops;
mod memory;
mod oracle;
mod programs;

use super::jit::compile_for;
use super::{Code, assembly, compile};
use crate::ir::{Array, Axis, DType, Data, Elem, Literal, Location, Shape};
use crate::loops::{Buffer, BufferId, Inst, Lowered, Nest, Role, Typed, Val};
use crate::memory::Memory;
use crate::passes::CompileOptions;
use cranelift::codegen::settings;
use half::{bf16, f16};
use oracle::Oracle;

/// Lengths around every boundary: lanes, chunks, blocks.
const SIZES: [usize; 10] = [1, 3, 4, 15, 16, 17, 64, 65, 100, 300];

/// A lowered program under construction, and the inputs to run it on.
#[derive(Default)]
struct Build {
    lowered: Lowered,
    seed: u64,
}

fn shape(sizes: &[usize]) -> Shape {
    (0u8..).zip(sizes).fold(Shape::scalar(), |shape, (i, &size)| shape.with(Axis::anonymous(i), &[size]))
}

impl Build {
    fn buffer(&mut self, role: Role, dtype: DType, sizes: &[usize]) -> BufferId {
        let name = format!("buffer {}", self.lowered.buffers.len());
        self.lowered.buffers.push(Buffer::new(name, role, dtype, shape(sizes)));
        BufferId(self.lowered.buffers.len() as u32 - 1)
    }

    fn input(&mut self, dtype: DType, sizes: &[usize]) -> BufferId {
        self.buffer(Role::Input, dtype, sizes)
    }

    fn output(&mut self, dtype: DType, sizes: &[usize]) -> BufferId {
        self.buffer(Role::Output, dtype, sizes)
    }

    /// A constant of integers below `bound`.
    fn indices(&mut self, dtype: DType, sizes: &[usize], bound: usize) -> BufferId {
        let words = self.words(sizes.iter().product());
        let data = Data::I32(words.into_iter().map(|w| (w % bound as u64) as i32).collect());
        let array = Array::new(shape(sizes), data.convert(dtype)).unwrap();
        self.buffer(Role::Constant(array), dtype, sizes)
    }

    fn history(&mut self, rows: usize, dtype: DType, sizes: &[usize]) -> BufferId {
        let position = self.buffer(Role::Position { rows }, DType::I32, &[]);
        self.buffer(Role::History { rows, depth: rows, position }, dtype, sizes)
    }

    fn nest(&mut self, sizes: &[usize]) -> &mut Nest {
        self.lowered.nests.push(Nest { sizes: sizes.to_vec(), ..Nest::default() });
        self.lowered.nests.last_mut().unwrap()
    }

    fn words(&mut self, count: usize) -> Vec<u64> {
        let mut next = || {
            self.seed = self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = self.seed;
            z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^ z >> 31
        };
        (0..count).map(|_| next()).collect()
    }

    /// Elements of every kind: small numbers mostly, any bits and special values often. (No signalling NaN: passing
    /// through a host number makes it quiet.)
    fn data(&mut self, dtype: DType, count: usize) -> Data {
        let words = self.words(count);
        let single = |w: &u64| match w % 8 {
            0 => Some(f32::from_bits((w >> 8) as u32)).filter(|x| !x.is_nan()).unwrap_or(f32::NAN),
            1 => [0.0, -0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e-40, 3e9, -0.5][(w >> 8) as usize % 8],
            2 => (w >> 8) as f32 / 1e12,
            _ => ((w >> 8) % 4096) as f32 / 64.0 - 32.0,
        };
        match dtype {
            DType::F16 => Data::F16(words.iter().map(|w| f16::from_f32(single(w))).collect()),
            DType::BF16 => Data::BF16(words.iter().map(|w| bf16::from_f32(single(w))).collect()),
            DType::F32 => Data::F32(words.iter().map(single).collect()),
            DType::F64 => {
                let double =
                    |w: &u64| if w.is_multiple_of(8) { f64::from_bits(w.rotate_left(9)) } else { single(w).into() };
                Data::F64(words.iter().map(double).collect())
            }
            DType::U8 => Data::U8(words.iter().map(|&w| (w >> 8) as u8).collect()),
            DType::U16 => Data::U16(words.iter().map(|&w| (w >> 8) as u16).collect()),
            DType::I32 => {
                let small = |w: &u64| if w.is_multiple_of(4) { (w >> 8) as i32 } else { (w >> 8) as i32 % 300 };
                Data::I32(words.iter().map(small).collect())
            }
            DType::Bool => Data::Bool(words.iter().map(|w| w >> 8 & 1 == 1).collect()),
        }
    }
}

impl Nest {
    fn push(&mut self, inst: Inst, elem: Elem) -> Val {
        self.insts.push(Typed { inst, elem, location: Location::UNKNOWN });
        Val(self.insts.len() as u32 - 1)
    }

    fn literal(&mut self, value: Literal) -> Val {
        self.push(Inst::Literal(value), value.elem())
    }

    fn load(&mut self, buffer: BufferId, map: &[usize], elem: Elem) -> Val {
        self.push(Inst::Load { buffer, map: map.to_vec() }, elem)
    }

    fn store(&mut self, buffer: BufferId, map: &[usize], value: Val) {
        let elem = self.insts[value.index()].elem;
        self.push(Inst::Store { buffer, map: map.to_vec(), value }, elem);
    }
}

fn same(a: Literal, b: Literal) -> bool {
    match (a, b) {
        (Literal::F32(a), Literal::F32(b)) if a.is_nan() => b.is_nan(),
        (Literal::F64(a), Literal::F64(b)) if a.is_nan() => b.is_nan(),
        _ => a == b,
    }
}

/// The program for the oldest machine of this kind, and for one without vectors.
fn others(lowered: &Lowered, options: &CompileOptions) -> [Code; 2] {
    [true, false].map(|vectors| {
        let isa = cranelift::codegen::isa::lookup(target_lexicon::Triple::host()).unwrap();
        let isa = isa.finish(settings::Flags::new(settings::builder())).unwrap();
        compile_for(lowered, options, isa, Some(vectors)).unwrap()
    })
}

/// Runs `steps` steps with random inputs; every buffer must be equal to the oracle's after each, with intrinsics and without,
/// and on other machines.
#[track_caller]
fn check(build: &mut Build, steps: usize) {
    check_with(build, steps, &CompileOptions::none());
    check_with(build, steps, &CompileOptions::exact());
}

#[track_caller]
fn check_with(build: &mut Build, steps: usize, options: &CompileOptions) {
    let lowered = build.lowered.clone();
    check_code(build, &compile(&lowered, options).unwrap(), steps);
    // Of lengths around every boundary, one with a part of a chunk and one with a chunk and a part have to do.
    let covered = |nest: &Nest| SIZES.contains(&nest.inner()) && ![3, 17].contains(&nest.inner());
    if !options.intrinsics && !lowered.nests.iter().any(covered) {
        others(&lowered, options).iter().for_each(|code| check_code(build, code, steps));
    }
}

#[track_caller]
fn check_code(build: &mut Build, code: &Code, steps: usize) {
    let lowered = build.lowered.clone();
    let mut memory = Memory::new(&lowered).unwrap();
    let mut oracle = Oracle::new(&lowered);
    for step in 0..steps {
        for (id, buffer) in lowered.iter().filter(|(_, b)| b.role == Role::Input) {
            let data = build.data(buffer.dtype, buffer.shape.size());
            memory.write(&lowered, id, &data).unwrap();
            oracle.write(id, &data);
        }
        code.step(&mut memory).unwrap();
        oracle.step();
        for (id, buffer) in lowered.iter() {
            let ours = memory.read_history(&lowered, id).unwrap().widen();
            for (i, expected) in oracle.read(id).into_iter().enumerate() {
                let found = Literal::from_f64(ours.get_f64(i), ours.dtype().elem());
                assert!(
                    same(found, expected),
                    "step {step}, {} ({}, {:?}) element {i}: {found:?}, expected {expected:?}\n{:?}",
                    buffer.name,
                    buffer.dtype,
                    buffer.sizes(),
                    lowered.nests,
                );
            }
            assert_padding_is_clear(&memory, &lowered, id);
        }
    }
}

/// Padding bits must stay zero: whole words of bits are read as they are.
#[track_caller]
fn assert_padding_is_clear(memory: &Memory, lowered: &Lowered, id: BufferId) {
    let buffer = lowered.buffer(id);
    if buffer.dtype != DType::Bool {
        return;
    }
    let inner = buffer.sizes().last().copied().unwrap_or(1);
    for row in memory.bytes(id).chunks(buffer.stride() / 8) {
        let padding = (inner..buffer.stride()).find(|i| row[i / 8] >> (i % 8) & 1 == 1);
        assert_eq!(padding, None, "a padding bit of {} is set", buffer.name);
    }
}
