//! Tensor files (`.safetensors`): reading inputs, writing results.
//!
//! A file is an 8-byte length, a JSON header of that length and the elements of all tensors, little-endian. Reading keeps
//! the bytes as they are ([`TensorFile`]) and converts one step at a time ([`Tensor::values`]), so an input takes no more
//! memory than its file. Writing ([`write`]) is all or nothing ([`atomic`]).

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors};
use serde_json::{Map, Value, json};
use spark::atomic;
use spark::error::{Error, Result};
use spark_compiler::ir::Data;
use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The largest file that is read, in bytes.
const FILE_LIMIT: u64 = 16 << 30;

/// A tensor file in memory; by default one without tensors.
#[derive(Default)]
pub(crate) struct TensorFile {
    bytes: Vec<u8>,
    /// The tensors, sorted by name.
    pub(crate) tensors: Vec<Tensor>,
    /// The file's notes on itself.
    pub(crate) metadata: HashMap<String, String>,
}

/// A tensor of a [`TensorFile`].
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    /// Its name in the file.
    pub(crate) name: String,
    /// Its dimensions, with time if it has any.
    pub(crate) dims: Vec<usize>,
    dtype: Dtype,
    place: Range<usize>,
}

impl TensorFile {
    /// Reads a file.
    ///
    /// # Errors
    /// If it is not a regular file, cannot be read, is too large, or is not a sound tensor file.
    pub(crate) fn open(path: &Path) -> Result<TensorFile> {
        let cannot = |e: std::io::Error| Error::new(format!("cannot read the file: {e}")).in_file(path);
        let metadata = std::fs::metadata(path).map_err(cannot)?;
        if !metadata.is_file() {
            let kind = if metadata.is_dir() { "a directory" } else { "not a regular file" };
            return Err(Error::new(format!("this is {kind}")).in_file(path).help("give a .safetensors file"));
        }
        if metadata.len() > FILE_LIMIT {
            let message = format!("the file is larger than {} GiB", FILE_LIMIT >> 30);
            return Err(Error::new(message).in_file(path).help("split the run into several"));
        }
        TensorFile::parse(std::fs::read(path).map_err(cannot)?).map_err(|e| e.in_file(path))
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// If they are truncated or not a sound tensor file, or hold elements of a type Spark does not read.
    pub(crate) fn parse(bytes: Vec<u8>) -> Result<TensorFile> {
        let damaged = |e| {
            Error::new(format!("not a sound safetensors file: {e}")).help("is it complete, and really a .safetensors?")
        };
        let (header, table) = SafeTensors::read_metadata(&bytes).map_err(damaged)?;
        SafeTensors::deserialize(&bytes).map_err(damaged)?;
        let start = header + size_of::<u64>();
        let mut tensors = Vec::new();
        for (name, info) in table.tensors() {
            let (from, to) = info.data_offsets;
            let place = start + from..start + to;
            tensors.push(Tensor { name, dims: info.shape.clone(), dtype: info.dtype, place });
        }
        tensors.sort_by(|a, b| a.name.cmp(&b.name));
        let metadata = table.metadata().clone().unwrap_or_default();
        Ok(TensorFile { bytes, tensors, metadata })
    }

    /// The elements of `tensor` with these flat indices.
    ///
    /// # Errors
    /// If the elements' type is not one Spark reads, or an integer needs more than 32 bits.
    pub(crate) fn values(&self, tensor: &Tensor, elements: Range<usize>) -> Result<Data> {
        let width = tensor.dtype.bitsize() / 8;
        let bytes = &self.bytes[tensor.place.clone()][elements.start * width..elements.end * width];
        Ok(match tensor.dtype {
            Dtype::U8 => Data::U8(bytes.to_vec()),
            Dtype::BOOL => Data::Bool(bytes.iter().map(|&b| b != 0).collect()),
            Dtype::U16 => Data::U16(read(bytes, u16::from_le_bytes)),
            Dtype::I32 => Data::I32(read(bytes, i32::from_le_bytes)),
            Dtype::I64 => Data::I32(narrow(&read(bytes, i64::from_le_bytes)).map_err(|e| e.at(tensor.name.as_str()))?),
            Dtype::F16 => Data::F16(read(bytes, f16::from_le_bytes)),
            Dtype::BF16 => Data::BF16(read(bytes, bf16::from_le_bytes)),
            Dtype::F32 => Data::F32(read(bytes, f32::from_le_bytes)),
            Dtype::F64 => Data::F64(read(bytes, f64::from_le_bytes)),
            other => {
                let error = Error::new(format!("elements of type {other} are not read")).at(tensor.name.as_str());
                return Err(error.help("convert it to U8, BOOL, U16, I32, I64, F16, BF16, F32 or F64"));
            }
        })
    }
}

fn read<T, const N: usize>(bytes: &[u8], one: fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|chunk| one(*chunk)).collect()
}

fn narrow(values: &[i64]) -> Result<Vec<i32>> {
    let one = |&v: &i64| {
        i32::try_from(v).map_err(|_| Error::new(format!("{v} does not fit 32 bits")).help("use I32 or a float type"))
    };
    values.iter().map(one).collect()
}

/// A tensor that grows step by step, to be written.
pub(crate) struct Column {
    name: String,
    dtype: Dtype,
    /// Dimensions of one step.
    dims: Vec<usize>,
    bytes: Vec<u8>,
    /// Number of steps appended; `None` for a value without time axis.
    steps: Option<usize>,
}

impl Column {
    /// A tensor without steps yet; `dims` are those of one step.
    pub(crate) fn new(name: impl Into<String>, dims: Vec<usize>) -> Column {
        Column { name: name.into(), dtype: Dtype::U8, dims, bytes: Vec::new(), steps: Some(0) }
    }

    /// A tensor without time axis.
    pub(crate) fn constant(name: impl Into<String>, dims: Vec<usize>, values: &Data) -> Column {
        let mut column = Column::new(name, dims);
        column.push(values);
        Column { steps: None, ..column }
    }

    /// Makes room for `bytes` more.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub(crate) fn reserve(&mut self, bytes: usize) -> Result<()> {
        self.bytes.try_reserve_exact(bytes).map_err(|_| {
            Error::new(format!("no memory for the {bytes} bytes of `{}`", self.name))
                .help("record less, or fewer steps")
        })
    }

    /// Appends the values of one step.
    pub(crate) fn push(&mut self, values: &Data) {
        self.dtype = append(&mut self.bytes, values);
        self.steps = self.steps.map(|n| n + 1);
    }

    fn shape(&self) -> Vec<usize> {
        self.steps.into_iter().chain(self.dims.iter().copied()).collect()
    }
}

/// Appends elements as a file holds them: truth values as bytes, integers in 32 bits, floats as they are.
fn append(bytes: &mut Vec<u8>, values: &Data) -> Dtype {
    fn all<T: Copy, const N: usize>(bytes: &mut Vec<u8>, values: &[T], one: fn(T) -> [u8; N]) {
        values.iter().for_each(|&value| bytes.extend_from_slice(&one(value)));
    }
    match values {
        Data::Bool(v) => {
            bytes.extend(v.iter().map(|&x| u8::from(x)));
            Dtype::U8
        }
        Data::U8(v) => {
            all(bytes, v, |x| i32::from(x).to_le_bytes());
            Dtype::I32
        }
        Data::U16(v) => {
            all(bytes, v, |x| i32::from(x).to_le_bytes());
            Dtype::I32
        }
        Data::I32(v) => {
            all(bytes, v, i32::to_le_bytes);
            Dtype::I32
        }
        Data::F16(v) => {
            all(bytes, v, f16::to_le_bytes);
            Dtype::F16
        }
        Data::BF16(v) => {
            all(bytes, v, bf16::to_le_bytes);
            Dtype::BF16
        }
        Data::F32(v) => {
            all(bytes, v, f32::to_le_bytes);
            Dtype::F32
        }
        Data::F64(v) => {
            all(bytes, v, f64::to_le_bytes);
            Dtype::F64
        }
    }
}

/// The file that will really be written, after checks that can be made before a long run: links are followed, the target
/// is a regular file if it exists, and its folder can be written to.
///
/// # Errors
/// If one of these does not hold.
pub(crate) fn check_target(path: &Path) -> Result<PathBuf> {
    let wrong = |message: String| Error::new(message).in_file(path);
    let target = match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => return Err(wrong("this is a directory".into()).help("give a file name")),
        Ok(found) if !found.is_file() => return Err(wrong("this is not a regular file".into())),
        Ok(_) => path.canonicalize().map_err(|e| wrong(format!("cannot write the file: {e}")))?,
        Err(_) => path.to_path_buf(),
    };
    atomic::check(&target)?;
    Ok(target)
}

/// Writes tensors and notes to `target`, all or nothing.
///
/// Our own writer, because the library's orders the notes at random and this one gives equal bytes for equal content.
///
/// # Errors
/// If the file cannot be written; `target` is then as it was.
pub(crate) fn write(target: &Path, columns: &[Column], notes: &[(&str, String)]) -> Result<()> {
    let mut sorted: Vec<&Column> = columns.iter().collect();
    // Wide elements first, so that every tensor is aligned to its elements.
    sorted.sort_by(|a, b| b.dtype.bitsize().cmp(&a.dtype.bitsize()).then_with(|| a.name.cmp(&b.name)));
    let mut header = Map::new();
    header.insert("__metadata__".into(), notes.iter().map(|(k, v)| ((*k).to_string(), json!(v))).collect());
    let mut offset = 0;
    for column in &sorted {
        let end = offset + column.bytes.len();
        let info = json!({ "dtype": column.dtype, "shape": column.shape(), "data_offsets": [offset, end] });
        header.insert(column.name.clone(), info);
        offset = end;
    }
    let mut header = Value::Object(header).to_string().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');

    atomic::write(target, |out| {
        out.write_all(&(header.len() as u64).to_le_bytes())?;
        out.write_all(&header)?;
        sorted.iter().try_for_each(|column| out.write_all(&column.bytes))
    })
}
