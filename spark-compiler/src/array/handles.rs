//! The handle types and their operators.

use super::control::Comparison;
use super::tape::{self, Value};
use crate::ir::{Array, Axis, BinaryOp, CompareOp, Elem, Literal, Location, Op, ReduceOp, Shape, UnaryOp};
use std::fmt;
use std::ops;

/// A handle of any type.
#[diagnostic::on_unimplemented(
    message = "a #[variable] or #[constant] field cannot be a `{Self}`",
    label = "not an array handle",
    note = "variables and constants are `Real`, `Int` or `Bool`; other data goes into a #[host] field"
)]
pub trait Handle {
    /// The value it stands for.
    fn value(&self) -> Value;
    /// Makes it stand for another value.
    fn bind(&mut self, value: Value);
    /// True if values of arithmetic type `elem` fit this handle.
    fn accepts(elem: Elem) -> bool
    where
        Self: Sized;
    /// True if values of arithmetic type `elem` fit this handle.
    fn takes(&self, elem: Elem) -> bool;
}

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident, $from:ty, $pattern:pat) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name(pub(super) Value);

        impl $name {
            /// A handle of a value that is known to fit.
            pub fn from_value(value: Value) -> $name {
                $name(value)
            }

            /// A constant array; its storage type must fit the handle.
            #[track_caller]
            pub fn from_array(name: &str, array: &Array) -> $name {
                if !<$name as Handle>::accepts(array.elem()) {
                    let message = format!("`{name}` holds {}, which does not fit a {}", array.dtype(), stringify!($name));
                    tape::report(message, Location::caller());
                }
                $name(tape::constant(name, array))
            }

            /// Its shape.
            pub fn shape(self) -> Shape {
                tape::describe(self.0).1
            }

            /// Its value, if known: always in eager mode, for constants while tracing.
            pub fn known(self) -> Option<Array> {
                tape::known(self.0)
            }

            /// The same elements, row-major, under another shape of the same size.
            #[track_caller]
            pub fn regroup(self, shape: &Shape) -> $name {
                let (elem, mine) = tape::describe(self.0);
                if mine == *shape {
                    return self;
                }
                $name(tape::record(&[self.0], elem, shape, Location::caller(), |v| Op::Regroup(v[0])))
            }

            /// The elements at `indices` (row-major, integers), in the shape of `indices`.
            #[track_caller]
            pub fn gather(self, indices: &Array) -> $name {
                $name(tape::gather(self.0, indices))
            }
        }

        impl $name {
            /// `then` where the condition holds, `otherwise` elsewhere.
            #[track_caller]
            pub fn choose(condition: Bool, then: $name, otherwise: $name) -> $name {
                $name(select(condition, then.0, otherwise.0))
            }

            /// Element-wise comparison.
            #[track_caller]
            pub(super) fn compared(self, how: Comparison, other: $name) -> Bool {
                let op = match how {
                    Comparison::Lt => CompareOp::Lt,
                    Comparison::Le => CompareOp::Le,
                    Comparison::Gt => CompareOp::Gt,
                    Comparison::Ge => CompareOp::Ge,
                    Comparison::Eq => CompareOp::Eq,
                    Comparison::Ne => CompareOp::Ne,
                };
                compare(op, self.0, other.0)
            }
        }

        impl Handle for $name {
            fn value(&self) -> Value {
                self.0
            }
            fn bind(&mut self, value: Value) {
                self.0 = value;
            }
            fn accepts(elem: Elem) -> bool {
                matches!(elem, $pattern)
            }
            fn takes(&self, elem: Elem) -> bool {
                Self::accepts(elem)
            }
        }

        impl From<$from> for $name {
            #[track_caller]
            fn from(value: $from) -> $name {
                $name::scalar(value)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let (elem, shape) = tape::describe(self.0);
                write!(f, "{elem}{shape}")?;
                match tape::known(self.0) {
                    Some(array) => {
                        let shown: Vec<f64> = array.to_f64().into_iter().take(8).collect();
                        let more = if array.len() > 8 { ", ..." } else { "" };
                        let list: Vec<String> = shown.iter().map(f64::to_string).collect();
                        write!(f, " = {}{more}", list.join(", "))
                    }
                    None => f.write_str(" (traced)"),
                }
            }
        }
    };
}

handle!(
    /// A floating-point array.
    Real,
    f64,
    Elem::F32 | Elem::F64
);
handle!(
    /// An array of truth values.
    Bool,
    bool,
    Elem::Bool
);
handle!(
    /// A 32-bit integer array; arithmetic wraps.
    Int,
    i32,
    Elem::I32
);

#[track_caller]
fn unary(op: UnaryOp, a: Value) -> Value {
    let (elem, shape) = tape::describe(a);
    tape::record(&[a], elem, &shape, Location::caller(), |v| Op::Unary(op, v[0]))
}

/// Brings two floating-point values to one type: `f32` widens if the other is `f64`.
#[track_caller]
pub(super) fn common(a: Value, b: Value) -> (Value, Value) {
    let ((ea, sa), (eb, sb)) = (tape::describe(a), tape::describe(b));
    let widen = |v, shape: &Shape| tape::record(&[v], Elem::F64, shape, Location::caller(), |v| Op::Cast(v[0]));
    match (ea, eb) {
        (Elem::F32, Elem::F64) => (widen(a, &sa), b),
        (Elem::F64, Elem::F32) => (a, widen(b, &sb)),
        _ => (a, b),
    }
}

#[track_caller]
pub(super) fn binary(op: BinaryOp, a: Value, b: Value) -> Value {
    let (a, b) = common(a, b);
    let (elem, shape) = tape::describe(a);
    tape::record(&[a, b], elem, &shape, Location::caller(), |v| Op::Binary(op, v[0], v[1]))
}

#[track_caller]
pub(super) fn compare(op: CompareOp, a: Value, b: Value) -> Bool {
    let (a, b) = common(a, b);
    let (_, shape) = tape::describe(a);
    Bool(tape::record(&[a, b], Elem::Bool, &shape, Location::caller(), |v| Op::Compare(op, v[0], v[1])))
}

#[track_caller]
pub(super) fn select(condition: Bool, a: Value, b: Value) -> Value {
    let (a, b) = common(a, b);
    let (elem, shape) = tape::describe(a);
    tape::record(&[condition.0, a, b], elem, &shape, Location::caller(), |v| Op::Select(v[0], v[1], v[2]))
}

#[track_caller]
fn reduce(op: ReduceOp, axis: Axis, a: Value) -> Value {
    let (elem, shape) = tape::describe(a);
    tape::record(&[a], elem, &shape.without(axis), Location::caller(), |v| Op::Reduce(op, axis, v[0]))
}

#[track_caller]
fn cast(a: Value, elem: Elem) -> Value {
    let (from, shape) = tape::describe(a);
    if from == elem {
        return a;
    }
    tape::record(&[a], elem, &shape, Location::caller(), |v| Op::Cast(v[0]))
}

/// A host number as a scalar of the type of `like`.
#[track_caller]
pub(super) fn number(value: f64, like: Value) -> Value {
    tape::literal(Literal::from_f64(value, tape::describe(like).0))
}

impl Real {
    /// A scalar of the session's floating-point type.
    #[track_caller]
    pub fn scalar(value: f64) -> Real {
        Real(tape::literal(Literal::from_f64(value, tape::float())))
    }

    /// Absolute value.
    #[track_caller]
    pub fn abs(self) -> Real {
        Real(unary(UnaryOp::Abs, self.0))
    }

    /// Square root.
    #[track_caller]
    pub fn sqrt(self) -> Real {
        Real(unary(UnaryOp::Sqrt, self.0))
    }

    /// e^x.
    #[track_caller]
    pub fn exp(self) -> Real {
        Real(unary(UnaryOp::Exp, self.0))
    }

    /// Natural logarithm.
    #[track_caller]
    pub fn ln(self) -> Real {
        Real(unary(UnaryOp::Log, self.0))
    }

    /// Hyperbolic tangent.
    #[track_caller]
    pub fn tanh(self) -> Real {
        Real(unary(UnaryOp::Tanh, self.0))
    }

    /// Sine.
    #[track_caller]
    pub fn sin(self) -> Real {
        Real(unary(UnaryOp::Sin, self.0))
    }

    /// Cosine.
    #[track_caller]
    pub fn cos(self) -> Real {
        Real(unary(UnaryOp::Cos, self.0))
    }

    /// Largest integer not above.
    #[track_caller]
    pub fn floor(self) -> Real {
        Real(unary(UnaryOp::Floor, self.0))
    }

    /// Smallest integer not below.
    #[track_caller]
    pub fn ceil(self) -> Real {
        Real(unary(UnaryOp::Ceil, self.0))
    }

    /// Nearest integer, ties to even.
    #[track_caller]
    pub fn round(self) -> Real {
        Real(unary(UnaryOp::Round, self.0))
    }

    /// Integer part.
    #[track_caller]
    pub fn trunc(self) -> Real {
        Real(unary(UnaryOp::Trunc, self.0))
    }

    /// Product with itself.
    #[track_caller]
    pub fn square(self) -> Real {
        self * self
    }

    /// Truncated to integers; saturates, NaN gives 0.
    #[track_caller]
    pub fn to_int(self) -> Int {
        Int(cast(self.0, Elem::I32))
    }
}

impl Bool {
    /// A scalar.
    #[track_caller]
    pub fn scalar(value: bool) -> Bool {
        Bool(tape::literal(Literal::Bool(value)))
    }

    /// 1 where true, 0 where false.
    #[track_caller]
    pub fn to_real(self) -> Real {
        Real(cast(self.0, tape::float()))
    }

    /// 1 where true, 0 where false.
    #[track_caller]
    pub fn to_int(self) -> Int {
        Int(cast(self.0, Elem::I32))
    }

    /// True where any element along `axis` is.
    #[track_caller]
    pub fn any(self, axis: Axis) -> Bool {
        Bool(reduce(ReduceOp::Any, axis, self.0))
    }

    /// True where all elements along `axis` are.
    #[track_caller]
    pub fn all(self, axis: Axis) -> Bool {
        Bool(reduce(ReduceOp::All, axis, self.0))
    }

    /// `then` where true, `otherwise` where false.
    #[track_caller]
    pub fn select(self, then: Real, otherwise: Real) -> Real {
        Real(select(self, then.0, otherwise.0))
    }
}

impl Int {
    /// A scalar.
    #[track_caller]
    pub fn scalar(value: i32) -> Int {
        Int(tape::literal(Literal::I32(value)))
    }

    /// Converted to the session's floating-point type.
    #[track_caller]
    pub fn to_real(self) -> Real {
        Real(cast(self.0, tape::float()))
    }
}

/// Methods both number types have.
macro_rules! number_methods {
    ($name:ident, $host:ty) => {
        impl $name {
            /// Sum over an axis group.
            #[track_caller]
            pub fn sum(self, axis: Axis) -> $name {
                $name(reduce(ReduceOp::Sum, axis, self.0))
            }

            /// Sums of the elements that have the same segment: element `e` counts for element `segments[e]` (row-major)
            /// of the result, whose shape is `shape`. `segments` has this value's shape.
            #[track_caller]
            pub fn segment_sum(self, segments: &Array, shape: &Shape) -> $name {
                $name(tape::segment_sum(self.0, segments, shape))
            }

            /// Largest along an axis group.
            #[track_caller]
            pub fn max_over(self, axis: Axis) -> $name {
                $name(reduce(ReduceOp::Max, axis, self.0))
            }

            /// Smallest along an axis group.
            #[track_caller]
            pub fn min_over(self, axis: Axis) -> $name {
                $name(reduce(ReduceOp::Min, axis, self.0))
            }

            /// The larger of two values.
            #[track_caller]
            pub fn max(self, other: impl Operand<$name>) -> $name {
                $name(binary(BinaryOp::Max, self.0, other.operand(self.0)))
            }

            /// The smaller of two values.
            #[track_caller]
            pub fn min(self, other: impl Operand<$name>) -> $name {
                $name(binary(BinaryOp::Min, self.0, other.operand(self.0)))
            }

            /// Limited to `low ..= high`.
            #[track_caller]
            pub fn clip(self, low: impl Operand<$name>, high: impl Operand<$name>) -> $name {
                self.max(low).min(high)
            }
        }

        impl Operand<$name> for $name {
            fn operand(self, _like: Value) -> Value {
                self.0
            }
        }

        impl Operand<$name> for $host {
            #[track_caller]
            fn operand(self, like: Value) -> Value {
                number(f64::from(self), like)
            }
        }

        impl ops::Neg for $name {
            type Output = $name;
            #[track_caller]
            fn neg(self) -> $name {
                $name(unary(UnaryOp::Neg, self.0))
            }
        }
    };
}

/// What may stand beside a handle in a binary operation: another handle or a host number.
pub trait Operand<H> {
    /// The operand, of the type of `like`.
    #[track_caller]
    fn operand(self, like: Value) -> Value;
}

number_methods!(Real, f64);
number_methods!(Int, i32);

macro_rules! operator {
    ($name:ident, $host:ty, $trait:ident, $method:ident, $assign:ident, $assign_method:ident, $op:expr) => {
        impl ops::$trait for $name {
            type Output = $name;
            #[track_caller]
            fn $method(self, other: $name) -> $name {
                $name(binary($op, self.0, other.0))
            }
        }
        impl ops::$trait<$host> for $name {
            type Output = $name;
            #[track_caller]
            fn $method(self, other: $host) -> $name {
                $name(binary($op, self.0, number(f64::from(other), self.0)))
            }
        }
        impl ops::$trait<$name> for $host {
            type Output = $name;
            #[track_caller]
            fn $method(self, other: $name) -> $name {
                $name(binary($op, number(f64::from(self), other.0), other.0))
            }
        }
        impl ops::$assign for $name {
            #[track_caller]
            fn $assign_method(&mut self, other: $name) {
                self.0 = binary($op, self.0, other.0);
            }
        }
        impl ops::$assign<$host> for $name {
            #[track_caller]
            fn $assign_method(&mut self, other: $host) {
                self.0 = binary($op, self.0, number(f64::from(other), self.0));
            }
        }
    };
}

operator!(Real, f64, Add, add, AddAssign, add_assign, BinaryOp::Add);
operator!(Real, f64, Sub, sub, SubAssign, sub_assign, BinaryOp::Sub);
operator!(Real, f64, Mul, mul, MulAssign, mul_assign, BinaryOp::Mul);
operator!(Real, f64, Div, div, DivAssign, div_assign, BinaryOp::Div);
operator!(Int, i32, Add, add, AddAssign, add_assign, BinaryOp::Add);
operator!(Int, i32, Sub, sub, SubAssign, sub_assign, BinaryOp::Sub);
operator!(Int, i32, Mul, mul, MulAssign, mul_assign, BinaryOp::Mul);

macro_rules! logic {
    ($($trait:ident, $method:ident, $assign:ident, $assign_method:ident, $op:expr;)*) => {$(
        impl ops::$trait for Bool {
            type Output = Bool;
            #[track_caller]
            fn $method(self, other: Bool) -> Bool {
                Bool(binary($op, self.0, other.0))
            }
        }
        impl ops::$trait<bool> for Bool {
            type Output = Bool;
            #[track_caller]
            fn $method(self, other: bool) -> Bool {
                Bool(binary($op, self.0, Bool::scalar(other).0))
            }
        }
        impl ops::$trait<Bool> for bool {
            type Output = Bool;
            #[track_caller]
            fn $method(self, other: Bool) -> Bool {
                Bool(binary($op, Bool::scalar(self).0, other.0))
            }
        }
        impl ops::$assign for Bool {
            #[track_caller]
            fn $assign_method(&mut self, other: Bool) {
                self.0 = binary($op, self.0, other.0);
            }
        }
        impl ops::$trait for Int {
            type Output = Int;
            #[track_caller]
            fn $method(self, other: Int) -> Int {
                Int(binary($op, self.0, other.0))
            }
        }
        impl ops::$trait<i32> for Int {
            type Output = Int;
            #[track_caller]
            fn $method(self, other: i32) -> Int {
                Int(binary($op, self.0, Int::scalar(other).0))
            }
        }
    )*};
}

logic! {
    BitAnd, bitand, BitAndAssign, bitand_assign, BinaryOp::And;
    BitOr, bitor, BitOrAssign, bitor_assign, BinaryOp::Or;
    BitXor, bitxor, BitXorAssign, bitxor_assign, BinaryOp::Xor;
}

impl ops::Not for Bool {
    type Output = Bool;
    #[track_caller]
    fn not(self) -> Bool {
        Bool(unary(UnaryOp::Not, self.0))
    }
}

impl ops::Shl<u8> for Int {
    type Output = Int;
    #[track_caller]
    fn shl(self, bits: u8) -> Int {
        Int(binary(BinaryOp::Shl, self.0, Int::scalar(i32::from(bits)).0))
    }
}

impl ops::Shr<u8> for Int {
    type Output = Int;
    /// A logical shift: zeros come in from the left.
    #[track_caller]
    fn shr(self, bits: u8) -> Int {
        Int(binary(BinaryOp::Shr, self.0, Int::scalar(i32::from(bits)).0))
    }
}

impl Int {
    /// A number in 0 ≤ u < 1 from 32 random bits, as JAX makes it: the upper 23 bits.
    #[track_caller]
    pub fn to_uniform(self) -> Real {
        let bits = (self >> 9) | 0x3f80_0000;
        let shape = bits.shape();
        let one_to_two = tape::record(&[bits.0], Elem::F32, &shape, Location::caller(), |v| Op::Bitcast(v[0]));
        let unit = Real(one_to_two) - 1.0;
        Real(cast(unit.0, tape::float()))
    }
}
