//! The memory of one running program: all buffers in one allocation, but for large constants, which instances share.
//!
//! Host arrays are row-major; buffers have padded rows and one bit per truth value (see [`crate::loops`]). `elements`
//! converts between the two. Constants are written once and cannot be changed: generated code trusts the offsets among
//! them. Large ones that lie as the host has them are not even copied: all memories of a program have the same.
#![allow(unsafe_code)]

use crate::elements;
use crate::emit::Home;
use crate::ir::{Array, DType, Data, Elem};
use crate::loops::{Buffer, BufferId, Lowered, Role};
use crate::pages::Region;
use crate::with_data;
use std::mem::Discriminant;
use std::sync::atomic::{AtomicU64, Ordering};

/// Alignment of every buffer that is in the allocation.
const ALIGN: usize = 64;

/// Bytes from which on a constant is shared. Smaller ones are soon copied; then they begin with a line of the cache, and lie on large
/// pages with everything else.
const SHARED: usize = 1 << 23;

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
    /// Shared constants; kept for the same reason.
    _shared: Vec<Array>,
    /// Start of each buffer.
    table: Box<[*mut u8]>,
    /// Bytes of each buffer.
    sizes: Box<[usize]>,
    contract: Contract,
    /// The number of the contract it was last found to fit.
    fits: AtomicU64,
}

// SAFETY: the allocation is owned, and reached only through `&self` for reading and `&mut self` for writing; shared constants
// are only read.
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
    /// Whether it is reached through a pointer.
    shared: bool,
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
            shared: shared(buffer).is_some(),
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
            let layout = |r: &Relied| (r.dtype, r.bytes, r.role, r.rows, r.turned, r.shared, r.pitch);
            layout(a) == layout(b) && a.sizes == b.sizes && integers
        };
        self.buffers.len() == other.buffers.len() && self.buffers.iter().zip(&other.buffers).all(same)
    }
}

/// The elements of a large constant that lie as the host has them.
fn shared(buffer: &Buffer) -> Option<&Array> {
    let Role::Constant(values) = &buffer.role else { return None };
    let in_order = !buffer.turned && buffer.placed.is_none() && buffer.dtype != DType::Bool;
    let unpadded = values.len() == buffer.shape.size() && values.len() == buffer.padded_len();
    let large = buffer.bytes() >= SHARED && values.dtype() == buffer.dtype;
    (in_order && unpadded && large).then_some(values)
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
    /// Where each buffer is.
    pub(crate) homes: Vec<Home>,
    sizes: Vec<usize>,
    total: usize,
}

/// Where buffers are, one after another; `None` if they do not fit the address space.
pub(crate) fn offsets(lowered: &Lowered) -> Option<Offsets> {
    let mut all = Offsets { homes: Vec::new(), sizes: Vec::new(), total: 0 };
    for buffer in &lowered.buffers {
        let bytes = checked_bytes(buffer)?;
        let (home, own) = match shared(buffer) {
            Some(_) => (Home::Pointer(all.total), size_of::<*mut u8>()),
            None => (Home::Within(all.total), bytes),
        };
        all.sizes.push(bytes);
        all.homes.push(home);
        all.total = all.total.checked_add(own.checked_next_multiple_of(ALIGN)?)?;
    }
    (all.total <= isize::MAX as usize).then_some(all)
}

impl Memory {
    /// Memory for `lowered`: constants and initial states in place, everything else zero.
    ///
    /// # Errors
    /// [`MemoryError::TooLarge`] if there is not enough memory.
    pub fn new(lowered: &Lowered) -> Result<Memory, MemoryError> {
        let Offsets { homes, sizes, total } = offsets(lowered).ok_or(MemoryError::TooLarge)?;
        let region = Region::zeroed(total).ok_or(MemoryError::TooLarge)?;
        let at = |offset: usize| {
            // SAFETY: offsets are within the allocation.
            unsafe { region.start().as_ptr().add(offset) }
        };
        let start = |(buffer, &home): (&Buffer, &Home)| match (home, shared(buffer)) {
            (Home::Pointer(offset), Some(values)) => {
                // Nothing writes through it: constants are not written, neither by the host nor by code.
                let values = with_data!(values.data(), v => v.as_ptr().cast::<u8>().cast_mut());
                // SAFETY: there is room for a pointer, and the start of a buffer is aligned.
                unsafe { at(offset).cast::<*mut u8>().write(values) };
                values
            }
            (Home::Within(offset) | Home::Pointer(offset), _) => at(offset),
            (Home::Symbol, _) => unreachable!("of objects only"),
        };
        let table = lowered.buffers.iter().zip(&homes).map(start).collect();
        let contract = Contract::of(lowered);
        let fits = contract.number.into();
        let _shared = lowered.buffers.iter().filter_map(shared).cloned().collect();
        let mut memory = Memory { region, _shared, table, sizes: sizes.into(), contract, fits };
        for (id, buffer) in lowered.iter() {
            let (Role::Constant(values) | Role::State(values)) = &buffer.role else { continue };
            // All begins as zeros.
            if shared(buffer).is_none() && !values.is_known_zero() {
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
        elements::read(buffer, 0, self.bytes(id), &mut data);
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
        elements::read(buffer, 0, self.bytes(id), data);
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
            elements::read(buffer, row, self.bytes(id), &mut one);
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

    /// A copy of everything but shared constants; `None` if there is not enough memory.
    pub(crate) fn copy(&self) -> Option<Region> {
        let copy = Region::zeroed(self.region.len())?;
        // SAFETY: both regions have so many bytes, and they are two.
        unsafe {
            std::ptr::copy_nonoverlapping(self.region.start().as_ptr(), copy.start().as_ptr(), self.region.len())
        };
        Some(copy)
    }

    /// The bytes of a buffer, not of a constant, in a copy of this memory.
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
        elements::read(buffer, 0, bytes, &mut data);
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
        // SAFETY: the buffer's part of the allocation, which is initialised (zeroed, then written by us), or the elements of
        // a shared constant, which are as many bytes.
        unsafe { std::slice::from_raw_parts(self.table[id.index()], self.sizes[id.index()]) }
    }

    /// Not of a shared constant.
    fn bytes_mut(&mut self, id: BufferId) -> &mut [u8] {
        // SAFETY: as `bytes`; `&mut self` makes it exclusive, and shared constants are never written.
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
        elements::write(buffer, row, data, self.bytes_mut(id));
        Ok(())
    }
}

fn length(buffer: &Buffer, expected: usize, found: usize) -> Result<(), MemoryError> {
    let name = || buffer.name.clone();
    if expected == found { Ok(()) } else { Err(MemoryError::Length { name: name(), expected, found }) }
}
