//! Between the arrays of the host and buffers: what [`Memory`](crate::memory::Memory) does on the host.
//!
//! Host arrays are row-major without padding; a truth value is a byte, other than 0 for true. Buffers have padded rows and
//! one bit per truth value.

use super::super::access::Memories;
use crate::aot::Port;
use crate::ir::DType;
use cranelift::prelude::*;
use types::{I8, I64};

/// Each byte's lowest bit.
const ONES: i64 = 0x0101_0101_0101_0101;

/// A port's rows on both sides.
struct Rows {
    /// Address of the host's array.
    host: Value,
    /// Address of the buffer.
    buffer: Value,
    flags: MemFlagsData,
    count: usize,
    /// Elements of a row.
    inner: usize,
    /// Elements from one row of the buffer to the next.
    stride: usize,
    /// Bits of an element.
    bits: usize,
}

impl Rows {
    fn new(m: &mut Memories<'_, '_>, port: &Port, arguments: Value) -> Rows {
        let buffer = m.lowered.buffer(port.buffer).clone();
        let host = m.c.b.ins().iadd_imm_s(arguments, port.offset as i64);
        Rows {
            host,
            buffer: m.start(port.buffer),
            flags: m.flags(port.buffer),
            count: buffer.padded_len().checked_div(buffer.stride()).unwrap_or(0),
            inner: buffer.inner(),
            stride: buffer.stride(),
            bits: buffer.dtype.bits(),
        }
    }

    /// Addresses of a row on both sides.
    fn at(&self, m: &mut Memories<'_, '_>, row: Value) -> (Value, Value) {
        let host_bytes = self.inner * self.bits.div_ceil(8);
        let mut offset = |start, pitch: usize| {
            let offset = m.c.b.ins().imul_imm_s(row, pitch as i64);
            m.c.b.ins().iadd(start, offset)
        };
        (offset(self.host, host_bytes), offset(self.buffer, self.stride * self.bits / 8))
    }
}

fn host_flags() -> MemFlagsData {
    MemFlagsData::new().with_notrap()
}

/// Reads an input. Gives `beyond`, or other than 0 if a number is larger than `limit` or NaN.
pub(super) fn take(m: &mut Memories<'_, '_>, port: &Port, inputs: Value, limit: Option<f64>, beyond: Value) -> Value {
    let rows = Rows::new(m, port, inputs);
    if port.dtype == DType::Bool {
        m.repeat(rows.count, |m, row| {
            let (host, buffer) = rows.at(m, row);
            take_bits(m, &rows, host, buffer);
        });
        return beyond;
    }
    let ty = Type::int(rows.bits as u16).expect("storage types have the sizes of integers");
    let limit = limit.map(|limit| {
        let (limit, sign) = (largest_bits(port.dtype, limit), 1u64 << (rows.bits - 1));
        (m.c.b.ins().iconst(ty, limit as i64), m.c.b.ins().iconst(ty, (sign - 1) as i64))
    });
    m.fold(rows.count, beyond, |m, row, beyond| {
        let (host, buffer) = rows.at(m, row);
        m.fold(rows.inner, beyond, |m, i, beyond| {
            let (from, to) = (element(m, host, i, &rows), element(m, buffer, i, &rows));
            let value = m.c.b.ins().load(ty, host_flags(), from, 0);
            m.c.b.ins().store(rows.flags, value, to, 0);
            let Some((limit, magnitude)) = limit else { return beyond };
            // Of floating-point numbers without their sign, the larger one has the larger bits, and NaN the largest.
            let magnitude = m.c.b.ins().band(value, magnitude);
            let over = m.c.b.ins().icmp(IntCC::UnsignedGreaterThan, magnitude, limit);
            m.c.b.ins().bor(beyond, over)
        })
    })
}

/// Writes an output.
pub(super) fn give(m: &mut Memories<'_, '_>, port: &Port, outputs: Value) {
    let rows = Rows::new(m, port, outputs);
    m.repeat(rows.count, |m, row| {
        let (host, buffer) = rows.at(m, row);
        if port.dtype == DType::Bool {
            give_bits(m, &rows, host, buffer);
            return;
        }
        let ty = Type::int(rows.bits as u16).expect("storage types have the sizes of integers");
        m.repeat(rows.inner, |m, i| {
            let (from, to) = (element(m, buffer, i, &rows), element(m, host, i, &rows));
            let value = m.c.b.ins().load(ty, rows.flags, from, 0);
            m.c.b.ins().store(host_flags(), value, to, 0);
        });
    });
}

fn element(m: &mut Memories<'_, '_>, row: Value, index: Value, rows: &Rows) -> Value {
    let offset = m.c.b.ins().imul_imm_s(index, (rows.bits / 8) as i64);
    m.c.b.ins().iadd(row, offset)
}

/// Packs a row of bytes into bits, eight at a time.
fn take_bits(m: &mut Memories<'_, '_>, rows: &Rows, host: Value, buffer: Value) {
    m.repeat(rows.inner / 8, |m, byte| {
        let offset = m.c.b.ins().ishl_imm_u(byte, 3);
        let (from, to) = (m.c.b.ins().iadd(host, offset), m.c.b.ins().iadd(buffer, byte));
        let bytes = m.c.b.ins().load(I64, host_flags(), from, 0);
        let bits = truths(m, bytes);
        // Bit 8·i goes to bit 56 + i; no two products meet.
        let spread = m.c.b.ins().iconst(I64, 0x0102_0408_1020_4080);
        let packed = m.c.b.ins().imul(bits, spread);
        let packed = m.c.b.ins().ushr_imm_u(packed, 56);
        m.c.b.ins().istore8(rows.flags, packed, to, 0);
    });
    let (full, rest) = ((rows.inner / 8) as i32, rows.inner % 8);
    if rest == 0 {
        return;
    }
    let mut word = m.c.b.ins().iconst(I8, 0);
    for bit in 0..rest {
        let byte = m.c.b.ins().load(I8, host_flags(), host, 8 * full + bit as i32);
        let truth = m.c.b.ins().icmp_imm_u(IntCC::NotEqual, byte, 0);
        let truth = m.c.b.ins().ishl_imm_u(truth, bit as i64);
        word = m.c.b.ins().bor(word, truth);
    }
    m.c.b.ins().store(rows.flags, word, buffer, full);
}

/// Unpacks a row of bits into bytes.
fn give_bits(m: &mut Memories<'_, '_>, rows: &Rows, host: Value, buffer: Value) {
    m.repeat(rows.inner / 8, |m, byte| {
        let offset = m.c.b.ins().ishl_imm_u(byte, 3);
        let (from, to) = (m.c.b.ins().iadd(buffer, byte), m.c.b.ins().iadd(host, offset));
        let bits = m.c.b.ins().uload8(I64, rows.flags, from, 0);
        let ones = m.c.b.ins().iconst(I64, ONES);
        let copies = m.c.b.ins().imul(bits, ones);
        let own = m.c.b.ins().iconst(I64, 0x8040_2010_0804_0201u64 as i64);
        let own = m.c.b.ins().band(copies, own);
        let truths = truths(m, own);
        m.c.b.ins().store(host_flags(), truths, to, 0);
    });
    let (full, rest) = ((rows.inner / 8) as i32, rows.inner % 8);
    for bit in 0..rest {
        let byte = m.c.b.ins().load(I8, rows.flags, buffer, full);
        let truth = m.c.b.ins().ushr_imm_u(byte, bit as i64);
        let truth = m.c.b.ins().band_imm_u(truth, 1);
        m.c.b.ins().store(host_flags(), truth, host, 8 * full + bit as i32);
    }
}

/// 1 in each byte that is not 0.
fn truths(m: &mut Memories<'_, '_>, bytes: Value) -> Value {
    let low = m.c.b.ins().iconst(I64, 0x7f * ONES);
    let carried = m.c.b.ins().band(bytes, low);
    let carried = m.c.b.ins().iadd(carried, low);
    let top = m.c.b.ins().bor(carried, bytes);
    let top = m.c.b.ins().ushr_imm_u(top, 7);
    let ones = m.c.b.ins().iconst(I64, ONES);
    m.c.b.ins().band(top, ones)
}

/// The bits of the largest number of a type that is not above `limit`.
fn largest_bits(dtype: DType, limit: f64) -> u64 {
    let bits = |value: f64, bits: u64| (value, bits);
    let (nearest, bits) = match dtype {
        DType::F64 => bits(limit, limit.to_bits()),
        DType::F32 => bits(f64::from(limit as f32), u64::from((limit as f32).to_bits())),
        DType::F16 => {
            let value = half::f16::from_f64(limit);
            bits(value.to_f64(), u64::from(value.to_bits()))
        }
        DType::BF16 => {
            let value = half::bf16::from_f64(limit);
            bits(value.to_f64(), u64::from(value.to_bits()))
        }
        DType::U8 | DType::U16 | DType::I32 | DType::Bool => unreachable!("floating-point inputs have a limit"),
    };
    if nearest > limit { bits - 1 } else { bits }
}
