//! Operations: every kind that there is, on whatever values there are.

use super::{Builder, ELEMS, MOST, Word, choose};
use spark_compiler::ir::{
    Axis, BinaryOp, CompareOp, DType, Data, Elem, History, HistoryId, Literal, Op, OpId, ReduceOp, Shape, ThreefryWord,
    UnaryOp,
};

impl Builder {
    /// One operation; words that fit none add nothing.
    pub(super) fn operation(&mut self, [kind, a, b, c, d, e]: Word) -> Option<OpId> {
        let x = self.operand(a);
        let (elem, shape) = (self.elem(x), self.of(x));
        match kind % 32 {
            0..=7 => {
                let op = choose(BinaryOp::ALL, c);
                let (x, y) = match op {
                    BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Min | BinaryOp::Max => {
                        let x = self.as_number(x, d);
                        (x, self.binary_operand(x, b))
                    }
                    BinaryOp::Div => {
                        let x = self.as_float(x, d);
                        (x, self.binary_operand(x, b))
                    }
                    BinaryOp::And | BinaryOp::Or | BinaryOp::Xor => {
                        let x = if elem.is_float() { self.cast(x, choose(&[Elem::Bool, Elem::I32], d)) } else { x };
                        (x, self.binary_operand(x, b))
                    }
                    BinaryOp::Shl | BinaryOp::Shr => {
                        let by = Literal::I32(choose(&[0, 1, 5, 31, 32, 33, -1, d as i32], b));
                        let x = self.cast(x, Elem::I32);
                        (x, self.must(Op::Literal(by), Elem::I32, &Shape::scalar()))
                    }
                };
                self.push(Op::Binary(op, x, y), elem, &shape)
            }
            8..=10 => {
                let op = choose(UnaryOp::ALL, c);
                let x = match op {
                    UnaryOp::Not if elem.is_float() => self.cast(x, choose(&[Elem::Bool, Elem::I32], d)),
                    UnaryOp::Not => x,
                    UnaryOp::Neg | UnaryOp::Abs => self.as_number(x, d),
                    UnaryOp::Sqrt
                    | UnaryOp::Floor
                    | UnaryOp::Ceil
                    | UnaryOp::Round
                    | UnaryOp::Trunc
                    | UnaryOp::Exp
                    | UnaryOp::FusedExp
                    | UnaryOp::Log
                    | UnaryOp::Tanh
                    | UnaryOp::Sin
                    | UnaryOp::Cos => self.as_float(x, d),
                };
                self.push(Op::Unary(op, x), elem, &shape)
            }
            11..=13 => {
                let op = choose(CompareOp::ALL, c);
                let ordered = !matches!(op, CompareOp::Eq | CompareOp::Ne);
                let x = if ordered { self.as_number(x, d) } else { x };
                let y = self.binary_operand(x, b);
                self.push(Op::Compare(op, x, y), elem, &shape)
            }
            14 => {
                let x = self.as_float(x, d);
                let (y, z) = (self.binary_operand(x, b), self.binary_operand(x, c));
                self.push(Op::MulAdd(x, y, z), elem, &shape)
            }
            15 => {
                let condition = self.cast(x, Elem::Bool);
                let then = self.operand(b);
                let otherwise = self.binary_operand(then, c);
                self.push(Op::Select(condition, then, otherwise), elem, &shape)
            }
            16 => Some(self.cast(x, choose(&ELEMS, c))),
            17 => self.push(Op::Cast(x), choose(&ELEMS, c), &shape),
            18 if c & 1 == 0 => {
                let x = self.cast(x, Elem::I32);
                self.push(Op::Bitcast(x), Elem::F32, &shape)
            }
            18 => {
                // Which NaN an operation yields is not specified, so only its numbers have bits to look at.
                let x = self.cast(x, Elem::F32);
                let number = self.must(Op::Compare(CompareOp::Eq, x, x), Elem::Bool, &shape);
                let zero = self.must(Op::Literal(Literal::F32(0.0)), Elem::F32, &Shape::scalar());
                let x = self.must(Op::Select(number, x, zero), Elem::F32, &shape);
                self.push(Op::Bitcast(x), Elem::I32, &shape)
            }
            19..=21 => {
                let axis = shape.groups().get(b as usize % shape.groups().len().max(1))?.axis;
                let op = choose(ReduceOp::ALL, c);
                let x = match op {
                    ReduceOp::Any | ReduceOp::All => self.cast(x, Elem::Bool),
                    ReduceOp::Sum | ReduceOp::Max | ReduceOp::Min => self.as_number(x, d),
                };
                self.push(Op::Reduce(op, axis, x), elem, &shape)
            }
            22 | 23 => self.delay(x, b, c, d, e),
            24 if c & 1 == 0 => self.push(Op::Index, Elem::I32, &self.shape(b)),
            24 => {
                // Indices of any size: those beyond the table give its ends.
                let index = self.cast(x, Elem::I32);
                let row = Shape::of(Axis::anonymous(0), &[1 + d as usize % 70]);
                let dtype =
                    choose(&[DType::F32, DType::F64, DType::I32, DType::F16, DType::BF16, DType::U8, DType::U16], e);
                let table = self.random.array(dtype, &row);
                let table = self.constant(row, table.data().clone());
                self.push(Op::Lookup { table, index }, elem, &shape)
            }
            25 => {
                let words = [x, self.operand(b), self.operand(c), self.operand(d)].map(|w| self.cast(w, Elem::I32));
                let (word, key, counter) = (choose(ThreefryWord::ALL, e), [words[0], words[1]], [words[2], words[3]]);
                self.push(Op::Threefry { word, key, counter }, Elem::I32, &shape)
            }
            26 => {
                let to = self.shape(b);
                let indices = self.indices(to.clone(), shape.size(), c);
                self.push(Op::Gather { source: x, indices }, elem, &to)
            }
            27 => {
                let x = self.as_number(x, d);
                let to = self.shape(b);
                let segments = self.indices(shape.clone(), to.size(), c);
                self.push(Op::SegmentSum { source: x, segments }, elem, &to)
            }
            28 => {
                let mut parts = vec![x];
                for word in [b, c, d].into_iter().take(e as usize % 4) {
                    let part = self.operand(word);
                    parts.push(self.like(part, x));
                }
                let size = parts.iter().map(|&p| self.of(p).size()).sum();
                let to = self.group(size, e >> 2);
                self.push(Op::Concat(parts), elem, &to)
            }
            29 | 30 => {
                let to = self.regrouped(&shape, b);
                self.push(Op::Regroup(x), elem, &to)
            }
            31 => {
                let shape = self.shape(c);
                let data = self.random.data(choose(&DType::ALL, b), shape.size());
                let id = self.constant(shape.clone(), data);
                self.push(Op::Constant(id), elem, &shape)
            }
            _ => unreachable!("of 32 kinds"),
        }
    }

    /// The right operand for `x`: a literal, or a value cast to its type.
    fn binary_operand(&mut self, x: OpId, word: u32) -> OpId {
        if word.is_multiple_of(4) {
            return self.literal(self.elem(x), word >> 2);
        }
        let y = self.operand(word >> 2);
        self.like(y, x)
    }

    /// A delay of `x`, through the history it has already or a new one.
    fn delay(&mut self, x: OpId, b: u32, c: u32, d: u32, e: u32) -> Option<OpId> {
        let (elem, shape) = (self.elem(x), self.of(x));
        let known = self.program.nodes.iter().find_map(|node| match node.op {
            Op::Delay { history, value, .. } if value == x => Some(history),
            _ => None,
        });
        let over = match e % 3 {
            0 => shape.clone(),
            _ => self.shape(e >> 2).broadcast(&shape).ok().filter(|s| s.size() <= MOST)?,
        };
        let history = known.unwrap_or_else(|| {
            let name = self.name("past", self.program.histories.len());
            let rows = 1 + b as usize % 5;
            self.program.histories.push(History { name, elem, shape: shape.clone(), rows });
            HistoryId::from_index(self.program.histories.len() - 1)
        });
        let rows = self.program.history(history).rows;
        let delays = if c.is_multiple_of(4) {
            let same = Data::I32(vec![(d as usize % rows) as i32; over.size()]);
            self.constant(over.clone(), same)
        } else {
            self.indices(over.clone(), rows, d)
        };
        self.push(Op::Delay { history, value: x, delays }, elem, &over)
    }
}
