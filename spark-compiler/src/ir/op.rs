//! The operations of a program.
//!
//! A program is straight-line: control flow on array values is [`Op::Select`]. Every operation yields one value, has an
//! arithmetic type and a shape, and knows the source line that asked for it.

use super::{Axis, Elem, Shape};
use std::fmt;

macro_rules! index_type {
    ($(#[$doc:meta])* $name:ident, $sigil:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);
        impl $name {
            /// Position in the program's list.
            pub fn index(self) -> usize {
                self.0 as usize
            }
            /// The id of position `index`.
            pub fn from_index(index: usize) -> Self {
                Self(u32::try_from(index).expect("fewer than 2^32 entities"))
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($sigil, "{}"), self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

index_type!(
    /// An operation, and the value it yields.
    OpId, "%"
);
index_type!(
    /// A constant array.
    ConstId, "c"
);
index_type!(
    /// A state variable.
    StateId, "s"
);
index_type!(
    /// A history: the last rows of a value, read by [`Op::Delay`].
    HistoryId, "h"
);
index_type!(
    /// An input port.
    InputId, "i"
);

/// A scalar known at compile time.
#[derive(Clone, Copy, Debug)]
pub enum Literal {
    /// Truth value.
    Bool(bool),
    /// Integer.
    I32(i32),
    /// Single precision.
    F32(f32),
    /// Double precision.
    F64(f64),
}

impl Literal {
    /// Its arithmetic type.
    pub fn elem(self) -> Elem {
        match self {
            Literal::Bool(_) => Elem::Bool,
            Literal::I32(_) => Elem::I32,
            Literal::F32(_) => Elem::F32,
            Literal::F64(_) => Elem::F64,
        }
    }

    /// The host number `value` as `elem`.
    pub fn from_f64(value: f64, elem: Elem) -> Literal {
        match elem {
            Elem::Bool => Literal::Bool(value != 0.0),
            Elem::I32 => Literal::I32(value as i32),
            Elem::F32 => Literal::F32(value as f32),
            Elem::F64 => Literal::F64(value),
        }
    }

    /// The number it is, exactly; 0 and 1 for truth values.
    pub fn to_f64(self) -> f64 {
        match self {
            Literal::Bool(v) => f64::from(u8::from(v)),
            Literal::I32(v) => f64::from(v),
            Literal::F32(v) => f64::from(v),
            Literal::F64(v) => v,
        }
    }

    /// Type and bits: literals are equal if these are (so NaN equals itself and −0 differs from 0).
    pub fn key(self) -> (Elem, u64) {
        let bits = match self {
            Literal::Bool(v) => u64::from(v),
            Literal::I32(v) => u64::from(v as u32),
            Literal::F32(v) => u64::from(v.to_bits()),
            Literal::F64(v) => v.to_bits(),
        };
        (self.elem(), bits)
    }
}

impl PartialEq for Literal {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Literal {}

impl std::hash::Hash for Literal {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

macro_rules! named_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }
        impl $name {
            /// Every variant.
            pub const ALL: &[$name] = &[$($name::$variant),*];
            /// The name used in text IR.
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }
        }
    };
}

named_enum! {
    /// Element-wise operations with one operand.
    UnaryOp {
        /// Sign change.
        Neg = "neg",
        /// Absolute value.
        Abs = "abs",
        /// Logical or bitwise complement.
        Not = "not",
        /// Square root, correctly rounded.
        Sqrt = "sqrt",
        /// Largest integer not above.
        Floor = "floor",
        /// Smallest integer not below.
        Ceil = "ceil",
        /// Nearest integer, ties to even.
        Round = "round",
        /// Integer part.
        Trunc = "trunc",
        /// e^x.
        Exp = "exp",
        /// e^x with fused multiply-adds inside: faster and nearer where the machine has them.
        FusedExp = "fused_exp",
        /// Natural logarithm.
        Log = "log",
        /// Hyperbolic tangent.
        Tanh = "tanh",
        /// Sine.
        Sin = "sin",
        /// Cosine.
        Cos = "cos",
    }
}

named_enum! {
    /// Element-wise operations with two operands of one type.
    BinaryOp {
        /// Sum; integers wrap.
        Add = "add",
        /// Difference; integers wrap.
        Sub = "sub",
        /// Product; integers wrap.
        Mul = "mul",
        /// Quotient, floating point only.
        Div = "div",
        /// `if x < y { x } else { y }`.
        Min = "min",
        /// `if y < x { x } else { y }`.
        Max = "max",
        /// Conjunction (truth values) or bitwise and (integers).
        And = "and",
        /// Disjunction or bitwise or.
        Or = "or",
        /// Exclusive disjunction or bitwise exclusive or.
        Xor = "xor",
        /// Left shift by the right operand modulo 32; the right operand is a literal.
        Shl = "shl",
        /// Logical right shift by the right operand modulo 32; the right operand is a literal.
        Shr = "shr",
    }
}

named_enum! {
    /// Comparisons; any comparison with NaN is false except `ne`.
    CompareOp {
        /// Equal.
        Eq = "eq",
        /// Not equal.
        Ne = "ne",
        /// Less.
        Lt = "lt",
        /// Less or equal.
        Le = "le",
        /// Greater.
        Gt = "gt",
        /// Greater or equal.
        Ge = "ge",
    }
}

named_enum! {
    /// Reductions over one axis group.
    ReduceOp {
        /// Sum, in the blocked order of [`crate::eval`].
        Sum = "sum",
        /// Largest.
        Max = "max",
        /// Smallest.
        Min = "min",
        /// True if any is.
        Any = "any",
        /// True if all are.
        All = "all",
    }
}

named_enum! {
    /// What [`Op::Threefry`] yields of the two output words.
    ThreefryWord {
        /// The first word.
        First = "first",
        /// The second word.
        Second = "second",
        /// The exclusive or of both words: JAX's 32 random bits of one element.
        Mixed = "mixed",
    }
}

/// What an operation computes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    /// A scalar.
    Literal(Literal),
    /// A constant array, widened.
    Constant(ConstId),
    /// An input of this step, widened.
    Input(InputId),
    /// A state variable at the start of the step, widened.
    State(StateId),
    /// Element-wise.
    Unary(UnaryOp, OpId),
    /// Element-wise, broadcasting by axis name.
    Binary(BinaryOp, OpId, OpId),
    /// `a · b + c`, rounded once; element-wise, floating point only.
    MulAdd(OpId, OpId, OpId),
    /// Element-wise comparison; yields truth values.
    Compare(CompareOp, OpId, OpId),
    /// `condition ? then : else`, element-wise.
    Select(OpId, OpId, OpId),
    /// Conversion to the node's type: integers to floats round to nearest; floats to integers truncate and saturate,
    /// NaN gives 0; numbers to truth values compare with zero.
    Cast(OpId),
    /// Reinterpretation of the bits (`i32` and `f32` only) as the node's type.
    Bitcast(OpId),
    /// Reduction over one axis group, which disappears from the shape.
    Reduce(ReduceOp, Axis, OpId),
    /// The value `delays[e]` steps ago (0 is this step), per element of the node's shape; zero or false before the first
    /// step. The value is pushed once per step into the history.
    Delay {
        /// Where past rows are kept.
        history: HistoryId,
        /// The value to delay.
        value: OpId,
        /// Steps, at most the history's rows − 1.
        delays: ConstId,
    },
    /// The row-major index of each element of the node's shape (`i32`).
    Index,
    /// Threefry-2x32-20 of `key` and `counter`, element-wise on `i32` words.
    Threefry {
        /// Which word.
        word: ThreefryWord,
        /// Key words.
        key: [OpId; 2],
        /// Counter words.
        counter: [OpId; 2],
    },
    /// `source[indices[e]]`: row-major indices into the source, per element of the node's shape.
    Gather {
        /// Any value.
        source: OpId,
        /// Indices; its shape is the node's.
        indices: ConstId,
    },
    /// `table[index[e]]`, per element of the index; indices below the table give its first element, those beyond it its last.
    Lookup {
        /// An array of one group; of numbers.
        table: ConstId,
        /// Indices, `i32`.
        index: OpId,
    },
    /// `out[segments[e]] += source[e]` in row-major order of `e`.
    SegmentSum {
        /// A float or integer value.
        source: OpId,
        /// Row-major index into the node's shape for each element of the source.
        segments: ConstId,
    },
    /// The elements of the parts one after another, each in row-major order; the node's shape is one group.
    Concat(Vec<OpId>),
    /// The same elements in row-major order under another shape of the same size.
    Regroup(OpId),
}

impl Op {
    /// Calls `visit` on every operand.
    pub fn operands(&self, mut visit: impl FnMut(OpId)) {
        self.clone().map_operands(|id| {
            visit(id);
            id
        });
    }

    /// The constant it names, if any.
    pub fn constant_mut(&mut self) -> Option<&mut ConstId> {
        match self {
            Op::Constant(id)
            | Op::Delay { delays: id, .. }
            | Op::Gather { indices: id, .. }
            | Op::Lookup { table: id, .. }
            | Op::SegmentSum { segments: id, .. } => Some(id),
            Op::Literal(_)
            | Op::Input(_)
            | Op::State(_)
            | Op::Unary(..)
            | Op::Binary(..)
            | Op::Compare(..)
            | Op::MulAdd(..)
            | Op::Select(..)
            | Op::Cast(_)
            | Op::Bitcast(_)
            | Op::Reduce(..)
            | Op::Index
            | Op::Threefry { .. }
            | Op::Concat(_)
            | Op::Regroup(_) => None,
        }
    }

    /// Replaces every operand.
    pub fn map_operands(&mut self, mut map: impl FnMut(OpId) -> OpId) {
        match self {
            Op::Literal(_) | Op::Constant(_) | Op::Input(_) | Op::State(_) | Op::Index => {}
            Op::Unary(_, a)
            | Op::Cast(a)
            | Op::Bitcast(a)
            | Op::Reduce(_, _, a)
            | Op::Regroup(a)
            | Op::Lookup { index: a, .. } => *a = map(*a),
            Op::Binary(_, a, b) | Op::Compare(_, a, b) => {
                *a = map(*a);
                *b = map(*b);
            }
            Op::MulAdd(c, a, b) | Op::Select(c, a, b) => {
                *c = map(*c);
                *a = map(*a);
                *b = map(*b);
            }
            Op::Delay { value, .. } => *value = map(*value),
            Op::Gather { source, .. } | Op::SegmentSum { source, .. } => *source = map(*source),
            Op::Threefry { key, counter, .. } => {
                for operand in key.iter_mut().chain(counter) {
                    *operand = map(*operand);
                }
            }
            Op::Concat(parts) => {
                for part in parts {
                    *part = map(*part);
                }
            }
        }
    }
}

/// Where an operation was asked for: the user's file, line and column.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Location {
    /// Source file; empty if unknown.
    pub file: &'static str,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

impl Location {
    /// No known position.
    pub const UNKNOWN: Location = Location { file: "", line: 0, column: 0 };

    /// The position of the caller of the function that calls this (both `#[track_caller]`).
    #[track_caller]
    pub fn caller() -> Location {
        let at = std::panic::Location::caller();
        Location { file: at.file(), line: at.line(), column: at.column() }
    }

    /// True for [`Location::UNKNOWN`].
    pub fn is_unknown(self) -> bool {
        self.line == 0
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_unknown() {
            f.write_str("unknown")
        } else {
            write!(f, "{}:{}:{}", self.file, self.line, self.column)
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An operation with its type, shape and origin.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    /// What it computes.
    pub op: Op,
    /// Arithmetic type of its value.
    pub elem: Elem,
    /// Shape of its value.
    pub shape: Shape,
    /// The source line that asked for it.
    pub location: Location,
}
