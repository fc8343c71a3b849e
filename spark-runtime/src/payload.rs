//! Payloads: what travels between modules.
//!
//! Inside a step, a payload is a typed bundle of array handles ([`SpikeArray`], [`CurrentArray`], ...). Between modules
//! and on the host side it is a [`Payload`] (handles) or a [`HostPayload`] (arrays), tagged with its [`PayloadKind`].

use crate::error::{Error, Result};
use crate::port::{concatenate, filled};
use spark_compiler::array::{Bool, Handle, Int, Real, Value, tape};
use spark_compiler::ir::{Array, DType, Data, Elem, Location, Shape};

/// A kind of payload: its name and its parts.
#[derive(Debug)]
pub struct PayloadKind {
    /// Registered name, `SpikeArray`.
    pub name: &'static str,
    /// What it stands for.
    pub description: &'static str,
    /// Names and arithmetic types of its parts; the first is the value itself.
    pub parts: &'static [(&'static str, PartType)],
}

impl PartialEq for PayloadKind {
    fn eq(&self, other: &PayloadKind) -> bool {
        self.name == other.name
    }
}

impl Eq for PayloadKind {}

/// Type of a payload's part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PartType {
    /// Floating point, in the model's precision.
    Real,
    /// Integer.
    Int,
    /// Truth value.
    Bool,
}

impl PartType {
    /// Storage type in a model of floating-point type `dtype`.
    pub fn dtype(self, dtype: DType) -> DType {
        match self {
            PartType::Real => dtype,
            PartType::Int => DType::I32,
            PartType::Bool => DType::Bool,
        }
    }

    fn fits(self, elem: Elem) -> bool {
        match self {
            PartType::Real => elem.is_float(),
            PartType::Int => elem == Elem::I32,
            PartType::Bool => elem == Elem::Bool,
        }
    }
}

/// A payload of any kind, made of handles of the current session.
#[derive(Clone, Debug, PartialEq)]
pub struct Payload {
    /// Its kind.
    pub kind: &'static PayloadKind,
    /// Its parts, in the kind's order.
    pub parts: Vec<Value>,
    /// Spikes over synapses (after per-synapse delays) instead of neurons.
    pub async_spikes: bool,
}

impl Payload {
    /// Shape of the value.
    pub fn shape(&self) -> Shape {
        tape::describe(self.parts[0]).1
    }

    /// The elements at `indices` (row-major, integers), in the shape of `indices`: of every part, so that spikes keep their
    /// signs.
    #[track_caller]
    pub fn gather(&self, indices: &Array) -> Payload {
        let shape = self.shape();
        self.map(|&part| tape::gather(filled(part, &shape), indices))
    }

    /// The same elements, row-major, under another shape of the same size.
    #[track_caller]
    pub fn regroup(&self, shape: &Shape) -> Payload {
        let mine = self.shape();
        self.map(|&part| tape::regroup(filled(part, &mine), tape::describe(part).0, shape))
    }

    /// Payloads of one kind one after another, each flattened, over one axis of `units`: every part of them, so that
    /// spikes keep their signs. No sources, and sources of different kinds, are a mistake of the step.
    #[track_caller]
    pub fn concat(sources: Vec<Payload>) -> Payload {
        let joined = match sources.is_empty() {
            true => Err(Error::new("there is nothing to join")),
            false => concatenate(sources),
        };
        let joined = joined.unwrap_or_else(|error| {
            tape::report(error.message(), Location::caller());
            FloatArray::new(Real::scalar(0.0)).pack()
        });
        joined.regroup(&Shape::units(&[joined.shape().size()]))
    }

    /// The same payload with `change` applied to each part.
    pub fn map(&self, change: impl FnMut(&Value) -> Value) -> Payload {
        Payload { parts: self.parts.iter().map(change).collect(), ..self.clone() }
    }
}

/// A typed payload: the argument and return types of a step.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a port type",
    label = "a port carries a payload",
    note = "ports carry SpikeArray, CurrentArray, ConductanceArray, PotentialArray, FloatArray, IntegerArray, BooleanMask, \
            IntegerMask, Payload for any of them, and structs with #[spark::payload]"
)]
pub trait PayloadType: Sized {
    /// Its kind.
    const KIND: &'static PayloadKind;
    /// As a payload of any kind.
    fn pack(self) -> Payload;
    /// From a payload of any kind.
    ///
    /// # Errors
    /// If the kinds differ.
    fn unpack(payload: Payload) -> Result<Self>;
}

/// A payload that is one array: what a field with `property = ..` can be read as.
#[diagnostic::on_unimplemented(
    message = "a property of type `{Self}` cannot hold a `{H}`",
    label = "does not fit the field",
    note = "CurrentArray, ConductanceArray, PotentialArray and FloatArray hold a `Real`, IntegerArray and IntegerMask an `Int`, \
            BooleanMask a `Bool`, and a one-array struct with #[spark::payload] what its field is"
)]
pub trait ValuePayload<H>: PayloadType {
    /// The payload of this array.
    fn from_handle(handle: H) -> Self;
    /// The array of this payload.
    fn into_handle(self) -> H;
}

/// A handle that can be a payload's part.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a part of a payload",
    label = "not an array handle",
    note = "parts are Real, Int or Bool; a `bool` with #[async_spikes] says whether the payload travels over synapses"
)]
pub trait PayloadPart: Handle + Sized {
    /// The part's type.
    const TYPE: PartType;
    /// A handle of a value that is known to fit.
    fn from_value(value: Value) -> Self;
    /// The value it stands for.
    fn into_value(self) -> Value {
        self.value()
    }
    /// Shape of the value.
    fn shape_of(self) -> Shape {
        tape::describe(self.value()).1
    }
}

macro_rules! payload_part {
    ($($handle:ident)*) => {$(
        impl PayloadPart for $handle {
            const TYPE: PartType = PartType::$handle;

            fn from_value(value: Value) -> $handle {
                $handle::from_value(value)
            }
        }
    )*};
}
payload_part!(Real Int Bool);

/// Checks that `payload` has the kind `expected` and that its parts have the right types.
///
/// # Errors
/// If not.
pub fn check_payload(payload: &Payload, expected: &'static PayloadKind) -> Result<()> {
    if payload.kind != expected {
        return Err(Error::new(format!("a {} does not fit a port of type {}", payload.kind.name, expected.name)));
    }
    for (&part, (name, part_type)) in payload.parts.iter().zip(expected.parts) {
        let (elem, _) = tape::describe(part);
        if !part_type.fits(elem) {
            return Err(Error::new(format!("`{name}` of a {} cannot hold {elem}", expected.name)));
        }
    }
    Ok(())
}

/// A port of type [`Payload`] takes and gives payloads of any kind; what travels through it has a kind of its own.
#[diagnostic::do_not_recommend]
impl PayloadType for Payload {
    const KIND: &'static PayloadKind =
        &PayloadKind { name: "SparkPayload", description: "A payload of any kind.", parts: &[] };

    fn pack(self) -> Payload {
        self
    }

    fn unpack(payload: Payload) -> Result<Payload> {
        Ok(payload)
    }
}

/// Spike events, each from an excitatory or an inhibitory neuron.
#[spark::payload]
pub struct SpikeArray {
    spikes: Bool,
    inhibition_mask: Bool,
    #[async_spikes]
    async_spikes: bool,
}

impl SpikeArray {
    /// Spikes of a population; neurons where the mask is true are inhibitory (none without a mask).
    #[track_caller]
    pub fn new(spikes: Bool, inhibition_mask: impl Into<Option<BooleanMask>>) -> SpikeArray {
        let inhibition_mask = inhibition_mask.into().map_or_else(|| Bool::scalar(false), |mask| mask.value());
        SpikeArray { spikes, inhibition_mask, async_spikes: false }
    }

    /// Marks the spikes as spikes over synapses: each synapse has its own delay.
    pub fn into_async(mut self) -> SpikeArray {
        self.async_spikes = true;
        self
    }

    /// True where a spike is.
    pub fn spikes(self) -> Bool {
        self.spikes
    }

    /// True where the neuron is inhibitory.
    pub fn inhibition_mask(self) -> Bool {
        self.inhibition_mask
    }

    /// True for spikes over synapses.
    pub fn is_async(self) -> bool {
        self.async_spikes
    }

    /// 1 for an excitatory spike, −1 for an inhibitory one, 0 otherwise.
    #[track_caller]
    pub fn value(self) -> Real {
        let sign = self.inhibition_mask.select(Real::scalar(-1.0), Real::scalar(1.0));
        self.spikes.select(sign, Real::scalar(0.0))
    }

    /// 1 where a spike is, whatever its sign.
    #[track_caller]
    pub fn to_real(self) -> Real {
        self.spikes.select(Real::scalar(1.0), Real::scalar(0.0))
    }

    /// Shape of the spikes.
    pub fn shape(self) -> Shape {
        self.spikes.shape()
    }
}

/// Currents, in pA unless the module says otherwise.
#[spark::payload]
pub struct CurrentArray(Real);

/// Conductances, in nS.
#[spark::payload]
pub struct ConductanceArray(Real);

/// Membrane potentials, in mV.
#[spark::payload]
pub struct PotentialArray(Real);

/// Floating-point values.
#[spark::payload]
pub struct FloatArray(Real);

/// Integers.
#[spark::payload]
pub struct IntegerArray(Int);

/// Truth values.
#[spark::payload]
pub struct BooleanMask(Bool);

/// Integers that select.
#[spark::payload]
pub struct IntegerMask(Int);

/// Arithmetic with a payload's value directly: `gain * current`.
macro_rules! real_operators {
    ($($name:ident)*) => {$(
        real_operators!(@op $name, Add, add);
        real_operators!(@op $name, Sub, sub);
        real_operators!(@op $name, Mul, mul);
        real_operators!(@op $name, Div, div);
    )*};
    (@op $name:ident, $trait:ident, $method:ident) => {
        impl std::ops::$trait<$name> for Real {
            type Output = Real;
            #[track_caller]
            fn $method(self, other: $name) -> Real {
                std::ops::$trait::$method(self, other.0)
            }
        }
        impl std::ops::$trait<Real> for $name {
            type Output = Real;
            #[track_caller]
            fn $method(self, other: Real) -> Real {
                std::ops::$trait::$method(self.0, other)
            }
        }
        impl std::ops::$trait<f64> for $name {
            type Output = Real;
            #[track_caller]
            fn $method(self, other: f64) -> Real {
                std::ops::$trait::$method(self.0, other)
            }
        }
        impl std::ops::$trait<$name> for f64 {
            type Output = Real;
            #[track_caller]
            fn $method(self, other: $name) -> Real {
                std::ops::$trait::$method(self, other.0)
            }
        }
    };
}
real_operators!(CurrentArray ConductanceArray PotentialArray FloatArray);

/// A payload on the host: arrays instead of handles.
#[derive(Clone, Debug, PartialEq)]
pub struct HostPayload {
    value: Array,
    inhibition_mask: Option<Array>,
}

impl HostPayload {
    /// A payload of one array, for any kind of port.
    pub fn new(value: Array) -> HostPayload {
        HostPayload { value, inhibition_mask: None }
    }

    /// Spikes; neurons where `inhibition_mask` is true are inhibitory.
    pub fn spikes(spikes: Array, inhibition_mask: Option<Array>) -> HostPayload {
        HostPayload { value: spikes, inhibition_mask }
    }

    /// The value (spikes, for a spike payload).
    pub fn value(&self) -> &Array {
        &self.value
    }

    /// Which neurons are inhibitory.
    pub fn inhibition_mask(&self) -> Option<&Array> {
        self.inhibition_mask.as_ref()
    }

    /// Storage type.
    pub fn dtype(&self) -> DType {
        self.value.dtype()
    }

    /// Host dimensions.
    pub fn dims(&self) -> Vec<usize> {
        self.value.dims()
    }

    /// A positional view of the value, if it stores `T`.
    pub fn view<T: spark_compiler::ir::Stored>(&self) -> Option<spark_compiler::ndarray::ArrayViewD<'_, T>> {
        self.value.view()
    }
}

impl From<Array> for HostPayload {
    fn from(value: Array) -> HostPayload {
        HostPayload::new(value)
    }
}

macro_rules! from_vec {
    ($($t:ty => $v:ident),*) => {$(
        impl From<Vec<$t>> for HostPayload {
            fn from(values: Vec<$t>) -> HostPayload {
                let shape = Shape::units(&[values.len()]);
                HostPayload::new(Array::new(shape, Data::$v(values)).expect("a vector fills its own length"))
            }
        }
        impl From<&[$t]> for HostPayload {
            fn from(values: &[$t]) -> HostPayload {
                values.to_vec().into()
            }
        }
    )*};
}
from_vec!(f32 => F32, f64 => F64, bool => Bool, u8 => U8, i32 => I32);

macro_rules! from_ndarray {
    ($($t:ty),*) => {$(
        impl<D: spark_compiler::ndarray::Dimension> From<spark_compiler::ndarray::Array<$t, D>> for HostPayload {
            fn from(array: spark_compiler::ndarray::Array<$t, D>) -> HostPayload {
                let dims = array.shape().to_vec();
                let data = <$t as spark_compiler::ir::Stored>::data(array.iter().copied().collect());
                HostPayload::new(Array::new(Shape::units(&dims), data).expect("an array fills its own shape"))
            }
        }
    )*};
}
from_ndarray!(f32, f64, bool, u8, i32);
