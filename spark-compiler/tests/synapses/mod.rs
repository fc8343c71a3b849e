//! Random programs of plastic, delayed synapses: spikes over `pre`, an event per synapse, traces, weights, a sum over `pre`,
//! a soma. Which of many forms each part takes is drawn, so that passes meet what they look for and what only looks like it.

// Each test uses a part.
#![allow(dead_code)]

pub(crate) mod later;

use crate::common::Random;
use spark_compiler::ir::{
    Array, Axis, BinaryOp, CompareOp, ConstId, Constant, DType, Data, Elem, History, HistoryId, Input, InputId,
    Literal, Location, Node, Op, OpId, Output, Program, ReduceOp, Shape, State, StateId, UnaryOp, infer,
};

/// Sizes of rows and columns: around the borders of lanes, chunks and blocks.
const SIZES: [usize; 13] = [1, 3, 4, 5, 8, 15, 16, 17, 33, 63, 64, 65, 100];

/// Most elements of a program's synapses.
const MOST: usize = 1700;

/// A program under construction.
struct Builder {
    program: Program,
    random: Random,
    elem: Elem,
    /// Of the soma.
    rows: Shape,
    /// Of what it hears.
    columns: Shape,
    /// Of the synapses.
    both: Shape,
    /// Whether traces of each synapse change the weights.
    eligible: bool,
}

/// A program. Without `feedback`, no spike depends on a sum.
pub(crate) fn program(seed: u64, feedback: bool) -> Program {
    let mut random = Random(seed);
    let (mut rows, mut columns) = (random.pick(&SIZES), random.pick(&SIZES));
    if random.one_in(4) {
        columns = rows;
    }
    // Smaller ones are not worth a visit.
    let least = if random.one_in(10) { 1 } else { 64 };
    while rows * columns > MOST || rows * columns < least {
        (rows, columns) = (random.pick(&SIZES), random.pick(&SIZES));
    }
    let mut dims =
        |size: usize| if size.is_multiple_of(4) && random.one_in(3) { vec![size / 4, 4] } else { vec![size] };
    let (rows, columns) = (dims(rows), dims(columns));
    let elem = if random.one_in(4) { Elem::F64 } else { Elem::F32 };
    let (units, pre) = (Shape::units(&rows), Shape::of(Axis::PRE, &columns));
    let both = units.clone().with(Axis::PRE, &columns);
    let eligible = random.one_in(4);
    let program = Program::new("synapses");
    let mut builder = Builder { program, random, elem, rows: units, columns: pre, both, eligible };
    builder.build(feedback);
    builder.program
}

impl Random {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub(crate) fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    /// A number of [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 40) as f64 / (1u64 << 24) as f64
    }
}

impl Builder {
    fn build(&mut self, feedback: bool) {
        let (soma, soma_old) = self.state("soma.spikes", Array::zeros(self.rows.clone(), DType::Bool));
        let spikes = self.presynaptic(soma_old);
        let arrived = self.arrived(spikes);
        let (kernel, kernel_old, integer) = self.kernel();
        let weight = if integer { self.cast(kernel_old, self.elem) } else { kernel_old };
        let current = self.current(arrived, weight);
        let spiked = self.soma(feedback.then_some(current));
        self.write(soma, spiked);
        let post = match self.random.below(6) {
            0 | 1 => soma_old,
            2 => spiked,
            3 | 4 => self.input("teacher", DType::Bool, self.rows.clone()),
            _ => {
                let input = self.input("teacher", DType::Bool, self.rows.clone());
                let (state, old) = self.state("teacher.spikes", Array::zeros(self.rows.clone(), DType::Bool));
                self.write(state, input);
                old
            }
        };
        let kernel_new =
            if integer { self.integer_rule(kernel_old, arrived, post) } else { self.rule(kernel_old, arrived, post) };
        self.write(kernel, kernel_new);
        self.output("spikes", spiked);
        self.output("current", current);
        if self.random.one_in(3) {
            let shown = if self.random.one_in(2) && !self.eligible { kernel_new } else { kernel_old };
            self.output("kernel", shown);
        }
        if self.random.one_in(4) {
            // Reads another's old value.
            let mean = self.node(Op::Reduce(ReduceOp::Max, Axis::PRE, kernel_old));
            let (largest, _) =
                self.state("largest", Array::zeros(self.rows.clone(), self.program.node(mean).elem.dtype()));
            self.write(largest, mean);
        }
        if self.random.one_in(5) && !self.eligible {
            let outer = self.node(Op::Reduce(ReduceOp::Sum, Axis::UNITS, kernel_new));
            self.output("column sums", outer);
        }
    }

    fn shaped(&mut self, op: Op, elem: Elem, shape: &Shape) -> OpId {
        let (elem, shape) =
            infer(&self.program, &op, (elem, shape)).unwrap_or_else(|e| panic!("{op:?}: {e}\n{}", self.program));
        self.program.push(Node { op, elem, shape, location: Location::UNKNOWN })
    }

    fn node(&mut self, op: Op) -> OpId {
        self.shaped(op, self.elem, &Shape::scalar())
    }

    fn literal(&mut self, value: f64) -> OpId {
        self.node(Op::Literal(Literal::from_f64(value, self.elem)))
    }

    fn binary(&mut self, op: BinaryOp, a: OpId, b: OpId) -> OpId {
        // Both orders, where they mean the same or nearly so.
        let turned = match op {
            BinaryOp::Add | BinaryOp::Mul => self.random.one_in(2),
            BinaryOp::Min | BinaryOp::Max => self.random.one_in(5),
            _ => false,
        };
        self.node(if turned { Op::Binary(op, b, a) } else { Op::Binary(op, a, b) })
    }

    fn add(&mut self, a: OpId, b: OpId) -> OpId {
        self.binary(BinaryOp::Add, a, b)
    }

    fn mul(&mut self, a: OpId, b: OpId) -> OpId {
        self.binary(BinaryOp::Mul, a, b)
    }

    fn cast(&mut self, a: OpId, elem: Elem) -> OpId {
        self.shaped(Op::Cast(a), elem, &Shape::scalar())
    }

    /// A truth value as a number.
    fn float(&mut self, a: OpId) -> OpId {
        if self.random.one_in(4) {
            let (one, zero) = (self.literal(1.0), self.literal(0.0));
            return self.node(Op::Select(a, one, zero));
        }
        self.cast(a, self.elem)
    }

    fn constant(&mut self, name: &str, value: Array) -> ConstId {
        self.program.constants.push(Constant { name: name.into(), value });
        ConstId::from_index(self.program.constants.len() - 1)
    }

    fn state(&mut self, name: &str, init: Array) -> (StateId, OpId) {
        let id = StateId::from_index(self.program.states.len());
        let taken = self.program.states.iter().any(|s| s.name == name);
        let name = if taken { format!("{name} {}", id.index()) } else { name.into() };
        self.program.states.push(State { name, init, next: None });
        (id, self.node(Op::State(id)))
    }

    fn write(&mut self, state: StateId, next: OpId) {
        self.program.states[state.index()].next = Some(next);
    }

    fn input(&mut self, name: &str, dtype: DType, shape: Shape) -> OpId {
        let id = InputId::from_index(self.program.inputs.len());
        self.program.inputs.push(Input { name: format!("{name} {}", id.index()), dtype, shape });
        self.node(Op::Input(id))
    }

    fn output(&mut self, name: &str, value: OpId) {
        let name = format!("{name} {}", self.program.outputs.len());
        let dtype = self.program.node(value).elem.dtype();
        self.program.outputs.push(Output { name, dtype, value });
    }

    fn shape(&self, id: OpId) -> Shape {
        self.program.node(id).shape.clone()
    }

    /// A type that stores numbers, not always as precisely.
    fn storage(&mut self) -> DType {
        match self.elem {
            Elem::F64 => DType::F64,
            _ => self.random.pick(&[DType::F32, DType::F32, DType::F16, DType::BF16]),
        }
    }

    fn array(&mut self, shape: &Shape, dtype: DType, mut element: impl FnMut(&mut Random) -> f64) -> Array {
        let list = (0..shape.size()).map(|_| element(&mut self.random)).collect();
        Array::new(shape.clone(), Data::F64(list).convert(dtype)).expect("one element per element of the shape")
    }

    /// `shape`, or the synapses'.
    fn declared(&mut self, shape: Shape) -> Shape {
        if self.random.one_in(2) { shape } else { self.both.clone() }
    }

    /// Spikes over `pre`.
    fn presynaptic(&mut self, soma: OpId) -> OpId {
        let (rows, columns) = (self.rows.size(), self.columns.size());
        let pre = self.columns.clone();
        match self.random.below(9) {
            0 => {
                let (potential, old) = self.state("source.potential", Array::zeros(pre.clone(), DType::F32));
                let input = self.input("drive", DType::F32, pre);
                let (old, input) = (self.cast(old, self.elem), self.cast(input, self.elem));
                let decay = self.literal(0.5);
                let kept = self.mul(old, decay);
                let new = self.add(kept, input);
                let stored = if self.elem == Elem::F64 { self.cast(new, Elem::F32) } else { new };
                self.write(potential, stored);
                let threshold = self.literal(0.5);
                self.node(Op::Compare(CompareOp::Gt, new, threshold))
            }
            1 => {
                let input = self.input("level", self.elem.dtype(), pre);
                let threshold = self.literal(0.25);
                self.node(Op::Compare(CompareOp::Gt, input, threshold))
            }
            2 | 7 => {
                let input = self.input("spikes", DType::Bool, pre.clone());
                let (state, old) = self.state("source.spikes", Array::zeros(pre, DType::Bool));
                self.write(state, input);
                old
            }
            3..=5 if columns > rows => {
                let rest = self.input("spikes", DType::Bool, Shape::of(Axis::anonymous(3), &[columns - rows]));
                let parts = if self.random.one_in(2) { vec![rest, soma] } else { vec![soma, rest] };
                let dims = [columns];
                let all = self.shaped(Op::Concat(parts), Elem::Bool, &Shape::of(Axis::PRE, &dims));
                if pre == Shape::of(Axis::PRE, &dims) { all } else { self.shaped(Op::Regroup(all), Elem::Bool, &pre) }
            }
            3..=6 if columns == rows => self.shaped(Op::Regroup(soma), Elem::Bool, &pre),
            _ => self.input("spikes", DType::Bool, pre),
        }
    }

    /// Spikes when they arrive: per synapse, per presynaptic neuron, or at once.
    fn arrived(&mut self, spikes: OpId) -> OpId {
        let over = match self.random.below(8) {
            0..=2 => return spikes,
            3 => self.columns.clone(),
            _ => self.both.clone(),
        };
        let longest = self.random.pick(&[1, 2, 3, 7, 8, 9, 15, 16, 19]);
        let columns = self.columns.size();
        let alike = self.random.below(8);
        let steps: Vec<i32> = (0..over.size().max(columns)).map(|_| self.random.below(longest + 1) as i32).collect();
        let list = (0..over.size()).map(|i| match alike {
            0 => steps[0],
            1 => steps[i % columns],
            2 => steps[i / columns],
            _ => steps[i],
        });
        let dtype = self.random.pick(&[DType::U8, DType::U16, DType::I32]);
        let delays = Array::new(over.clone(), Data::I32(list.collect()).convert(dtype)).expect("one for each");
        let delays = self.constant("delays", delays);
        let shape = self.columns.clone();
        let rows = longest + 1 + self.random.below(2);
        self.program.histories.push(History { name: "spikes.past".into(), elem: Elem::Bool, shape, rows });
        let history = HistoryId::from_index(0);
        self.shaped(Op::Delay { history, value: spikes, delays }, Elem::Bool, &over)
    }

    /// A factor that does not change, for a value over `shape`.
    fn coefficient(&mut self, shape: &Shape) -> OpId {
        let value = self.random.pick(&[0.5, 0.5, 0.5, 0.75, 0.75, 0.9, 0.9, 0.9, 0.9, 0.9, 0.99, 0.0, 1.0, -0.5]);
        let over = match self.random.below(8) {
            0 => shape.clone(),
            1 if self.columns.fits(shape) => self.columns.clone(),
            2 if self.rows.fits(shape) => self.rows.clone(),
            _ => return self.literal(value),
        };
        let alike = self.random.one_in(2);
        let dtype = self.elem.dtype();
        let array = self.array(&over, dtype, |random| if alike { value } else { random.unit() });
        let id = self.constant("coefficient", array);
        self.node(Op::Constant(id))
    }

    /// Initial values: zeros mostly.
    fn initial(&mut self, shape: &Shape, dtype: DType) -> Array {
        match self.random.below(8) {
            0 => self.array(shape, dtype, |random| random.unit()),
            1 => Array::full(shape.clone(), dtype, 0.25),
            2 => Array::full(shape.clone(), dtype, -0.0),
            _ => Array::zeros(shape.clone(), dtype),
        }
    }

    /// A filter of events: its new and its old value, of which one is read by others.
    fn trace(&mut self, name: &str, event: OpId) -> OpId {
        let added = self.float(event);
        let shape = self.declared(self.shape(event));
        let first = self.filter(name, &shape, added, Some(event));
        if self.random.one_in(4) { self.filter(name, &self.shape(first), first, None) } else { first }
    }

    /// The weights after the step, changed by traces of each synapse.
    fn eligible(&mut self, old: OpId, arrived: OpId, post: OpId) -> OpId {
        let mut value = old;
        for round in 0..2 {
            let (raise, read) = if self.random.one_in(4) { (post, arrived) } else { (arrived, post) };
            let other = if self.random.one_in(3) { raise } else { read };
            let amount = self.eligibility(raise, other);
            let read = if self.random.one_in(8) { raise } else { read };
            value = self.changed(value, read, amount, None);
            if round == 0 && !self.random.one_in(4) {
                break;
            }
        }
        if self.random.one_in(4) {
            let amount = self.literal(0.125);
            value = self.changed(value, arrived, amount, None);
        }
        let (low, high) = (self.literal(0.0), self.literal(1.0));
        let value = self.node(Op::Binary(BinaryOp::Max, value, low));
        self.node(Op::Binary(BinaryOp::Min, value, high))
    }

    /// A trace of each synapse, which `event` raises by a trace of `other` or a number.
    fn eligibility(&mut self, event: OpId, other: OpId) -> OpId {
        let amount = if self.random.one_in(3) { self.literal(0.25) } else { self.trace("factor", other) };
        let spike = self.float(event);
        let added = self.mul(spike, amount);
        let both = self.both.clone();
        if self.random.one_in(4) {
            return self.filter("eligibility", &both, added, None);
        }
        // As most rules have it.
        let init = self.initial(&both, self.elem.dtype());
        let (state, old) = self.state("eligibility", init);
        let (decay, loss) =
            (self.random.pick(&[0.5, 0.5, 0.75, 0.9, 0.9, 0.95, 0.95, 0.999, -0.5]), self.random.pick(&[0.05, 0.2]));
        let (decay, loss) = (self.literal(decay), self.literal(loss));
        let next = match self.random.below(10) {
            0 | 1 | 4 => self.node(Op::MulAdd(old, decay, added)),
            2 => {
                let lost = self.mul(old, loss);
                let kept = self.node(Op::Binary(BinaryOp::Sub, old, lost));
                self.add(kept, added)
            }
            3 => {
                let (room, most) = (self.node(Op::Binary(BinaryOp::Sub, added, old)), self.literal(2.0));
                let sum = self.node(Op::MulAdd(room, loss, old));
                self.binary(BinaryOp::Min, sum, most)
            }
            _ => {
                let kept = self.mul(old, decay);
                self.add(kept, added)
            }
        };
        self.write(state, next);
        if self.random.one_in(12) {
            self.output("eligibility", next);
        }
        if self.random.one_in(2) { old } else { next }
    }

    /// A state over `shape` that follows `added`.
    fn filter(&mut self, name: &str, shape: &Shape, added: OpId, event: Option<OpId>) -> OpId {
        let dtype = self.storage();
        let init = self.initial(shape, dtype);
        let (state, old) = self.state(name, init);
        let decay = self.coefficient(shape);
        let next = match (self.random.below(12), event) {
            (0, Some(event)) => {
                let (one, kept) = (self.literal(1.0), self.mul(old, decay));
                self.node(Op::Select(event, one, kept))
            }
            (1, _) => {
                let one = self.literal(1.0);
                let room = self.node(Op::Binary(BinaryOp::Sub, one, old));
                let (kept, added) = (self.mul(old, decay), self.mul(added, room));
                self.add(kept, added)
            }
            (2, _) => {
                let (kept, most) = (self.mul(old, decay), self.literal(1.5));
                let sum = self.add(kept, added);
                self.binary(BinaryOp::Min, sum, most)
            }
            (3, _) => {
                let kept = self.mul(old, decay);
                let sum = self.add(kept, added);
                self.node(Op::Unary(UnaryOp::Tanh, sum))
            }
            (4, _) => self.node(Op::MulAdd(old, decay, added)),
            (5, _) => {
                let change = self.node(Op::Binary(BinaryOp::Sub, added, old));
                let change = self.mul(change, decay);
                self.add(old, change)
            }
            _ => {
                let kept = self.mul(old, decay);
                self.add(kept, added)
            }
        };
        self.write(state, next);
        if self.random.one_in(6) {
            self.output(name, next);
        }
        if self.random.one_in(4) { old } else { next }
    }

    /// Numbers that may be anything.
    fn third_factor(&mut self) -> OpId {
        let shape = self.random.below(4);
        let shape = [Shape::scalar(), self.rows.clone(), self.columns.clone(), self.both.clone()][shape].clone();
        let dtype = self.storage();
        self.input("third factor", dtype, shape)
    }

    /// The weights: state, old value, and whether they are integers.
    fn kernel(&mut self) -> (StateId, OpId, bool) {
        if self.random.one_in(8) {
            let dtype = self.random.pick(&[DType::I32, DType::U8, DType::U16]);
            let init = self.array(&self.both.clone(), dtype, |random| random.below(5) as f64);
            let (id, old) = self.state("kernel", init);
            return (id, old, true);
        }
        let dtype = self.storage();
        // What is outside of the bounds is clipped where no spike is.
        let kind = if self.eligible { 4 } else { self.random.below(14) };
        let element = |random: &mut Random| match kind {
            0 => random.pick(&[0.0, 1.0, 0.5]),
            1 => random.pick(&[0.0, -0.0, 0.5]),
            2 => random.pick(&[-2.0, 0.5, 7.0]),
            3 => random.unit() * 2.0 - 1.0,
            _ => random.unit(),
        };
        let init = self.array(&self.both.clone(), dtype, element);
        let (id, old) = self.state("kernel", init);
        (id, old, false)
    }

    fn integer_rule(&mut self, old: OpId, arrived: OpId, post: OpId) -> OpId {
        let mut value = old;
        let kinds = self.random.below(4);
        for (bit, op, event) in [(1, BinaryOp::Add, arrived), (2, BinaryOp::Sub, post)] {
            if kinds & bit != 0 {
                let change = self.cast(event, Elem::I32);
                value = self.node(Op::Binary(op, value, change));
            }
        }
        if self.random.one_in(2) {
            let most = self.node(Op::Literal(Literal::I32(6)));
            value = self.binary(BinaryOp::Min, value, most);
        }
        value
    }

    /// The weights after the step: triggered by arrivals, by postsynaptic spikes, by both or by neither; then clipped.
    fn rule(&mut self, old: OpId, arrived: OpId, post: OpId) -> OpId {
        if self.eligible {
            return self.eligible(old, arrived, post);
        }
        let mut value = old;
        let kinds = self.random.below(8);
        let third = if self.random.one_in(5) { Some(self.third_factor()) } else { None };
        if kinds != 1 {
            let amount = self.trace("post trace", post);
            value = self.changed(value, arrived, amount, third);
        }
        if kinds != 2 {
            let amount = self.trace("pre trace", arrived);
            value = self.changed(value, post, amount, third);
        }
        if kinds == 3 {
            let (event, amount) = (arrived, self.literal(0.125));
            value = self.changed(value, event, amount, third);
        }
        let (low, high) = (
            self.random.pick(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -0.0, -1.0, 0.1]),
            self.random.pick(&[1.0, 1.0, 0.3, 4.0]),
        );
        let bounds = self.random.below(8).min(4);
        let (low, high) = (self.literal(low), self.literal(high));
        let mut clips = [(1, BinaryOp::Max, low), (2, BinaryOp::Min, high)];
        if self.random.one_in(2) {
            clips.reverse();
        }
        for (bit, op, bound) in clips {
            if bounds & bit != 0 || bounds == 4 {
                value = self.binary(op, value, bound);
            }
        }
        value
    }

    /// `value`, changed by about `amount` where `event` is.
    fn changed(&mut self, value: OpId, event: OpId, amount: OpId, third: Option<OpId>) -> OpId {
        let rate = self.literal(self.random.0 as f64 / u64::MAX as f64 * 0.4 - 0.2);
        let mut amount = self.mul(amount, rate);
        if let Some(third) = third
            && self.random.one_in(2)
        {
            amount = self.mul(amount, third);
        }
        let spike = self.float(event);
        match self.random.below(8) {
            0 => {
                let changed = self.add(value, amount);
                self.node(Op::Select(event, changed, value))
            }
            1 => self.node(Op::MulAdd(spike, amount, value)),
            2 => {
                let most = self.literal(1.0);
                let room = self.node(Op::Binary(BinaryOp::Sub, most, value));
                let change = self.mul(spike, amount);
                let change = self.mul(change, room);
                self.add(value, change)
            }
            3 => {
                let change = self.mul(amount, value);
                let change = self.mul(change, spike);
                self.node(Op::Binary(BinaryOp::Sub, value, change))
            }
            4 => {
                let change = self.mul(spike, amount);
                self.node(Op::Binary(BinaryOp::Sub, value, change))
            }
            5 => {
                let none = self.literal(0.0);
                let change = self.node(Op::Select(event, amount, none));
                self.add(value, change)
            }
            _ => {
                let change = self.mul(spike, amount);
                self.add(value, change)
            }
        }
    }

    /// What the soma receives: weighted arrivals, perhaps masked, perhaps filtered, summed over `pre`.
    fn current(&mut self, arrived: OpId, weight: OpId) -> OpId {
        let spike = self.float(arrived);
        let mut term = match self.random.below(4) {
            0 => {
                let none = self.literal(0.0);
                self.node(Op::Select(arrived, weight, none))
            }
            _ => self.mul(weight, spike),
        };
        if self.random.one_in(3) {
            let over = if self.random.one_in(2) { self.columns.clone() } else { self.both.clone() };
            let signs = self.array(&over, self.elem.dtype(), |random| random.pick(&[1.0, -1.0]));
            let signs = self.constant("inhibition", signs);
            let signs = self.node(Op::Constant(signs));
            term = self.mul(term, signs);
        }
        let filters = self.random.below(8).saturating_sub(5);
        for _ in 0..filters {
            term = self.filter("current", &self.both.clone(), term, None);
        }
        let sum = self.node(Op::Reduce(ReduceOp::Sum, Axis::PRE, term));
        if self.random.one_in(2) { self.filter("soma.current", &self.rows.clone(), sum, None) } else { sum }
    }

    /// Spikes of the soma; without `current`, from an input.
    fn soma(&mut self, current: Option<OpId>) -> OpId {
        let input = self.input("background", self.elem.dtype(), self.rows.clone());
        let received = match current {
            Some(current) => self.add(current, input),
            None => input,
        };
        let (potential, old) = self.state("soma.potential", Array::zeros(self.rows.clone(), self.elem.dtype()));
        let decay = self.literal(0.75);
        let kept = self.mul(old, decay);
        let new = self.add(kept, received);
        let threshold = self.literal(1.0);
        let spiked = self.node(Op::Compare(CompareOp::Ge, new, threshold));
        let rest = self.literal(0.0);
        let new = self.node(Op::Select(spiked, rest, new));
        self.write(potential, new);
        spiked
    }
}
