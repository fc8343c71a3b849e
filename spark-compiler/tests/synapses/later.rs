//! Random programs whose weights change with events of rows and of columns: most of them in ways that can be put off.
//!
//! A weight is read where something arrives; it changes there and where its row has an event of one of several kinds. What the
//! events of rows bring are values of the column (as they are, or delayed), of the row, of the whole program, and constants.

use super::Builder;
use crate::common::Random;
use spark_compiler::ir::{
    Array, Axis, BinaryOp, CompareOp, ConstId, DType, Data, Elem, History, HistoryId, Literal, Op, OpId, Program,
    ReduceOp, Shape, UnaryOp,
};

/// Sizes of rows and columns. Many rows make the past long, many columns have turns of several in a step.
const SIZES: [[usize; 2]; 16] = [
    [8, 8],
    [8, 8],
    [16, 5],
    [5, 17],
    [17, 9],
    [9, 16],
    [4, 33],
    [33, 7],
    [64, 3],
    [65, 4],
    [3, 64],
    [1, 100],
    [2, 65],
    [100, 2],
    [300, 2],
    [70, 1],
];

/// Delays from the least to the largest, in steps. More than 64 are not put off.
const SPANS: [usize; 16] = [1, 1, 1, 2, 2, 3, 7, 8, 8, 9, 16, 20, 20, 33, 64, 65];

/// What touches columns.
struct Touch {
    /// A truth value over the domain or over columns.
    event: OpId,
    /// Whether it arrives at single elements.
    delays: Option<ConstId>,
}

/// A program.
pub(crate) fn program(seed: u64) -> Program {
    let mut random = Random(seed);
    let [rows, columns] = random.pick(&SIZES);
    let mut dims =
        |size: usize| if size.is_multiple_of(4) && random.one_in(3) { vec![size / 4, 4] } else { vec![size] };
    let (rows, columns) = (dims(rows), dims(columns));
    let elem = if random.one_in(4) { Elem::F64 } else { Elem::F32 };
    let (units, pre) = (Shape::units(&rows), Shape::of(Axis::PRE, &columns));
    let both = units.clone().with(Axis::PRE, &columns);
    let program = Program::new("put off");
    let mut builder = Builder { program, random, elem, rows: units, columns: pre, both, eligible: false };
    builder.put_off();
    builder.program
}

impl Builder {
    fn put_off(&mut self) {
        let (soma, soma_old) = self.state("soma.spikes", Array::zeros(self.rows.clone(), DType::Bool));
        let spikes = self.presynaptic(soma_old);
        let touch = self.touch(spikes);
        let number = 1 + self.random.below(6) / 4;
        let mut weights = Vec::new();
        for at in 0..number {
            let dtype = self.storage();
            let kind = self.random.below(24);
            let element = |random: &mut Random| match kind {
                0..=2 => random.pick(&[0.0, 1.0, 0.5]),
                3 => random.pick(&[0.0, -0.0, 0.5]),
                _ => random.unit(),
            };
            let init = self.array(&self.both.clone(), dtype, element);
            weights.push(self.state(["weight", "tag"][at], init));
        }
        let current = self.arriving(&touch, weights[0].1);
        let spiked = self.soma(Some(current));
        self.write(soma, spiked);
        let mut rows = self.events_of_rows(soma_old, spiked);
        let mut shown = None;
        for (at, &(state, old)) in weights.iter().enumerate() {
            let other = weights[weights.len() - 1 - at].1;
            let other = (other != old && self.random.one_in(2)).then_some(other);
            let changed = self.learned(old, other, &touch, spikes, &rows);
            self.write(state, changed);
            shown = Some(changed);
            if self.random.one_in(2) {
                rows.truncate(1);
            }
        }
        self.output("spikes", spiked);
        self.output("current", current);
        if weights.len() > 1 && self.random.one_in(3) {
            let sum = self.arriving(&touch, weights[1].1);
            self.output("tagged", sum);
        }
        if self.random.one_in(24) {
            // Reads what is put off, at all elements.
            let shown = if self.random.one_in(2) { shown.expect("there is a weight") } else { weights[0].1 };
            self.output("weight", shown);
        }
    }

    /// What touches columns: whole, after a delay for each of them, or after one for each element.
    fn touch(&mut self, spikes: OpId) -> Touch {
        match self.random.below(8) {
            0 | 1 => Touch { event: spikes, delays: None },
            2 => {
                let delays = self.delays(&self.columns.clone());
                let event = self.delayed("spikes.past", spikes, delays, Elem::Bool);
                Touch { event, delays: None }
            }
            _ => {
                let delays = self.delays(&self.both.clone());
                let event = self.delayed("spikes.past", spikes, delays, Elem::Bool);
                Touch { event, delays: Some(delays) }
            }
        }
    }

    fn delays(&mut self, over: &Shape) -> ConstId {
        let (least, span) = (self.random.pick(&[0, 0, 1, 1, 3, 30]), self.random.pick(&SPANS));
        let kind = self.random.below(8);
        let columns = self.columns.size();
        let one = |at: usize, random: &mut Random| match kind {
            0 => at % columns % span,
            1 => at / columns % span,
            // Hardly any delay occurs.
            2 => (span - 1) * usize::from(random.one_in(9)),
            _ => random.below(span),
        };
        let list = (0..over.size()).map(|at| (least + one(at, &mut self.random)) as i32).collect();
        let dtype = self.random.pick(&[DType::U8, DType::U16, DType::I32]);
        let delays = Array::new(over.clone(), Data::I32(list).convert(dtype)).expect("one for each");
        self.constant("delays", delays)
    }

    /// `value`, a value of columns, some steps ago.
    fn delayed(&mut self, name: &str, value: OpId, delays: ConstId, elem: Elem) -> OpId {
        let delays_of = &self.program.constant(delays).value;
        let longest = delays_of.to_i32().into_iter().max().map_or(0, |d| d as usize);
        let over = delays_of.shape().clone();
        let rows = longest + 1 + self.random.below(2);
        let history = HistoryId::from_index(self.program.histories.len());
        let name = if self.program.histories.is_empty() { name.into() } else { format!("{name} {}", history.index()) };
        self.program.histories.push(History { name, elem, shape: self.columns.clone(), rows });
        self.shaped(Op::Delay { history, value, delays }, elem, &over)
    }

    /// The sum over what arrives.
    fn arriving(&mut self, touch: &Touch, weight: OpId) -> OpId {
        let mut term = if self.random.one_in(4) {
            let none = self.literal(0.0);
            self.node(Op::Select(touch.event, weight, none))
        } else {
            let spike = self.float(touch.event);
            self.mul(weight, spike)
        };
        if self.random.one_in(3) {
            let signs = self.array(&self.columns.clone(), self.elem.dtype(), |random| random.pick(&[1.0, -1.0]));
            let signs = self.constant("inhibition", signs);
            let signs = self.node(Op::Constant(signs));
            term = self.mul(term, signs);
        }
        self.node(Op::Reduce(ReduceOp::Sum, Axis::PRE, term))
    }

    /// One to three kinds of events of rows.
    fn events_of_rows(&mut self, soma_old: OpId, spiked: OpId) -> Vec<OpId> {
        let number = 1 + self.random.below(7) / 3;
        (0..number)
            .map(|_| match self.random.below(7) {
                0 => soma_old,
                1 => spiked,
                2 => self.input("teacher", DType::Bool, self.rows.clone()),
                3 => {
                    let input = self.input("teacher", DType::Bool, self.rows.clone());
                    let (state, old) = self.state("teacher.spikes", Array::zeros(self.rows.clone(), DType::Bool));
                    self.write(state, input);
                    old
                }
                4 => {
                    let input = self.input("reward", self.elem.dtype(), self.rows.clone());
                    let threshold = self.literal(0.4);
                    self.node(Op::Compare(CompareOp::Gt, input, threshold))
                }
                5 => {
                    // True where padding is false.
                    let input = self.input("silence", DType::Bool, self.rows.clone());
                    let silent = self.node(Op::Unary(UnaryOp::Not, input));
                    let teacher = self.input("teacher", DType::Bool, self.rows.clone());
                    self.node(Op::Binary(BinaryOp::And, teacher, silent))
                }
                _ => {
                    let teacher = self.input("teacher", DType::Bool, self.rows.clone());
                    self.node(Op::Binary(BinaryOp::Or, teacher, soma_old))
                }
            })
            .collect()
    }

    /// A weight after the step.
    fn learned(&mut self, old: OpId, other: Option<OpId>, touch: &Touch, spikes: OpId, rows: &[OpId]) -> OpId {
        let mut value = old;
        let arrivals_first = self.random.one_in(2);
        let arrivals = !self.random.one_in(16);
        if arrivals_first && arrivals {
            value = self.at_arrivals(value, other, touch, rows[0]);
        }
        for &event in rows {
            let mut amount = self.of_column(touch, spikes);
            for _ in 0..self.random.below(3) {
                let factor = self.factor(rows);
                amount = self.mul(amount, factor);
            }
            value = self.changed(value, event, amount, None);
            if self.random.one_in(3) {
                value = self.clipped(value);
            }
        }
        if !arrivals_first && arrivals {
            value = self.at_arrivals(value, other, touch, rows[0]);
        }
        self.clipped(value)
    }

    fn at_arrivals(&mut self, value: OpId, other: Option<OpId>, touch: &Touch, row: OpId) -> OpId {
        let mut amount = self.of_row(row);
        if let Some(other) = other {
            amount = self.mul(amount, other);
        }
        self.changed(value, touch.event, amount, None)
    }

    fn clipped(&mut self, value: OpId) -> OpId {
        // Below zero, a weight may be −0, to which nothing can be added without a change.
        let low = if self.random.one_in(24) { -1.0 } else { 0.0 };
        let high = self.random.pick(&[1.0, 1.0, 1.0, 1.5, 4.0]);
        let mut clips = [(BinaryOp::Max, low), (BinaryOp::Min, high)];
        if self.random.one_in(2) {
            clips.reverse();
        }
        let mut clipped = value;
        for (op, bound) in clips {
            let bound = self.literal(bound);
            clipped = self.node(Op::Binary(op, clipped, bound));
        }
        clipped
    }

    /// A decaying sum of events, its new or its old value, stored in one of several types.
    fn decaying(&mut self, name: &str, event: OpId) -> OpId {
        let (shape, dtype) = (self.shape(event), self.storage());
        let (state, old) = self.state(name, Array::zeros(shape, dtype));
        let decay = self.random.pick(&[0.5, 0.5, 0.75, 0.75, 0.75, 0.9, 0.9, 0.99]);
        let decay = self.literal(decay);
        let (kept, added) = (self.mul(old, decay), self.float(event));
        let new = self.add(kept, added);
        self.write(state, new);
        if self.random.one_in(3) { old } else { new }
    }

    /// What the column brings when its row has an event.
    fn of_column(&mut self, touch: &Touch, spikes: OpId) -> OpId {
        match self.random.below(12) {
            0 => self.literal(0.25),
            1 => {
                let dtype = self.storage();
                self.input("level", dtype, self.columns.clone())
            }
            2 => {
                // A truth value of columns that is no event.
                let gate = self.input("gate", DType::Bool, self.columns.clone());
                let trace = self.decaying("pre trace", spikes);
                let (more, less) = (self.literal(1.5), self.literal(0.5));
                let factor = self.node(Op::Select(gate, more, less));
                self.mul(trace, factor)
            }
            3 => self.decaying("pre trace", touch.event),
            4..=7 => {
                let trace = self.decaying("pre trace", spikes);
                let delays = match touch.delays {
                    Some(delays) if !self.random.one_in(4) => delays,
                    _ => {
                        let over = if self.random.one_in(3) { self.columns.clone() } else { self.both.clone() };
                        self.delays(&over)
                    }
                };
                self.delayed("pre trace.past", trace, delays, self.elem)
            }
            _ => self.decaying("pre trace", spikes),
        }
    }

    /// What the row brings when something arrives.
    fn of_row(&mut self, row: OpId) -> OpId {
        match self.random.below(4) {
            0 => self.literal(-0.1),
            1 => {
                let dtype = self.storage();
                self.input("error", dtype, self.rows.clone())
            }
            _ => self.decaying("post trace", row),
        }
    }

    /// A further factor.
    fn factor(&mut self, rows: &[OpId]) -> OpId {
        let dtype = self.storage();
        match self.random.below(9) {
            0 => self.input("reward", dtype, Shape::scalar()),
            1 => {
                let (state, old) = self.state("mood", Array::full(Shape::scalar(), dtype, 0.5));
                let input = self.input("news", self.elem.dtype(), Shape::scalar());
                let half = self.literal(0.5);
                let (kept, new) = (self.mul(old, half), self.mul(input, half));
                let mood = self.add(kept, new);
                self.write(state, mood);
                old
            }
            2 => {
                let event = self.random.pick(rows);
                self.decaying("post trace", event)
            }
            3 => self.input("error", dtype, self.rows.clone()),
            4 => {
                // A truth value of rows that is no event, or of the whole program.
                let over = if self.random.one_in(2) { self.rows.clone() } else { Shape::scalar() };
                let input = self.input("open", DType::Bool, over.clone());
                let (state, old) = self.state("open before", Array::zeros(over, DType::Bool));
                self.write(state, input);
                let (open, closed) = (self.literal(1.25), self.literal(0.125));
                self.node(Op::Select(old, open, closed))
            }
            5 => self.fixed(&self.both.clone()),
            6 => self.fixed(&self.rows.clone()),
            7 => self.fixed(&self.columns.clone()),
            _ => {
                // Whether an element takes part.
                let mask = self.array(&self.both.clone(), DType::U8, |random| random.below(2) as f64);
                let mask = self.constant("mask", mask);
                let mask = self.shaped(Op::Constant(mask), Elem::I32, &Shape::scalar());
                let zero = self.node(Op::Literal(Literal::I32(0)));
                let taking = self.node(Op::Compare(CompareOp::Ne, mask, zero));
                self.cast(taking, self.elem)
            }
        }
    }

    fn fixed(&mut self, over: &Shape) -> OpId {
        let dtype = self.storage();
        let kind = self.random.below(3);
        let values = self.array(over, dtype, |random| match kind {
            0 => random.pick(&[1.0, 0.0]),
            1 => random.pick(&[1.0, -1.0]),
            _ => random.unit(),
        });
        let id = self.constant("fixed", values);
        self.node(Op::Constant(id))
    }
}
