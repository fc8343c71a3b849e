//! A straightforward interpreter of lowered programs: one element at a time, as the loop nest's documentation says.

use crate::ir::{Array, BinaryOp, CompareOp, DType, Data, Elem, Literal, ReduceOp, ThreefryWord, UnaryOp};
use crate::loops::{BufferId, Inst, LANES, Lowered, Map, Nest, Role, Val};
use crate::math::scalar as math;

/// Every buffer's elements in physical order, in the arithmetic type of the storage type.
pub(super) struct Oracle<'a> {
    lowered: &'a Lowered,
    memory: Vec<Vec<Literal>>,
}

/// Element `i` of `data` in its arithmetic type.
fn literal(data: &Data, i: usize) -> Literal {
    Literal::from_f64(data.get_f64(i), data.dtype().elem())
}

/// What reading a stored `value` gives.
fn stored(value: Literal, dtype: DType) -> Literal {
    let array = Array::scalar(value).convert(dtype);
    array.as_literal().expect("a scalar")
}

fn truth(v: Literal) -> bool {
    matches!(v, Literal::Bool(true))
}

fn word(v: Literal) -> u32 {
    match v {
        Literal::I32(v) => v as u32,
        other => panic!("{other:?} is not a word"),
    }
}

impl<'a> Oracle<'a> {
    pub(super) fn new(lowered: &'a Lowered) -> Oracle<'a> {
        let zero = |b: &crate::loops::Buffer| vec![Literal::from_f64(0.0, b.dtype.elem()); b.padded_len() * b.rows()];
        let mut oracle = Oracle { lowered, memory: lowered.buffers.iter().map(zero).collect() };
        for (id, buffer) in lowered.iter() {
            if let Role::Constant(array) | Role::State(array) = &buffer.role {
                oracle.write(id, array.data());
            }
        }
        oracle
    }

    pub(super) fn write(&mut self, id: BufferId, data: &Data) {
        let buffer = self.lowered.buffer(id);
        let data = data.convert(buffer.dtype);
        for i in 0..data.len() {
            self.memory[id.index()][buffer.physical(i)] = literal(&data, i);
        }
    }

    /// All elements, row after row of a history.
    pub(super) fn read(&self, id: BufferId) -> Vec<Literal> {
        let buffer = self.lowered.buffer(id);
        let row = |r: usize| (0..buffer.shape.size()).map(move |i| r * buffer.row_pitch() + buffer.physical(i));
        (0..buffer.rows()).flat_map(row).map(|p| self.memory[id.index()][p]).collect()
    }

    pub(super) fn step(&mut self) {
        for nest in &self.lowered.nests {
            self.nest(nest);
        }
        for (id, buffer) in self.lowered.iter() {
            if let Role::Position { rows } = buffer.role {
                let next = (word(self.memory[id.index()][0]) as usize + 1) % rows;
                self.memory[id.index()][0] = Literal::I32(next as i32);
            }
        }
    }

    fn nest(&mut self, nest: &Nest) {
        for typed in &nest.insts {
            match &typed.inst {
                Inst::Reduce { op, buffer, .. } => self.memory[buffer.index()].fill(identity(*op, typed.elem)),
                Inst::ScatterAdd { buffer, .. } => {
                    self.memory[buffer.index()].fill(Literal::from_f64(0.0, typed.elem));
                }
                _ => {}
            }
        }
        let mut partials = vec![Vec::new(); nest.insts.len()];
        for linear in 0..nest.size() {
            let mut at = vec![0; nest.sizes.len()];
            let mut rest = linear;
            for (index, size) in at.iter_mut().zip(&nest.sizes).rev() {
                (*index, rest) = (rest % size, rest / size);
            }
            let mut values = Vec::new();
            for (n, typed) in nest.insts.iter().enumerate() {
                let value = self.inst(nest, n, &values, &at, linear, &mut partials[n]);
                values.push(value.unwrap_or(Literal::from_f64(0.0, typed.elem)));
            }
        }
    }

    fn physical(&self, id: BufferId, map: &Map, at: &[usize]) -> usize {
        let buffer = self.lowered.buffer(id);
        let host = map.iter().zip(buffer.sizes()).fold(0, |host, (&l, size)| host * size + at[l]);
        buffer.physical(host)
    }

    fn load(&self, id: BufferId, map: &Map, at: &[usize]) -> Literal {
        self.memory[id.index()][self.physical(id, map, at)]
    }

    fn store(&mut self, id: BufferId, physical: usize, value: Literal) {
        self.memory[id.index()][physical] = stored(value, self.lowered.buffer(id).dtype);
    }

    /// Row offset of a history `delay` steps ago.
    fn row(&self, id: BufferId, delay: usize) -> usize {
        let buffer = self.lowered.buffer(id);
        let Role::History { rows, position, .. } = buffer.role else { panic!("a history") };
        let position = word(self.memory[position.index()][0]) as usize;
        (position + rows - delay) % rows * buffer.row_pitch()
    }

    fn inst(
        &mut self,
        nest: &Nest,
        n: usize,
        values: &[Literal],
        at: &[usize],
        linear: usize,
        partials: &mut Vec<Literal>,
    ) -> Option<Literal> {
        let get = |v: &Val| values[v.index()];
        let elem = nest.insts[n].elem;
        Some(match &nest.insts[n].inst {
            Inst::Literal(v) => *v,
            Inst::Load { buffer, map } => self.load(*buffer, map, at),
            Inst::LoadAt { buffer, offsets, map } => {
                self.memory[buffer.index()][word(self.load(*offsets, map, at)) as usize]
            }
            Inst::LoadDelayed { history, map, delays, delays_map } => {
                let row = self.row(*history, word(self.load(*delays, delays_map, at)) as usize);
                cast(self.memory[history.index()][row + self.physical(*history, map, at)], elem)
            }
            Inst::Lookup { table, index } => {
                let last = self.lowered.buffer(*table).inner() as i32 - 1;
                cast(self.memory[table.index()][word(get(index)).cast_signed().clamp(0, last) as usize], elem)
            }
            Inst::Unary(op, a) => unary(*op, get(a)),
            Inst::Binary(op, a, b) => binary(*op, get(a), get(b)),
            Inst::Compare(op, a, b) => Literal::Bool(compare(*op, get(a), get(b))),
            Inst::MulAdd(a, b, c) => match (get(a), get(b), get(c)) {
                (Literal::F32(a), Literal::F32(b), Literal::F32(c)) => Literal::F32(a.mul_add(b, c)),
                (Literal::F64(a), Literal::F64(b), Literal::F64(c)) => Literal::F64(a.mul_add(b, c)),
                other => panic!("fma of {other:?}"),
            },
            Inst::Select(c, a, b) => get(if truth(get(c)) { a } else { b }),
            Inst::Cast(a, to) => cast(get(a), *to),
            Inst::Bitcast(a, _) => match get(a) {
                Literal::I32(v) => Literal::F32(f32::from_bits(v as u32)),
                Literal::F32(v) => Literal::I32(v.to_bits() as i32),
                other => panic!("bitcast of {other:?}"),
            },
            Inst::Index => Literal::I32(linear as i32),
            Inst::Threefry { word: which, key, counter } => {
                let [key, counter] = [key, counter].map(|pair| pair.map(|v| word(get(&v))));
                let [first, second] = math::threefry(key, counter);
                Literal::I32(match which {
                    ThreefryWord::First => first,
                    ThreefryWord::Second => second,
                    ThreefryWord::Mixed => first ^ second,
                } as i32)
            }
            Inst::Store { buffer, map, value } => {
                self.store(*buffer, self.physical(*buffer, map, at), get(value));
                return None;
            }
            Inst::StoreRow { history, map, value } => {
                let physical = self.row(*history, 0) + self.physical(*history, map, at);
                self.store(*history, physical, get(value));
                return None;
            }
            Inst::StoreAt { buffer, base, value } => {
                self.store(*buffer, base + linear, get(value));
                return None;
            }
            Inst::Reduce { op, over, value, buffer, map } => {
                let physical = self.physical(*buffer, map, at);
                if over + 1 < nest.sizes.len() {
                    let sum = combine(*op, self.memory[buffer.index()][physical], get(value));
                    self.store(*buffer, physical, sum);
                    return None;
                }
                if at[*over] == 0 {
                    *partials = vec![identity(*op, elem); LANES];
                }
                let lane = at[*over] % LANES;
                partials[lane] = combine(*op, partials[lane], get(value));
                if at[*over] + 1 == nest.inner() {
                    for stride in [8, 4, 2, 1] {
                        for k in 0..stride {
                            partials[k] = combine(*op, partials[k], partials[k + stride]);
                        }
                    }
                    self.store(*buffer, physical, partials[0]);
                }
                return None;
            }
            Inst::ScatterAdd { buffer, offsets, map, value } => {
                let physical = word(self.load(*offsets, map, at)) as usize;
                let sum = binary(BinaryOp::Add, self.memory[buffer.index()][physical], get(value));
                self.store(*buffer, physical, sum);
                return None;
            }
        })
    }
}

fn identity(op: ReduceOp, elem: Elem) -> Literal {
    match (op, elem) {
        (ReduceOp::Sum, _) => Literal::from_f64(0.0, elem),
        (ReduceOp::Max, Elem::I32) => Literal::I32(i32::MIN),
        (ReduceOp::Min, Elem::I32) => Literal::I32(i32::MAX),
        (ReduceOp::Max, _) => Literal::from_f64(f64::NEG_INFINITY, elem),
        (ReduceOp::Min, _) => Literal::from_f64(f64::INFINITY, elem),
        (ReduceOp::Any, _) => Literal::Bool(false),
        (ReduceOp::All, _) => Literal::Bool(true),
    }
}

fn combine(op: ReduceOp, so_far: Literal, value: Literal) -> Literal {
    let op = match op {
        ReduceOp::Sum => BinaryOp::Add,
        ReduceOp::Max => BinaryOp::Max,
        ReduceOp::Min => BinaryOp::Min,
        ReduceOp::Any => BinaryOp::Or,
        ReduceOp::All => BinaryOp::And,
    };
    binary(op, so_far, value)
}

fn cast(v: Literal, to: Elem) -> Literal {
    stored(v, to.dtype())
}

fn unary(op: UnaryOp, v: Literal) -> Literal {
    macro_rules! float {
        ($v:expr, $t:path, $exp:path, $fused_exp:path, $log:path, $tanh:path, $sin:path, $cos:path) => {
            $t(match op {
                UnaryOp::Neg => -$v,
                UnaryOp::Abs => $v.abs(),
                UnaryOp::Sqrt => $v.sqrt(),
                UnaryOp::Floor => $v.floor(),
                UnaryOp::Ceil => $v.ceil(),
                UnaryOp::Round => $v.round_ties_even(),
                UnaryOp::Trunc => $v.trunc(),
                UnaryOp::Exp => $exp($v),
                UnaryOp::FusedExp => $fused_exp($v),
                UnaryOp::Log => $log($v),
                UnaryOp::Tanh => $tanh($v),
                UnaryOp::Sin => $sin($v),
                UnaryOp::Cos => $cos($v),
                UnaryOp::Not => panic!("not of a float"),
            })
        };
    }
    match v {
        Literal::F32(v) => {
            float!(
                v,
                Literal::F32,
                math::exp_f32,
                math::fused_exp_f32,
                math::log_f32,
                math::tanh_f32,
                math::sin_f32,
                math::cos_f32
            )
        }
        Literal::F64(v) => {
            float!(
                v,
                Literal::F64,
                math::exp_f64,
                math::fused_exp_f64,
                math::log_f64,
                math::tanh_f64,
                math::sin_f64,
                math::cos_f64
            )
        }
        Literal::I32(v) => Literal::I32(match op {
            UnaryOp::Neg => v.wrapping_neg(),
            UnaryOp::Abs => v.wrapping_abs(),
            UnaryOp::Not => !v,
            other => panic!("{other:?} of i32"),
        }),
        Literal::Bool(v) => Literal::Bool(!v),
    }
}

fn binary(op: BinaryOp, x: Literal, y: Literal) -> Literal {
    macro_rules! float {
        ($x:expr, $y:expr) => {
            match op {
                BinaryOp::Add => $x + $y,
                BinaryOp::Sub => $x - $y,
                BinaryOp::Mul => $x * $y,
                BinaryOp::Div => $x / $y,
                BinaryOp::Min => {
                    if $x < $y {
                        $x
                    } else {
                        $y
                    }
                }
                BinaryOp::Max => {
                    if $y < $x {
                        $x
                    } else {
                        $y
                    }
                }
                other => panic!("{other:?} of floats"),
            }
        };
    }
    match (x, y) {
        (Literal::F32(x), Literal::F32(y)) => Literal::F32(float!(x, y)),
        (Literal::F64(x), Literal::F64(y)) => Literal::F64(float!(x, y)),
        (Literal::I32(x), Literal::I32(y)) => Literal::I32(match op {
            BinaryOp::Add => x.wrapping_add(y),
            BinaryOp::Sub => x.wrapping_sub(y),
            BinaryOp::Mul => x.wrapping_mul(y),
            BinaryOp::Min => x.min(y),
            BinaryOp::Max => x.max(y),
            BinaryOp::And => x & y,
            BinaryOp::Or => x | y,
            BinaryOp::Xor => x ^ y,
            BinaryOp::Shl => x.wrapping_shl(y as u32),
            BinaryOp::Shr => (x as u32).wrapping_shr(y as u32) as i32,
            BinaryOp::Div => panic!("division of i32"),
        }),
        (Literal::Bool(x), Literal::Bool(y)) => Literal::Bool(match op {
            BinaryOp::And => x & y,
            BinaryOp::Or => x | y,
            BinaryOp::Xor => x ^ y,
            other => panic!("{other:?} of truth values"),
        }),
        (x, y) => panic!("{op:?} of {x:?} and {y:?}"),
    }
}

fn compare(op: CompareOp, x: Literal, y: Literal) -> bool {
    fn of<T: PartialOrd>(op: CompareOp, x: T, y: T) -> bool {
        match op {
            CompareOp::Eq => x == y,
            CompareOp::Ne => x != y,
            CompareOp::Lt => x < y,
            CompareOp::Le => x <= y,
            CompareOp::Gt => x > y,
            CompareOp::Ge => x >= y,
        }
    }
    match (x, y) {
        (Literal::F32(x), Literal::F32(y)) => of(op, x, y),
        (Literal::F64(x), Literal::F64(y)) => of(op, x, y),
        (Literal::I32(x), Literal::I32(y)) => of(op, x, y),
        (Literal::Bool(x), Literal::Bool(y)) => of(op, x, y),
        (x, y) => panic!("{op:?} of {x:?} and {y:?}"),
    }
}
