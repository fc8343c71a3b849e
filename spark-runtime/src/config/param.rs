//! [`Param`]: a numeric parameter that is one number, an array of numbers, or drawn when the module is built.

use super::field::{FieldType, mismatch};
use super::value::ConfigValue;
use crate::error::{Error, Result};
use crate::init::{AnyInitializer, InitOverrides, Initializer};
use crate::rng::Key;
use spark_compiler::ir::{Array, Axis, DType, Data, Shape};

/// A numeric parameter: the same for all units, given for each, or drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Param {
    /// One number for all.
    Scalar(f64),
    /// Given numbers; the dimensions are matched with those of the parameter when the module is built.
    Array(Array),
    /// Drawn when the module is built.
    Initializer(AnyInitializer),
}

impl Param {
    /// The parameter's numbers for a module of this shape, stored as `dtype`.
    ///
    /// A scalar, or an array of one element, gives a scalar; an array gives one of `shape`, whose dimensions it must
    /// have (a flat list may be as long as the shape has elements); an initializer draws, from `key` and with
    /// `overrides`. Floating-point numbers are rounded to single precision first, unless `dtype` is `f64`.
    ///
    /// # Errors
    /// If the dimensions do not match, a number is too large for `dtype`, or the initializer fails.
    pub fn resolve(&self, key: Key, shape: &Shape, dtype: DType, overrides: &InitOverrides) -> Result<Array> {
        match self {
            Param::Scalar(value) => store(Shape::scalar(), &Data::F64(vec![*value]), dtype),
            Param::Array(array) if array.len() == 1 => store(Shape::scalar(), array.data(), dtype),
            Param::Array(array) => {
                let (given, needed) = (array.dims(), shape.dims());
                if given != needed && given != [shape.size()] {
                    let message = format!("an array of dimensions {given:?} does not match the shape {shape}");
                    let help = format!("give one number, or an array of dimensions {needed:?}");
                    return Err(Error::new(message).help(help));
                }
                store(shape.clone(), array.data(), dtype)
            }
            Param::Initializer(initializer) => {
                let drawn = initializer.init(key, &shape.dims(), dtype, overrides)?;
                let error = |e| Error::new(format!("the initializer `{}` drew a wrong shape: {e}", initializer.name()));
                drawn.reshaped(shape.clone()).map_err(error)
            }
        }
    }
}

/// Stores host numbers: through single precision as JAX computes, except for `f64`.
fn store(shape: Shape, data: &Data, dtype: DType) -> Result<Array> {
    let through_f32 = dtype != DType::F64 && data.dtype() == DType::F64;
    let stored = if through_f32 { data.convert(DType::F32).into_dtype(dtype) } else { data.convert(dtype) };
    let stored = Array::new(shape, stored).map_err(|e| Error::new(e.to_string()))?;
    let overflow = |&i: &usize| data.get_f64(i).is_finite() && !stored.data().get_f64(i).is_finite();
    if !stored.bounds().is_finite()
        && let Some(i) = (0..data.len()).find(overflow)
    {
        return Err(Error::new(format!("{} is too large for {dtype}", data.get_f64(i))).help("use a wider dtype"));
    }
    Ok(stored)
}

impl FieldType for Param {
    fn from_value(value: &ConfigValue) -> Result<Param> {
        match value {
            ConfigValue::Int(_) | ConfigValue::Float(_) => f64::from_value(value).map(Param::Scalar),
            ConfigValue::Array(_) | ConfigValue::List(_) => read_array(value).map(|a| Param::Array(in_f64(a))),
            ConfigValue::Config(tree) => AnyInitializer::from_tree(tree).map(Param::Initializer),
            other => Err(mismatch("a number, an array or an initializer", other)),
        }
    }

    fn to_value(&self) -> ConfigValue {
        match self {
            Param::Scalar(value) => ConfigValue::Float(*value),
            Param::Array(array) => ConfigValue::Array(anonymous(array)),
            Param::Initializer(initializer) => ConfigValue::Config(Box::new(initializer.to_tree())),
        }
    }

    fn numbers(&self) -> Option<Vec<f64>> {
        match self {
            Param::Scalar(value) => Some(vec![*value]),
            Param::Array(array) => Some(array.to_f64()),
            Param::Initializer(_) => None,
        }
    }
}

/// Numbers written without a dtype are kept as written, in double precision.
fn in_f64(array: Array) -> Array {
    if array.dtype() == DType::I32 { array.convert(DType::F64) } else { array }
}

/// Reads an array, or a rectangular list of numbers: integers if all are (and fit), else double precision.
pub(crate) fn read_array(value: &ConfigValue) -> Result<Array> {
    match value {
        ConfigValue::Array(array) => Ok(array.clone()),
        ConfigValue::List(_) => {
            let mut numbers = Flat { values: Vec::new(), integers: true };
            let dims = flatten(value, &mut numbers)?;
            array_of(&dims, numbers.into_data())
        }
        ConfigValue::Int(_) | ConfigValue::Float(_) => {
            let mut numbers = Flat { values: Vec::new(), integers: true };
            flatten(value, &mut numbers)?;
            array_of(&[], numbers.into_data())
        }
        other => Err(mismatch("an array", other)),
    }
}

struct Flat {
    values: Vec<f64>,
    integers: bool,
}

impl Flat {
    fn into_data(self) -> Data {
        let data = Data::F64(self.values);
        if self.integers { data.convert(DType::I32) } else { data }
    }
}

/// Appends the numbers of a nested list; gives its dimensions.
fn flatten(value: &ConfigValue, numbers: &mut Flat) -> Result<Vec<usize>> {
    match value {
        ConfigValue::Int(x) => {
            numbers.integers &= i32::try_from(*x).is_ok();
            numbers.values.push(*x as f64);
            Ok(Vec::new())
        }
        ConfigValue::Float(x) => {
            numbers.integers = false;
            numbers.values.push(*x);
            Ok(Vec::new())
        }
        ConfigValue::List(items) => {
            let mut inner: Option<Vec<usize>> = None;
            for (i, item) in items.iter().enumerate() {
                let at = |error: Error| error.prefixed(&format!("[{i}]"));
                let dims = flatten(item, numbers).map_err(at)?;
                match &inner {
                    Some(first) if *first != dims => {
                        let message =
                            format!("rows of an array must have equal dimensions, found {first:?} and {dims:?}");
                        return Err(at(Error::new(message)));
                    }
                    Some(_) => {}
                    None => inner = Some(dims),
                }
            }
            numbers.integers &= !items.is_empty();
            Ok([vec![items.len()], inner.unwrap_or_default()].concat())
        }
        other => Err(mismatch("a number", other)),
    }
}

/// A host array of any rank: one anonymous axis group holds all dimensions.
pub(crate) fn array_of(dims: &[usize], data: Data) -> Result<Array> {
    let shape = if dims.is_empty() { Shape::scalar() } else { Shape::of(Axis::anonymous(0), dims) };
    Array::new(shape, data).map_err(|e| Error::new(e.to_string()))
}

/// The same array with its axis groups joined in one anonymous group, as files hold it.
pub(crate) fn anonymous(array: &Array) -> Array {
    let dims = array.dims();
    let shape = if dims.is_empty() { Shape::scalar() } else { Shape::of(Axis::anonymous(0), &dims) };
    array.clone().reshaped(shape).unwrap_or_else(|_| array.clone())
}

/// The elements of an array, one by one.
pub(crate) fn array_items(array: &Array) -> Vec<ConfigValue> {
    let data = array.data();
    let item = |i| match data.dtype() {
        DType::Bool => ConfigValue::Bool(data.get_f64(i) != 0.0),
        DType::U8 | DType::U16 | DType::I32 => ConfigValue::Int(data.get_f64(i) as i64),
        DType::F16 | DType::BF16 | DType::F32 | DType::F64 => ConfigValue::Float(data.get_f64(i)),
    };
    (0..data.len()).map(item).collect()
}

impl From<f64> for Param {
    fn from(value: f64) -> Param {
        Param::Scalar(value)
    }
}

impl From<i32> for Param {
    fn from(value: i32) -> Param {
        Param::Scalar(f64::from(value))
    }
}

impl From<Vec<f64>> for Param {
    fn from(values: Vec<f64>) -> Param {
        Param::Array(flat(Data::F64(values)))
    }
}

impl From<Vec<f32>> for Param {
    fn from(values: Vec<f32>) -> Param {
        Param::Array(flat(Data::F32(values)))
    }
}

impl From<Array> for Param {
    fn from(array: Array) -> Param {
        Param::Array(array)
    }
}

impl<I: Initializer> From<I> for Param {
    fn from(initializer: I) -> Param {
        Param::Initializer(AnyInitializer::new(initializer))
    }
}

fn flat(data: Data) -> Array {
    let shape = Shape::of(Axis::anonymous(0), &[data.len()]);
    Array::new(shape, data).unwrap_or_else(|_| unreachable!("the shape is the vector's length"))
}
