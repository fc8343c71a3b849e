//! Nests that have states which are kept as of an earlier step ([`View::Decayed`]) be as of now. They are no part of a step: they
//! run when the host of an object asks for it, or when one of these states is set.

use super::buffer::BufferId;
use super::fuse::Lowering;
use super::nest::{Inst, Map, Nest, Typed, Val};
use crate::ir::{Array, BinaryOp, ConstId, Elem, Literal, Location, StateId};
use crate::passes::{STEPS, StateView, View};

impl Lowering<'_> {
    /// Makes the nests: `state ← powers[now − last] · state`, then `last ← now`.
    pub(super) fn settle(&mut self, views: &[StateView]) {
        for (index, view) in views.iter().enumerate() {
            let View::Decayed { last, now, powers } = &view.view else { continue };
            let (state, elem) = (self.states[&StateId::from_index(index)], powers.elem());
            let (last, now, table) = (self.named(last), self.named(now), self.table(powers));
            let groups = |s: &Self, id: BufferId| s.out.buffer(id).shape.clone();
            let domain = groups(self, state);
            let follows = |s: &Self, id: BufferId| -> Map {
                let place = |axis| domain.position(axis).expect("steps are counted over groups of the state");
                groups(s, id).groups().iter().map(|group| place(group.axis)).collect()
            };
            let whole = follows(self, state);
            let insts = [
                (Inst::Load { buffer: now, map: Map::new() }, Elem::I32),
                (Inst::Load { buffer: last, map: follows(self, last) }, Elem::I32),
                (Inst::Binary(BinaryOp::Sub, Val(0), Val(1)), Elem::I32),
                (Inst::Literal(Literal::I32(STEPS - 1)), Elem::I32),
                (Inst::Binary(BinaryOp::And, Val(2), Val(3)), Elem::I32),
                (Inst::Lookup { table, index: Val(4) }, elem),
                (Inst::Load { buffer: state, map: whole.clone() }, elem),
                (Inst::Binary(BinaryOp::Mul, Val(5), Val(6)), elem),
                (Inst::Store { buffer: state, map: whole, value: Val(7) }, elem),
            ];
            self.out.settles.push(nest(domain.sizes(), insts));
            let sizes = groups(self, last).sizes();
            let all = (0..sizes.len()).collect();
            let insts = [
                (Inst::Load { buffer: now, map: Map::new() }, Elem::I32),
                (Inst::Store { buffer: last, map: all, value: Val(0) }, Elem::I32),
            ];
            self.out.settles.push(nest(sizes, insts));
        }
    }

    /// The buffer of the state of this name.
    fn named(&self, name: &str) -> BufferId {
        let index = self.program.states.iter().position(|state| state.name == name);
        self.states[&StateId::from_index(index.expect("passes add the states that views name"))]
    }

    /// The buffer of the constant with these elements.
    fn table(&mut self, powers: &Array) -> BufferId {
        let index = self.program.constants.iter().position(|constant| constant.value.same_bits(powers));
        self.constant(ConstId::from_index(index.expect("steps look powers up, too")))
    }
}

fn nest(sizes: Vec<usize>, insts: impl IntoIterator<Item = (Inst, Elem)>) -> Nest {
    let typed = |(inst, elem)| Typed { inst, elem, location: Location::UNKNOWN };
    Nest { sizes, insts: insts.into_iter().map(typed).collect(), ..Nest::default() }
}
