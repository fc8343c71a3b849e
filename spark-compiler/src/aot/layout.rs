//! Where everything is: buffers in an instance's block, ports in the structures that a step is given.
//!
//! ```text
//! block:   header | states | positions | histories and what else lasts | inputs, outputs, temporaries
//!          ◀────────── what NAME_reset restores ──────────────────────▶
//! ```
//!
//! The order depends on the program only, not on values. Constants are not in the block.

use super::names;
use crate::emit::Home;
use crate::ir::{DType, Data, Shape, Stored};
use crate::kernel::Instance;
use crate::loops::{Buffer, BufferId, Lowered, Role};
use crate::passes::View;

/// Alignment of a block and of each buffer in it.
pub const ALIGN: usize = 64;

/// What precedes the buffers.
const HEADER: usize = ALIGN;

/// An array in the structure of inputs or outputs.
#[derive(Clone, PartialEq, Debug)]
pub struct Port {
    /// Name of the port; of a part that is not its value, with the part's name: `in_spikes.inhibition_mask`.
    pub name: String,
    /// The same as an identifier.
    pub field: String,
    /// Type of the elements; truth values take a byte.
    pub dtype: DType,
    /// Dimensions, row-major.
    pub shape: Shape,
    /// Bytes from the start of the structure.
    pub offset: usize,
    pub(crate) buffer: BufferId,
}

impl Port {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.size()
    }

    /// True if it has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Where everything is.
#[derive(Clone, PartialEq, Debug)]
pub struct Layout {
    /// Where each buffer is: in the block, but for constants.
    pub(crate) homes: Vec<Home>,
    /// Bytes that last from one step to the next.
    pub(crate) persistent: usize,
    /// Bytes of the block.
    pub(crate) bytes: usize,
    /// Offset of an `i32` that says whether values are outside of what the code relies on.
    pub(crate) outside: usize,
    /// Ports in the structure of inputs.
    pub inputs: Vec<Port>,
    /// Ports in the structure of outputs.
    pub outputs: Vec<Port>,
}

/// What is kept between steps under a name.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Kept {
    pub(super) name: String,
    pub(super) buffer: Buffer,
    /// Bytes from the start of the block.
    pub(super) offset: usize,
    /// Of a history, the offset of its position.
    pub(super) position: Option<usize>,
    /// Of a state, the shape it was declared with and how it is kept.
    pub(super) declared: Option<(Shape, View)>,
}

impl Kept {
    /// The elements in a block: of a state in host order, of a history those of the last step, then those before, as
    /// [`Instance::set_past`] takes them.
    ///
    /// # Errors
    /// If a position is beyond the history's rows.
    pub(super) fn read(&self, block: &[u8]) -> Result<Data, String> {
        let bytes = &block[self.offset..][..self.buffer.bytes()];
        let row = |row: usize| elements(&self.buffer, bytes, row);
        let Some(position) = self.position else { return Ok(row(0)) };
        let rows = self.buffer.rows();
        let found = block[position..].first_chunk().map_or(-1, |bytes| i32::from_le_bytes(*bytes));
        let next = usize::try_from(found).ok().filter(|next| *next < rows);
        let next = next.ok_or_else(|| format!("the position of `{}` is {found}, of {rows} rows", self.name))?;
        let mut past = Data::zeros(self.buffer.dtype, 0);
        (1..=self.buffer.depth()).for_each(|ago| past.extend(&row((next + rows - ago) % rows)));
        Ok(past)
    }
}

/// The elements of one row of a buffer.
fn elements(buffer: &Buffer, bytes: &[u8], row: usize) -> Data {
    fn all<const N: usize, T: Stored>((buffer, row): (&Buffer, usize), bytes: &[u8], one: fn([u8; N]) -> T) -> Data {
        let parts = bytes.as_chunks().0;
        let at = |i| row * buffer.row_pitch() + buffer.physical(i);
        T::data((0..buffer.shape.size()).map(|i| one(parts[at(i)])).collect())
    }
    let row = (buffer, row);
    match buffer.dtype {
        DType::F16 => all(row, bytes, half::f16::from_le_bytes),
        DType::BF16 => all(row, bytes, half::bf16::from_le_bytes),
        DType::F32 => all(row, bytes, f32::from_le_bytes),
        DType::F64 => all(row, bytes, f64::from_le_bytes),
        DType::U8 => all(row, bytes, u8::from_le_bytes),
        DType::U16 => all(row, bytes, u16::from_le_bytes),
        DType::I32 => all(row, bytes, i32::from_le_bytes),
        DType::Bool => {
            let bit = |at: usize| bytes[at / 8] >> (at % 8) & 1 == 1;
            Data::Bool((0..buffer.shape.size()).map(|i| bit(buffer.physical(i))).collect())
        }
    }
}

/// Bytes of an element in a structure.
pub(super) fn element_bytes(dtype: DType) -> usize {
    dtype.bits().div_ceil(8)
}

/// Bytes of a structure with these ports: a multiple of the alignment of each.
pub(super) fn structure_bytes(ports: &[Port]) -> usize {
    let end = ports.iter().map(|port| port.offset + port.len() * element_bytes(port.dtype)).max();
    let align = ports.iter().map(|port| element_bytes(port.dtype)).max();
    // An empty structure has a byte, for C.
    end.unwrap_or(1).max(1).next_multiple_of(align.unwrap_or(1))
}

/// Place of a role in the block; `None` for constants.
fn rank(role: &Role) -> Option<u8> {
    match role {
        Role::Constant(_) => None,
        Role::State(_) => Some(0),
        Role::Position { .. } => Some(1),
        Role::History { .. } | Role::Log => Some(2),
        Role::Input | Role::Output | Role::Temporary | Role::Dense => Some(3),
    }
}

impl Layout {
    /// The layout of a program.
    pub(crate) fn new(lowered: &Lowered) -> Layout {
        let mut homes = vec![Home::Symbol; lowered.buffers.len()];
        let (mut next, mut persistent) = (HEADER, HEADER);
        for wanted in 0..=3 {
            for (id, buffer) in lowered.iter().filter(|(_, buffer)| rank(&buffer.role) == Some(wanted)) {
                homes[id.index()] = Home::Within(next);
                next += buffer.bytes().next_multiple_of(ALIGN);
            }
            if wanted < 3 {
                persistent = next;
            }
        }
        let ports = |role: Role| {
            let found: Vec<_> = lowered.iter().filter(|(_, buffer)| buffer.role == role).collect();
            let fields = names::identifiers(found.iter().map(|(_, buffer)| buffer.name.as_str()));
            let mut end = 0usize;
            let port = |((id, buffer), field): ((BufferId, &Buffer), String)| {
                let offset = end.next_multiple_of(element_bytes(buffer.dtype));
                end = offset + buffer.shape.size() * element_bytes(buffer.dtype);
                let (name, dtype, shape) = (buffer.name.clone(), buffer.dtype, buffer.shape.clone());
                Port { name, field, dtype, shape, offset, buffer: id }
            };
            found.into_iter().zip(fields).map(port).collect()
        };
        Layout { homes, persistent, bytes: next, outside: 0, inputs: ports(Role::Input), outputs: ports(Role::Output) }
    }

    /// The part of the block that lasts, in the state of `instance`; without zeros at its end.
    pub(crate) fn image(&self, instance: &Instance) -> Vec<u8> {
        let mut image = vec![0; self.persistent];
        let lowered = instance.kernel().lowered();
        for ((id, buffer), home) in lowered.iter().zip(&self.homes) {
            let Some(offset) = home.within().filter(|&offset| offset < self.persistent) else { continue };
            image[offset..offset + buffer.bytes()].copy_from_slice(instance.memory().bytes(id));
        }
        let outside = lowered.dense.is_some() && !instance.is_inside();
        image[self.outside..][..4].copy_from_slice(&i32::from(outside).to_le_bytes());
        let used = image.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        image.truncate(used.next_multiple_of(8));
        image
    }
}

/// What an instance keeps between steps: states, then histories.
pub(super) fn kept(instance: &Instance, layout: &Layout) -> Vec<Kept> {
    let lowered = instance.kernel().lowered();
    let offset = |id: BufferId| layout.homes[id.index()].within();
    let one = |(id, buffer): (BufferId, &Buffer)| {
        let view = |name| instance.view(name).map(|view| (view.shape.clone(), view.view.clone()));
        let (position, declared) = match buffer.role {
            Role::State(_) => (None, view(&buffer.name)),
            Role::History { position, depth: 1.., .. } => (offset(position), None),
            _ => return None,
        };
        Some(Kept { name: buffer.name.clone(), buffer: buffer.clone(), offset: offset(id)?, position, declared })
    };
    let mut kept: Vec<Kept> = lowered.iter().filter_map(one).collect();
    kept.sort_by_key(|kept| kept.offset);
    kept
}
