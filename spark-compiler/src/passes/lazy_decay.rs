//! Lazy decay: a value that only decays until something happens is brought up to date when something does.
//!
//! An eligibility trace per synapse, `e[post, pre]' = a·e + arrival·trace`, changes in every step, though only by a factor that is
//! known. In: a program. Out: the same with `e` kept as of the step of its last change, and that step in a state `e.last`. Where an
//! event is, `aⁿ·e` takes the place of `e`: a table holds the powers, `n` is the number of steps since. Elsewhere the state stays as
//! it is, so that [`super::events`] visits the elements with events only.
//!
//! ```text
//! old     = powers[now − e.last] · e           what `e` was before; whatever reads `e` reads this
//! touched = event or … or turn
//! e'      = touched ? a·old + … : e
//! e.last' = touched ? now + 1 : e.last
//! now'    = now + 1                            one scalar for all states; steps are counted modulo 2^16
//! ```
//!
//! *Turns*: the columns (or rows) are touched in turn, each once in so many steps, so the table ends, no power is zero or subnormal,
//! and counted steps do not come round: not after 2^31 silent steps either. Steps are counted for each element, or for each column or
//! row if only whole ones are touched.
//!
//! Conditions on a state over rows and columns, in single or double precision:
//! * without some events its next value is a number times itself, by [`super::absent`]: products, quotients, sums and differences of
//!   it, and choices. Not bounds: what the host sets may be beyond them;
//! * the number is between −1 and 1, not 0, and not so small that columns would be touched all the time;
//! * with the program rewritten, all that reads the state is visited: it has no use for it without an event. That is tried out, not
//!   guessed, so whatever `events` learns to prove holds here.
//!
//! Not exact: a power is the exact one, rounded once, and the product is rounded once; step by step each product is rounded. So a
//! contribution differs by 2⁻²⁴ of itself (2⁻⁵³ in `f64`) for each step since it was made, at most; a trace by about 10⁻⁶ of the
//! largest value it had. Numbers that are not finite stay what they are, as no power is zero. Half precision rounds in every step to
//! an extent that is felt, so there states decay step by step.
//!
//! The host sees the decayed array ([`View::Decayed`]); a checkpoint holds what is kept, so that a run goes on bit for bit.

use super::absent::{Absent, Known};
use super::events::{self, Visits};
use super::ranges::ranges;
use super::report::Note;
use super::rewrite::renamed;
use super::views::{STEPS, StateView, View};
use crate::ir::{
    Array, Axis, BinaryOp, CompareOp, ConstId, Constant, DType, Data, Elem, Literal, Location, Node, Op, OpId, Program,
    Shape, State, StateId, infer,
};

/// Steps between two turns of a column, at most and at least.
const LONGEST: usize = 1 << 12;
const SHORTEST: usize = 1 << 5;

/// Keeps states that decay as of their last change. `views` says for each state how the host sees it.
pub(super) fn lazy_decay(program: &Program, views: &mut Vec<StateView>, notes: &mut Vec<Note>) -> Program {
    let mut program = program.clone();
    let mut now = None;
    for index in 0..program.states.len() {
        let id = StateId::from_index(index);
        if views[index].view != View::Whole {
            continue;
        }
        let Some(decay) = decay(&program, id) else { continue };
        let name = program.state(id).name.clone();
        let made = suitable(&program, id, decay.factor).and_then(|period| {
            let lazy = lazy(&program, id, &decay, period, now);
            visited(&lazy.program, id, lazy.last)?;
            Ok((lazy, period))
        });
        match made {
            Err(why) => notes.push(Note::left("lazy decay", &name, why)),
            Ok((lazy, period)) => {
                let what = format!(
                    "kept as of its last change, times {} to the power of the steps since; all of it is touched once in {period} steps",
                    decay.factor
                );
                notes.push(Note::done("lazy decay", &name, what));
                let shape = program.state(id).init.shape().clone();
                program = lazy.program;
                now = Some(lazy.now);
                let named = |id: StateId| program.state(id).name.clone();
                let view = View::Decayed { last: named(lazy.last), now: named(lazy.now), powers: lazy.powers };
                views[index] = StateView { shape, view };
                let added = program.states[views.len()..].iter();
                views.extend(added.map(|state| StateView { shape: state.init.shape().clone(), view: View::Added }));
            }
        }
    }
    program
}

/// A state's decay.
struct Decay {
    /// What it is multiplied by where nothing happens.
    factor: f64,
    /// What may happen.
    events: Vec<OpId>,
}

/// How a floating-point state over two groups decays where nothing happens, if it does.
fn decay(program: &Program, id: StateId) -> Option<Decay> {
    let (state, shape) = (program.state(id), program.state(id).init.shape());
    let next = state.next?;
    let large = shape.groups().len() == 2 && shape.size() >= events::WORTHWHILE;
    if !large || program.node(next).shape != *shape || !state.init.dtype().is_float() {
        return None;
    }
    let ranges = ranges(program);
    let mut found = None;
    let idle = |events: &[OpId]| match Absent::new(program, &ranges, shape, events, &[]).value(next) {
        Known::Scaled(of, factor) if of == id => {
            found = Some(factor);
            Ok(())
        }
        _ => Err(String::new()),
    };
    let events = events::fewest(program, next, idle).ok()?;
    Some(Decay { factor: found?, events })
}

/// Steps after which a column is touched again: a power of two, so many that the power of the factor is still normal.
fn suitable(program: &Program, id: StateId, factor: f64) -> Result<usize, String> {
    let dtype = program.state(id).init.dtype();
    let smallest = match dtype {
        DType::F32 => f64::from(f32::MIN_POSITIVE),
        DType::F64 => f64::MIN_POSITIVE,
        _ => return Err(format!("it is rounded to {dtype} in every step")),
    };
    if factor.abs() >= 1.0 {
        return Err(format!("it does not decay: it is multiplied by {factor}"));
    }
    let steps = smallest.ln() / factor.abs().ln();
    let mut period = LONGEST;
    while period as f64 > steps {
        period /= 2;
    }
    if period < SHORTEST {
        return Err(format!("multiplied by {factor}, it is gone after {steps:.0} steps"));
    }
    Ok(period)
}

/// A program with a state kept as of its last change.
struct Lazy {
    program: Program,
    /// The step of the last change.
    last: StateId,
    /// The step.
    now: StateId,
    powers: Array,
}

fn lazy(program: &Program, id: StateId, decay: &Decay, period: usize, now: Option<StateId>) -> Lazy {
    let state = program.state(id);
    let next = state.next.expect("it decays");
    let mut build = Build { program: program.clone(), location: program.node(next).location };
    let whole_rows = decay.events.iter().all(|&event| {
        let groups = program.node(event).shape.groups();
        groups == &state.init.shape().groups()[..1]
    });
    let lines = &state.init.shape().groups()[usize::from(!whole_rows)];
    let lines = Shape::of(lines.axis, &lines.dims);

    let mask = build.integer(STEPS - 1);
    let (now, now_old, now_next) = match now {
        Some(now) => {
            let old = build.push(Op::State(now));
            (now, old, build.program.state(now).next.expect("it counts"))
        }
        None => {
            let now = build.state("now", &state.name, Shape::scalar());
            let (old, one) = (build.push(Op::State(now)), build.integer(1));
            let next = build.binary(BinaryOp::Add, old, one);
            let next = build.binary(BinaryOp::And, next, mask);
            build.program.states[now.index()].next = Some(next);
            (now, old, next)
        }
    };
    let due = (0..lines.size()).map(|line| (line * period / lines.size()) as u16).collect();
    let due = build.constant("turns", Array::new(lines, Data::U16(due)).expect("one for each"));
    let due = build.push(Op::Constant(due));
    let phase = build.integer(period as i32 - 1);
    let phase = build.binary(BinaryOp::And, now_old, phase);
    let turn = build.push(Op::Compare(CompareOp::Eq, due, phase));
    let touched = decay.events.iter().fold(turn, |any, &event| build.binary(BinaryOp::Or, event, any));

    let shape = build.program.node(touched).shape.clone();
    let last = build.state("last", &state.name, shape);
    let last_old = build.push(Op::State(last));
    let powers = powers(decay.factor, period, state.init.elem());
    let table = build.constant("powers", powers.clone());
    let ago = build.binary(BinaryOp::Sub, now_old, last_old);
    let ago = build.binary(BinaryOp::And, ago, mask);
    let power = build.push(Op::Lookup { table, index: ago });
    let kept = build.push(Op::State(id));
    let old = build.binary(BinaryOp::Mul, power, kept);
    let changed = build.push(Op::Select(touched, next, kept));
    build.program.states[id.index()].next = Some(changed);
    let last_next = build.push(Op::Select(touched, now_next, last_old));
    build.program.states[last.index()].next = Some(last_next);

    let read = |of: OpId| of.index() < program.nodes.len() && program.node(of).op == Op::State(id);
    let (program, _) = renamed(&build.program, |of| if read(of) { old } else { of });
    Lazy { program, last, now, powers }
}

/// The powers of `factor` below `period`, each within half a unit in the last place or very little more: products are taken in two
/// doubles.
fn powers(factor: f64, period: usize, elem: Elem) -> Array {
    let (mut high, mut low) = (1.0f64, 0.0f64);
    let mut list = Vec::with_capacity(period);
    for _ in 0..period {
        list.push(high + low);
        let product = high * factor;
        low = low * factor + high.mul_add(factor, -product);
        high = product;
    }
    let data = Data::F64(list).convert(elem.dtype());
    Array::new(Shape::of(Axis::anonymous(0), &[period]), data).expect("one for each step")
}

/// An error if `state` or `last` would be read or written where no event is.
fn visited(program: &Program, state: StateId, last: StateId) -> Result<(), String> {
    let (program, visits) = events::events(program, &mut Vec::new());
    let domain = program.state(state).init.shape();
    for id in [state, last] {
        if program.state(id).init.shape() != domain {
            continue;
        }
        let Some(own) = visits.list.iter().position(|visit| visit.states.contains(&id)) else {
            return Err("the elements with its events cannot be listed".into());
        };
        unread_elsewhere(&program, &visits, id, own)?;
    }
    Ok(())
}

/// An error if something reads a state that is visited by none, or by one that comes after visit `own`, which writes it.
fn unread_elsewhere(program: &Program, visits: &Visits, state: StateId, own: usize) -> Result<(), String> {
    let mut everywhere = vec![false; program.nodes.len()];
    for (id, node) in program.iter() {
        let (mut reads, mut needs) = (false, false);
        node.op.operands(|operand| {
            reads |= program.node(operand).op == Op::State(state);
            needs |= everywhere[operand.index()];
        });
        match visits.of[id.index()] {
            Some(visit) if reads && visit > own && !visits.list[visit].states.is_empty() => {
                return Err(format!("it is read after it is updated ({})", node.location));
            }
            None if needs => return Err(format!("all of it is needed in every step ({})", node.location)),
            // This is what stands for the state; whatever needs it comes after.
            None => everywhere[id.index()] = reads,
            Some(_) => {}
        }
    }
    let shown = |id: OpId| everywhere[id.index()] || program.node(id).op == Op::State(state);
    if let Some(output) = program.outputs.iter().find(|output| shown(output.value)) {
        return Err(format!("the output `{}` shows all of it in every step", output.name));
    }
    match program.states.iter().find(|other| other.next.is_some_and(shown)) {
        Some(other) => Err(format!("the state `{}` takes all of it in every step", other.name)),
        None => Ok(()),
    }
}

/// A program to which operations are added.
struct Build {
    program: Program,
    location: Location,
}

impl Build {
    fn push(&mut self, op: Op) -> OpId {
        let elem = match op {
            Op::Literal(literal) => literal.elem(),
            _ => Elem::I32,
        };
        let inferred = infer(&self.program, &op, (elem, &Shape::scalar()));
        let (elem, shape) = inferred.unwrap_or_else(|e| crate::bug!("an operation of a decay: {e}"));
        self.program.push(Node { op, elem, shape, location: self.location })
    }

    fn integer(&mut self, value: i32) -> OpId {
        self.push(Op::Literal(Literal::I32(value)))
    }

    fn binary(&mut self, op: BinaryOp, a: OpId, b: OpId) -> OpId {
        self.push(Op::Binary(op, a, b))
    }

    fn constant(&mut self, name: &str, value: Array) -> ConstId {
        self.program.constants.push(Constant { name: name.into(), value });
        ConstId::from_index(self.program.constants.len() - 1)
    }

    /// A state of steps, zero at first, with a name that no other has.
    fn state(&mut self, name: &str, of: &str, shape: Shape) -> StateId {
        let mut name = format!("{of}.{name}");
        while self.program.states.iter().any(|state| state.name == name) {
            name.push('_');
        }
        self.program.states.push(State { name, init: Array::zeros(shape, DType::U16), next: None });
        StateId::from_index(self.program.states.len() - 1)
    }
}
