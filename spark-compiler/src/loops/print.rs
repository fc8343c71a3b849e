//! The text form of lowered programs, for `inspect --loops` and tests.

use super::buffer::{Buffer, BufferId, Role};
use super::nest::{Inst, Lowered, Map, Nest, Val, Walk};
use crate::ir::print::literal;
use std::fmt::{self, Write};

impl fmt::Display for Lowered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let loops = self.nests.len();
        writeln!(f, "kernel {}: {loops} loop nests, {} bytes", self.name, self.bytes())?;
        for (id, buffer) in self.iter() {
            writeln!(f, "  {id} {}", describe(buffer))?;
        }
        for (i, nest) in self.nests.iter().enumerate() {
            write_nest(f, self, i, nest)?;
        }
        Ok(())
    }
}

fn describe(buffer: &Buffer) -> String {
    let role = match &buffer.role {
        Role::Constant(_) => "constant".to_string(),
        Role::State(_) => "state".to_string(),
        Role::History { rows, .. } => format!("history of {rows} rows"),
        Role::Position { .. } => "position".to_string(),
        Role::Input => "input".to_string(),
        Role::Output => "output".to_string(),
        Role::Temporary => "temporary".to_string(),
        Role::Log => "log".to_string(),
        Role::Dense => "switch".to_string(),
    };
    let turned = match (buffer.turned, &buffer.placed) {
        (_, Some(placed)) => format!(", by delay as {}", placed.places),
        (true, None) => ", column by column".into(),
        (false, None) => String::new(),
    };
    format!("{}{}: {role} \"{}\"{turned}", buffer.dtype, buffer.shape, buffer.name)
}

/// Names of loop indices, outermost first.
fn index(level: usize) -> char {
    char::from(b'i' + (level % 18) as u8)
}

fn write_nest(f: &mut fmt::Formatter<'_>, lowered: &Lowered, number: usize, nest: &Nest) -> fmt::Result {
    write!(f, "nest {number}:")?;
    if nest.sizes.is_empty() && nest.walk == Walk::All {
        write!(f, " once")?;
    }
    for (level, size) in nest.sizes.iter().enumerate() {
        write!(f, " for {} in 0..{size}", index(level))?;
    }
    let name = |id: &BufferId| format!("`{}`", lowered.buffer(*id).name);
    let listed = |scan: usize| {
        let scan = &lowered.scans[scan];
        let columns = scan.columns.iter().map(|id| format!("columns of {}", name(id)));
        let delayed = scan.delayed.iter().map(|a| format!("arrivals of {}", name(&a.history)));
        columns.chain(delayed).collect::<Vec<_>>().join(" or ")
    };
    match &nest.walk {
        Walk::All => {}
        Walk::Visit(visit) => {
            let rows = visit.rows.iter().map(|id| format!("rows of {}", name(id)));
            write!(f, " where {}", rows.chain(visit.scan.map(listed)).collect::<Vec<_>>().join(" or "))?;
            let later = visit.log.iter().flat_map(|&log| &lowered.logs[log].rows);
            let later = later.map(name).collect::<Vec<_>>().join(" or ");
            if !later.is_empty() {
                write!(f, ", later rows of {later}")?;
            }
            if let Some(beside) = &visit.beside {
                let values = beside.values.iter().map(name).collect::<Vec<_>>().join(" and ");
                write!(f, ", {values} beside each other")?;
            }
        }
        Walk::Scan(scan) => write!(f, " list {}", listed(*scan))?,
        Walk::Replay(log) => {
            let log = &lowered.logs[*log];
            let rows = log.rows.iter().map(name).collect::<Vec<_>>().join(" or ");
            write!(f, " replay rows of {rows} in {} where {}", name(&log.state), listed(log.scan))?;
        }
    }
    writeln!(f)?;
    let body = if let Walk::Replay(log) = nest.walk { &lowered.logs[log].replay } else { nest };
    for (i, typed) in body.insts.iter().enumerate() {
        let text = instruction(lowered, &typed.inst);
        if typed.inst.is_effect() {
            writeln!(f, "  {text}")?;
        } else {
            writeln!(f, "  v{i}: {} = {text}", typed.elem)?;
        }
    }
    Ok(())
}

fn element(lowered: &Lowered, buffer: super::BufferId, map: &Map) -> String {
    let mut out = lowered.buffer(buffer).name.clone();
    out.push('[');
    for (i, &level) in map.iter().enumerate() {
        let comma = if i == 0 { "" } else { ", " };
        write!(out, "{comma}{}", index(level)).expect("writing to a string");
    }
    out.push(']');
    out
}

fn instruction(lowered: &Lowered, inst: &Inst) -> String {
    let at = |buffer, map: &Map| element(lowered, buffer, map);
    let list = |vals: &[Val]| vals.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match inst {
        Inst::Literal(value) => literal(*value),
        Inst::Load { buffer, map } => format!("load {}", at(*buffer, map)),
        Inst::LoadAt { buffer, offsets, map } => {
            format!("load {}[{}]", lowered.buffer(*buffer).name, at(*offsets, map))
        }
        Inst::LoadDelayed { history, map, delays, delays_map } => {
            format!("load {} delayed by {}", at(*history, map), at(*delays, delays_map))
        }
        Inst::Lookup { table, index } => format!("look up {}[{index}]", lowered.buffer(*table).name),
        Inst::Unary(op, a) => format!("{} {a}", op.name()),
        Inst::Binary(op, a, b) => format!("{} {a}, {b}", op.name()),
        Inst::Compare(op, a, b) => format!("{} {a}, {b}", op.name()),
        Inst::MulAdd(a, b, c) => format!("fma {a}, {b}, {c}"),
        Inst::Select(c, a, b) => format!("select {c}, {a}, {b}"),
        Inst::Cast(a, elem) => format!("cast {a} to {elem}"),
        Inst::Bitcast(a, elem) => format!("bitcast {a} to {elem}"),
        Inst::Index => "index".into(),
        Inst::Threefry { word, key, counter } => {
            format!("threefry.{} key {}, counter {}", word.name(), list(key), list(counter))
        }
        Inst::Store { buffer, map, value } => format!("store {} = {value}", at(*buffer, map)),
        Inst::StoreRow { history, map, value } => format!("push {} = {value}", at(*history, map)),
        Inst::StoreAt { buffer, base, value } => {
            format!("store {}[{base} + index] = {value}", lowered.buffer(*buffer).name)
        }
        Inst::Reduce { op, over, value, buffer, map } => {
            format!("{} over {} of {value} into {}", op.name(), index(*over), at(*buffer, map))
        }
        Inst::ScatterAdd { buffer, offsets, map, value } => {
            format!("{}[{}] += {value}", lowered.buffer(*buffer).name, at(*offsets, map))
        }
    }
}
