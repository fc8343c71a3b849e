//! The memory of one running program: all buffers in one allocation.
//!
//! Host arrays are row-major; buffers have padded rows and one bit per truth value (see [`crate::loops`]). This module
//! is the only place that converts between the two. Constants are written once and cannot be changed: generated code
//! trusts the offsets among them.
#![allow(unsafe_code)]

use crate::ir::{Array, DType, Data, Elem, Stored};
use crate::loops::{Buffer, BufferId, Lowered, Role};
use crate::pages::Region;
use crate::share::share;
use crate::with_data;
use std::mem::Discriminant;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// Alignment of every buffer.
const ALIGN: usize = 64;

/// Why memory could not be made, written or read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MemoryError {
    /// The buffers do not fit the address space, or the system refuses to give that much.
    #[error("the model needs more memory than this machine gives")]
    TooLarge,
    /// The buffer is not one of this memory.
    #[error("buffer {0} does not belong to this memory")]
    Foreign(BufferId),
    /// A constant is to be written.
    #[error("`{0}` is a constant")]
    ReadOnly(String),
    /// Too few or too many elements.
    #[error("`{name}` holds {expected} elements, got {found}")]
    Length {
        /// Name of the buffer.
        name: String,
        /// Elements it holds.
        expected: usize,
        /// Elements given.
        found: usize,
    },
    /// A read into data of another type.
    #[error("`{name}` stores {expected}, got {found}")]
    Type {
        /// Name of the buffer.
        name: String,
        /// Its storage type.
        expected: DType,
        /// The type given.
        found: DType,
    },
    /// A position outside its history.
    #[error("`{name}` must be below {rows}, got {found}")]
    Position {
        /// Name of the position.
        name: String,
        /// Rows of the history.
        rows: usize,
        /// The value given.
        found: i64,
    },
}

/// All buffers of a program.
#[derive(Debug)]
pub struct Memory {
    /// Where everything is; kept as long as `table` points into it.
    region: Region,
    /// Start of each buffer.
    table: Box<[*mut u8]>,
    /// Bytes of each buffer.
    sizes: Box<[usize]>,
    contract: Contract,
    /// The number of the contract it was last found to fit.
    fits: AtomicU64,
}

// SAFETY: the allocation is owned, and reached only through `&self` for reading and `&mut self` for writing.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

/// What generated code relies on: every buffer's layout and role, and the contents of integer constants, which may be
/// offsets or delays. Code and memory have one each; they fit if those are equal.
#[derive(Debug)]
pub(crate) struct Contract {
    /// No other contract of this process has the same.
    number: u64,
    buffers: Box<[Relied]>,
}

/// What code relies on of one buffer.
#[derive(Debug)]
struct Relied {
    dtype: DType,
    sizes: Vec<usize>,
    bytes: usize,
    role: Discriminant<Role>,
    /// Rows of a history, or of that whose position it is.
    rows: usize,
    turned: bool,
    /// Elements from one column to the next, of arrays that lie by delay.
    pitch: Option<usize>,
    /// Elements of an integer constant.
    integers: Option<Array>,
}

impl Contract {
    /// That of a program.
    pub(crate) fn of(lowered: &Lowered) -> Contract {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let relied = |buffer: &Buffer| Relied {
            dtype: buffer.dtype,
            sizes: buffer.sizes(),
            bytes: buffer.bytes(),
            role: std::mem::discriminant(&buffer.role),
            rows: if let Role::Position { rows } = buffer.role { rows } else { buffer.rows() },
            turned: buffer.turned,
            pitch: buffer.placed.as_ref().map(|placed| placed.pitch),
            integers: match &buffer.role {
                Role::Constant(values) if buffer.dtype.elem() == Elem::I32 => Some(values.clone()),
                _ => None,
            },
        };
        let buffers = lowered.buffers.iter().map(relied).collect();
        Contract { number: NEXT.fetch_add(1, Ordering::Relaxed), buffers }
    }

    fn is_same(&self, other: &Contract) -> bool {
        let same = |(a, b): (&Relied, &Relied)| {
            let integers = match (&a.integers, &b.integers) {
                (Some(a), Some(b)) => a.same_bits(b),
                (a, b) => a.is_none() && b.is_none(),
            };
            let layout = |r: &Relied| (r.dtype, r.bytes, r.role, r.rows, r.turned, r.pitch);
            layout(a) == layout(b) && a.sizes == b.sizes && integers
        };
        self.buffers.len() == other.buffers.len() && self.buffers.iter().zip(&other.buffers).all(same)
    }
}

/// Bytes of a buffer; `None` if they cannot be counted.
fn checked_bytes(buffer: &Buffer) -> Option<usize> {
    let elements = buffer.shape.checked_size()?;
    // Padding multiplies a row by at most 64; this bound keeps all products below from overflowing.
    elements.max(1).checked_mul(64 * 8)?.checked_mul(buffer.rows())?;
    Some(buffer.bytes())
}

/// Where the buffers of a program are in its memory.
pub(crate) struct Offsets {
    /// Bytes before each buffer.
    pub(crate) offsets: Vec<usize>,
    sizes: Vec<usize>,
    total: usize,
}

/// Where buffers are, one after another; `None` if they do not fit the address space.
pub(crate) fn offsets(lowered: &Lowered) -> Option<Offsets> {
    let mut all = Offsets { offsets: Vec::new(), sizes: Vec::new(), total: 0 };
    for buffer in &lowered.buffers {
        let bytes = checked_bytes(buffer)?;
        all.sizes.push(bytes);
        all.offsets.push(all.total);
        all.total = all.total.checked_add(bytes.checked_next_multiple_of(ALIGN)?)?;
    }
    // Code may read a vector from where the last element is.
    all.total = all.total.checked_add(ALIGN)?;
    (all.total <= isize::MAX as usize).then_some(all)
}

impl Memory {
    /// Memory for `lowered`: constants and initial states in place, everything else zero.
    ///
    /// # Errors
    /// [`MemoryError::TooLarge`] if there is not enough memory.
    pub fn new(lowered: &Lowered) -> Result<Memory, MemoryError> {
        let Offsets { offsets, sizes, total } = offsets(lowered).ok_or(MemoryError::TooLarge)?;
        let region = Region::zeroed(total).ok_or(MemoryError::TooLarge)?;
        // SAFETY: offsets are within the allocation.
        let table = offsets.iter().map(|&offset| unsafe { region.start().as_ptr().add(offset) }).collect();
        let contract = Contract::of(lowered);
        let fits = contract.number.into();
        let mut memory = Memory { region, table, sizes: sizes.into(), contract, fits };
        for (id, buffer) in lowered.iter() {
            if let Role::Constant(values) | Role::State(values) = &buffer.role {
                memory.put(buffer, id, 0, values.data())?;
            }
        }
        Ok(memory)
    }

    /// Restores initial states, empty histories and their positions.
    ///
    /// # Errors
    /// [`MemoryError::Foreign`] if the memory was made for another program.
    pub fn reset(&mut self, lowered: &Lowered) -> Result<(), MemoryError> {
        for (id, buffer) in lowered.iter() {
            self.owned(lowered, id)?;
            match &buffer.role {
                Role::State(values) => self.put(buffer, id, 0, values.data())?,
                Role::History { .. } | Role::Position { .. } | Role::Log => self.bytes_mut(id).fill(0),
                Role::Constant(_) | Role::Input | Role::Output | Role::Temporary | Role::Dense => {}
            }
        }
        Ok(())
    }

    /// Writes a buffer (not a history: see [`Memory::write_history`]) from elements in host order, converting their type.
    ///
    /// # Errors
    /// If the buffer is constant or foreign, the length differs, or a position lies outside its history.
    pub fn write(&mut self, lowered: &Lowered, id: BufferId, data: &Data) -> Result<(), MemoryError> {
        let buffer = self.writable(lowered, id)?;
        self.put(buffer, id, 0, data)
    }

    /// The elements of a buffer (of a history, those of its first row) in host order.
    ///
    /// # Errors
    /// [`MemoryError::Foreign`] if the memory was made for another program.
    pub fn read(&self, lowered: &Lowered, id: BufferId) -> Result<Array, MemoryError> {
        let buffer = self.owned(lowered, id)?;
        let mut data = Data::zeros(buffer.dtype, buffer.shape.size());
        self.get(buffer, id, 0, &mut data);
        Ok(Array::new(buffer.shape.clone(), data).expect("as many elements as the shape has"))
    }

    /// As [`Memory::read`], into existing data of the same type and length; does not allocate.
    ///
    /// # Errors
    /// If the buffer is foreign, or type or length differ.
    pub fn read_into(&self, lowered: &Lowered, id: BufferId, data: &mut Data) -> Result<(), MemoryError> {
        let buffer = self.owned(lowered, id)?;
        if data.dtype() != buffer.dtype {
            let (expected, found) = (buffer.dtype, data.dtype());
            return Err(MemoryError::Type { name: buffer.name.clone(), expected, found });
        }
        length(buffer, buffer.shape.size(), data.len())?;
        self.get(buffer, id, 0, data);
        Ok(())
    }

    /// All rows of a history as they lie in memory, one after another.
    ///
    /// # Errors
    /// [`MemoryError::Foreign`] if the memory was made for another program.
    pub fn read_history(&self, lowered: &Lowered, id: BufferId) -> Result<Data, MemoryError> {
        let buffer = self.owned(lowered, id)?;
        let mut all = Data::zeros(buffer.dtype, 0);
        let mut one = Data::zeros(buffer.dtype, buffer.shape.size());
        for row in 0..buffer.rows() {
            self.get(buffer, id, row, &mut one);
            all.extend(&one);
        }
        Ok(all)
    }

    /// Writes all rows of a history as [`Memory::read_history`] gave them.
    ///
    /// # Errors
    /// If the buffer is constant or foreign, or the length differs.
    pub fn write_history(&mut self, lowered: &Lowered, id: BufferId, data: &Data) -> Result<(), MemoryError> {
        let buffer = self.writable(lowered, id)?;
        let size = buffer.shape.size();
        length(buffer, size * buffer.rows(), data.len())?;
        let data = data.convert(buffer.dtype);
        for row in 0..buffer.rows() {
            let part = with_data!(&data, v => crate::ir::Stored::data(v[row * size..(row + 1) * size].to_vec()));
            self.put(buffer, id, row, &part)?;
        }
        Ok(())
    }

    /// True if code with this contract may run on this memory. The contents are compared once, not in each step.
    pub(crate) fn fits(&self, contract: &Contract) -> bool {
        if self.fits.load(Ordering::Relaxed) == contract.number {
            return true;
        }
        let same = self.contract.is_same(contract);
        if same {
            self.fits.store(contract.number, Ordering::Relaxed);
        }
        same
    }

    /// What generated code takes: the start of the memory, where [`offsets`] begin. Valid until the memory is dropped; it may be
    /// written through.
    pub(crate) fn start(&mut self) -> *mut u8 {
        self.region.start().as_ptr()
    }

    /// A copy of everything; `None` if there is not enough memory.
    pub(crate) fn copy(&self) -> Option<Region> {
        let bytes = self.sizes.iter().map(|bytes| bytes.next_multiple_of(ALIGN)).sum::<usize>() + ALIGN;
        let copy = Region::zeroed(bytes)?;
        // SAFETY: both regions have so many bytes, and they are two.
        unsafe { std::ptr::copy_nonoverlapping(self.region.start().as_ptr(), copy.start().as_ptr(), bytes) };
        Some(copy)
    }

    /// The bytes of a buffer in a copy of this memory.
    pub(crate) fn bytes_in<'c>(&self, copy: &'c Region, id: BufferId) -> &'c [u8] {
        let before = self.table[id.index()].addr() - self.region.start().addr().get();
        // SAFETY: the copy is as large as this memory, and initialised.
        unsafe { std::slice::from_raw_parts(copy.start().as_ptr().add(before), self.sizes[id.index()]) }
    }

    /// As [`Memory::read`], from other bytes than the buffer's own.
    ///
    /// # Errors
    /// [`MemoryError::Foreign`] if the memory was made for another program.
    pub(crate) fn decode(&self, lowered: &Lowered, id: BufferId, bytes: &[u8]) -> Result<Array, MemoryError> {
        let buffer = self.owned(lowered, id)?;
        let mut data = Data::zeros(buffer.dtype, buffer.shape.size());
        elements(buffer, bytes, &mut data);
        Ok(Array::new(buffer.shape.clone(), data).expect("as many elements as the shape has"))
    }

    fn owned<'l>(&self, lowered: &'l Lowered, id: BufferId) -> Result<&'l Buffer, MemoryError> {
        let buffer = lowered.buffers.get(id.index()).ok_or(MemoryError::Foreign(id))?;
        let same = lowered.buffers.len() == self.sizes.len() && buffer.bytes() == self.sizes[id.index()];
        if same { Ok(buffer) } else { Err(MemoryError::Foreign(id)) }
    }

    fn writable<'l>(&self, lowered: &'l Lowered, id: BufferId) -> Result<&'l Buffer, MemoryError> {
        let buffer = self.owned(lowered, id)?;
        if matches!(buffer.role, Role::Constant(_)) {
            return Err(MemoryError::ReadOnly(buffer.name.clone()));
        }
        Ok(buffer)
    }

    pub(crate) fn bytes(&self, id: BufferId) -> &[u8] {
        // SAFETY: the buffer's part of the allocation, which is initialised (zeroed, then written by us).
        unsafe { std::slice::from_raw_parts(self.table[id.index()], self.sizes[id.index()]) }
    }

    fn bytes_mut(&mut self, id: BufferId) -> &mut [u8] {
        // SAFETY: as `bytes`; `&mut self` makes it exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.table[id.index()], self.sizes[id.index()]) }
    }

    /// Writes one row of a history, or a whole other buffer.
    fn put(&mut self, buffer: &Buffer, id: BufferId, row: usize, data: &Data) -> Result<(), MemoryError> {
        length(buffer, buffer.shape.size(), data.len())?;
        if let Role::Position { rows } = buffer.role {
            let found = data.get_f64(0) as i64;
            if !(0..rows as i64).contains(&found) {
                return Err(MemoryError::Position { name: buffer.name.clone(), rows, found });
            }
        }
        let converted;
        let data = if data.dtype() == buffer.dtype {
            data
        } else {
            converted = data.convert(buffer.dtype);
            &converted
        };
        let (inner, stride) = (buffer.inner(), buffer.stride());
        if inner == 0 {
            return Ok(());
        }
        if let (true, Role::History { .. }) = (buffer.turned, &buffer.role) {
            let (pitch, bytes) = (buffer.column_pitch(), self.bytes_mut(id));
            with_data!(data, v => put_column(v, bytes, row, pitch));
            return Ok(());
        }
        let row_bytes = buffer.padded_len() * buffer.dtype.bits() / 8;
        let bytes = &mut self.bytes_mut(id)[row * row_bytes..][..row_bytes];
        if let Some(placed) = &buffer.placed {
            with_data!(data, v => put_placed(v, bytes, placed.offsets()));
            return Ok(());
        }
        if buffer.turned {
            match data {
                Data::Bool(_) => unreachable!("arrays of truth values lie in order"),
                Data::F16(v) => put_turned(v, inner, bytes, stride),
                Data::BF16(v) => put_turned(v, inner, bytes, stride),
                Data::F32(v) => put_turned(v, inner, bytes, stride),
                Data::F64(v) => put_turned(v, inner, bytes, stride),
                Data::U8(v) => put_turned(v, inner, bytes, stride),
                Data::U16(v) => put_turned(v, inner, bytes, stride),
                Data::I32(v) => put_turned(v, inner, bytes, stride),
            }
            return Ok(());
        }
        match data {
            Data::Bool(values) => {
                for (values, bits) in values.chunks(inner).zip(bytes.chunks_mut(stride / 8)) {
                    for (values, byte) in values.chunks(8).zip(bits) {
                        *byte = values.iter().rev().fold(0, |byte, &bit| byte << 1 | u8::from(bit));
                    }
                }
            }
            Data::F16(v) => put_rows(v, inner, bytes, stride),
            Data::BF16(v) => put_rows(v, inner, bytes, stride),
            Data::F32(v) => put_rows(v, inner, bytes, stride),
            Data::F64(v) => put_rows(v, inner, bytes, stride),
            Data::U8(v) => put_rows(v, inner, bytes, stride),
            Data::U16(v) => put_rows(v, inner, bytes, stride),
            Data::I32(v) => put_rows(v, inner, bytes, stride),
        }
        Ok(())
    }

    /// Reads one row of a history, or a whole other buffer, into data of the buffer's type and length.
    fn get(&self, buffer: &Buffer, id: BufferId, row: usize, data: &mut Data) {
        if let (true, Role::History { .. }) = (buffer.turned, &buffer.role) {
            let (pitch, bytes) = (buffer.column_pitch(), self.bytes(id));
            with_data!(data, v => get_column(v, bytes, row, pitch));
            return;
        }
        let row_bytes = buffer.padded_len() * buffer.dtype.bits() / 8;
        elements(buffer, &self.bytes(id)[row * row_bytes..][..row_bytes], data);
    }
}

/// The elements of one row of a history, or of a whole other buffer, in host order.
fn elements(buffer: &Buffer, bytes: &[u8], data: &mut Data) {
    let (inner, stride) = (buffer.inner(), buffer.stride());
    if inner == 0 {
        return;
    }
    if let Some(placed) = &buffer.placed {
        with_data!(data, v => get_placed(v, bytes, placed.offsets()));
        return;
    }
    match data {
        Data::Bool(values) => {
            for (values, bits) in values.chunks_mut(inner).zip(bytes.chunks(stride / 8)) {
                for (i, value) in values.iter_mut().enumerate() {
                    *value = bits[i / 8] >> (i % 8) & 1 == 1;
                }
            }
        }
        Data::F16(v) => get_rows(v, inner, bytes, stride),
        Data::BF16(v) => get_rows(v, inner, bytes, stride),
        Data::F32(v) => get_rows(v, inner, bytes, stride),
        Data::F64(v) => get_rows(v, inner, bytes, stride),
        Data::U8(v) => get_rows(v, inner, bytes, stride),
        Data::U16(v) => get_rows(v, inner, bytes, stride),
        Data::I32(v) => get_rows(v, inner, bytes, stride),
    }
    if buffer.turned {
        *data = with_data!(&*data, v => Stored::data(transposed(v, v.len() / inner)));
    }
}

fn length(buffer: &Buffer, expected: usize, found: usize) -> Result<(), MemoryError> {
    let name = || buffer.name.clone();
    if expected == found { Ok(()) } else { Err(MemoryError::Length { name: name(), expected, found }) }
}

/// An array of `rows` rows, one after another, column by column.
fn transposed<T: Copy + Default>(values: &[T], rows: usize) -> Vec<T> {
    let mut turned = vec![T::default(); values.len()];
    by_column(values, rows, 0..values.len() / rows, |column, row, part| {
        turned[column * rows + row..][..part.len()].copy_from_slice(part);
    });
    turned
}

/// Writes an array of `rows` rows column by column, `stride` elements from one column to the next.
fn put_turned<T: Plain + Default + Sync>(values: &[T], rows: usize, bytes: &mut [u8], stride: usize) {
    let pitch = stride * size_of::<T>();
    share(values.len(), bytes.chunks_mut(TILE * pitch).enumerate(), |(tile, bytes)| {
        by_column(values, rows, tile * TILE..tile * TILE + bytes.len() / pitch, |column, row, part| {
            let to = &mut bytes[(column - tile * TILE) * pitch + row * size_of::<T>()..][..size_of_val(part)];
            put_rows(part, part.len(), to, stride);
        });
    });
}

/// Rows and columns that are turned together.
const TILE: usize = 64;

/// Shows some columns of an array in parts: the column, the first row and the elements. Tiles go through a buffer: columns of
/// large arrays often lie a power of two apart, and would share a few places of the cache.
fn by_column<T: Copy + Default>(
    values: &[T],
    rows: usize,
    some: Range<usize>,
    mut part: impl FnMut(usize, usize, &[T]),
) {
    let columns = values.len() / rows;
    let mut tile = [T::default(); TILE * TILE];
    // Down before across: the columns that are written stay on few pages.
    for first_column in some.clone().step_by(TILE) {
        let width = TILE.min(some.end - first_column);
        for first_row in (0..rows).step_by(TILE) {
            let height = TILE.min(rows - first_row);
            for row in 0..height {
                let line = &values[(first_row + row) * columns + first_column..][..width];
                line.iter().enumerate().for_each(|(column, &value)| tile[column * TILE + row] = value);
            }
            for column in 0..width {
                part(first_column + column, first_row, &tile[column * TILE..][..height]);
            }
        }
    }
}

/// Number types without padding bytes, of which every bit pattern is a value.
trait Plain: Copy {}
impl Plain for half::f16 {}
impl Plain for half::bf16 {}
impl Plain for f32 {}
impl Plain for f64 {}
impl Plain for u8 {}
impl Plain for u16 {}
impl Plain for i32 {}

fn put_rows<T: Plain>(values: &[T], inner: usize, bytes: &mut [u8], stride: usize) {
    let row_bytes = stride * size_of::<T>();
    for (values, bytes) in values.chunks(inner).zip(bytes.chunks_mut(row_bytes)) {
        // SAFETY: plain numbers may be seen as bytes.
        let source = unsafe { std::slice::from_raw_parts(values.as_ptr().cast::<u8>(), size_of_val(values)) };
        bytes[..source.len()].copy_from_slice(source);
    }
}

fn get_rows<T: Plain>(values: &mut [T], inner: usize, bytes: &[u8], stride: usize) {
    let row_bytes = stride * size_of::<T>();
    for (values, bytes) in values.chunks_mut(inner).zip(bytes.chunks(row_bytes)) {
        let len = size_of_val(values);
        // SAFETY: plain numbers may be seen as bytes, and any bytes are plain numbers.
        let target = unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast::<u8>(), len) };
        target.copy_from_slice(&bytes[..len]);
    }
}

/// Writes element `i` at `i · pitch + row`.
fn put_column<T: Copy>(values: &[T], bytes: &mut [u8], row: usize, pitch: usize) {
    put_placed(values, bytes, (0..values.len()).map(|i| i * pitch + row));
}

/// Writes each element where `offsets` say.
fn put_placed<T: Copy>(values: &[T], bytes: &mut [u8], offsets: impl Iterator<Item = usize>) {
    let size = size_of::<T>();
    // SAFETY: plain numbers may be seen as bytes; `data` is never of truth values here, as neither histories nor arrays that
    // lie by delay have them.
    let source = unsafe { std::slice::from_raw_parts(values.as_ptr().cast::<u8>(), size_of_val(values)) };
    for (value, at) in source.chunks(size).zip(offsets) {
        bytes[at * size..][..size].copy_from_slice(value);
    }
}

/// Reads element `i` from `i · pitch + row`.
fn get_column<T: Copy>(values: &mut [T], bytes: &[u8], row: usize, pitch: usize) {
    let offsets = (0..values.len()).map(|i| i * pitch + row);
    get_placed(values, bytes, offsets);
}

/// Reads each element from where `offsets` say.
fn get_placed<T: Copy>(values: &mut [T], bytes: &[u8], offsets: impl Iterator<Item = usize>) {
    let (size, len) = (size_of::<T>(), size_of_val(values));
    // SAFETY: as in `put_placed`, and any bytes are numbers.
    let target = unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast::<u8>(), len) };
    for (value, at) in target.chunks_mut(size).zip(offsets) {
        value.copy_from_slice(&bytes[at * size..][..size]);
    }
}
