//! The tape behind the handles: records operations, and in eager mode evaluates each at once.
//!
//! A [`Session`] puts a tape on this thread's stack; handles made while it is on top belong to it. In *eager* mode every
//! operation has a known value as soon as it is recorded (from the evaluator that is also the oracle for kernels), so a
//! module's body can be stepped through in a debugger. In *traced* mode only operations whose operands are all constant
//! are evaluated, at once: they fold into constants.
//!
//! User mistakes (shapes that do not fit, mixed types) do not panic inside operators, which cannot return errors: the
//! tape collects them with the user's source position and the session's end reports all of them.

use super::budget;
use super::contract::{MulAdd, Negate, contract};
use crate::eval::{self, Past};
use crate::ir::{
    Array, BinaryOp, ConstId, Constant, DType, Elem, History, HistoryId, Input, InputId, Literal, Location,
    MOST_ELEMENTS, Node, Op, OpId, Output, Program, Shape, State, StateId, ThreefryWord, UnaryOp, infer,
};
use crate::passes::fold;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::marker::PhantomData;

/// How a session runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Every operation is evaluated when it is recorded.
    Eager,
    /// Operations are recorded; only constant ones are evaluated.
    Traced,
}

/// A value on the current tape: what every handle wraps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Value {
    pub(super) id: OpId,
    pub(super) tape: u32,
}

/// A mistake found while recording.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{location}: {message}")]
pub struct TraceError {
    /// What is wrong.
    pub message: String,
    /// The source line that asked for it.
    pub location: Location,
}

/// Current values of a model's states and histories, by name: what an eager step reads and writes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// State variables in storage type.
    pub states: HashMap<String, Array>,
    /// Past rows of delayed values and the row the next step writes.
    pub histories: HashMap<String, (Vec<Array>, usize)>,
}

struct Tape {
    serial: u32,
    mode: Mode,
    program: Program,
    known: Vec<Option<Array>>,
    errors: Vec<TraceError>,
    memory: Memory,
    states: HashMap<String, (StateId, OpId)>,
    outputs: Vec<(String, Array)>,
    float: Elem,
    contract: bool,
    fused: bool,
}

thread_local! {
    static TAPES: RefCell<Vec<Tape>> = const { RefCell::new(Vec::new()) };
    static SERIAL: Cell<u32> = const { Cell::new(0) };
}

/// A tape on top of this thread's stack; dropped, it goes away with everything recorded.
#[derive(Debug)]
pub struct Session {
    serial: u32,
    // Tapes are thread-local: a session must end on the thread it began on.
    _here: PhantomData<*const ()>,
}

/// Runs `f` in an eager session of single precision: every operation is evaluated at once, results can be looked at with
/// `known`. For tests of functions on handles.
///
/// # Errors
/// Every mistake made in `f`.
pub fn eager<R>(f: impl FnOnce() -> R) -> Result<R, Vec<TraceError>> {
    let session = Session::begin("eager", Mode::Eager, Elem::F32, Memory::default());
    let result = f();
    session.finish().map(|_| result)
}

/// What a session leaves behind.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The recorded program (also in eager mode).
    pub program: Program,
    /// States and histories after the step; eager mode only.
    pub memory: Memory,
    /// Outputs by name; eager mode only.
    pub outputs: Vec<(String, Array)>,
}

impl Session {
    /// Begins a session. `float` is the arithmetic type of host numbers on their own (`f32` or `f64`); `memory` holds the
    /// values of states for eager mode (missing ones start from their initial value).
    pub fn begin(name: &str, mode: Mode, float: Elem, memory: Memory) -> Session {
        let serial = SERIAL.with(|s| {
            s.set(s.get().wrapping_add(1));
            s.get()
        });
        let tape = Tape {
            serial,
            mode,
            program: Program::new(name),
            known: Vec::new(),
            errors: Vec::new(),
            memory,
            states: HashMap::new(),
            outputs: Vec::new(),
            float,
            contract: false,
            fused: false,
        };
        TAPES.with(|tapes| tapes.borrow_mut().push(tape));
        Session { serial, _here: PhantomData }
    }

    /// From now on elementary functions use fused multiply-adds inside.
    pub fn fuse_functions(&self) {
        with(|tape| tape.fused = true);
    }

    /// From now on a sum or difference with a product is recorded as one operation that rounds once (`fma`), as XLA and
    /// C compilers contract. Both modes do, so they still agree bit for bit.
    pub fn contract(&self) {
        with(|tape| tape.contract = true);
    }

    /// Ends the session.
    ///
    /// # Errors
    /// Every mistake found while recording.
    pub fn finish(self) -> Result<Recorded, Vec<TraceError>> {
        let tape = TAPES.with(|tapes| {
            let mut tapes = tapes.borrow_mut();
            let at = tapes.iter().position(|t| t.serial == self.serial).expect("a session owns its tape");
            tapes.remove(at)
        });
        if !tape.errors.is_empty() {
            return Err(tape.errors);
        }
        let mut memory = tape.memory;
        if tape.mode == Mode::Eager {
            for state in &tape.program.states {
                if let Some(next) = state.next {
                    let value = tape.known[next.index()].as_ref().expect("eager values are known");
                    memory
                        .states
                        .insert(state.name.clone(), eval::store(value, state.init.shape(), state.init.dtype()));
                }
            }
            for history in &tape.program.histories {
                if let Some((_, position)) = memory.histories.get_mut(&history.name) {
                    *position = (*position + 1) % history.rows;
                }
            }
        }
        Ok(Recorded { program: tape.program, memory, outputs: tape.outputs })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // After `finish` the tape is gone and this finds nothing.
        TAPES.with(|tapes| tapes.borrow_mut().retain(|t| t.serial != self.serial));
    }
}

fn with<R>(f: impl FnOnce(&mut Tape) -> R) -> R {
    TAPES.with(|tapes| {
        let mut tapes = tapes.borrow_mut();
        let tape =
            tapes.last_mut().expect("array handles exist in a module's build or step, or inside `spark::eager(|| ..)`");
        f(tape)
    })
}

impl Tape {
    fn value(&self, id: OpId) -> Value {
        Value { id, tape: self.serial }
    }

    fn push(&mut self, op: Op, elem: Elem, shape: Shape, location: Location) -> OpId {
        let constant = !matches!(op, Op::Input(_) | Op::State(_) | Op::Delay { .. });
        let node = Node { op, elem, shape, location };
        let mut operands = Vec::with_capacity(4);
        node.op.operands(|id| operands.push(id));
        let sizes = || operands.iter().filter_map(|id| self.known[id.index()].as_ref().map(Array::len));
        let known = constant
            && sizes().count() == operands.len()
            && (self.mode == Mode::Eager || fold::worth_storing(&node.shape, sizes()));
        let value = known.then(|| {
            let operands: Vec<&Array> =
                operands.iter().map(|id| self.known[id.index()].as_ref().expect("all known")).collect();
            eval::apply(&self.program, &node, &operands)
        });
        // A traced operation on constants becomes a constant itself.
        let foldable = !matches!(node.op, Op::Literal(_) | Op::Constant(_)) && self.mode == Mode::Traced;
        let node = match &value {
            Some(value) if foldable => Node { op: fold::stored(&mut self.program, value), ..node },
            _ => node,
        };
        self.known.push(value);
        self.program.push(node)
    }

    /// The operation as this session rounds it.
    fn fused(&mut self, op: Op, location: Location) -> Op {
        let contracted = if self.contract { contract(&self.program, &op) } else { None };
        match (op, contracted) {
            (Op::Unary(UnaryOp::Exp, x), _) if self.fused => Op::Unary(UnaryOp::FusedExp, x),
            (_, Some(MulAdd { factors: [a, b], addend, negate })) => {
                let mut negated = |id: OpId, on: Negate| {
                    if negate != on {
                        return id;
                    }
                    let Node { elem, shape, .. } = self.program.node(id).clone();
                    self.push(Op::Unary(UnaryOp::Neg, id), elem, shape, location)
                };
                Op::MulAdd(negated(a, Negate::Factor), b, negated(addend, Negate::Addend))
            }
            (op, None) => op,
        }
    }

    fn literal(&mut self, literal: Literal, location: Location) -> OpId {
        self.push(Op::Literal(literal), literal.elem(), Shape::scalar(), location)
    }

    /// Keeps a constant array of the program.
    fn store(&mut self, name: String, value: Array) -> ConstId {
        self.program.constants.push(Constant { name, value });
        ConstId::from_index(self.program.constants.len() - 1)
    }

    fn error(&mut self, message: String, location: Location) {
        self.errors.push(TraceError { message, location });
    }

    /// The operand on this tape; a handle of another session is a mistake.
    fn own(&mut self, value: Value, elem: Elem, location: Location) -> OpId {
        if value.tape == self.serial {
            return value.id;
        }
        self.error(
            "a value of another build or step is used here; keep it in a #[variable] or #[constant]".into(),
            location,
        );
        self.literal(Literal::from_f64(0.0, elem), location)
    }

    /// True if an array of `n` elements can be made. Recording takes no memory; evaluating does.
    fn affords(&self, n: usize) -> bool {
        n > 0 && n <= MOST_ELEMENTS && (self.mode == Mode::Traced || budget::take(n))
    }

    fn record(&mut self, op: Op, elem: Elem, shape: &Shape, location: Location) -> OpId {
        let op = self.fused(op, location);
        match infer(&self.program, &op, (elem, shape)) {
            Ok((elem, shape)) if shape.checked_size().is_some_and(|n| self.affords(n)) => {
                self.push(op, elem, shape, location)
            }
            Ok((elem, shape)) => {
                self.error(format!("a value of shape {shape}: every axis needs at least one element, and all together must fit in memory"), location);
                self.literal(Literal::from_f64(0.0, elem), location)
            }
            Err(error) => {
                self.error(error.to_string(), location);
                self.literal(Literal::from_f64(0.0, elem), location)
            }
        }
    }
}

/// Records an operation built from operand ids; `elem` and `shape` are used by operations that choose their own, and for
/// the placeholder after a mistake.
pub(super) fn record(
    operands: &[Value],
    elem: Elem,
    shape: &Shape,
    location: Location,
    build: impl FnOnce(&[OpId]) -> Op,
) -> Value {
    with(|tape| {
        let ids: Vec<OpId> = operands.iter().map(|&v| tape.own(v, elem, location)).collect();
        let id = tape.record(build(&ids), elem, shape, location);
        tape.value(id)
    })
}

/// Type and shape of a value.
pub fn describe(value: Value) -> (Elem, Shape) {
    with(|tape| match value.tape == tape.serial {
        true => (tape.program.node(value.id).elem, tape.program.node(value.id).shape.clone()),
        false => (Elem::F32, Shape::scalar()),
    })
}

/// The value of a handle, if it is known: always in eager mode, for constants while tracing.
pub fn known(value: Value) -> Option<Array> {
    with(|tape| if value.tape == tape.serial { tape.known[value.id.index()].clone() } else { None })
}

/// Records a mistake at `location`.
pub fn report(message: impl Into<String>, location: Location) {
    with(|tape| tape.error(message.into(), location));
}

/// Takes the mistakes recorded so far out of the session.
///
/// # Errors
/// If there are any.
pub fn take_errors() -> Result<(), Vec<TraceError>> {
    let errors = with(|tape| std::mem::take(&mut tape.errors));
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// The arithmetic type of host numbers on their own in this session.
pub fn float() -> Elem {
    with(|tape| tape.float)
}

/// Sets the arithmetic type of host numbers on their own; returns the former one.
pub fn set_float(elem: Elem) -> Elem {
    with(|tape| std::mem::replace(&mut tape.float, elem))
}

/// How the current session runs.
pub fn mode() -> Mode {
    with(|tape| tape.mode)
}

/// A scalar.
#[track_caller]
pub fn literal(literal: Literal) -> Value {
    let location = Location::caller();
    with(|tape| {
        let id = tape.literal(literal, location);
        tape.value(id)
    })
}

/// A constant array (a scalar becomes a literal).
pub fn constant(name: &str, array: &Array) -> Value {
    with(|tape| {
        let scalar = if array.shape().is_scalar() { array.as_literal() } else { None };
        let id = match scalar {
            Some(value) => tape.literal(value, Location::UNKNOWN),
            None => {
                let (elem, shape) = (array.elem(), array.shape().clone());
                let id = tape.store(name.into(), array.clone());
                tape.push(Op::Constant(id), elem, shape, Location::UNKNOWN)
            }
        };
        tape.value(id)
    })
}

/// An input port; `value` is its value in eager mode.
pub fn input(name: &str, dtype: DType, shape: Shape, value: Option<&Array>) -> Value {
    with(|tape| {
        tape.program.inputs.push(Input { name: name.into(), dtype, shape: shape.clone() });
        let id = InputId::from_index(tape.program.inputs.len() - 1);
        let id = tape.push(Op::Input(id), dtype.elem(), shape.clone(), Location::UNKNOWN);
        if let Some(value) = value {
            let stored = value.convert(dtype).widen().reshaped(shape);
            match stored {
                Ok(stored) => tape.known[id.index()] = Some(stored),
                Err(error) => tape.error(format!("input `{name}`: {error}"), Location::UNKNOWN),
            }
        }
        tape.value(id)
    })
}

/// A state variable with its initial value; the same name gives the same variable.
pub fn state(name: &str, init: &Array) -> Value {
    with(|tape| {
        if let Some(&(_, id)) = tape.states.get(name) {
            return tape.value(id);
        }
        tape.program.states.push(State { name: name.into(), init: init.clone(), next: None });
        let state = StateId::from_index(tape.program.states.len() - 1);
        let id = tape.push(Op::State(state), init.elem(), init.shape().clone(), Location::UNKNOWN);
        if tape.mode == Mode::Eager {
            let current = tape.memory.states.get(name).unwrap_or(init).widen();
            tape.known[id.index()] = Some(current);
        }
        tape.states.insert(name.into(), (state, id));
        tape.value(id)
    })
}

/// Sets the value of a state variable at the end of the step.
pub fn set_state(name: &str, value: Value, location: Location) {
    with(|tape| {
        let Some(&(state, _)) = tape.states.get(name) else {
            tape.error(format!("there is no state `{name}`"), location);
            return;
        };
        let init = &tape.program.state(state).init;
        let (elem, dtype, shape) = (init.elem(), init.dtype(), init.shape().clone());
        let mut id = tape.own(value, elem, location);
        let node = tape.program.node(id);
        if !node.shape.fits(&shape) {
            let message = format!("`{name}` has shape {shape}; a value of shape {} does not fit it", node.shape);
            tape.error(message, location);
            return;
        }
        if node.elem != elem {
            if node.elem.is_float() && elem.is_float() {
                let shape = node.shape.clone();
                id = tape.push(Op::Cast(id), elem, shape, location);
            } else {
                let message = format!("`{name}` holds {dtype}; a value of type {} does not fit it", node.elem);
                tape.error(message, location);
                return;
            }
        }
        tape.program.states[state.index()].next = Some(id);
    });
}

/// The value of a state variable at the end of the step as recorded so far.
pub fn next_state(name: &str) -> Option<Value> {
    with(|tape| {
        let &(state, read) = tape.states.get(name)?;
        let id = tape.program.state(state).next.unwrap_or(read);
        Some(tape.value(id))
    })
}

/// An output port.
pub fn output(name: &str, dtype: DType, value: Value) {
    with(|tape| {
        let mut id = tape.own(value, dtype.elem(), Location::UNKNOWN);
        let node = tape.program.node(id);
        if node.elem != dtype.elem() {
            let shape = node.shape.clone();
            id = tape.push(Op::Cast(id), dtype.elem(), shape, Location::UNKNOWN);
        }
        tape.program.outputs.push(Output { name: name.into(), dtype, value: id });
        if let Some(value) = &tape.known[id.index()]
            && tape.mode == Mode::Eager
        {
            tape.outputs.push((name.into(), value.convert(dtype)));
        }
    });
}

/// The value `delays` steps ago, per element of the shape of `delays` (which covers the value's groups). Before the
/// first step everything was zero. `rows` is the longest delay + 1.
#[track_caller]
pub fn delay(name: &str, value: Value, delays: &Array, rows: usize) -> Value {
    let location = Location::caller();
    with(|tape| {
        let (elem, shape) = {
            let id = tape.own(value, Elem::Bool, location);
            (tape.program.node(id).elem, tape.program.node(id).shape.clone())
        };
        let value = tape.own(value, elem, location);
        tape.program.histories.push(History { name: name.into(), elem, shape: shape.clone(), rows });
        let history = HistoryId::from_index(tape.program.histories.len() - 1);
        let delays_id = tape.store(format!("{name}.delays"), delays.clone());
        let before = tape.errors.len();
        let id = tape.record(Op::Delay { history, value, delays: delays_id }, elem, delays.shape(), location);
        if tape.mode == Mode::Eager && tape.errors.len() == before {
            let newest = tape.known[value.index()].clone().expect("eager values are known");
            let node = tape.program.node(id).clone();
            let zeros = || (vec![Array::zeros(shape.clone(), elem.dtype()); rows], 0);
            let (past, position) = tape.memory.histories.entry(name.into()).or_insert_with(zeros);
            past[*position] = newest;
            let value = eval::delay(&Past { rows: past, position: *position }, delays, &node);
            tape.known[id.index()] = Some(value);
        }
        tape.value(id)
    })
}

/// The number of steps since the start or the last reset (`i32`), kept in a state of its own whose name no field can have.
pub fn step_index() -> Value {
    const NAME: &str = "#step";
    let zero = Array::scalar(Literal::I32(0));
    let step = state(NAME, &zero);
    with(|tape| {
        let (state, read) = tape.states[NAME];
        if tape.program.state(state).next.is_none() {
            let one = tape.literal(Literal::I32(1), Location::UNKNOWN);
            let next = tape.push(Op::Binary(BinaryOp::Add, read, one), Elem::I32, Shape::scalar(), Location::UNKNOWN);
            tape.program.states[state.index()].next = Some(next);
        }
    });
    step
}

/// 32 random bits per element of `shape` (`i32`): threefry-2x32-20 of `key` and the element's index, as JAX draws them.
#[track_caller]
pub fn random_bits(key: [Value; 2], shape: &Shape) -> Value {
    let location = Location::caller();
    with(|tape| {
        let key = key.map(|word| tape.own(word, Elem::I32, location));
        let zero = tape.literal(Literal::I32(0), location);
        let index = tape.record(Op::Index, Elem::I32, shape, location);
        let op = Op::Threefry { word: ThreefryWord::Mixed, key, counter: [zero, index] };
        let id = tape.record(op, Elem::I32, shape, location);
        tape.value(id)
    })
}

/// Two key words derived from a key and a counter: JAX's `split(key, n)[counter]`.
#[track_caller]
pub fn split_key(key: [Value; 2], counter: Value) -> [Value; 2] {
    let location = Location::caller();
    with(|tape| {
        let key = key.map(|word| tape.own(word, Elem::I32, location));
        let counter = tape.own(counter, Elem::I32, location);
        let zero = tape.literal(Literal::I32(0), location);
        [ThreefryWord::First, ThreefryWord::Second].map(|word| {
            let op = Op::Threefry { word, key, counter: [zero, counter] };
            let id = tape.record(op, Elem::I32, &Shape::scalar(), location);
            tape.value(id)
        })
    })
}

/// The same elements, row-major, under another shape of the same size.
#[track_caller]
pub fn regroup(value: Value, elem: Elem, shape: &Shape) -> Value {
    record(&[value], elem, shape, Location::caller(), |v| Op::Regroup(v[0]))
}

/// The elements of `value` at `indices` (row-major, integers), in the shape of `indices`.
#[track_caller]
pub fn gather(value: Value, indices: &Array) -> Value {
    let (elem, _) = describe(value);
    let indices_id = with(|tape| tape.store("indices".into(), indices.clone()));
    let op = |v: &[OpId]| Op::Gather { source: v[0], indices: indices_id };
    record(&[value], elem, indices.shape(), Location::caller(), op)
}

/// Sums of the elements of `value` that have the same segment: element `e` counts for element `segments[e]` (row-major)
/// of the result, whose shape is `shape`. `segments` has the shape of `value`.
#[track_caller]
pub fn segment_sum(value: Value, segments: &Array, shape: &Shape) -> Value {
    let (elem, _) = describe(value);
    let segments_id = with(|tape| tape.store("segments".into(), segments.clone()));
    let op = |v: &[OpId]| Op::SegmentSum { source: v[0], segments: segments_id };
    record(&[value], elem, shape, Location::caller(), op)
}

/// The elements of `parts`, one after another, as a single group of the shape.
#[track_caller]
pub fn concat(parts: &[Value], shape: &Shape) -> Value {
    let elem = parts.first().map_or(Elem::F32, |&part| describe(part).0);
    record(parts, elem, shape, Location::caller(), |v| Op::Concat(v.to_vec()))
}

/// `value` repeated over all of `shape`, whose groups it has some of.
#[track_caller]
pub fn expand(value: Value, shape: &Shape) -> Value {
    let location = Location::caller();
    let (elem, mine) = describe(value);
    if mine == *shape {
        return value;
    }
    // A select whose condition has the full shape repeats its arms over it.
    let everywhere = constant("everywhere", &Array::full(shape.clone(), DType::Bool, 1.0));
    record(&[everywhere, value], elem, shape, location, |v| Op::Select(v[0], v[1], v[1]))
}
