//! The loop-nest representation: what fusion produces and code generation consumes.
//!
//! A [`Lowered`] program is a list of *buffers* and a list of *nests*, run one after another once per step. A nest is a
//! perfect loop nest over group sizes (`sizes`, outermost first; none = a scalar, treated as one element) whose
//! innermost loop is vectorised; its instructions run once per element. Values live inside one nest only; what another
//! nest needs goes through a buffer.
//!
//! # Order of sums
//! A reduction over the innermost loop keeps [`LANES`] partial results: element `i` goes to partial `i % LANES`, in
//! order of `i`; at the end partial `k` takes `k + LANES/2`, then `k + LANES/4`, … as `partial[k] = partial[k] op
//! partial[k + stride]`. A reduction over an outer loop goes into memory element by element in loop order, starting from
//! the identity. The evaluator uses the same order, so results agree bit for bit.

use super::buffer::{Buffer, BufferId};
use crate::ir::{BinaryOp, CompareOp, Elem, Literal, Location, Op, OpId, ReduceOp, ThreefryWord, UnaryOp};
use std::fmt;

/// Number of partial results of a reduction over the innermost loop.
pub const LANES: usize = 16;

/// A value inside a nest: the instruction that yields it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Val(pub u32);

impl Val {
    /// Position in [`Nest::insts`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for Val {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

/// For each group of a buffer, the loop (0 = outermost) whose index it follows. A buffer without the innermost loop is
/// read as one element and broadcast.
pub type Map = Vec<usize>;

/// One instruction of a nest's body.
#[derive(Clone, PartialEq, Debug)]
pub enum Inst {
    /// A scalar.
    Literal(Literal),
    /// Element of a buffer, widened.
    Load {
        /// From where.
        buffer: BufferId,
        /// Which element.
        map: Map,
    },
    /// Element `offsets[..]` (physical offset) of a buffer, widened.
    LoadAt {
        /// From where.
        buffer: BufferId,
        /// Physical offsets, `i32`.
        offsets: BufferId,
        /// Which element of `offsets`.
        map: Map,
    },
    /// Element of a history, `delays[..]` steps ago.
    LoadDelayed {
        /// The history.
        history: BufferId,
        /// Which element of a row.
        map: Map,
        /// Steps, an integer buffer.
        delays: BufferId,
        /// Which element of `delays`.
        delays_map: Map,
    },
    /// Element of a constant of one group at a computed index, widened; the first or last one where that is beyond.
    Lookup {
        /// From where.
        table: BufferId,
        /// Which element, `i32`.
        index: Val,
    },
    /// Element-wise.
    Unary(UnaryOp, Val),
    /// Element-wise.
    Binary(BinaryOp, Val, Val),
    /// Element-wise comparison.
    Compare(CompareOp, Val, Val),
    /// `a · b + c`, rounded once.
    MulAdd(Val, Val, Val),
    /// `condition ? then : else`.
    Select(Val, Val, Val),
    /// Conversion as [`crate::ir::Op::Cast`].
    Cast(Val, Elem),
    /// Reinterpretation of bits.
    Bitcast(Val, Elem),
    /// Row-major index of the element in the nest's sizes, `i32`.
    Index,
    /// Threefry-2x32-20.
    Threefry {
        /// Which word.
        word: ThreefryWord,
        /// Key words.
        key: [Val; 2],
        /// Counter words.
        counter: [Val; 2],
    },
    /// Narrows and stores; the map covers every loop.
    Store {
        /// Where to.
        buffer: BufferId,
        /// Which element.
        map: Map,
        /// The value.
        value: Val,
    },
    /// Stores into the row `position` of a history; the map covers every loop.
    StoreRow {
        /// The history.
        history: BufferId,
        /// Which element of the row.
        map: Map,
        /// The value.
        value: Val,
    },
    /// Stores at `base + index` of a one-group buffer, where index is the row-major index in the nest (concatenation).
    StoreAt {
        /// Where to: a buffer of one group.
        buffer: BufferId,
        /// Element offset of this part.
        base: usize,
        /// The value.
        value: Val,
    },
    /// Reduces over loop `over` into a buffer that follows the other loops.
    Reduce {
        /// How.
        op: ReduceOp,
        /// The loop that disappears.
        over: usize,
        /// The value.
        value: Val,
        /// Where to.
        buffer: BufferId,
        /// Which element; covers every loop but `over`.
        map: Map,
    },
    /// `buffer[offsets[..]] += value`, in row-major order of the nest; the buffer is zeroed before the nest.
    ScatterAdd {
        /// Where to; stored in an arithmetic type.
        buffer: BufferId,
        /// Physical offsets, `i32`.
        offsets: BufferId,
        /// Which element of `offsets`; covers every loop.
        map: Map,
        /// The value.
        value: Val,
    },
}

impl Inst {
    /// The instruction for an operation that works element by element; `value` gives its operands. `None` for others.
    pub(super) fn elementwise(op: &Op, elem: Elem, mut value: impl FnMut(OpId) -> Val) -> Option<Inst> {
        Some(match op {
            Op::Unary(op, a) => Inst::Unary(*op, value(*a)),
            Op::Binary(op, a, b) => Inst::Binary(*op, value(*a), value(*b)),
            Op::Compare(op, a, b) => Inst::Compare(*op, value(*a), value(*b)),
            Op::MulAdd(a, b, c) => Inst::MulAdd(value(*a), value(*b), value(*c)),
            Op::Select(c, a, b) => Inst::Select(value(*c), value(*a), value(*b)),
            Op::Cast(a) => Inst::Cast(value(*a), elem),
            Op::Bitcast(a) => Inst::Bitcast(value(*a), elem),
            Op::Index => Inst::Index,
            Op::Threefry { word, key, counter } => {
                Inst::Threefry { word: *word, key: key.map(&mut value), counter: counter.map(&mut value) }
            }
            Op::Literal(_)
            | Op::Constant(_)
            | Op::Input(_)
            | Op::State(_)
            | Op::Reduce(..)
            | Op::SegmentSum { .. }
            | Op::Concat(_)
            | Op::Delay { .. }
            | Op::Gather { .. }
            | Op::Lookup { .. }
            | Op::Regroup(_) => return None,
        })
    }

    /// The values the instruction uses.
    pub fn operands(&self) -> Vec<Val> {
        match self {
            Inst::Literal(_) | Inst::Load { .. } | Inst::LoadAt { .. } | Inst::LoadDelayed { .. } | Inst::Index => {
                vec![]
            }
            Inst::Unary(_, a) | Inst::Cast(a, _) | Inst::Bitcast(a, _) | Inst::Lookup { index: a, .. } => vec![*a],
            Inst::Binary(_, a, b) | Inst::Compare(_, a, b) => vec![*a, *b],
            Inst::MulAdd(a, b, c) | Inst::Select(a, b, c) => vec![*a, *b, *c],
            Inst::Threefry { key, counter, .. } => [*key, *counter].concat(),
            Inst::Store { value, .. }
            | Inst::StoreRow { value, .. }
            | Inst::StoreAt { value, .. }
            | Inst::Reduce { value, .. }
            | Inst::ScatterAdd { value, .. } => vec![*value],
        }
    }

    /// True if the instruction yields no value.
    pub fn is_effect(&self) -> bool {
        matches!(
            self,
            Inst::Store { .. }
                | Inst::StoreRow { .. }
                | Inst::StoreAt { .. }
                | Inst::Reduce { .. }
                | Inst::ScatterAdd { .. }
        )
    }
}

/// An instruction with its type and origin.
#[derive(Clone, PartialEq, Debug)]
pub struct Typed {
    /// What it does.
    pub inst: Inst,
    /// Type of its value (of the stored value, for effects).
    pub elem: Elem,
    /// The source line that asked for it.
    pub location: Location,
}

/// Which elements of a nest of two loops, rows and columns, are visited: those in one of these sets. At the others, the
/// nest's instructions change nothing; that is the promise of whoever made the visit.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Visit {
    /// Bits over the rows: visited whole where true.
    pub rows: Vec<BufferId>,
    /// Whole columns, and single elements: what this scan of [`Lowered::scans`] has listed.
    pub scan: Option<usize>,
    /// Rows whose events are put off: written down here, see [`Lowered::logs`].
    pub log: Option<usize>,
    /// For sums over the columns: where to, and a buffer for [`LANES`] partial sums of each row.
    pub sums: Vec<(BufferId, BufferId)>,
    /// Values of rows that are read from a copy where events arrive.
    pub beside: Option<Beside>,
}

/// Values of rows, and a copy that has those of each row beside each other.
#[derive(Clone, PartialEq, Debug)]
pub struct Beside {
    /// Two to four buffers of `f32` over the rows.
    pub values: Vec<BufferId>,
    /// [`Beside::width`] numbers for each row.
    pub copy: BufferId,
}

impl Beside {
    /// Numbers for a row in a copy of so many values: some are unused.
    pub fn width(values: usize) -> usize {
        values.next_power_of_two()
    }

    /// Elements of a copy: rows up to a whole chunk, and room to read four numbers of the last one.
    pub fn elements(rows: usize, values: usize) -> usize {
        rows.next_multiple_of(LANES) * Beside::width(values) + 4
    }
}

/// A list of columns, and of columns with a delay, that have an event in this step. Visits go through it: every other block of
/// eight columns in order, then those in between, so those of one partial sum are in order.
#[derive(Clone, PartialEq, Debug)]
pub struct Scan {
    /// Sizes of the domain.
    pub sizes: [usize; 2],
    /// Bits over the columns: listed whole where true.
    pub columns: Vec<BufferId>,
    /// Single elements.
    pub delayed: Option<Arrivals>,
    /// [`LISTED`] `i32` for each pair of column and delay: the column, `s` for delay `least + s` or [`WHOLE`] for all rows, where its
    /// rows begin and end in `targets`, and the first of them (which has then been read, so that it is near).
    pub list: BufferId,
    /// `i32` scalar: number of pairs; [`WHOLE`] if all elements are to be visited.
    pub count: BufferId,
    /// Pairs that the list has room for; with more, all elements are visited.
    pub most: usize,
}

/// Events of rows that change a state only when a column is next touched. They are numbered; an *entry* is one event.
///
/// A column is replayed from the entry that [`Log::columns`] names to the newest: before what a step does to it, and every so many
/// steps in turn if what it lacks is old, so that neither entries nor the past that they need are overwritten before. A step that touches a column takes
/// its own events of rows into account where an event of the column arrives; the entries of this step are replayed later at the
/// other elements.
#[derive(Clone, PartialEq, Debug)]
pub struct Log {
    /// The state.
    pub state: BufferId,
    /// Bits over the rows.
    pub rows: Vec<BufferId>,
    /// The columns that are touched in a step.
    pub scan: usize,
    /// Values of rows, or single ones, and where those of each entry are.
    pub values: Vec<(BufferId, BufferId)>,
    /// Of each entry, its row and, in the upper half, its step: `i32`. Entry `e` is at `e mod` their number, a power of two.
    pub entries: BufferId,
    /// `i32` scalar: the number of the next entry.
    pub head: BufferId,
    /// `i32` scalar: the step, modulo 2^16.
    pub step: BufferId,
    /// Four `i32` for each column: the first entry that is not replayed there; the end of the entries of the step that touched it
    /// last; and, in 64 bits, at bit `d mod 64`, whether an event of `d` steps ago arrived in that step.
    pub columns: BufferId,
    /// `i32` scalar: the number of the first entry of the last step.
    pub before: BufferId,
    /// Four `i32` for each of the columns that want nothing but the entries of the last step, found anew in each step: the column,
    /// nothing, and in 64 bits what arrived, as in `columns`. One more than there are columns: each is written behind the last before it
    /// is known whether it is one of them.
    pub recent: BufferId,
    /// `i32`: other columns to replay, each with the first entry that it lacks; found anew in each step, as `recent` is.
    pub older: BufferId,
    /// Where what is not wanted is stored; nobody reads it.
    pub aside: BufferId,
    /// `i32` scalar: other than zero if this step visits all elements of the state.
    pub whole: BufferId,
    /// `i32` scalar: the column whose turn is next.
    pub next: BufferId,
    /// Columns whose turn comes in one step.
    pub turns: usize,
    /// Steps since the oldest entry that a column lacks, up to which it is not replayed in its turn.
    pub young: usize,
    /// The loops over columns, entries and rows; its instructions are done for single entries.
    pub replay: Nest,
}

/// Numbers in a list of events for each pair. The last ones are unused.
pub const LISTED: usize = 8;

/// In place of a delay: the whole column. In place of a number of pairs: everything.
pub const WHOLE: i32 = -1;

impl Scan {
    /// Pairs of a column and a delay, or columns.
    pub fn pairs(&self) -> usize {
        self.sizes[1] * self.delayed.as_ref().map_or(1, |arrivals| arrivals.steps)
    }

    /// Pairs that one block of eight columns may add.
    pub fn block(&self) -> usize {
        8 * self.delayed.as_ref().map_or(1, |arrivals| arrivals.steps)
    }
}

/// The elements at which a delayed truth value over the columns arrives.
#[derive(Clone, PartialEq, Debug)]
pub struct Arrivals {
    /// The truth value's history.
    pub history: BufferId,
    /// Steps for each element; a constant over rows and columns.
    pub delays: BufferId,
    /// The least of them.
    pub least: usize,
    /// Number of delays, from the least to the largest.
    pub steps: usize,
    /// For column `j` and delay `least + s`, pair `j · steps + s` says where its rows begin in `targets` and where they end; a
    /// constant.
    pub lists: BufferId,
    /// Rows, those of a column and delay one after another, before them the first of them again up to a multiple of four: of what
    /// several lanes do at one row, the last counts. A constant.
    pub targets: BufferId,
    /// Elements of `targets` from one column to the next.
    pub pitch: usize,
}

/// What a nest does with its loops.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Walk {
    /// Its instructions, at all elements.
    #[default]
    All,
    /// Its instructions, at some elements.
    Visit(Visit),
    /// Makes a list of [`Lowered::scans`]; it has neither loops nor instructions.
    Scan(usize),
    /// Replays what is put off in [`Lowered::logs`] for the columns that are touched in this step, and for some others; it has
    /// neither loops nor instructions of its own.
    Replay(usize),
}

/// A perfect loop nest.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Nest {
    /// Trip counts, outermost first; the last loop is vectorised.
    pub sizes: Vec<usize>,
    /// The elements it goes over.
    pub walk: Walk,
    /// The body, operands first.
    pub insts: Vec<Typed>,
}

impl Nest {
    /// Trip count of the innermost loop.
    pub fn inner(&self) -> usize {
        self.sizes.last().copied().unwrap_or(1)
    }

    /// Number of elements.
    pub fn size(&self) -> usize {
        self.sizes.iter().product()
    }

    /// The elements it visits, if not all.
    pub fn visit(&self) -> Option<&Visit> {
        match &self.walk {
            Walk::Visit(visit) => Some(visit),
            Walk::All | Walk::Scan(_) | Walk::Replay(_) => None,
        }
    }
}

/// A program ready for code generation.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Lowered {
    /// Name of the model.
    pub name: String,
    /// All memory.
    pub buffers: Vec<Buffer>,
    /// One step: nests in order.
    pub nests: Vec<Nest>,
    /// Lists of events.
    pub scans: Vec<Scan>,
    /// What is put off.
    pub logs: Vec<Log>,
    /// Between two steps: has states that are kept as of an earlier step be as of now.
    pub settles: Vec<Nest>,
    /// The [`Role::Dense`](super::Role::Dense) buffer, if a nest has a visit.
    pub dense: Option<BufferId>,
}

impl Lowered {
    /// The buffer `id`.
    pub fn buffer(&self, id: BufferId) -> &Buffer {
        &self.buffers[id.index()]
    }

    /// Ids and buffers.
    pub fn iter(&self) -> impl Iterator<Item = (BufferId, &Buffer)> {
        self.buffers.iter().enumerate().map(|(i, b)| (BufferId(i as u32), b))
    }

    /// Bytes of all buffers.
    pub fn bytes(&self) -> usize {
        self.buffers.iter().map(Buffer::bytes).sum()
    }
}
