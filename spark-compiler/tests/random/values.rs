//! Names, shapes and constants, and operands for the next operation.

use super::{AXES, Builder, ELEMS, MOST, choose};
use spark_compiler::ir::{
    Array, Axis, ConstId, Constant, DType, Data, Elem, Literal, Location, Node, Op, OpId, Shape, infer,
};

impl Builder {
    pub(super) fn shape(&self, word: u32) -> Shape {
        let mut shape = Shape::scalar();
        for (i, &axis) in AXES.iter().enumerate() {
            let bigger = shape.clone().with(axis, self.dims[i]);
            // Every second axis on average; all shapes are unions of the same four groups, so any two broadcast.
            if word >> i & 1 == 1 && bigger.size() <= MOST {
                shape = bigger;
            }
        }
        shape
    }

    pub(super) fn name(&self, kind: &str, index: usize) -> String {
        format!("{kind}{index}{}", self.names)
    }

    pub(super) fn push(&mut self, op: Op, elem: Elem, shape: &Shape) -> Option<OpId> {
        let (elem, shape) = infer(&self.program, &op, (elem, shape)).ok()?;
        let known = self.program.nodes.len().is_multiple_of(3);
        let location = if known { Location { file: "a \"b\".rs", line: 3, column: 7 } } else { Location::UNKNOWN };
        (shape.size() <= MOST).then(|| self.program.push(Node { op, elem, shape, location }))
    }

    pub(super) fn must(&mut self, op: Op, elem: Elem, shape: &Shape) -> OpId {
        let text = format!("{op:?}: {elem}{shape}");
        self.push(op, elem, shape).unwrap_or_else(|| panic!("{text} in\n{}", self.program))
    }

    pub(super) fn literal(&mut self, elem: Elem, word: u32) -> OpId {
        let value = match elem {
            Elem::I32 => Literal::I32(choose(&[0, 1, -1, 7, i32::MIN, i32::MAX, word as i32], word)),
            elem => {
                let simple = [0.0, 1.0, -0.0, 2.0, -0.5, 0.125];
                let value = if word & 8 == 0 { choose(&simple, word >> 4) } else { self.random.float() };
                Literal::from_f64(value, elem)
            }
        };
        self.must(Op::Literal(value), elem, &Shape::scalar())
    }

    pub(super) fn constant(&mut self, shape: Shape, data: Data) -> ConstId {
        let name = self.name("const", self.program.constants.len());
        let value = Array::new(shape, data).expect("as many elements as the shape has");
        self.program.constants.push(Constant { name, value });
        ConstId::from_index(self.program.constants.len() - 1)
    }

    /// Integers below `bound` in one of the integer types.
    pub(super) fn indices(&mut self, shape: Shape, bound: usize, word: u32) -> ConstId {
        let list = (0..shape.size()).map(|_| (self.random.next() % bound as u64) as i32).collect();
        let dtype = match bound {
            0..=256 => choose(&[DType::I32, DType::U8, DType::U16], word),
            _ => choose(&[DType::I32, DType::U16], word),
        };
        self.constant(shape, Data::I32(list).convert(dtype))
    }

    /// Any value, recent ones more often.
    pub(super) fn operand(&mut self, word: u32) -> OpId {
        let len = self.program.nodes.len();
        if len == 0 {
            return self.literal(choose(&ELEMS, word), word >> 2);
        }
        let reach = if word & 1 == 0 { len.min(6) } else { len };
        OpId::from_index(len - 1 - (word >> 1) as usize % reach)
    }

    pub(super) fn elem(&self, id: OpId) -> Elem {
        self.program.node(id).elem
    }

    pub(super) fn of(&self, id: OpId) -> Shape {
        self.program.node(id).shape.clone()
    }

    /// `id` as `elem`.
    pub(super) fn cast(&mut self, id: OpId, elem: Elem) -> OpId {
        if self.elem(id) == elem {
            return id;
        }
        let shape = self.of(id);
        self.must(Op::Cast(id), elem, &shape)
    }

    pub(super) fn like(&mut self, id: OpId, other: OpId) -> OpId {
        self.cast(id, self.elem(other))
    }

    pub(super) fn as_float(&mut self, id: OpId, word: u32) -> OpId {
        if self.elem(id).is_float() { id } else { self.cast(id, choose(&[Elem::F32, Elem::F64], word)) }
    }

    pub(super) fn as_number(&mut self, id: OpId, word: u32) -> OpId {
        if self.elem(id) == Elem::Bool { self.cast(id, choose(&[Elem::I32, Elem::F32, Elem::F64], word)) } else { id }
    }

    /// Some one-group shape of `size` elements.
    pub(super) fn group(&self, size: usize, word: u32) -> Shape {
        let dims = if size.is_multiple_of(2) && word & 4 != 0 { vec![2, size / 2] } else { vec![size] };
        Shape::of(choose(&AXES, word), &dims)
    }

    /// Shape of the same size: one group, two groups, more, or other names.
    pub(super) fn regrouped(&self, shape: &Shape, word: u32) -> Shape {
        let size = shape.size();
        match word % 5 {
            0 => self.group(size, word >> 3),
            1 if size.is_multiple_of(3) => Shape::units(&[size / 3]).with(Axis::PRE, &[3]),
            2 if size.is_multiple_of(2) => Shape::of(Axis::PRE, &[2]).with(Axis::anonymous(7), &[size / 2]),
            3 => Shape::units(&[1]).with(Axis::PRE, &[size]).with(Axis::anonymous(0), &[1]),
            _ => {
                let renamed = shape.groups().iter().zip(AXES.iter().rev().take(shape.groups().len()).rev());
                renamed.fold(Shape::scalar(), |out, (group, &axis)| out.with(axis, &group.dims))
            }
        }
    }
}
