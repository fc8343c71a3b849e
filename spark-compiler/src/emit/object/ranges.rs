//! Whether what is kept between steps is inside the ranges that the code relies on.

use super::super::access::{Memories, widen};
use crate::ir::DType;
use crate::loops::{BufferId, Role};
use crate::passes::ranges::Range;
use cranelift::prelude::*;
use types::{F64, I8};

/// An `I8` other than 0 if an element is outside of its buffer's range.
pub(super) fn outside(m: &mut Memories<'_, '_>, ranges: &[(BufferId, Range)]) -> Value {
    let mut outside = m.c.b.ins().iconst(I8, 0);
    for &(buffer, range) in ranges {
        let spec = m.lowered.buffer(buffer);
        let (dtype, stride, inner) = (spec.dtype, spec.stride(), spec.inner());
        let rows = spec.rows() * spec.padded_len().checked_div(stride).unwrap_or(0);
        // A turned history has the rows of an element one after another.
        let turned = spec.turned && matches!(spec.role, Role::History { .. });
        let (rows, stride, inner) =
            if turned { (spec.shape.size(), spec.column_pitch(), spec.rows()) } else { (rows, stride, inner) };
        let place = m.place(buffer, &vec![], None, &[]);
        let places = spec.placed.as_ref().map(|placed| (placed, m.place(placed.places, &vec![], None, &[])));
        outside = m.fold(rows, outside, |m, row, outside| {
            let start = m.c.b.ins().imul_imm_s(row, stride as i64);
            m.fold(inner, outside, |m, i, outside| {
                let i = places.map_or(i, |(placed, places)| {
                    let first = m.c.b.ins().imul_imm_s(row, m.lowered.buffer(placed.places).stride() as i64);
                    let at = m.c.b.ins().iadd(first, i);
                    let value = m.load_index(places, Some(at), 0);
                    m.c.b.ins().band_imm_u(value, (1 << placed.bits) - 1)
                });
                let element = m.c.b.ins().iadd(start, i);
                let raw = m.load_element(place, Some(element), 0);
                let number = number(m, dtype, raw);
                let wrong = is_outside(m, range, number);
                m.c.b.ins().bor(outside, wrong)
            })
        });
    }
    outside
}

/// A raw scalar as an `f64`.
fn number(m: &mut Memories<'_, '_>, dtype: DType, raw: Value) -> Value {
    match dtype {
        DType::F64 => raw,
        DType::F32 => m.c.b.ins().fpromote(F64, raw),
        DType::F16 | DType::BF16 => {
            let lanes = m.c.splat(raw);
            let lanes = widen(&mut m.c, dtype, lanes);
            let single = m.c.lane(lanes, 0);
            m.c.b.ins().fpromote(F64, single)
        }
        DType::I32 | DType::U8 | DType::U16 | DType::Bool => m.c.b.ins().fcvt_from_sint(F64, raw),
    }
}

/// As [`Range::contains`] is not.
fn is_outside(m: &mut Memories<'_, '_>, range: Range, number: Value) -> Value {
    let (low, high) = (m.c.b.ins().f64const(range.low), m.c.b.ins().f64const(range.high));
    // NaN is neither below nor above.
    let below = m.c.b.ins().fcmp(FloatCC::LessThan, number, low);
    let above = m.c.b.ins().fcmp(FloatCC::GreaterThan, number, high);
    let mut outside = m.c.b.ins().bor(below, above);
    if !range.nan {
        let nan = m.c.b.ins().fcmp(FloatCC::Unordered, number, number);
        outside = m.c.b.ins().bor(outside, nan);
    }
    if !range.minus_zero {
        let bits = m.c.b.ins().bitcast(types::I64, MemFlagsData::new(), number);
        let minus_zero = m.c.b.ins().icmp_imm_s(IntCC::Equal, bits, i64::MIN);
        outside = m.c.b.ins().bor(outside, minus_zero);
    }
    outside
}
