//! Deliveries: sums over the columns of arrivals times a factor of the column, which is what most synapses do with a spike.
//!
//! An intrinsic goes over the targets of a pair where there is one; else the loop of [`visits`](super::visits) does.

use super::access::Follow;
use super::nest::Body;
use crate::intrinsics::Intrinsic;
use crate::ir::{BinaryOp, DType, Elem, ReduceOp};
use crate::loops::{Arrivals, Inst, Val};
use cranelift::prelude::*;

/// Targets of a pair, in the mean, from which on a call pays: below, it takes longer than it saves.
const FEWEST: usize = 256;

/// The instructions of a delivery: the load of the weight, the factor, and the sum.
#[derive(Clone, Copy)]
struct Delivery {
    weight: usize,
    factor: Val,
    sum: usize,
}

/// Finds them, if the loop over rows does nothing else.
fn delivery(body: &Body<'_, '_, '_>) -> Option<Delivery> {
    let nest = body.nest;
    let inside: Vec<usize> = (0..nest.insts.len()).filter(|&n| body.in_chunks(n)).collect();
    let &[weight, product, sum] = &inside[..] else { return None };
    let single = inside.iter().all(|&n| nest.insts[n].elem == Elem::F32);
    match (&nest.insts[weight].inst, &nest.insts[product].inst, &nest.insts[sum].inst) {
        (Inst::Load { .. }, &Inst::Binary(BinaryOp::Mul, a, b), &Inst::Reduce { op: ReduceOp::Sum, value, .. })
            if single && value.index() == product =>
        {
            let factor = if a.index() == weight { b } else { a };
            (factor.index() != weight).then_some(Delivery { weight, factor, sum })
        }
        _ => None,
    }
}

/// Calls the intrinsic for targets `from` to `to`; false if it cannot do what `body` does.
pub(super) fn call(body: &mut Body<'_, '_, '_>, arrivals: &Arrivals, from: Value, to: Value) -> bool {
    let rows = body.m.lowered.buffer(arrivals.delays).shape.groups()[0].size();
    let long = body.m.intrinsics && rows >= FEWEST * arrivals.steps;
    let Some(Delivery { weight, factor, sum }) = delivery(body).filter(|_| long) else { return false };
    let [weights, sums] = [weight, sum].map(|n| body.access[n].expect("placed before the loop").main);
    let intrinsic = match weights.follow {
        Follow::Placed => Intrinsic::Deliver,
        Follow::Contiguous => Intrinsic::DeliverAt,
        Follow::Uniform | Follow::Strided(_) => return false,
    };
    if intrinsic.address().is_none() {
        return false;
    }
    if [weights, sums].iter().any(|place| place.dtype != DType::F32) || sums.follow != Follow::Contiguous {
        return false;
    }
    let targets = body.m.place(arrivals.targets, &vec![], None, &[]);
    let zero = body.m.index(0);
    let sums = body.m.address_of(sums, zero);
    let targets = body.m.address_of(targets, from);
    let weights = body.m.address_of(weights, if intrinsic == Intrinsic::Deliver { from } else { zero });
    let count = body.m.c.b.ins().isub(to, from);
    let factor = body.get(factor);
    let factor = body.m.c.lane(factor, 0);
    let function = body.m.import(intrinsic);
    body.m.c.b.ins().call(function, &[sums, targets, weights, count, factor]);
    true
}
