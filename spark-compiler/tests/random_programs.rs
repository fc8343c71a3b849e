//! Random well-typed programs: every stage must keep their meaning, bit for bit.
//!
//! A program is drawn as a [`Recipe`], lists of random words of which each becomes one entity or operation; whatever
//! the words are, the program is well-typed, so proptest shrinks it by dropping words. For each program: it verifies,
//! its text reads back as the same program, the evaluator gives the same after each pass alone, and kernels with all
//! passes and with none give what the evaluator gives, for several steps and again after a reset.
//!
//! There are 1000 programs in all; `PROPTEST_CASES` sets another number for each test.

mod common;

use common::{Random, run, ways};
use proptest::prelude::*;
use spark_compiler::ir::parse::parse;
use spark_compiler::ir::{
    Array, Axis, BinaryOp, CompareOp, ConstId, Constant, DType, Data, Elem, History, HistoryId, Input, InputId,
    Literal, Location, Node, Op, OpId, Output, Program, ReduceOp, Shape, State, StateId, ThreefryWord, UnaryOp, infer,
    verify,
};
use std::fmt;

/// One random decision after another.
type Word = [u32; 6];

/// What a program is made from.
#[derive(Clone)]
struct Recipe {
    /// Which dimensions the four axes have.
    axes: [u32; 4],
    constants: Vec<Word>,
    states: Vec<Word>,
    inputs: Vec<Word>,
    operations: Vec<Word>,
    outputs: Vec<Word>,
    names: String,
    seed: u64,
}

/// Its words mean little to people, its program does.
impl fmt::Debug for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}:\n{}", self.seed, build(self))
    }
}

fn recipe(operations: usize) -> impl Strategy<Value = Recipe> {
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

fn choose<T: Copy>(list: &[T], word: u32) -> T {
    list[word as usize % list.len()]
}

/// A program under construction.
struct Builder {
    program: Program,
    dims: [&'static [usize]; 4],
    random: Random,
    names: String,
}

impl Builder {
    fn shape(&self, word: u32) -> Shape {
        let mut shape = Shape::scalar();
        for (i, &axis) in AXES.iter().enumerate() {
            let bigger = shape.clone().with(axis, self.dims[i]);
            // Every second axis on average; all shapes are unions of the same four groups, so any two broadcast.
            if word >> i & 1 == 1 && bigger.size() <= MOST {
                shape = bigger;
            }
        }
        shape
    }

    fn name(&self, kind: &str, index: usize) -> String {
        format!("{kind}{index}{}", self.names)
    }

    fn push(&mut self, op: Op, elem: Elem, shape: &Shape) -> Option<OpId> {
        let (elem, shape) = infer(&self.program, &op, (elem, shape)).ok()?;
        let known = self.program.nodes.len().is_multiple_of(3);
        let location = if known { Location { file: "a \"b\".rs", line: 3, column: 7 } } else { Location::UNKNOWN };
        (shape.size() <= MOST).then(|| self.program.push(Node { op, elem, shape, location }))
    }

    fn must(&mut self, op: Op, elem: Elem, shape: &Shape) -> OpId {
        let text = format!("{op:?}: {elem}{shape}");
        self.push(op, elem, shape).unwrap_or_else(|| panic!("{text} in\n{}", self.program))
    }

    fn literal(&mut self, elem: Elem, word: u32) -> OpId {
        let value = match elem {
            Elem::I32 => Literal::I32(choose(&[0, 1, -1, 7, i32::MIN, i32::MAX, word as i32], word)),
            elem => {
                let simple = [0.0, 1.0, -0.0, 2.0, -0.5, 0.125];
                let value = if word & 8 == 0 { choose(&simple, word >> 4) } else { self.random.float() };
                Literal::from_f64(value, elem)
            }
        };
        self.must(Op::Literal(value), elem, &Shape::scalar())
    }

    fn constant(&mut self, shape: Shape, data: Data) -> ConstId {
        let name = self.name("const", self.program.constants.len());
        let value = Array::new(shape, data).expect("as many elements as the shape has");
        self.program.constants.push(Constant { name, value });
        ConstId::from_index(self.program.constants.len() - 1)
    }

    /// Integers below `bound` in one of the integer types.
    fn indices(&mut self, shape: Shape, bound: usize, word: u32) -> ConstId {
        let list = (0..shape.size()).map(|_| (self.random.next() % bound as u64) as i32).collect();
        let dtype = match bound {
            0..=256 => choose(&[DType::I32, DType::U8, DType::U16], word),
            _ => choose(&[DType::I32, DType::U16], word),
        };
        self.constant(shape, Data::I32(list).convert(dtype))
    }

    /// Any value, recent ones more often.
    fn operand(&mut self, word: u32) -> OpId {
        let len = self.program.nodes.len();
        if len == 0 {
            return self.literal(choose(&ELEMS, word), word >> 2);
        }
        let reach = if word & 1 == 0 { len.min(6) } else { len };
        OpId::from_index(len - 1 - (word >> 1) as usize % reach)
    }

    fn elem(&self, id: OpId) -> Elem {
        self.program.node(id).elem
    }

    fn of(&self, id: OpId) -> Shape {
        self.program.node(id).shape.clone()
    }

    /// `id` as `elem`.
    fn cast(&mut self, id: OpId, elem: Elem) -> OpId {
        if self.elem(id) == elem {
            return id;
        }
        let shape = self.of(id);
        self.must(Op::Cast(id), elem, &shape)
    }

    fn like(&mut self, id: OpId, other: OpId) -> OpId {
        self.cast(id, self.elem(other))
    }

    fn as_float(&mut self, id: OpId, word: u32) -> OpId {
        if self.elem(id).is_float() { id } else { self.cast(id, choose(&[Elem::F32, Elem::F64], word)) }
    }

    fn as_number(&mut self, id: OpId, word: u32) -> OpId {
        if self.elem(id) == Elem::Bool { self.cast(id, choose(&[Elem::I32, Elem::F32, Elem::F64], word)) } else { id }
    }

    /// Some one-group shape of `size` elements.
    fn group(&self, size: usize, word: u32) -> Shape {
        let dims = if size.is_multiple_of(2) && word & 4 != 0 { vec![2, size / 2] } else { vec![size] };
        Shape::of(choose(&AXES, word), &dims)
    }

    /// Shape of the same size: one group, two groups, more, or other names.
    fn regrouped(&self, shape: &Shape, word: u32) -> Shape {
        let size = shape.size();
        match word % 5 {
            0 => self.group(size, word >> 3),
            1 if size.is_multiple_of(3) => Shape::units(&[size / 3]).with(Axis::PRE, &[3]),
            2 if size.is_multiple_of(2) => Shape::of(Axis::PRE, &[2]).with(Axis::anonymous(7), &[size / 2]),
            3 => Shape::units(&[1]).with(Axis::PRE, &[size]).with(Axis::anonymous(0), &[1]),
            _ => {
                let renamed = shape.groups().iter().zip(AXES.iter().rev().take(shape.groups().len()).rev());
                renamed.fold(Shape::scalar(), |out, (group, &axis)| out.with(axis, &group.dims))
            }
        }
    }

    /// One operation; words that fit none add nothing.
    fn operation(&mut self, [kind, a, b, c, d, e]: Word) -> Option<OpId> {
        let x = self.operand(a);
        let (elem, shape) = (self.elem(x), self.of(x));
        match kind % 32 {
            0..=7 => {
                let op = choose(BinaryOp::ALL, c);
                let (x, y) = match op {
                    BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Min | BinaryOp::Max => {
                        let x = self.as_number(x, d);
                        (x, self.binary_operand(x, b))
                    }
                    BinaryOp::Div => {
                        let x = self.as_float(x, d);
                        (x, self.binary_operand(x, b))
                    }
                    BinaryOp::And | BinaryOp::Or | BinaryOp::Xor => {
                        let x = if elem.is_float() { self.cast(x, choose(&[Elem::Bool, Elem::I32], d)) } else { x };
                        (x, self.binary_operand(x, b))
                    }
                    BinaryOp::Shl | BinaryOp::Shr => {
                        let by = Literal::I32(choose(&[0, 1, 5, 31, 32, 33, -1, d as i32], b));
                        let x = self.cast(x, Elem::I32);
                        (x, self.must(Op::Literal(by), Elem::I32, &Shape::scalar()))
                    }
                };
                self.push(Op::Binary(op, x, y), elem, &shape)
            }
            8..=10 => {
                let op = choose(UnaryOp::ALL, c);
                let x = match op {
                    UnaryOp::Not if elem.is_float() => self.cast(x, choose(&[Elem::Bool, Elem::I32], d)),
                    UnaryOp::Not => x,
                    UnaryOp::Neg | UnaryOp::Abs => self.as_number(x, d),
                    UnaryOp::Sqrt
                    | UnaryOp::Floor
                    | UnaryOp::Ceil
                    | UnaryOp::Round
                    | UnaryOp::Trunc
                    | UnaryOp::Exp
                    | UnaryOp::FusedExp
                    | UnaryOp::Log
                    | UnaryOp::Tanh
                    | UnaryOp::Sin
                    | UnaryOp::Cos => self.as_float(x, d),
                };
                self.push(Op::Unary(op, x), elem, &shape)
            }
            11..=13 => {
                let op = choose(CompareOp::ALL, c);
                let ordered = !matches!(op, CompareOp::Eq | CompareOp::Ne);
                let x = if ordered { self.as_number(x, d) } else { x };
                let y = self.binary_operand(x, b);
                self.push(Op::Compare(op, x, y), elem, &shape)
            }
            14 => {
                let x = self.as_float(x, d);
                let (y, z) = (self.binary_operand(x, b), self.binary_operand(x, c));
                self.push(Op::MulAdd(x, y, z), elem, &shape)
            }
            15 => {
                let condition = self.cast(x, Elem::Bool);
                let then = self.operand(b);
                let otherwise = self.binary_operand(then, c);
                self.push(Op::Select(condition, then, otherwise), elem, &shape)
            }
            16 => Some(self.cast(x, choose(&ELEMS, c))),
            17 => self.push(Op::Cast(x), choose(&ELEMS, c), &shape),
            18 if c & 1 == 0 => {
                let x = self.cast(x, Elem::I32);
                self.push(Op::Bitcast(x), Elem::F32, &shape)
            }
            18 => {
                // Which NaN an operation yields is not specified, so only its numbers have bits to look at.
                let x = self.cast(x, Elem::F32);
                let number = self.must(Op::Compare(CompareOp::Eq, x, x), Elem::Bool, &shape);
                let zero = self.must(Op::Literal(Literal::F32(0.0)), Elem::F32, &Shape::scalar());
                let x = self.must(Op::Select(number, x, zero), Elem::F32, &shape);
                self.push(Op::Bitcast(x), Elem::I32, &shape)
            }
            19..=21 => {
                let axis = shape.groups().get(b as usize % shape.groups().len().max(1))?.axis;
                let op = choose(ReduceOp::ALL, c);
                let x = match op {
                    ReduceOp::Any | ReduceOp::All => self.cast(x, Elem::Bool),
                    ReduceOp::Sum | ReduceOp::Max | ReduceOp::Min => self.as_number(x, d),
                };
                self.push(Op::Reduce(op, axis, x), elem, &shape)
            }
            22 | 23 => self.delay(x, b, c, d, e),
            24 if c & 1 == 0 => self.push(Op::Index, Elem::I32, &self.shape(b)),
            24 => {
                // Indices of any size: those beyond the table give its ends.
                let index = self.cast(x, Elem::I32);
                let row = Shape::of(Axis::anonymous(0), &[1 + d as usize % 70]);
                let dtype =
                    choose(&[DType::F32, DType::F64, DType::I32, DType::F16, DType::BF16, DType::U8, DType::U16], e);
                let table = self.random.array(dtype, &row);
                let table = self.constant(row, table.data().clone());
                self.push(Op::Lookup { table, index }, elem, &shape)
            }
            25 => {
                let words = [x, self.operand(b), self.operand(c), self.operand(d)].map(|w| self.cast(w, Elem::I32));
                let (word, key, counter) = (choose(ThreefryWord::ALL, e), [words[0], words[1]], [words[2], words[3]]);
                self.push(Op::Threefry { word, key, counter }, Elem::I32, &shape)
            }
            26 => {
                let to = self.shape(b);
                let indices = self.indices(to.clone(), shape.size(), c);
                self.push(Op::Gather { source: x, indices }, elem, &to)
            }
            27 => {
                let x = self.as_number(x, d);
                let to = self.shape(b);
                let segments = self.indices(shape.clone(), to.size(), c);
                self.push(Op::SegmentSum { source: x, segments }, elem, &to)
            }
            28 => {
                let mut parts = vec![x];
                for word in [b, c, d].into_iter().take(e as usize % 4) {
                    let part = self.operand(word);
                    parts.push(self.like(part, x));
                }
                let size = parts.iter().map(|&p| self.of(p).size()).sum();
                let to = self.group(size, e >> 2);
                self.push(Op::Concat(parts), elem, &to)
            }
            29 | 30 => {
                let to = self.regrouped(&shape, b);
                self.push(Op::Regroup(x), elem, &to)
            }
            31 => {
                let shape = self.shape(c);
                let data = self.random.data(choose(&DType::ALL, b), shape.size());
                let id = self.constant(shape.clone(), data);
                self.push(Op::Constant(id), elem, &shape)
            }
            _ => unreachable!("of 32 kinds"),
        }
    }

    /// The right operand for `x`: a literal, or a value cast to its type.
    fn binary_operand(&mut self, x: OpId, word: u32) -> OpId {
        if word.is_multiple_of(4) {
            return self.literal(self.elem(x), word >> 2);
        }
        let y = self.operand(word >> 2);
        self.like(y, x)
    }

    /// A delay of `x`, through the history it has already or a new one.
    fn delay(&mut self, x: OpId, b: u32, c: u32, d: u32, e: u32) -> Option<OpId> {
        let (elem, shape) = (self.elem(x), self.of(x));
        let known = self.program.nodes.iter().find_map(|node| match node.op {
            Op::Delay { history, value, .. } if value == x => Some(history),
            _ => None,
        });
        let over = match e % 3 {
            0 => shape.clone(),
            _ => self.shape(e >> 2).broadcast(&shape).ok().filter(|s| s.size() <= MOST)?,
        };
        let history = known.unwrap_or_else(|| {
            let name = self.name("past", self.program.histories.len());
            let rows = 1 + b as usize % 5;
            self.program.histories.push(History { name, elem, shape: shape.clone(), rows });
            HistoryId::from_index(self.program.histories.len() - 1)
        });
        let rows = self.program.history(history).rows;
        let delays = if c.is_multiple_of(4) {
            let same = Data::I32(vec![(d as usize % rows) as i32; over.size()]);
            self.constant(over.clone(), same)
        } else {
            self.indices(over.clone(), rows, d)
        };
        self.push(Op::Delay { history, value: x, delays }, elem, &over)
    }

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

fn build(recipe: &Recipe) -> Program {
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

/// Everything that must hold of a program; the first thing that does not.
fn check(recipe: &Recipe) -> Result<(), TestCaseError> {
    let program = build(recipe);
    verify(&program).map_err(|e| TestCaseError::fail(format!("{e}\n{program}")))?;
    let text = program.to_string();
    let read = parse(&text).map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))?;
    prop_assert_eq!(&read.to_string(), &text);
    if let Err(difference) = same_program(&program, &read) {
        return Err(TestCaseError::fail(format!("reading the text changes {difference}\n{text}")));
    }
    let mut random = Random(recipe.seed ^ 1);
    let inputs: Vec<Vec<Array>> =
        (0..6).map(|_| program.inputs.iter().map(|port| random.array(port.dtype, &port.shape)).collect()).collect();
    run(&program, &inputs, &ways(false)).map(drop).map_err(TestCaseError::fail)
}

/// Equality of programs in which a NaN equals itself.
fn same_program(a: &Program, b: &Program) -> Result<(), String> {
    let same = |a: &Array, b: &Array| a.shape() == b.shape() && a.data().same_bits(b.data());
    let ensure = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_string()) };
    ensure(a.name == b.name, "the name")?;
    ensure((&a.histories, &a.inputs, &a.outputs) == (&b.histories, &b.inputs, &b.outputs), "the interface")?;
    ensure(a.nodes == b.nodes, "the operations")?;
    ensure(a.constants.len() == b.constants.len() && a.states.len() == b.states.len(), "the number of arrays")?;
    for (a, b) in a.constants.iter().zip(&b.constants) {
        ensure(a.name == b.name && same(&a.value, &b.value), &a.name)?;
    }
    for (a, b) in a.states.iter().zip(&b.states) {
        ensure((&a.name, a.next) == (&b.name, b.next) && same(&a.init, &b.init), &a.name)?;
    }
    Ok(())
}

/// Programs that fail become filetests, so nothing is written next to the sources; a minute makes them small enough.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, max_shrink_time: 60_000, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(600))]
    #[test]
    fn small_programs(recipe in recipe(12)) {
        check(&recipe)?;
    }
}

proptest! {
    #![proptest_config(config(380))]
    #[test]
    fn larger_programs(recipe in recipe(45)) {
        check(&recipe)?;
    }
}

proptest! {
    // So long that code generation splits a step into several functions.
    #![proptest_config(config(20))]
    #[test]
    fn long_programs(recipe in recipe(300)) {
        check(&recipe)?;
    }
}

/// `text` with some characters removed, or a few others in between. Digits are not among them: numbers stay small.
fn damaged(text: &str, edits: &[(prop::sample::Index, u8)]) -> String {
    let mut text: Vec<char> = text.chars().collect();
    for (at, what) in edits {
        let at = at.index(text.len());
        match what {
            0..=99 => drop(text.drain(at..text.len().min(at + 1 + usize::from(what / 32)))),
            100..=149 => text.swap(at, at / 2),
            _ => text.insert(
                at,
                choose(&['%', ':', '=', ',', '[', ']', 'x', '"', '-', '.', '@', ' ', '\n'], u32::from(*what)),
            ),
        }
        if text.is_empty() {
            text.push('%');
        }
    }
    text.into_iter().collect()
}

proptest! {
    #![proptest_config(config(1000))]
    #[test]
    fn damaged_texts_are_programs_or_errors(
        recipe in recipe(12),
        edits in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 1..6),
    ) {
        let text = damaged(&build(&recipe).to_string(), &edits);
        if let Ok(program) = parse(&text) {
            let printed = program.to_string();
            let read = parse(&printed).map_err(|e| TestCaseError::fail(format!("{e}\n{printed}")))?;
            prop_assert_eq!(same_program(&program, &read), Ok(()));
        }
    }
}

const TOO_LARGE: &str = "every axis needs at least one element, and all together must fit in memory";

/// A program with one entity of `shape`, in every place that has a shape and does not hold elements.
fn programs_with(shape: &Shape) -> Vec<Program> {
    let input = Input { name: "x".into(), dtype: DType::F32, shape: shape.clone() };
    let history = History { name: "h".into(), elem: Elem::Bool, shape: shape.clone(), rows: 2 };
    let node = Node { op: Op::Index, elem: Elem::I32, shape: shape.clone(), location: Location::UNKNOWN };
    vec![
        Program { inputs: vec![input], ..Program::default() },
        Program { histories: vec![history], ..Program::default() },
        Program { nodes: vec![node], ..Program::default() },
    ]
}

#[track_caller]
fn is_rejected(program: &Program) {
    let error = verify(program).unwrap_err().to_string();
    assert!(error.ends_with(TOO_LARGE), "{error}");
}

#[test]
fn axes_without_elements_are_rejected() {
    for shape in [Shape::units(&[0]), Shape::units(&[3]).with(Axis::PRE, &[2, 0]), Shape::units(&[0, usize::MAX])] {
        programs_with(&shape).iter().for_each(is_rejected);
        let value = Array::zeros(shape.without(Axis::UNITS).with(Axis::UNITS, &[0]), DType::F16);
        let state = State { name: "s".into(), init: value.clone(), next: None };
        is_rejected(&Program { states: vec![state], ..Program::default() });
        is_rejected(&Program { constants: vec![Constant { name: "c".into(), value }], ..Program::default() });
    }
}

/// These could not be allocated; some have a number of elements that wraps around to a small one.
#[test]
fn shapes_too_large_are_rejected_and_not_allocated() {
    let huge = [
        Shape::units(&[usize::MAX]),
        Shape::units(&[1 << 32, 1 << 32]),
        Shape::units(&[1 << 63]).with(Axis::PRE, &[2]),
        Shape::units(&[(1 << 30) + 1]),
    ];
    for shape in &huge {
        programs_with(shape).iter().for_each(is_rejected);
        for declaration in ["const c0", "state s0"] {
            let error = parse(&format!("{declaration} \"x\": bool{shape} = true")).unwrap_err();
            assert!(error.message.contains("too many elements"), "{error}");
        }
    }
}

/// Rows are padded to 64 elements; offsets into them are 32 bits.
#[test]
fn rows_that_padding_makes_too_large_are_rejected() {
    programs_with(&Shape::units(&[1 << 26]).with(Axis::PRE, &[1])).iter().for_each(is_rejected);
}
