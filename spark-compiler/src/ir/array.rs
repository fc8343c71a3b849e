//! Host arrays: constants, initial states, inputs and outputs of a program.

use super::{Bounds, DType, Elem, Literal, Shape};
use crate::pages;
use half::{bf16, f16};
use std::sync::{Arc, OnceLock};

/// The elements of an [`Array`], row-major in host order.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Half precision.
    F16(Vec<f16>),
    /// bfloat16.
    BF16(Vec<bf16>),
    /// Single precision.
    F32(Vec<f32>),
    /// Double precision.
    F64(Vec<f64>),
    /// Bytes.
    U8(Vec<u8>),
    /// 16-bit unsigned.
    U16(Vec<u16>),
    /// 32-bit signed.
    I32(Vec<i32>),
    /// Truth values.
    Bool(Vec<bool>),
}

/// Runs `$body` with `$v` bound to the vector of whatever element type `$data` holds.
#[macro_export]
#[doc(hidden)]
macro_rules! with_data {
    ($data:expr, $v:ident => $body:expr) => {
        match $data {
            $crate::ir::Data::F16($v) => $body,
            $crate::ir::Data::BF16($v) => $body,
            $crate::ir::Data::F32($v) => $body,
            $crate::ir::Data::F64($v) => $body,
            $crate::ir::Data::U8($v) => $body,
            $crate::ir::Data::U16($v) => $body,
            $crate::ir::Data::I32($v) => $body,
            $crate::ir::Data::Bool($v) => $body,
        }
    };
}

impl Data {
    /// `len` zeros (or `false`) of `dtype`.
    pub fn zeros(dtype: DType, len: usize) -> Data {
        match dtype {
            DType::F16 => Data::F16(pages::zeros(len)),
            DType::BF16 => Data::BF16(pages::zeros(len)),
            DType::F32 => Data::F32(pages::zeros(len)),
            DType::F64 => Data::F64(pages::zeros(len)),
            DType::U8 => Data::U8(pages::zeros(len)),
            DType::U16 => Data::U16(pages::zeros(len)),
            DType::I32 => Data::I32(pages::zeros(len)),
            DType::Bool => Data::Bool(pages::zeros(len)),
        }
    }

    /// Storage type.
    pub fn dtype(&self) -> DType {
        match self {
            Data::F16(_) => DType::F16,
            Data::BF16(_) => DType::BF16,
            Data::F32(_) => DType::F32,
            Data::F64(_) => DType::F64,
            Data::U8(_) => DType::U8,
            Data::U16(_) => DType::U16,
            Data::I32(_) => DType::I32,
            Data::Bool(_) => DType::Bool,
        }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        with_data!(self, v => v.len())
    }

    /// True without elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Nothing yet, of `dtype`, with room for `len` elements.
    pub fn with_capacity(dtype: DType, len: usize) -> Data {
        match dtype {
            DType::F16 => Data::F16(pages::vec(len)),
            DType::BF16 => Data::BF16(pages::vec(len)),
            DType::F32 => Data::F32(pages::vec(len)),
            DType::F64 => Data::F64(pages::vec(len)),
            DType::U8 => Data::U8(pages::vec(len)),
            DType::U16 => Data::U16(pages::vec(len)),
            DType::I32 => Data::I32(pages::vec(len)),
            DType::Bool => Data::Bool(pages::vec(len)),
        }
    }

    /// Appends numbers, converted as by [`Data::convert`].
    pub fn extend(&mut self, more: &Data) {
        match (self, more) {
            (Data::F16(a), Data::F16(b)) => a.extend(b),
            (Data::BF16(a), Data::BF16(b)) => a.extend(b),
            (Data::F32(a), Data::F32(b)) => a.extend(b),
            (Data::F64(a), Data::F64(b)) => a.extend(b),
            (Data::U8(a), Data::U8(b)) => a.extend(b),
            (Data::U16(a), Data::U16(b)) => a.extend(b),
            (Data::I32(a), Data::I32(b)) => a.extend(b),
            (Data::Bool(a), Data::Bool(b)) => a.extend(b),
            (all, more) => all.extend(&more.convert(all.dtype())),
        }
    }

    /// Widens to the arithmetic type: exact.
    pub fn widen(&self) -> Data {
        self.convert(self.dtype().elem().dtype())
    }

    /// Converts to `dtype` as a state write does: floats round to nearest even, integers saturate, floats to integers
    /// truncate and saturate (NaN gives 0), numbers to truth values compare with zero.
    pub fn convert(&self, dtype: DType) -> Data {
        if self.dtype() == dtype {
            return self.clone();
        }
        match self {
            Data::F16(v) => from_f32(v.iter().map(|x| x.to_f32()), dtype),
            Data::BF16(v) => from_f32(v.iter().map(|x| x.to_f32()), dtype),
            Data::F32(v) => from_f32(v.iter().copied(), dtype),
            Data::F64(v) => from_f64(v.iter().copied(), dtype),
            Data::U8(v) => from_i32(v.iter().copied().map(i32::from), dtype),
            Data::U16(v) => from_i32(v.iter().copied().map(i32::from), dtype),
            Data::I32(v) => from_i32(v.iter().copied(), dtype),
            Data::Bool(v) => from_i32(v.iter().copied().map(i32::from), dtype),
        }
    }

    /// As [`Data::convert`]; what has the type already is not copied.
    pub fn into_dtype(self, dtype: DType) -> Data {
        if self.dtype() == dtype { self } else { self.convert(dtype) }
    }

    /// Element `index` as a host number.
    pub fn get_f64(&self, index: usize) -> f64 {
        match self {
            Data::F16(v) => v[index].to_f64(),
            Data::BF16(v) => v[index].to_f64(),
            Data::F32(v) => f64::from(v[index]),
            Data::F64(v) => v[index],
            Data::U8(v) => f64::from(v[index]),
            Data::U16(v) => f64::from(v[index]),
            Data::I32(v) => f64::from(v[index]),
            Data::Bool(v) => f64::from(u8::from(v[index])),
        }
    }

    /// Elements as host numbers.
    pub fn to_f64(&self) -> Vec<f64> {
        match self.convert(DType::F64) {
            Data::F64(v) => v,
            _ => unreachable!("converted to f64"),
        }
    }

    /// True if both hold the same bits (so NaN equals itself and −0 differs from 0).
    pub fn same_bits(&self, other: &Data) -> bool {
        match (self, other) {
            (Data::F16(a), Data::F16(b)) => a.iter().map(|x| x.to_bits()).eq(b.iter().map(|x| x.to_bits())),
            (Data::BF16(a), Data::BF16(b)) => a.iter().map(|x| x.to_bits()).eq(b.iter().map(|x| x.to_bits())),
            (Data::F32(a), Data::F32(b)) => a.iter().map(|x| x.to_bits()).eq(b.iter().map(|x| x.to_bits())),
            (Data::F64(a), Data::F64(b)) => a.iter().map(|x| x.to_bits()).eq(b.iter().map(|x| x.to_bits())),
            _ => self == other,
        }
    }
}

fn from_f32(values: impl ExactSizeIterator<Item = f32>, dtype: DType) -> Data {
    match dtype {
        DType::F16 => Data::F16(pages::collect(values.map(f16::from_f32))),
        DType::BF16 => Data::BF16(pages::collect(values.map(bf16::from_f32))),
        DType::F32 => Data::F32(pages::collect(values)),
        DType::F64 => Data::F64(pages::collect(values.map(f64::from))),
        DType::Bool => Data::Bool(pages::collect(values.map(|x| x != 0.0))),
        DType::U8 | DType::U16 | DType::I32 => from_i32(values.map(|x| x as i32), dtype),
    }
}

fn from_f64(values: impl ExactSizeIterator<Item = f64>, dtype: DType) -> Data {
    match dtype {
        DType::F64 => Data::F64(pages::collect(values)),
        DType::Bool => Data::Bool(pages::collect(values.map(|x| x != 0.0))),
        DType::U8 | DType::U16 | DType::I32 => from_i32(values.map(|x| x as i32), dtype),
        DType::F16 | DType::BF16 | DType::F32 => from_f32(values.map(|x| x as f32), dtype),
    }
}

fn from_i32(values: impl ExactSizeIterator<Item = i32>, dtype: DType) -> Data {
    match dtype {
        DType::U8 => Data::U8(pages::collect(values.map(|x| x.clamp(0, 255) as u8))),
        DType::U16 => Data::U16(pages::collect(values.map(|x| x.clamp(0, 65535) as u16))),
        DType::I32 => Data::I32(pages::collect(values)),
        DType::Bool => Data::Bool(pages::collect(values.map(|x| x != 0))),
        DType::F64 => Data::F64(pages::collect(values.map(f64::from))),
        DType::F32 => Data::F32(pages::collect(values.map(|x| x as f32))),
        DType::F16 => Data::F16(pages::collect(values.map(|x| f16::from_f32(x as f32)))),
        DType::BF16 => Data::BF16(pages::collect(values.map(|x| bf16::from_f32(x as f32)))),
    }
}

/// A host array: elements and shape.
#[derive(Clone, Debug)]
pub struct Array {
    shape: Shape,
    /// Shared: programs, their copies between passes and kernels hold the same arrays.
    elements: Arc<Elements>,
}

/// Elements that do not change, and what was found out about them.
#[derive(Debug)]
struct Elements {
    data: Data,
    bounds: OnceLock<Bounds>,
}

impl From<Data> for Arc<Elements> {
    fn from(data: Data) -> Arc<Elements> {
        Arc::new(Elements { data, bounds: OnceLock::new() })
    }
}

impl PartialEq for Array {
    fn eq(&self, other: &Array) -> bool {
        self.shape == other.shape && self.data() == other.data()
    }
}

/// Number of elements and shape disagree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{len} elements do not fill shape {shape} of {} elements", .shape.size())]
pub struct LengthMismatch {
    len: usize,
    shape: Shape,
}

impl Array {
    /// An array of `data` in row-major order.
    ///
    /// # Errors
    /// If the number of elements is not the shape's size.
    pub fn new(shape: Shape, data: Data) -> Result<Array, LengthMismatch> {
        if shape.checked_size() == Some(data.len()) {
            Ok(Array { shape, elements: data.into() })
        } else {
            Err(LengthMismatch { len: data.len(), shape })
        }
    }

    /// `shape` filled with zeros (or `false`).
    pub fn zeros(shape: Shape, dtype: DType) -> Array {
        let data = Data::zeros(dtype, shape.size());
        Array::repeated(shape, data, Bounds::exact(0.0, 0.0))
    }

    /// `shape` filled with `value`.
    pub fn full(shape: Shape, dtype: DType, value: f64) -> Array {
        Array::filled(shape, &Data::F64(vec![value]).convert(dtype))
    }

    /// `shape` filled with the first element of `value`.
    pub(crate) fn filled(shape: Shape, value: &Data) -> Array {
        let data = with_data!(value, v => Stored::data(vec![v[0]; shape.size()]));
        let bounds = Bounds::of(&with_data!(value, v => Stored::data(vec![v[0]])));
        Array::repeated(shape, data, bounds)
    }

    /// An array of the same number everywhere, of which these are the bounds.
    fn repeated(shape: Shape, data: Data, bounds: Bounds) -> Array {
        let bounds = if data.is_empty() { Bounds::NOTHING } else { bounds };
        Array { shape, elements: Arc::new(Elements { data, bounds: bounds.into() }) }
    }

    /// A scalar.
    pub fn scalar(value: Literal) -> Array {
        let data = match value {
            Literal::Bool(v) => Data::Bool(vec![v]),
            Literal::I32(v) => Data::I32(vec![v]),
            Literal::F32(v) => Data::F32(vec![v]),
            Literal::F64(v) => Data::F64(vec![v]),
        };
        Array { shape: Shape::scalar(), elements: data.into() }
    }

    /// Its shape.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Its host dimensions.
    pub fn dims(&self) -> Vec<usize> {
        self.shape.dims()
    }

    /// Its elements.
    pub fn data(&self) -> &Data {
        &self.elements.data
    }

    /// What its elements lie between. They are gone through once, however often and of whichever copy it is asked.
    pub fn bounds(&self) -> Bounds {
        *self.elements.bounds.get_or_init(|| Bounds::of(self.data()))
    }

    /// The element of an array that is known to have the same one everywhere: without looking for it.
    pub(crate) fn everywhere(&self) -> Option<Array> {
        let one = self.shape.is_scalar() || self.elements.bounds.get().is_some_and(Bounds::is_one_number);
        one.then(|| Array::filled(Shape::scalar(), self.data()))
    }

    /// True if all elements are known to be +0, or `false`: without looking at them.
    pub(crate) fn is_known_zero(&self) -> bool {
        self.elements.bounds.get().is_some_and(Bounds::is_zero)
    }

    /// As [`Data::same_bits`], whatever the shapes.
    pub fn same_bits(&self, other: &Array) -> bool {
        Arc::ptr_eq(&self.elements, &other.elements) || self.data().same_bits(other.data())
    }

    /// Its elements, to write to; keep the number of them.
    pub fn into_data(self) -> Data {
        Arc::try_unwrap(self.elements).map_or_else(|shared| shared.data.clone(), |own| own.data)
    }

    /// Storage type.
    pub fn dtype(&self) -> DType {
        self.data().dtype()
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.data().len()
    }

    /// True without elements.
    pub fn is_empty(&self) -> bool {
        self.data().is_empty()
    }

    /// The same elements under another shape of the same size.
    ///
    /// # Errors
    /// If the sizes differ.
    pub fn reshaped(self, shape: Shape) -> Result<Array, LengthMismatch> {
        match shape.checked_size() == Some(self.len()) {
            true => Ok(Array { shape, elements: self.elements }),
            false => Err(LengthMismatch { len: self.len(), shape }),
        }
    }

    /// Converted as by [`Data::convert`].
    pub fn convert(&self, dtype: DType) -> Array {
        if self.dtype() == dtype {
            return self.clone();
        }
        Array { shape: self.shape.clone(), elements: self.data().convert(dtype).into() }
    }

    /// Widened to the arithmetic type.
    pub fn widen(&self) -> Array {
        self.convert(self.elem().dtype())
    }

    /// The single element of a scalar in an arithmetic type.
    pub fn as_literal(&self) -> Option<Literal> {
        if self.len() != 1 {
            return None;
        }
        Some(match self.data().widen() {
            Data::Bool(v) => Literal::Bool(v[0]),
            Data::I32(v) => Literal::I32(v[0]),
            Data::F32(v) => Literal::F32(v[0]),
            Data::F64(v) => Literal::F64(v[0]),
            _ => return None,
        })
    }

    /// Arithmetic type.
    pub fn elem(&self) -> Elem {
        self.dtype().elem()
    }

    /// Elements as `f32` (converted if stored otherwise).
    pub fn to_f32(&self) -> Vec<f32> {
        match self.data().convert(DType::F32) {
            Data::F32(v) => v,
            _ => unreachable!("converted to f32"),
        }
    }

    /// Elements as host numbers.
    pub fn to_f64(&self) -> Vec<f64> {
        self.data().to_f64()
    }

    /// Elements as truth values (non-zero).
    pub fn to_bool(&self) -> Vec<bool> {
        match self.data().convert(DType::Bool) {
            Data::Bool(v) => v,
            _ => unreachable!("converted to bool"),
        }
    }

    /// Elements as integers (truncated, saturated).
    pub fn to_i32(&self) -> Vec<i32> {
        match self.data().convert(DType::I32) {
            Data::I32(v) => v,
            _ => unreachable!("converted to i32"),
        }
    }

    /// A positional view of an array that stores `T`.
    pub fn view<T: Stored>(&self) -> Option<ndarray::ArrayViewD<'_, T>> {
        let slice = T::slice(self.data())?;
        ndarray::ArrayViewD::from_shape(ndarray::IxDyn(&self.dims()), slice).ok()
    }
}

/// Element types with a storage type.
pub trait Stored: Copy + 'static {
    /// The elements, if `data` stores this type.
    fn slice(data: &Data) -> Option<&[Self]>;
    /// Stores a vector.
    fn data(values: Vec<Self>) -> Data;
}

macro_rules! stored {
    ($($t:ty => $v:ident),*) => {$(
        impl Stored for $t {
            fn slice(data: &Data) -> Option<&[$t]> {
                match data { Data::$v(v) => Some(v), _ => None }
            }
            fn data(values: Vec<$t>) -> Data { Data::$v(values) }
        }
    )*};
}
stored!(f16 => F16, bf16 => BF16, f32 => F32, f64 => F64, u8 => U8, u16 => U16, i32 => I32, bool => Bool);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_saturate_and_round() {
        let wide = Data::I32(vec![-1, 7, 300]);
        assert_eq!(wide.convert(DType::U8), Data::U8(vec![0, 7, 255]));
        let real = Data::F32(vec![1.0 + 2f32.powi(-11), f32::NAN, 1e9]);
        assert_eq!(real.convert(DType::F16).get_f64(0), 1.0);
        assert_eq!(real.convert(DType::U16), Data::U16(vec![1, 0, 65535]));
    }

    #[test]
    fn what_is_filled_knows_its_bounds() {
        let shape = Shape::units(&[3]);
        for (value, one) in [(2.5, true), (0.0, true), (-0.0, false), (f64::NAN, false)] {
            let full = Array::full(shape.clone(), DType::F32, value);
            let again = Array::new(shape.clone(), full.data().clone()).unwrap();
            assert_eq!(full.everywhere().map(|one| one.to_f64()), one.then(|| vec![value]));
            assert_eq!((full.bounds(), again.everywhere()), (again.bounds(), None));
        }
        assert_eq!(Array::zeros(Shape::units(&[0]), DType::I32).bounds(), Bounds::NOTHING);
    }

    #[test]
    fn a_view_is_positional() {
        let shape = Shape::units(&[2]).with(super::super::Axis::PRE, &[3]);
        let array = Array::new(shape, Data::F32((0..6).map(|x| x as f32).collect())).unwrap();
        assert_eq!(array.view::<f32>().unwrap()[[1, 2]], 5.0);
        assert!(array.view::<f64>().is_none());
    }
}
