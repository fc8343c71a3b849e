//! Random well-typed programs.
//!
//! A program is drawn as a [`Recipe`], lists of random words of which each becomes one entity or operation; whatever
//! the words are, the program is well-typed, so proptest shrinks it by dropping words.

mod operations;
mod values;

use crate::common::Random;
use proptest::prelude::*;
use spark_compiler::ir::{Array, Axis, DType, Elem, Input, InputId, Op, OpId, Output, Program, State, StateId};
use std::fmt;

/// One random decision after another.
type Word = [u32; 6];

/// What a program is made from.
#[derive(Clone)]
pub(crate) struct Recipe {
    /// Which dimensions the four axes have.
    axes: [u32; 4],
    constants: Vec<Word>,
    states: Vec<Word>,
    inputs: Vec<Word>,
    operations: Vec<Word>,
    outputs: Vec<Word>,
    names: String,
    pub(crate) seed: u64,
}

/// Its words mean little to people, its program does.
impl fmt::Debug for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}:\n{}", self.seed, build(self))
    }
}

pub(crate) fn recipe(operations: usize) -> impl Strategy<Value = Recipe> {
    let words = |most: usize| prop::collection::vec(any::<Word>(), 0..=most);
    let interface = (words(3), words(4), words(3));
    let rest =
        (words(operations), prop::collection::vec(any::<Word>(), 1..=4), "[a-z \"\\\\\n/:%é]{0,6}", any::<u64>());
    (any::<[u32; 4]>(), interface, rest).prop_map(
        |(axes, (constants, states, inputs), (operations, outputs, names, seed))| Recipe {
            axes,
            constants,
            states,
            inputs,
            operations,
            outputs,
            names,
            seed,
        },
    )
}

const AXES: [Axis; 4] = [Axis::UNITS, Axis::PRE, Axis::anonymous(0), Axis::anonymous(7)];

/// Dimensions of an axis: around the boundaries of lanes, chunks and blocks, and of several dimensions.
const DIMS: [&[usize]; 16] = [
    &[1],
    &[2],
    &[3],
    &[5],
    &[16],
    &[17],
    &[2, 3],
    &[1, 4],
    &[3, 1, 2],
    &[1],
    &[15],
    &[63],
    &[64],
    &[65],
    &[100],
    &[300],
];

/// Most elements of one value.
const MOST: usize = 2500;

const ELEMS: [Elem; 4] = [Elem::F32, Elem::Bool, Elem::I32, Elem::F64];

pub(crate) fn choose<T: Copy>(list: &[T], word: u32) -> T {
    list[word as usize % list.len()]
}

/// A program under construction.
struct Builder {
    program: Program,
    dims: [&'static [usize]; 4],
    random: Random,
    names: String,
}

/// The program of a recipe.
pub(crate) fn build(recipe: &Recipe) -> Program {
    let mut builder = Builder {
        program: Program::new(format!("random {}", recipe.names)),
        dims: recipe.axes.map(|word| choose(&DIMS, word)),
        random: Random(recipe.seed),
        names: recipe.names.clone(),
    };
    builder.interface(recipe);
    for &word in &recipe.operations {
        builder.operation(word);
    }
    builder.writes(recipe);
    builder.program
}

impl Builder {
    fn interface(&mut self, recipe: &Recipe) {
        for &[dtype, shape, uniform, ..] in &recipe.constants {
            let shape = self.shape(shape);
            let len = if uniform & 3 == 0 { 1 } else { shape.size() };
            let data = self.random.data(choose(&DType::ALL, dtype), len);
            let data =
                if len == 1 { Array::full(shape.clone(), data.dtype(), data.get_f64(0)).into_data() } else { data };
            let id = self.constant(shape.clone(), data);
            self.must(Op::Constant(id), Elem::F32, &shape);
        }
        for (i, &[dtype, shape, ..]) in recipe.states.iter().enumerate() {
            let shape = self.shape(shape);
            let init = self.random.array(choose(&DType::ALL, dtype), &shape);
            self.program.states.push(State { name: self.name("state", i), init, next: None });
            self.must(Op::State(StateId::from_index(i)), Elem::F32, &shape);
        }
        for (i, &[dtype, shape, ..]) in recipe.inputs.iter().enumerate() {
            let shape = self.shape(shape);
            let dtype = choose(&DType::ALL, dtype);
            self.program.inputs.push(Input { name: self.name("input", i), dtype, shape: shape.clone() });
            self.must(Op::Input(InputId::from_index(i)), Elem::F32, &shape);
        }
    }

    /// Each state takes the value of some operation that fits it, or keeps its own.
    fn writes(&mut self, recipe: &Recipe) {
        for (i, &[_, _, which, keep, ..]) in recipe.states.iter().enumerate() {
            let state = &self.program.states[i];
            let (elem, shape) = (state.init.elem(), state.init.shape().clone());
            let fits: Vec<OpId> = self.program.iter().filter(|(_, n)| n.shape.fits(&shape)).map(|(id, _)| id).collect();
            let whole: Vec<OpId> = fits.iter().copied().filter(|&id| self.of(id) == shape).collect();
            let list = if whole.is_empty() || which & 3 == 0 { fits } else { whole };
            if keep.is_multiple_of(8) || list.is_empty() {
                continue;
            }
            let reach = list.len().min(8);
            let next = list[list.len() - 1 - (which >> 2) as usize % reach];
            self.program.states[i].next = Some(self.cast(next, elem));
        }
        for (i, &[which, dtype, ..]) in recipe.outputs.iter().enumerate() {
            let value = self.operand(which);
            let elem = self.elem(value);
            let stored: Vec<DType> = DType::ALL.into_iter().filter(|d| d.elem() == elem).collect();
            let dtype = if dtype & 1 == 0 { elem.dtype() } else { choose(&stored, dtype >> 1) };
            self.program.outputs.push(Output { name: self.name("output", i), dtype, value });
        }
    }
}
