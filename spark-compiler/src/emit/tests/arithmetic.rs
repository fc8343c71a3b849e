//! Every operation on every type it takes, and every pair of storage types.

use super::*;
use crate::ir::{BinaryOp, CompareOp, ThreefryWord, UnaryOp};

const ELEMS: [Elem; 4] = [Elem::Bool, Elem::I32, Elem::F32, Elem::F64];

/// One nest of `size` elements over inputs of the given types; `body` yields what to store.
#[track_caller]
fn check_nest(size: usize, inputs: &[Elem], body: impl Fn(&mut Nest, &[Val]) -> Vec<Val>) {
    let mut build = Build { seed: size as u64, ..Build::default() };
    let buffers: Vec<BufferId> = inputs.iter().map(|e| build.input(e.dtype(), &[size])).collect();
    let mut nest = Nest { sizes: vec![size], ..Nest::default() };
    let loads: Vec<Val> = buffers.iter().zip(inputs).map(|(&b, &e)| nest.load(b, &[0], e)).collect();
    for value in body(&mut nest, &loads) {
        let dtype = nest.insts[value.index()].elem.dtype();
        let output = build.output(dtype, &[size]);
        nest.store(output, &[0], value);
    }
    build.lowered.nests.push(nest);
    check(&mut build, 3);
}

#[test]
fn unary_operations() {
    for size in SIZES {
        for elem in [Elem::F32, Elem::F64] {
            check_nest(size, &[elem], |nest, v| {
                let floats = UnaryOp::ALL.iter().filter(|&&op| op != UnaryOp::Not);
                floats.map(|&op| nest.push(Inst::Unary(op, v[0]), elem)).collect()
            });
        }
        check_nest(size, &[Elem::I32, Elem::Bool], |nest, v| {
            let ints = [UnaryOp::Neg, UnaryOp::Abs, UnaryOp::Not];
            let mut out: Vec<Val> = ints.map(|op| nest.push(Inst::Unary(op, v[0]), Elem::I32)).into();
            out.push(nest.push(Inst::Unary(UnaryOp::Not, v[1]), Elem::Bool));
            out
        });
    }
}

/// Many values, since few of a hundred reach the corners of an elementary function.
#[test]
fn elementary_functions_agree_with_the_scalar_recipes() {
    for elem in [Elem::F32, Elem::F64] {
        check_nest(40_000, &[elem], |nest, v| {
            let functions = [UnaryOp::Exp, UnaryOp::Log, UnaryOp::Tanh, UnaryOp::Sin, UnaryOp::Cos];
            functions.iter().map(|&op| nest.push(Inst::Unary(op, v[0]), elem)).collect()
        });
    }
}

#[test]
fn binary_operations() {
    use BinaryOp::*;
    for size in SIZES {
        for elem in [Elem::F32, Elem::F64] {
            check_nest(size, &[elem, elem], |nest, v| {
                let ops = [Add, Sub, Mul, Div, Min, Max];
                ops.iter().map(|&op| nest.push(Inst::Binary(op, v[0], v[1]), elem)).collect()
            });
        }
        check_nest(size, &[Elem::I32, Elem::I32], |nest, v| {
            let ops = [Add, Sub, Mul, Min, Max, And, Or, Xor];
            ops.iter().map(|&op| nest.push(Inst::Binary(op, v[0], v[1]), Elem::I32)).collect()
        });
        check_nest(size, &[Elem::Bool, Elem::Bool], |nest, v| {
            [And, Or, Xor].iter().map(|&op| nest.push(Inst::Binary(op, v[0], v[1]), Elem::Bool)).collect()
        });
    }
}

#[test]
fn shifts_are_modulo_32() {
    check_nest(17, &[Elem::I32], |nest, v| {
        let mut out = Vec::new();
        for by in [0, 1, 31, 32, 33, -1] {
            let by = nest.literal(Literal::I32(by));
            for op in [BinaryOp::Shl, BinaryOp::Shr] {
                out.push(nest.push(Inst::Binary(op, v[0], by), Elem::I32));
            }
        }
        out
    });
}

#[test]
fn comparisons_and_selections() {
    for size in SIZES {
        for elem in [Elem::I32, Elem::F32, Elem::F64] {
            check_nest(size, &[elem, elem, Elem::Bool], |nest, v| {
                let mut out = Vec::new();
                for &op in CompareOp::ALL {
                    let mask = nest.push(Inst::Compare(op, v[0], v[1]), Elem::Bool);
                    let both = nest.push(Inst::Binary(BinaryOp::And, mask, v[2]), Elem::Bool);
                    out.extend([mask, both]);
                    out.push(nest.push(Inst::Select(mask, v[0], v[1]), elem));
                    out.push(nest.push(Inst::Select(both, v[1], v[0]), elem));
                }
                out.push(nest.push(Inst::Select(v[2], v[0], v[1]), elem));
                out.push(nest.push(Inst::Compare(CompareOp::Eq, v[0], v[0]), Elem::Bool));
                out
            });
        }
        check_nest(size, &[Elem::Bool, Elem::Bool, Elem::Bool], |nest, v| {
            let eq = nest.push(Inst::Compare(CompareOp::Eq, v[0], v[1]), Elem::Bool);
            let ne = nest.push(Inst::Compare(CompareOp::Ne, v[0], v[1]), Elem::Bool);
            vec![eq, ne, nest.push(Inst::Select(v[0], v[1], v[2]), Elem::Bool)]
        });
    }
}

#[test]
fn conversions() {
    for size in SIZES {
        check_nest(size, &ELEMS, |nest, v| {
            let mut out = Vec::new();
            for &x in v {
                out.extend(ELEMS.map(|to| nest.push(Inst::Cast(x, to), to)));
            }
            out.push(nest.push(Inst::Bitcast(v[1], Elem::F32), Elem::F32));
            out.push(nest.push(Inst::Bitcast(v[2], Elem::I32), Elem::I32));
            out
        });
    }
}

#[test]
fn every_storage_type_loads_and_every_one_stores() {
    for from in DType::ALL {
        for to in DType::ALL {
            for size in [3, 100] {
                let mut build = Build::default();
                let (input, scalar) = (build.input(from, &[size]), build.input(from, &[]));
                let (output, twin) = (build.output(to, &[size]), build.output(to, &[size]));
                let nest = build.nest(&[size]);
                let value = nest.load(input, &[0], from.elem());
                nest.store(output, &[0], value);
                let value = nest.load(scalar, &[], from.elem());
                nest.store(twin, &[0], value);
                check(&mut build, 3);
            }
        }
    }
}

#[test]
fn threefry_words_and_indices() {
    for size in SIZES {
        check_nest(size, &[Elem::I32, Elem::I32], |nest, v| {
            let key = [nest.literal(Literal::I32(-7)), v[0]];
            let counter = [nest.push(Inst::Index, Elem::I32), v[1]];
            let words = [ThreefryWord::First, ThreefryWord::Second, ThreefryWord::Mixed];
            words.map(|word| nest.push(Inst::Threefry { word, key, counter }, Elem::I32)).into()
        });
    }
}

/// Draws whose key and counter are known before the chunk are made together with those of the chunk's other groups.
#[test]
fn draws_of_a_chunk_are_those_of_its_elements() {
    for size in SIZES {
        check_nest(size, &[], |nest, _| {
            let literal = |nest: &mut Nest, words: [i32; 2]| words.map(|word| nest.literal(Literal::I32(word)));
            let keys = [[-7, 11], [0, 42]].map(|words| literal(nest, words));
            let counter = [nest.literal(Literal::I32(0)), nest.push(Inst::Index, Elem::I32)];
            let word = ThreefryWord::Mixed;
            keys.map(|key| nest.push(Inst::Threefry { word, key, counter }, Elem::I32)).into()
        });
    }
}

#[test]
fn doubles_and_singles_mix() {
    for size in SIZES {
        check_nest(size, &[Elem::F32, Elem::F64, Elem::Bool], |nest, v| {
            let wide = nest.push(Inst::Cast(v[0], Elem::F64), Elem::F64);
            let sum = nest.push(Inst::Binary(BinaryOp::Add, wide, v[1]), Elem::F64);
            let low = nest.push(Inst::Compare(CompareOp::Lt, sum, v[1]), Elem::Bool);
            let mask = nest.push(Inst::Binary(BinaryOp::Xor, low, v[2]), Elem::Bool);
            let back = nest.push(Inst::Cast(sum, Elem::F32), Elem::F32);
            vec![sum, back, mask, nest.push(Inst::Select(mask, back, v[0]), Elem::F32)]
        });
    }
}

/// What one step makes of `states`, halved if `halve` and else kept, in each storage type.
fn after_a_step(dtype: DType, states: &[f64], halve: bool, options: &CompileOptions) -> Vec<f64> {
    let mut build = Build::default();
    let (input, output) = (build.input(dtype, &[states.len()]), build.output(dtype, &[states.len()]));
    let nest = build.nest(&[states.len()]);
    let elem = dtype.elem();
    let value = nest.load(input, &[0], elem);
    let half = nest.literal(Literal::from_f64(if halve { 0.5 } else { 1.0 }, elem));
    let value = nest.push(Inst::Binary(BinaryOp::Mul, value, half), elem);
    nest.store(output, &[0], value);
    let code = compile(&build.lowered, options).unwrap();
    let mut memory = Memory::new(&build.lowered).unwrap();
    memory.write(&build.lowered, input, &Data::F64(states.to_vec()).convert(dtype)).unwrap();
    code.step(&mut memory).unwrap();
    let found = memory.read(&build.lowered, output).unwrap();
    (0..states.len()).map(|i| found.data().get_f64(i)).collect()
}

#[test]
fn subnormal_numbers_count_as_zero_if_they_are_to_and_only_during_a_step() {
    let flush = CompileOptions { flush_subnormals: true, ..CompileOptions::exact() };
    let smallest = f64::from(f32::MIN_POSITIVE);
    let states = [smallest, -smallest, 2.0 * smallest, smallest / 4.0];
    let halved = [0.5, -0.5, 1.0, 0.125].map(|x| x * smallest);
    assert_eq!(after_a_step(DType::F32, &states, true, &CompileOptions::exact()), halved);
    if cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
        assert_eq!(after_a_step(DType::F32, &states, true, &flush), [0.0, -0.0, smallest, 0.0]);
    }
    let here = std::hint::black_box(f32::MIN_POSITIVE) * std::hint::black_box(0.5);
    assert_eq!(f64::from(here), smallest * 0.5, "the mode is put back");
    // The same bits with the conversions of generated code and of intrinsics.
    let halves: Vec<f64> = (0..0x800).map(|bits| f16::from_bits(bits).to_f64()).collect();
    for intrinsics in [false, true] {
        for options in [flush, CompileOptions::exact()] {
            let options = CompileOptions { intrinsics, ..options };
            assert_eq!(after_a_step(DType::F16, &halves, false, &options), halves);
        }
    }
}
