//! The JSON file of an object: where every array is, for programs that patch a checkpoint in or read one out.
//!
//! An array in the block has a type, dimensions and a stride for each, in elements; truth values are single bits, least
//! significant first. A history has rows of that form; the row `position − d` (modulo their number) is that of `d` steps ago,
//! where `position` is an `i32` and `d` is below `steps`. What was put off has to be done before anything is read: `NAME_flush`.

use super::layout::{self, Kept, Port};
use super::{ALIGN, Object, Sizes};
use crate::loops::{Buffer, Role};
use crate::passes::View;
use serde_json::{Value, json};

/// The text of the file.
pub(super) fn manifest(object: &Object) -> String {
    let Object { layout, states, .. } = object;
    let Sizes { code, data, stack, block } = object.sizes;
    let ports = |ports: &[Port]| ports.iter().map(port).collect::<Vec<Value>>();
    let of = |history: bool| {
        let is_history = move |kept: &&Kept| matches!(kept.buffer.role, Role::History { .. }) == history;
        states.iter().filter(is_history).map(kept).collect::<Vec<Value>>()
    };
    let value = json!({
        "name": object.name,
        "spark": env!("CARGO_PKG_VERSION"),
        "target": object.target,
        "hash": object.hash,
        "bytes": {
            "code": code,
            "data": data,
            "stack": stack,
            "state": block,
            "inputs": layout::structure_bytes(&layout.inputs),
            "outputs": layout::structure_bytes(&layout.outputs),
        },
        "align": ALIGN,
        "inputs": ports(&layout.inputs),
        "outputs": ports(&layout.outputs),
        "states": of(false),
        "histories": of(true),
    });
    format!("{value:#}\n")
}

/// An array of a structure.
fn port(port: &Port) -> Value {
    json!({
        "name": port.name,
        "field": port.field,
        "dtype": port.dtype.long_name(),
        "dims": port.shape.dims(),
        "offset": port.offset,
    })
}

/// An array in the block.
fn kept(kept: &Kept) -> Value {
    let Kept { name, buffer, offset, position, declared } = kept;
    let mut value = json!({
        "name": name,
        "offset": offset,
        "dtype": buffer.dtype.long_name(),
        "dims": buffer.shape.dims(),
    });
    // Of a history, those of one row. Where an array lies in no regular order, the place of each element, in one text.
    match &buffer.placed {
        None => value["strides"] = json!(strides(buffer)),
        Some(placed) => {
            value["elements"] = json!(placed.offsets().map(|offset| offset.to_string()).collect::<Vec<_>>().join(" "))
        }
    }
    if let Some(position) = position {
        value["rows"] = json!(buffer.rows());
        value["row_bytes"] = json!(buffer.row_pitch() * buffer.dtype.bits() / 8);
        value["steps"] = json!(buffer.depth());
        value["position"] = json!(position);
    }
    if let Some((shape, view)) = declared {
        let form = match view {
            View::Whole => "whole",
            View::Broadcast => "broadcast",
            View::Delayed { .. } => "delayed",
            View::Decayed { .. } => "decayed",
            View::Gone => "gone",
            View::Added => "added",
        };
        value["declared"] = json!({ "dims": shape.dims(), "kept": form });
        match view {
            View::Delayed { history, .. } => value["declared"]["history"] = json!(history),
            View::Decayed { last, now, .. } => {
                value["declared"]["last"] = json!(last);
                value["declared"]["now"] = json!(now);
            }
            View::Whole | View::Broadcast | View::Gone | View::Added => {}
        }
    }
    value
}

/// Elements from one index to the next, for each dimension.
fn strides(buffer: &Buffer) -> Vec<usize> {
    let dims = buffer.shape.dims();
    let mut flat = 1;
    let mut strides: Vec<usize> = dims
        .iter()
        .rev()
        .map(|&dim| {
            let stride = if dim > 1 { buffer.physical(flat) } else { 0 };
            flat *= dim;
            stride
        })
        .collect();
    strides.reverse();
    strides
}
