//! The text form of a program.
//!
//! ```text
//! program lif
//! const c0 "decay": f32[units:2] = 0.9, 0.8
//! state s0 "potential": f32[units:2] = 0 -> %4
//! history h0 "delays.past": bool[pre:3] x 9
//! input i0 "current": f32[units:2]
//! %0 = state s0: f32[units:2]
//! %1 = literal 0.5: f32
//! %2 = mul %0, %1: f32[units:2]   @ "src/soma.rs":12:30
//! output "spikes": bool = %5
//! ```
//!
//! Numbers print so that reading gives the same bits. A list of one number fills the array. [`super::parse`] reads it
//! back.

use super::{Array, Data, Literal, Location, Node, Op, Program, Shape};
use std::fmt::{self, Write};

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(self, f, usize::MAX)
    }
}

/// The text form for people: lists of more than eight numbers are cut with `...`.
pub fn summary(program: &Program) -> String {
    let mut out = String::new();
    print(program, &mut out, 8).expect("writing to a string");
    out
}

fn print(program: &Program, f: &mut dyn Write, most: usize) -> fmt::Result {
    writeln!(f, "program {}", quoted(&program.name))?;
    for (i, c) in program.constants.iter().enumerate() {
        let values = values(&c.value, most);
        writeln!(f, "const c{i} {}: {}{} = {values}", quoted(&c.name), c.value.dtype(), suffix(c.value.shape()))?;
    }
    for (i, s) in program.states.iter().enumerate() {
        let (dtype, shape) = (s.init.dtype(), suffix(s.init.shape()));
        write!(f, "state s{i} {}: {dtype}{shape} = {}", quoted(&s.name), values(&s.init, most))?;
        match s.next {
            Some(next) => writeln!(f, " -> {next}")?,
            None => writeln!(f)?,
        }
    }
    for (i, h) in program.histories.iter().enumerate() {
        writeln!(f, "history h{i} {}: {}{} x {}", quoted(&h.name), h.elem, suffix(&h.shape), h.rows)?;
    }
    for (i, input) in program.inputs.iter().enumerate() {
        writeln!(f, "input i{i} {}: {}{}", quoted(&input.name), input.dtype, suffix(&input.shape))?;
    }
    for (id, node) in program.iter() {
        write!(f, "{id} = {}: {}{}", operation(node), node.elem, suffix(&node.shape))?;
        if node.location != Location::UNKNOWN {
            let at = node.location;
            write!(f, "   @ {}:{}:{}", quoted(at.file), at.line, at.column)?;
        }
        writeln!(f)?;
    }
    for o in &program.outputs {
        writeln!(f, "output {}: {} = {}", quoted(&o.name), o.dtype, o.value)?;
    }
    Ok(())
}

fn suffix(shape: &Shape) -> String {
    if shape.is_scalar() { String::new() } else { shape.to_string() }
}

/// A name in double quotes, with `"` and `\` escaped.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

fn operation(node: &Node) -> String {
    match &node.op {
        Op::Literal(value) => format!("literal {}", literal(*value)),
        Op::Constant(id) => format!("constant {id}"),
        Op::Input(id) => format!("input {id}"),
        Op::State(id) => format!("state {id}"),
        Op::Unary(op, a) => format!("{} {a}", op.name()),
        Op::Binary(op, a, b) => format!("{} {a}, {b}", op.name()),
        Op::Compare(op, a, b) => format!("{} {a}, {b}", op.name()),
        Op::MulAdd(a, b, c) => format!("fma {a}, {b}, {c}"),
        Op::Select(c, a, b) => format!("select {c}, {a}, {b}"),
        Op::Cast(a) => format!("cast {a}"),
        Op::Bitcast(a) => format!("bitcast {a}"),
        Op::Reduce(op, axis, a) => format!("reduce.{} {axis}, {a}", op.name()),
        Op::Delay { history, value, delays } => format!("delay {history}, {value}, {delays}"),
        Op::Index => "index".into(),
        Op::Threefry { word, key, counter } => {
            format!("threefry.{} {}, {}, {}, {}", word.name(), key[0], key[1], counter[0], counter[1])
        }
        Op::Gather { source, indices } => format!("gather {source}, {indices}"),
        Op::Lookup { table, index } => format!("lookup {table}, {index}"),
        Op::SegmentSum { source, segments } => format!("segment_sum {source}, {segments}"),
        Op::Concat(parts) => {
            let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
            format!("concat {}", parts.join(", "))
        }
        Op::Regroup(a) => format!("regroup {a}"),
    }
}

/// A scalar so that reading gives the same bits.
pub(crate) fn literal(value: Literal) -> String {
    match value {
        Literal::Bool(v) => v.to_string(),
        Literal::I32(v) => v.to_string(),
        Literal::F32(v) if v.is_nan() => format!("nan:{:08x}", v.to_bits()),
        Literal::F64(v) if v.is_nan() => format!("nan:{:016x}", v.to_bits()),
        Literal::F32(v) => format!("{v:?}"),
        Literal::F64(v) => format!("{v:?}"),
    }
}

fn values(array: &Array, most: usize) -> String {
    let wide = array.data().widen();
    let item = |i: usize| match &wide {
        Data::Bool(v) => literal(Literal::Bool(v[i])),
        Data::I32(v) => literal(Literal::I32(v[i])),
        Data::F32(v) => literal(Literal::F32(v[i])),
        Data::F64(v) => literal(Literal::F64(v[i])),
        Data::F16(_) | Data::BF16(_) | Data::U8(_) | Data::U16(_) => unreachable!("widened"),
    };
    let uniform = (1..array.len()).all(|i| item(i) == item(0));
    let shown = if uniform { 1 } else { array.len().min(most) };
    let mut out: Vec<String> = (0..shown).map(item).collect();
    if !uniform && shown < array.len() {
        out.push("...".into());
    }
    out.join(", ")
}
