//! Elements in memory: from host arrays to the bytes of a buffer, and back.
//!
//! Host arrays are row-major. How a buffer's elements lie says [`Buffer`]: in padded rows, by columns, by delay, or as bits.
#![allow(unsafe_code)]

use crate::ir::{Data, Stored};
use crate::loops::{Buffer, Role};
use crate::share::share;
use crate::with_data;
use std::ops::Range;

/// Writes one row of a history, or a whole other buffer. `data` has the type and length of the buffer, `bytes` are all of it.
pub(crate) fn write(buffer: &Buffer, row: usize, data: &Data, bytes: &mut [u8]) {
    let (inner, stride) = (buffer.inner(), buffer.stride());
    if inner == 0 {
        return;
    }
    if let (true, Role::History { .. }) = (buffer.turned, &buffer.role) {
        let pitch = buffer.column_pitch();
        return with_data!(data, v => put_column(v, bytes, row, pitch));
    }
    let row_bytes = buffer.padded_len() * buffer.dtype.bits() / 8;
    let bytes = &mut bytes[row * row_bytes..][..row_bytes];
    if let Some(placed) = &buffer.placed {
        return with_data!(data, v => put_placed(v, bytes, placed.offsets()));
    }
    match data {
        Data::Bool(values) => {
            for (values, bits) in values.chunks(inner).zip(bytes.chunks_mut(stride / 8)) {
                for (values, byte) in values.chunks(8).zip(bits) {
                    *byte = values.iter().rev().fold(0, |byte, &bit| byte << 1 | u8::from(bit));
                }
            }
        }
        Data::F16(v) => put(v, buffer, bytes),
        Data::BF16(v) => put(v, buffer, bytes),
        Data::F32(v) => put(v, buffer, bytes),
        Data::F64(v) => put(v, buffer, bytes),
        Data::U8(v) => put(v, buffer, bytes),
        Data::U16(v) => put(v, buffer, bytes),
        Data::I32(v) => put(v, buffer, bytes),
    }
}

/// Reads what [`write()`] writes, into data of the buffer's type and length.
pub(crate) fn read(buffer: &Buffer, row: usize, bytes: &[u8], data: &mut Data) {
    if let (true, Role::History { .. }) = (buffer.turned, &buffer.role) {
        let pitch = buffer.column_pitch();
        return with_data!(data, v => get_column(v, bytes, row, pitch));
    }
    let row_bytes = buffer.padded_len() * buffer.dtype.bits() / 8;
    let bytes = &bytes[row * row_bytes..][..row_bytes];
    let (inner, stride) = (buffer.inner(), buffer.stride());
    if inner == 0 {
        return;
    }
    if let Some(placed) = &buffer.placed {
        return with_data!(data, v => get_placed(v, bytes, placed.offsets()));
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

/// An array of `rows` rows, one after another, column by column.
fn transposed<T: Copy + Default>(values: &[T], rows: usize) -> Vec<T> {
    let mut turned = vec![T::default(); values.len()];
    by_column(values, rows, 0..values.len() / rows, |column, row, part| {
        turned[column * rows + row..][..part.len()].copy_from_slice(part);
    });
    turned
}

/// Writes an array whose elements lie in rows or columns.
fn put<T: Plain + Default + Sync>(values: &[T], buffer: &Buffer, bytes: &mut [u8]) {
    let to = if buffer.turned { put_turned } else { put_rows };
    to(values, buffer.inner(), bytes, buffer.stride());
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

/// Rows and columns of a tile that are turned at once.
const SIDE: usize = 8;

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
            // Elements by eights, which registers hold; what is left of a small tile one by one.
            let [down, across] = [height, width].map(|n| n / SIDE * SIDE);
            let line = |row: usize| &values[(first_row + row) * columns + first_column..][..width];
            for row in (0..down).step_by(SIDE) {
                let lines: [&[T]; SIDE] = std::array::from_fn(|below| line(row + below));
                for column in (0..across).step_by(SIDE) {
                    let block: [[T; SIDE]; SIDE] = std::array::from_fn(|below| {
                        let eight = &lines[below][column..column + SIDE];
                        std::array::from_fn(|right| eight[right])
                    });
                    for right in 0..SIDE {
                        let turned: [T; SIDE] = std::array::from_fn(|below| block[below][right]);
                        tile[(column + right) * TILE + row..][..SIDE].copy_from_slice(&turned);
                    }
                }
            }
            for row in 0..height {
                let first = if row < down { across } else { 0 };
                (first..width).for_each(|column| tile[column * TILE + row] = line(row)[column]);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Axis, DType, Shape};

    /// Element `i` of an array of these sizes is `i`, and lies where the buffer says.
    #[track_caller]
    fn check(dtype: DType, [rows, columns]: [usize; 2], turned: bool) {
        let shape = Shape::of(Axis::anonymous(0), &[rows]).with(Axis::anonymous(1), &[columns]);
        let mut buffer = Buffer::new("array", Role::Input, dtype, shape);
        buffer.turned = turned;
        let data = Data::I32((0..(rows * columns) as i32).map(|i| i % 251).collect()).convert(dtype);
        let mut bytes = vec![0xFF; buffer.bytes()];
        write(&buffer, 0, &data, &mut bytes);
        let size = dtype.bits() / 8;
        for index in 0..data.len() {
            let one = Data::U8(vec![(index % 251) as u8]).convert(dtype);
            let expected = with_data!(&one, v => {
                let mut expected = vec![0; size];
                put_placed(v, &mut expected, std::iter::once(0));
                expected
            });
            assert_eq!(bytes[buffer.physical(index) * size..][..size], expected, "{dtype} {rows} × {columns}: {index}");
        }
        let mut again = Data::zeros(dtype, data.len());
        read(&buffer, 0, &bytes, &mut again);
        assert!(again.same_bits(&data), "{dtype} {rows} × {columns}");
    }

    #[test]
    fn elements_lie_in_rows_or_columns() {
        for dtype in DType::ALL.into_iter().filter(|&dtype| dtype != DType::Bool) {
            for sizes in [[1, 1], [3, 70], [8, 8], [9, 17], [64, 64], [130, 65], [71, 128]] {
                check(dtype, sizes, false);
                check(dtype, sizes, true);
            }
        }
    }

    #[test]
    fn what_several_cores_turn() {
        check(DType::U16, [1030, 1100], true);
    }
}
