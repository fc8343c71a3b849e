//! Whole programs.

use super::*;
use crate::ir::{BinaryOp, CompareOp};

/// Leaky integrate-and-fire neurons: v ← v·decay + current; spike and reset where v > threshold.
fn neurons(size: usize, dtype: DType) -> Build {
    let mut build = Build::default();
    let current = build.input(dtype, &[size]);
    let data = Data::zeros(dtype, size);
    let v = build.buffer(Role::State(Array::new(shape(&[size]), data).unwrap()), dtype, &[size]);
    let spikes = build.output(DType::Bool, &[size]);
    let elem = dtype.elem();
    let nest = build.nest(&[size]);
    let number = |nest: &mut Nest, x: f64| nest.literal(Literal::from_f64(x, elem));
    let (decay, threshold, rest) = (number(nest, 0.95), number(nest, 1.0), number(nest, 0.0));
    let (i, old) = (nest.load(current, &[0], elem), nest.load(v, &[0], elem));
    let kept = nest.push(Inst::Binary(BinaryOp::Mul, old, decay), elem);
    let new = nest.push(Inst::Binary(BinaryOp::Add, kept, i), elem);
    let spike = nest.push(Inst::Compare(CompareOp::Gt, new, threshold), Elem::Bool);
    let reset = nest.push(Inst::Select(spike, rest, new), elem);
    nest.store(v, &[0], reset);
    nest.store(spikes, &[0], spike);
    build
}

#[test]
fn a_population_of_neurons() {
    for size in SIZES {
        for dtype in [DType::F16, DType::BF16, DType::F32, DType::F64] {
            check(&mut neurons(size, dtype), 20);
        }
    }
}

/// Eight loads and four stores of vectors per chunk, and nothing else: constants, the table and the masks stay in
/// registers.
#[test]
#[cfg(target_arch = "x86_64")]
fn the_neuron_loop_is_tight() {
    let text = assembly(&neurons(16384, DType::F32).lowered, &CompileOptions::exact()).unwrap();
    let (start, end) = (text.find("block1:").unwrap(), text.find("block2:").unwrap());
    let moves = text[start..end].matches("movups").count();
    assert_eq!(moves, 12, "{text}");
    assert!(!text[start..end].contains("(%rip)"), "{text}");
}
