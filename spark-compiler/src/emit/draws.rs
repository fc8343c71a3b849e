//! Random words of several groups of lanes at once.
//!
//! A draw is one long chain of dependent operations, so a processor that runs one draw after the other mostly waits. Here
//! a block of rounds of one draw is followed by that of the next. Cranelift places an operation where its result is first
//! needed, which would undo this; therefore each block's result is stored where nobody reads it.

use super::lanes::Clif;
use super::recipes::Singles;
use crate::math::threefry::{BLOCKS, Draw};
use cranelift::prelude::*;

/// The two random words of each of `counters` under `key`.
pub(crate) fn draw(c: &mut Clif, key: [Value; 2], counters: &[[Value; 2]]) -> Vec<[Value; 2]> {
    let mut draws: Vec<Draw<Value>> =
        counters.iter().map(|&counter| Draw::new(&mut Singles(c), key, counter)).collect();
    let size = 16 * (BLOCKS * draws.len()) as u32;
    let unread = (draws.len() > 1)
        .then(|| c.b.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, size, 4)));
    // Each to a place of its own: a store that the next one overwrites would be removed.
    let mut places = (0i32..).step_by(16);
    for block in 0..BLOCKS {
        for (draw, place) in draws.iter_mut().zip(&mut places) {
            draw.advance(&mut Singles(c), block);
            if let Some(slot) = unread {
                c.b.ins().stack_store(types::I64, draw.words[1], slot, place);
            }
        }
    }
    draws.into_iter().map(|draw| draw.words).collect()
}
