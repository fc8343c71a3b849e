//! States as safetensors: one tensor per array, and one for the number of steps.
//!
//! Floating-point numbers, integers and truth values (one byte each) are written as they are stored. The number of steps
//! has 64 bits and is called `#steps`, a name no variable can have. Equal states give equal bytes.

use super::State;
use crate::error::{Error, Result, printable};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, View};
use spark_compiler::ir::{Array, Axis, DType, Data, MOST_ELEMENTS, Shape};
use std::borrow::Cow;

/// The tensor with the number of steps.
const STEPS: &str = "#steps";

/// Bytes of the longest name that is read.
const LONGEST_NAME: usize = 4096;
/// Dimensions of an array that is read, at most.
const MOST_DIMENSIONS: usize = 64;

/// An array as the library writes it.
struct Tensor<'a> {
    dims: Vec<usize>,
    data: Elements<'a>,
}

/// What a tensor's bytes are made from when they are needed.
enum Elements<'a> {
    Array(&'a Data),
    Steps(u64),
}

impl View for Tensor<'_> {
    fn dtype(&self) -> Dtype {
        match self.data {
            Elements::Steps(_) => Dtype::U64,
            Elements::Array(data) => match data.dtype() {
                DType::F16 => Dtype::F16,
                DType::BF16 => Dtype::BF16,
                DType::F32 => Dtype::F32,
                DType::F64 => Dtype::F64,
                DType::U8 => Dtype::U8,
                DType::U16 => Dtype::U16,
                DType::I32 => Dtype::I32,
                DType::Bool => Dtype::BOOL,
            },
        }
    }

    fn shape(&self) -> &[usize] {
        &self.dims
    }

    fn data(&self) -> Cow<'_, [u8]> {
        fn bytes<T: Copy, const N: usize>(values: &[T], one: fn(T) -> [u8; N]) -> Vec<u8> {
            values.iter().flat_map(|&value| one(value)).collect()
        }
        Cow::Owned(match self.data {
            Elements::Steps(steps) => steps.to_le_bytes().to_vec(),
            Elements::Array(Data::U8(v)) => v.clone(),
            Elements::Array(Data::Bool(v)) => v.iter().map(|&x| u8::from(x)).collect(),
            Elements::Array(Data::F16(v)) => bytes(v, half::f16::to_le_bytes),
            Elements::Array(Data::BF16(v)) => bytes(v, half::bf16::to_le_bytes),
            Elements::Array(Data::F32(v)) => bytes(v, f32::to_le_bytes),
            Elements::Array(Data::F64(v)) => bytes(v, f64::to_le_bytes),
            Elements::Array(Data::U16(v)) => bytes(v, u16::to_le_bytes),
            Elements::Array(Data::I32(v)) => bytes(v, i32::to_le_bytes),
        })
    }

    fn data_len(&self) -> usize {
        self.dims.iter().product::<usize>() * self.dtype().bitsize() / 8
    }
}

impl State {
    /// The bytes of a safetensors file with every array, and the number of steps as `#steps`.
    ///
    /// # Errors
    /// If the arrays do not fit into one file.
    pub fn to_safetensors(&self) -> Result<Vec<u8>> {
        let arrays = self.iter().map(|(path, array)| (path, array.dims(), Elements::Array(array.data())));
        let all = arrays.chain([(STEPS, Vec::new(), Elements::Steps(self.steps()))]);
        let views = all.map(|(path, dims, data)| (path, Tensor { dims, data }));
        safetensors::serialize(views, None).map_err(|e| Error::new(format!("cannot write the state: {e}")))
    }

    /// Reads what [`State::to_safetensors`] wrote, or any safetensors file of arrays. Without `#steps` it is a state before
    /// the first step.
    ///
    /// # Errors
    /// If the bytes are truncated, lengths in the header do not fit, or a tensor has a type that no state has; every such
    /// tensor is named.
    pub fn from_safetensors(bytes: &[u8]) -> Result<State> {
        let file = SafeTensors::deserialize(bytes).map_err(|e| {
            let message = format!("not a sound safetensors file: {}", printable(&e.to_string()));
            Error::new(message).help("is it complete, and really a .safetensors?")
        })?;
        let (mut state, mut errors) = (State::new(), Vec::new());
        for (path, tensor) in file.iter() {
            if path.is_empty() || path.len() > LONGEST_NAME || path.contains(char::is_control) {
                errors.push(Error::new(format!("`{}` is no name of a state", printable(path))));
                continue;
            }
            let read = match path {
                STEPS => steps(&tensor).map(|steps| state.set_steps(steps)),
                _ => array(&tensor).map(|array| drop(state.insert(path, array))),
            };
            errors.extend(read.err().map(|error| error.at(path)));
        }
        errors.sort_by(|a, b| a.path().cmp(b.path()));
        if errors.is_empty() { Ok(state) } else { Err(Error::many(errors)) }
    }
}

fn steps(tensor: &TensorView<'_>) -> Result<u64> {
    match (tensor.dtype(), <[u8; 8]>::try_from(tensor.data())) {
        (Dtype::U64, Ok(bytes)) => Ok(u64::from_le_bytes(bytes)),
        _ => Err(Error::new(format!("the number of steps is one U64, found {} {:?}", tensor.dtype(), tensor.shape()))),
    }
}

fn array(tensor: &TensorView<'_>) -> Result<Array> {
    fn read<T, const N: usize>(bytes: &[u8], one: fn([u8; N]) -> T) -> Vec<T> {
        bytes.as_chunks().0.iter().map(|chunk| one(*chunk)).collect()
    }
    let bytes = tensor.data();
    let data = match tensor.dtype() {
        Dtype::U8 => Data::U8(bytes.to_vec()),
        Dtype::BOOL => match bytes.iter().find(|&&byte| byte > 1) {
            None => Data::Bool(bytes.iter().map(|&byte| byte == 1).collect()),
            Some(byte) => return Err(Error::new(format!("a truth value is 0 or 1, found {byte}"))),
        },
        Dtype::U16 => Data::U16(read(bytes, u16::from_le_bytes)),
        Dtype::I32 => Data::I32(read(bytes, i32::from_le_bytes)),
        Dtype::F16 => Data::F16(read(bytes, half::f16::from_le_bytes)),
        Dtype::BF16 => Data::BF16(read(bytes, half::bf16::from_le_bytes)),
        Dtype::F32 => Data::F32(read(bytes, f32::from_le_bytes)),
        Dtype::F64 => Data::F64(read(bytes, f64::from_le_bytes)),
        other => {
            let error = Error::new(format!("no state has elements of type {other}"));
            return Err(error.help("convert it to U8, BOOL, U16, I32, F16, BF16, F32 or F64"));
        }
    };
    let dims = tensor.shape();
    if dims.len() > MOST_DIMENSIONS {
        return Err(Error::new(format!("{} dimensions, where {MOST_DIMENSIONS} are possible", dims.len())));
    }
    let padded = dims.iter().try_fold(1usize, |n, &dim| n.checked_mul(dim.max(1)));
    if padded.is_none_or(|n| n > MOST_ELEMENTS) {
        return Err(Error::new(format!("dimensions {dims:?} are too large")));
    }
    let shape = if dims.is_empty() { Shape::scalar() } else { Shape::of(Axis::anonymous(0), dims) };
    Array::new(shape, data).map_err(|e| Error::new(e.to_string()))
}
