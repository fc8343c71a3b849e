//! Ranges: what values can be, on every step.
//!
//! Interval analysis with widening. States start at their initial values; the bounds of what is written to them are added
//! until nothing changes, so a range holds by induction: if every state is inside its range and no input is above
//! [`largest_input`], every value of the step is inside its range, and so are the states after it. Whoever writes a state or an input
//! from outside has to check that ([`crate::kernel::Instance`] does) or must not rely on ranges.
//!
//! Bounds are computed in double precision and widened by more than what single precision loses in rounding.

use super::linear::Forms;
use crate::ir::{BinaryOp, DType, Elem, HistoryId, Literal, Op, OpId, Program, ReduceOp, State, StateId, UnaryOp};

/// Bounds of a value's elements.
pub use crate::ir::Bounds as Range;

impl Range {
    const ANYTHING: Range = Range { low: f64::NEG_INFINITY, high: f64::INFINITY, nan: true, minus_zero: true };
    const TRUTH: Range = Range::exact(0.0, 1.0);
    const INTEGER: Range = Range::exact(i32::MIN as f64, i32::MAX as f64);

    pub(super) fn number(value: f64) -> Range {
        if value.is_nan() {
            return Range { nan: true, ..Range::NOTHING };
        }
        Range { low: value, high: value, nan: false, minus_zero: value == 0.0 && value.is_sign_negative() }
    }

    fn hull(self, other: Range) -> Range {
        Range {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
            nan: self.nan || other.nan,
            minus_zero: self.minus_zero || other.minus_zero,
        }
    }

    /// True if all of these numbers are among those of `other`.
    pub(crate) fn fits(&self, other: &Range) -> bool {
        self.hull(*other) == *other
    }

    /// Wide enough for values rounded to `elem`.
    fn rounded(self, elem: Elem) -> Range {
        if self.low > self.high {
            return self;
        }
        let (relative, tiny, largest) = match elem {
            Elem::F32 => (1e-6, 1e-37, f64::from(f32::MAX)),
            Elem::F64 => (1e-14, 1e-300, f64::MAX),
            Elem::Bool | Elem::I32 => return self,
        };
        // Zero stays zero, and no rounding changes a sign.
        let grow = |bound: f64, up: bool| {
            let outwards = (bound > 0.0) == up;
            if bound == 0.0 {
                return bound;
            }
            // Below the smallest normal number, rounding is as coarse as there.
            let grown =
                if outwards { bound * (1.0 + relative) + bound.signum() * tiny } else { bound * (1.0 - relative) };
            if outwards || grown.abs() > tiny { grown } else { 0.0 }
        };
        let (low, high) = (grow(self.low, false), grow(self.high, true));
        let low = if low < -largest { f64::NEG_INFINITY } else { low };
        let high = if high > largest { f64::INFINITY } else { high };
        // A small negative number may round to −0.
        Range { low, high, nan: self.nan, minus_zero: self.minus_zero || low < 0.0 }
    }

    /// That of numbers times a finite one.
    pub(super) fn times(self, factor: f64) -> Range {
        product(self, Range::number(factor))
    }

    fn nan_if(self, nan: bool) -> Range {
        Range { nan: self.nan || nan, ..self }
    }
}

/// Ranges of all values, states and histories of a program.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Ranges {
    values: Vec<Range>,
    states: Vec<Range>,
    histories: Vec<Range>,
}

impl Ranges {
    /// The range of an operation's value.
    pub fn of(&self, id: OpId) -> Range {
        self.values[id.index()]
    }

    /// The ranges of a program of `number` operations that are those of this one, `(old, new)`, in other places.
    pub(super) fn moved(self, number: usize, places: impl Iterator<Item = (OpId, OpId)>) -> Ranges {
        let mut values = vec![Range::ANYTHING; number];
        places.for_each(|(old, new)| values[new.index()] = self.of(old));
        Ranges { values, ..self }
    }

    /// The range of a state between steps.
    pub fn of_state(&self, id: StateId) -> Range {
        self.states[id.index()]
    }

    /// The range of what a history holds.
    pub fn of_history(&self, id: HistoryId) -> Range {
        self.histories[id.index()]
    }
}

/// Rounds of exact growing, then of growing in leaps, before a range is given up.
const EXACT: usize = 3;
const ROUNDS: usize = 80;

/// Rounds in which what leaps overshot is taken back.
const TIGHTENED: usize = 3;

/// Analyses a program.
pub fn ranges(program: &Program) -> Ranges {
    let initial: Vec<Range> = program.states.iter().map(|s| s.init.bounds()).collect();
    let constants: Vec<Range> = program.constants.iter().map(|c| c.value.bounds()).collect();
    let mut states = initial.clone();
    for round in 0.. {
        let mut grown = false;
        let now = written(program, &values(program, &constants, &states));
        for (range, written) in states.iter_mut().zip(now) {
            let Some(written) = written.filter(|written| !written.fits(range)) else { continue };
            grown = true;
            let wider = range.hull(written);
            *range = match round {
                0..EXACT => wider,
                EXACT..ROUNDS => leap(*range, wider),
                _ => Range::ANYTHING,
            };
        }
        if !grown {
            break;
        }
    }
    for _ in 0..TIGHTENED {
        let now = written(program, &values(program, &constants, &states));
        let tighter: Vec<Range> =
            initial.iter().zip(now).map(|(&first, now)| now.map_or(first, |now| first.hull(now))).collect();
        let after = written(program, &values(program, &constants, &tighter));
        if !tighter.iter().zip(after).all(|(range, after)| after.is_none_or(|after| after.fits(range))) {
            break;
        }
        states = tighter;
    }
    let values = values(program, &constants, &states);
    let mut histories = vec![Range::exact(0.0, 0.0); program.histories.len()];
    for node in &program.nodes {
        if let Op::Delay { history, value, .. } = node.op {
            let range = &mut histories[history.index()];
            *range = range.hull(values[value.index()]);
        }
    }
    Ranges { values, states, histories }
}

/// What each state holds after a step with these values, if it is written.
fn written(program: &Program, values: &[Range]) -> Vec<Option<Range>> {
    let one = |state: &State| {
        let next = state.next?;
        Some(stored(values[next.index()], program.node(next).elem, state.init.dtype()))
    };
    program.states.iter().map(one).collect()
}

/// `wider`, with the bounds that moved moved to a power of 16 (or to zero) beyond.
fn leap(old: Range, wider: Range) -> Range {
    let away = |bound: f64| {
        if bound == 0.0 || bound.is_infinite() {
            bound
        } else {
            bound.signum() * 16f64.powf(bound.abs().log(16.0).ceil() + 0.25)
        }
    };
    let low = match wider.low < old.low {
        true if wider.low >= 0.0 => 0.0,
        true => away(wider.low),
        false => wider.low,
    };
    let high = match wider.high > old.high {
        true if wider.high <= 0.0 => 0.0,
        true => away(wider.high),
        false => wider.high,
    };
    Range { low, high, minus_zero: wider.minus_zero || low < 0.0, ..wider }
}

/// What a state of type `dtype` holds after a value of type `elem` was written to it.
fn stored(range: Range, elem: Elem, dtype: DType) -> Range {
    let largest = match dtype {
        DType::F16 => 65504.0,
        DType::BF16 => f64::from(half::bf16::MAX),
        DType::F32 | DType::F64 => return cast(range, elem, dtype.elem()),
        DType::U8 => return clamped(cast(range, elem, Elem::I32), 0.0, 255.0),
        DType::U16 => return clamped(cast(range, elem, Elem::I32), 0.0, 65535.0),
        DType::I32 | DType::Bool => return cast(range, elem, dtype.elem()),
    };
    let range = cast(range, elem, Elem::F32);
    // Half precision has at least eight bits; numbers that it holds exactly stay.
    let exact = |v: f64| match dtype {
        DType::F16 => half::f16::from_f64(v).to_f64() == v,
        _ => half::bf16::from_f64(v).to_f64() == v,
    };
    let grow = |bound: f64, up: bool| match exact(bound) {
        true => bound,
        false if (bound > 0.0) == up => bound * 1.01 + if up { 1e-7 } else { -1e-7 },
        false if bound.abs() < 1e-4 => 0.0,
        false => bound * 0.99,
    };
    let (low, high) = (grow(range.low, false), grow(range.high, true));
    let low = if low < -largest { f64::NEG_INFINITY } else { low };
    let high = if high > largest { f64::INFINITY } else { high };
    Range { low, high, nan: range.nan, minus_zero: range.minus_zero || low < 0.0 }
}

fn clamped(range: Range, low: f64, high: f64) -> Range {
    Range::exact(range.low.clamp(low, high), range.high.clamp(low, high))
}

fn cast(range: Range, from: Elem, to: Elem) -> Range {
    match (from, to) {
        (from, to) if from == to => range,
        (_, Elem::Bool) => Range::TRUTH,
        (Elem::F32 | Elem::F64, Elem::I32) => {
            let whole = Range::INTEGER;
            // NaN becomes 0.
            let range = if range.nan { range.hull(Range::exact(0.0, 0.0)) } else { range };
            Range::exact(
                range.low.trunc().clamp(whole.low, whole.high),
                range.high.trunc().clamp(whole.low, whole.high),
            )
        }
        (Elem::Bool, _) => range,
        (_, to) => range.rounded(to),
    }
}

fn values(program: &Program, constants: &[Range], states: &[Range]) -> Vec<Range> {
    let mut values: Vec<Range> = Vec::with_capacity(program.nodes.len());
    let mut forms = Forms::default();
    for node in &program.nodes {
        let of = |id: OpId| values[id.index()];
        let elem = node.elem;
        let range = match &node.op {
            Op::Literal(Literal::Bool(v)) => Range::number(f64::from(u8::from(*v))),
            Op::Literal(Literal::I32(v)) => Range::number(f64::from(*v)),
            Op::Literal(Literal::F32(v)) => Range::number(f64::from(*v)),
            Op::Literal(Literal::F64(v)) => Range::number(*v),
            Op::Constant(id) => constants[id.index()],
            Op::Input(id) => of_input(program.input(*id).dtype),
            Op::State(id) => states[id.index()],
            Op::Unary(op, a) => unary(*op, of(*a), elem),
            Op::Binary(op, a, b) => binary(*op, of(*a), of(*b), elem),
            Op::MulAdd(a, b, c) => sum(product(of(*a), of(*b)), of(*c)).rounded(elem),
            Op::Compare(..) => Range::TRUTH,
            Op::Select(_, a, b) => of(*a).hull(of(*b)),
            Op::Cast(a) => cast(of(*a), program.node(*a).elem, elem),
            Op::Bitcast(_) if elem == Elem::I32 => Range::INTEGER,
            Op::Bitcast(_) => Range::ANYTHING,
            Op::Reduce(ReduceOp::Sum, axis, a) => {
                let count = program.node(*a).shape.group(*axis).map_or(1, |group| group.size());
                repeated(of(*a), count, elem)
            }
            Op::Reduce(op @ (ReduceOp::Max | ReduceOp::Min), _, a) => {
                let (all, empty) = (of(*a), if *op == ReduceOp::Max { f64::NEG_INFINITY } else { f64::INFINITY });
                // Next to NaN, what reductions start from is picked.
                if all.nan { all.hull(Range::number(empty)) } else { all }
            }
            Op::Reduce(ReduceOp::Any | ReduceOp::All, ..) => Range::TRUTH,
            // Rows from before the first step are zero.
            Op::Delay { value, .. } => of(*value).hull(Range::exact(0.0, 0.0)),
            Op::Index => Range::exact(0.0, node.shape.size() as f64),
            Op::Threefry { .. } => Range::INTEGER,
            Op::Gather { source, .. } | Op::Regroup(source) => of(*source),
            Op::Lookup { table, .. } => constants[table.index()],
            Op::SegmentSum { source, .. } => {
                let one = of(*source).hull(Range::exact(0.0, 0.0));
                repeated(one, program.node(*source).shape.size(), elem)
            }
            Op::Concat(parts) => parts.iter().fold(Range::NOTHING, |all, part| all.hull(of(*part))),
        };
        values.push(forms.range(node, range, &values));
    }
    values
}

fn anything(elem: Elem) -> Range {
    match elem {
        Elem::Bool => Range::TRUTH,
        Elem::I32 => Range::INTEGER,
        Elem::F32 | Elem::F64 => Range::ANYTHING,
    }
}

/// The largest input that ranges reckon with: beyond anything physical, and far enough from overflow that a product of two
/// inputs is finite.
pub fn largest_input(dtype: DType) -> f64 {
    match dtype {
        DType::F16 => 65504.0,
        DType::F32 | DType::BF16 => 1e18,
        DType::F64 => 1e150,
        DType::Bool => 1.0,
        DType::U8 => 255.0,
        DType::U16 => 65535.0,
        DType::I32 => f64::from(i32::MAX),
    }
}

fn of_input(dtype: DType) -> Range {
    let most = largest_input(dtype);
    match dtype {
        DType::Bool | DType::U8 | DType::U16 => Range::exact(0.0, most),
        DType::I32 => Range::INTEGER,
        DType::F16 | DType::BF16 | DType::F32 | DType::F64 => Range { minus_zero: true, ..Range::exact(-most, most) },
    }
}

/// A sum of `count` numbers, which starts from +0.
fn repeated(one: Range, count: usize, elem: Elem) -> Range {
    let count = count as f64;
    let opposite = one.low == f64::NEG_INFINITY && one.high == f64::INFINITY;
    if elem == Elem::I32 {
        let range = Range::exact(one.low * count, one.high * count);
        return if range.fits(&Range::INTEGER) { range } else { Range::INTEGER };
    }
    let total = |bound: f64| if bound == 0.0 || count == 0.0 { 0.0 } else { bound * count * (1.0 + 1e-6 * count) };
    let range = Range {
        low: total(one.low).min(0.0),
        high: total(one.high).max(0.0),
        nan: one.nan || opposite,
        minus_zero: false,
    };
    let rounded = range.rounded(elem);
    // Some of the numbers may add up to one infinity, others to the other.
    let opposite = rounded.low == f64::NEG_INFINITY && rounded.high == f64::INFINITY;
    Range { minus_zero: rounded.minus_zero && range.low < 0.0, ..rounded }.nan_if(opposite)
}

pub(super) fn product(a: Range, b: Range) -> Range {
    let times = |x: f64, y: f64| if x == 0.0 || y == 0.0 { 0.0 } else { x * y };
    let corners = [times(a.low, b.low), times(a.low, b.high), times(a.high, b.low), times(a.high, b.high)];
    let has_zero = |r: Range| r.low <= 0.0 && r.high >= 0.0;
    let infinite = |r: Range| r.low.is_infinite() || r.high.is_infinite();
    Range {
        low: corners.iter().copied().fold(f64::INFINITY, f64::min),
        high: corners.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        nan: a.nan || b.nan || infinite(a) && has_zero(b) || infinite(b) && has_zero(a),
        minus_zero: a.low < 0.0 || b.low < 0.0 || a.minus_zero || b.minus_zero,
    }
}

pub(super) fn sum(a: Range, b: Range) -> Range {
    let plus = |x: f64, y: f64| if x.is_infinite() { x } else { x + y };
    let opposite =
        a.low == f64::NEG_INFINITY && b.high == f64::INFINITY || a.high == f64::INFINITY && b.low == f64::NEG_INFINITY;
    // −0 needs two zeros of that sign.
    Range {
        low: plus(a.low, b.low),
        high: plus(a.high, b.high),
        nan: a.nan || b.nan || opposite,
        minus_zero: a.minus_zero && b.minus_zero,
    }
}

/// The range of a sum of an exact value in `a` and a number of type `elem` in `b`, rounded once, if that is known to be no wider than
/// `b`: what is small beside a bound is lost in rounding. A weight of at most 10³⁰ is that after 1 is added to it.
///
/// This is of one sum. As a range of states it would hold as well, but say of sums over several elements what is true of each alone.
pub(super) fn absorbed(a: Range, b: Range, elem: Elem) -> Option<Range> {
    // Half the distance to the next number is at least twice this share of a number.
    let share = match elem {
        Elem::F32 => 2f64.powi(-26),
        Elem::F64 => 2f64.powi(-55),
        Elem::Bool | Elem::I32 => return None,
    };
    // The largest number of this type that is not above a bound.
    let below = |bound: f64| match elem {
        Elem::F32 if f64::from(bound as f32) > bound => f64::from((bound as f32).next_down()),
        Elem::F32 => f64::from(bound as f32),
        _ => bound,
    };
    // Flushed subnormal numbers are no matter of rounding.
    let stays = |edge: f64, small: f64| edge.is_finite() && small <= edge.abs() * share && edge.abs() > 1e-30;
    let total = sum(a, b).rounded(elem);
    let (low, high) = (-below(-b.low), below(b.high));
    let (below, above) = (stays(low, -a.low), stays(high, a.high));
    let range = Range {
        low: if below { total.low.max(low) } else { total.low },
        high: if above { total.high.min(high) } else { total.high },
        ..total
    };
    (below || above).then_some(range)
}

fn negated(a: Range) -> Range {
    let minus_zero = a.low <= 0.0 && a.high >= 0.0;
    Range { low: -a.high, high: -a.low, nan: a.nan, minus_zero }
}

fn binary(op: BinaryOp, a: Range, b: Range, elem: Elem) -> Range {
    let wrapped = |range: Range| match elem {
        Elem::I32 if !range.fits(&Range::INTEGER) => Range::INTEGER,
        elem => range.rounded(elem),
    };
    match op {
        BinaryOp::Add => wrapped(sum(a, b)),
        BinaryOp::Sub => wrapped(sum(a, negated(b))),
        BinaryOp::Mul => wrapped(product(a, b)),
        BinaryOp::Div if b.low > 0.0 || b.high < 0.0 => {
            let reciprocal = Range { low: 1.0 / b.high, high: 1.0 / b.low, ..b };
            product(a, reciprocal).nan_if(a.low.is_infinite() || a.high.is_infinite()).rounded(elem)
        }
        BinaryOp::Div => Range::ANYTHING,
        // `if x < y { x } else { y }`: the second operand if the first is NaN.
        BinaryOp::Min => {
            let first = Range { high: a.high.min(b.high), nan: false, minus_zero: a.minus_zero && b.high > 0.0, ..a };
            let lesser = Range { low: a.low.min(b.low), high: a.high.min(b.high), ..b };
            picked(first, lesser, a, b)
        }
        BinaryOp::Max => {
            let first = Range { low: a.low.max(b.low), nan: false, minus_zero: a.minus_zero && b.low < 0.0, ..a };
            let greater = Range { low: a.low.max(b.low), high: a.high.max(b.high), ..b };
            picked(first, greater, a, b)
        }
        BinaryOp::And | BinaryOp::Or | BinaryOp::Xor if elem == Elem::Bool => Range::TRUTH,
        BinaryOp::And | BinaryOp::Or | BinaryOp::Xor | BinaryOp::Shl | BinaryOp::Shr => Range::INTEGER,
    }
}

/// The result of a minimum or maximum: `first` where the first operand was picked, within `both`; the second operand, `b`,
/// where one is NaN.
fn picked(first: Range, both: Range, a: Range, b: Range) -> Range {
    let range = Range { minus_zero: first.minus_zero || b.minus_zero, nan: b.nan, ..both };
    if a.nan {
        range.hull(b)
    } else if b.nan {
        range.hull(Range { nan: true, ..Range::NOTHING })
    } else {
        range
    }
}

fn unary(op: UnaryOp, a: Range, elem: Elem) -> Range {
    let infinite = a.low.is_infinite() || a.high.is_infinite();
    match op {
        UnaryOp::Neg if elem == Elem::I32 => Range::INTEGER,
        UnaryOp::Neg => negated(a),
        UnaryOp::Abs if elem == Elem::I32 => Range::INTEGER,
        UnaryOp::Abs => {
            let low = if a.low > 0.0 {
                a.low
            } else if a.high < 0.0 {
                -a.high
            } else {
                0.0
            };
            Range { low, high: a.high.max(-a.low), nan: a.nan, minus_zero: false }
        }
        UnaryOp::Not => anything(elem),
        UnaryOp::Sqrt => {
            let nan = a.nan || a.low < 0.0;
            Range { low: a.low.max(0.0).sqrt(), high: a.high.max(0.0).sqrt(), nan, minus_zero: a.minus_zero }
                .rounded(elem)
        }
        UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Round | UnaryOp::Trunc => {
            Range { low: a.low.floor(), high: a.high.ceil(), nan: a.nan, minus_zero: a.minus_zero || a.low < 0.0 }
        }
        UnaryOp::Exp | UnaryOp::FusedExp => {
            // Generous bounds: the recipe is within a few units in the last place.
            let range = Range { low: a.low.exp() * 0.999, high: a.high.exp() * 1.001, nan: a.nan, minus_zero: false };
            Range { minus_zero: false, ..range.rounded(elem) }
        }
        UnaryOp::Log if a.low > 0.0 => {
            let loose = |v: f64, by: f64| v + by * (1e-3 + 1e-3 * v.abs());
            Range { low: loose(a.low.ln(), -1.0), high: loose(a.high.ln(), 1.0), nan: a.nan, minus_zero: true }
                .rounded(elem)
        }
        UnaryOp::Log => Range::ANYTHING,
        UnaryOp::Tanh => Range { low: -1.001, high: 1.001, nan: a.nan, minus_zero: true },
        // Beyond what its reduction is made for, an `f64` angle may give anything.
        UnaryOp::Sin | UnaryOp::Cos if elem == Elem::F64 && a.low.min(-a.high) < -1e6 => Range::ANYTHING,
        UnaryOp::Sin | UnaryOp::Cos => Range { low: -1.001, high: 1.001, nan: a.nan || infinite, minus_zero: true },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers at and around the bounds of a range.
    fn near(range: Range) -> Vec<f32> {
        let ends = [range.low as f32, range.high as f32];
        let around = ends.into_iter().flat_map(|v| [v, v.next_up(), v.next_down(), v / 2.0, 0.0]);
        around.filter(|&v| range.contains(f64::from(v))).collect()
    }

    #[test]
    fn sums_stay_where_rounding_absorbs() {
        let most = f64::from(1e30f32);
        let large =
            [Range::exact(0.0, most), Range::exact(-most, most), Range::exact(-1.0, 3.5), Range::exact(-most, -1.0)];
        let odd = [Range::exact(0.0, 1e30), Range::exact(0.1, 2f64.powi(127)), Range::exact(0.0, f64::from(f32::MAX))];
        let beyond = [Range::exact(0.0, 2f64.powi(129)), Range::exact(-3.5e38, 3.5e38)];
        let mut found = 0;
        for b in large.into_iter().chain(odd).chain(beyond) {
            for size in [1e-9, 1e-3, 1e10, 1e21, 1.4e22, 1e23, 1e30, 1e32] {
                for a in [Range::exact(0.0, size), Range::exact(-size, size), Range::exact(-size, 0.0)] {
                    let Some(range) = absorbed(a, b, Elem::F32) else { continue };
                    found += 1;
                    for (x, y) in near(a).into_iter().flat_map(|x| near(b).into_iter().map(move |y| (x, y))) {
                        assert!(range.contains(f64::from(x + y)), "{x} + {y} is not in {range:?}, of {a:?} and {b:?}");
                    }
                }
            }
        }
        assert!(found > 50, "{found}");
    }

    #[test]
    fn what_is_absorbed_is_small_beside_the_bound() {
        let most = f64::from(1e30f32);
        let of = |size: f64, most: f64, elem| {
            absorbed(Range::exact(0.0, size), Range::exact(0.5, most), elem).map(|r| r.high)
        };
        assert_eq!(of(1e22, most, Elem::F32), Some(most));
        // 10³⁰ is no `f32`.
        assert!(of(1e22, 1e30, Elem::F32).is_some_and(|high| high <= 1e30));
        assert!(of(1e23, most, Elem::F32).is_none_or(|high| high > most), "half of the distance is 3.8e22");
        assert!(of(0.01, 1.0, Elem::F32).is_none_or(|high| high > 1.0));
        assert!(of(1e22, most, Elem::F64).is_none_or(|high| high > most));
        assert_eq!(of(1e13, most, Elem::F64), Some(most));
        // No number is above the largest; what is added to it may be infinite.
        assert!(of(1e32, 2f64.powi(129), Elem::F32).is_none_or(|high| high == f64::INFINITY));
    }
}
