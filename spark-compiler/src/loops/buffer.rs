//! Buffers: the arrays of a kernel's memory, and how they lie there.
//!
//! Row-major over its group sizes, or column-major (`turned`) where loops go over columns; the innermost group is padded to
//! a multiple of [`BLOCK`] elements, and a scalar has one block. So every row starts at a multiple of 64 elements, and whole
//! vectors may be read and written past the last element: padding holds unspecified values and is never read into a result.
//! `bool` buffers hold one bit per element,
//! least significant bit first (bit `i % 8` of byte `i / 8`); padding bits are always zero. Every buffer starts at a
//! multiple of 64 bytes.
//!
//! A history's buffer has `rows` such arrays one after another, with `bool` rows as one byte (0 or 1) per element; its
//! *position* buffer is an `i32` scalar: the row that this step writes. `delays` steps ago is row
//! `(position − delays) mod rows`. The kernel advances positions at the end of a step.
//!
//! An array may also lie by delay ([`Placed`]); places between its lists hold unspecified values.

use crate::ir::{Array, DType, Data, Group, Shape};
use std::fmt;

/// Padding of the innermost group, in elements.
pub const BLOCK: usize = 64;

/// A buffer of a lowered program.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BufferId(pub u32);

impl BufferId {
    /// Position in [`Lowered::buffers`](super::Lowered::buffers).
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for BufferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b{}", self.0)
    }
}

/// What a buffer is for.
#[derive(Clone, PartialEq, Debug)]
pub enum Role {
    /// Constant array, or one derived from it.
    Constant(Array),
    /// State variable; holds the value between steps. The array is its initial value.
    State(Array),
    /// Past rows of a delayed value.
    History {
        /// Number of rows.
        rows: usize,
        /// Rows that the program reads, the newest ones; the others are kept for what is put off (see [`Log`](super::Log)).
        depth: usize,
        /// `i32` scalar: the row this step writes.
        position: BufferId,
    },
    /// Position of a history.
    Position {
        /// Number of rows of the history.
        rows: usize,
    },
    /// Input port, written by the host before a step.
    Input,
    /// Output port, read by the host after a step.
    Output,
    /// Intermediate result between nests.
    Temporary,
    /// What steps leave for later ones: zero at first, and of no meaning to the host.
    Log,
    /// `i32` scalar, written by the host: other than zero, nests with a [`Visit`](super::Visit) go over all elements.
    Dense,
}

/// A typed array in a kernel's memory.
#[derive(Clone, PartialEq, Debug)]
pub struct Buffer {
    /// Path or description.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Storage type (of one row, for a history; `bool` histories store `u8`).
    pub dtype: DType,
    /// Host shape (of one row, for a history).
    pub shape: Shape,
    /// True if the two groups lie in memory in exchanged order: elements of the first one after another. Of a history of one
    /// group, if the rows of each column lie one after another. Never bits.
    pub turned: bool,
    /// If elements of a column lie in the order in which events arrive, where each lies. The buffer is turned.
    pub placed: Option<Placed>,
}

/// Where the elements of each column lie: those at which events arrive together, one after another, as in
/// [`Arrivals::targets`](super::Arrivals::targets).
#[derive(Clone, PartialEq, Debug)]
pub struct Placed {
    /// The list of events whose arrivals the order is that of.
    pub scan: usize,
    /// Place of each element within its column and, above [`Placed::bits`], its delay: a constant over rows and columns, `u16`,
    /// turned.
    pub places: BufferId,
    /// The same as it is, if events of rows are put off: a replay of one row goes over columns.
    pub across: Option<BufferId>,
    /// Its values.
    pub table: Array,
    /// Bits of a place.
    pub bits: u32,
    /// Elements from one column to the next.
    pub pitch: usize,
}

impl Placed {
    /// The place that the table's value says.
    pub fn place(&self, value: u16) -> usize {
        usize::from(value) & ((1 << self.bits) - 1)
    }

    /// Offset in elements of each element, in the host's order.
    pub fn offsets(&self) -> impl Iterator<Item = usize> {
        let places = if let Data::U16(places) = self.table.data() { &places[..] } else { &[] };
        let columns = self.table.shape().sizes().last().copied().unwrap_or(1);
        let starts = (0..columns).cycle().map(|column| column * self.pitch);
        places.iter().zip(starts).map(|(&place, start)| start + self.place(place))
    }
}

impl Buffer {
    /// A buffer whose groups lie in order.
    pub fn new(name: impl Into<String>, role: Role, dtype: DType, shape: Shape) -> Buffer {
        Buffer { name: name.into(), role, dtype, shape, turned: false, placed: None }
    }

    /// Group sizes, outermost first; a scalar has none.
    pub fn sizes(&self) -> Vec<usize> {
        self.shape.sizes()
    }

    /// Which group has its elements one after another; none of a scalar.
    pub fn inner_group(&self) -> Option<usize> {
        match (self.turned, &self.role) {
            (true, Role::History { .. }) => None,
            (true, _) => Some(0),
            (false, _) => self.shape.groups().len().checked_sub(1),
        }
    }

    /// Size of the group whose elements lie one after another; 1 for a scalar.
    pub fn inner(&self) -> usize {
        let group = if self.turned { 0 } else { self.shape.groups().len().wrapping_sub(1) };
        self.shape.groups().get(group).map_or(1, Group::size)
    }

    /// Elements from one row of the innermost group to the next.
    pub fn stride(&self) -> usize {
        if let Some(placed) = &self.placed {
            return placed.pitch;
        }
        // Partial sums of a row that lie a power of two apart would share a few places of a cache.
        let stride = self.inner().next_multiple_of(BLOCK);
        let apart = self.role == Role::Log && self.shape.groups().len() > 1 && stride >= 8 * BLOCK;
        if apart { stride + BLOCK } else { stride }
    }

    /// Elements of the whole array with padding (one row of a history).
    pub fn padded_len(&self) -> usize {
        // Rows without elements take nothing.
        self.shape.size().checked_div(self.inner()).unwrap_or(0) * self.stride()
    }

    /// Number of rows: 1 unless it is a history.
    pub fn rows(&self) -> usize {
        match self.role {
            Role::History { rows, .. } => rows,
            _ => 1,
        }
    }

    /// Elements from one row of a history to the next.
    pub fn row_pitch(&self) -> usize {
        if self.turned { 1 } else { self.padded_len() }
    }

    /// Elements from one column of a turned history to the next.
    pub fn column_pitch(&self) -> usize {
        // Columns that lie a power of two apart would share a few places of a cache.
        self.rows() + 64 * 8 / self.dtype.bits()
    }

    /// Of a history, the rows that the program reads; else 1.
    pub fn depth(&self) -> usize {
        match self.role {
            Role::History { depth, .. } => depth,
            _ => 1,
        }
    }

    /// Bytes of the whole buffer.
    pub fn bytes(&self) -> usize {
        let history = matches!(self.role, Role::History { .. });
        let row = if self.turned && history {
            self.shape.size() * self.column_pitch()
        } else {
            self.padded_len() * self.rows()
        };
        row * self.dtype.bits() / 8
    }

    /// Offset in elements, padding included, of row-major host index `index`.
    pub fn physical(&self, index: usize) -> usize {
        if let (true, Role::History { .. }) = (self.turned, &self.role) {
            return index * self.column_pitch();
        }
        if self.turned {
            let columns = self.shape.groups()[1].size();
            let place = match self.placed.as_ref().map(|placed| (placed, placed.table.data())) {
                Some((placed, Data::U16(places))) => placed.place(places[index]),
                _ => index / columns,
            };
            return index % columns * self.stride() + place;
        }
        index / self.inner() * self.stride() + index % self.inner()
    }
}
