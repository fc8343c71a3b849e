//! What the safety of generated code rests on.
//!
//! Generated loads and stores are not bounds-checked. They stay inside their buffers if loops and groups have equal
//! sizes, if offsets and delays are constants within range, and if positions belong to their histories. Those are
//! properties of the lowered program, verified here once per compilation.

use super::CompileError;
use crate::ir::{BinaryOp, Bounds, DType, Data, Elem, Literal, ReduceOp};
use crate::loops::{
    ASIDE, Beside, Buffer, BufferId, Inst, LANES, LISTED, Log, Lowered, Map, Nest, Role, Scan, Typed, Val, Visit, Walk,
};

/// Checks a lowered program.
///
/// # Errors
/// [`CompileError::Malformed`] with the first instruction that breaks a rule.
pub(crate) fn check(lowered: &Lowered) -> Result<(), CompileError> {
    let own = own(lowered).and_then(|()| lowered.iter().try_for_each(|(id, found)| placed(lowered, id, found)));
    let made = |walk: Walk| lowered.nests.iter().any(|nest| nest.walk == walk);
    let lists = (0..lowered.scans.len()).all(|scan| made(Walk::Scan(scan)));
    let logs = (0..lowered.logs.len()).all(|log| made(Walk::Replay(log)));
    let own = own.and_then(|()| ensure(lists && logs, || "a list or log that no nest makes".into()));
    own.map_err(|why| CompileError::Malformed { nest: 0, inst: 0, why })?;
    for (n, nest) in lowered.nests.iter().enumerate() {
        let walk = match &nest.walk {
            Walk::All => Ok(()),
            Walk::Visit(visit) => self::visit(lowered, nest, visit),
            Walk::Scan(scan) => match lowered.scans.get(*scan) {
                Some(scan) => self::scan(lowered, scan),
                None => Err("no such list of events".into()),
            },
            Walk::Replay(log) => match lowered.logs.get(*log) {
                Some(log) => self::log(lowered, n, log)?,
                None => Err("no such log of events".into()),
            },
        };
        walk.map_err(|why| CompileError::Malformed { nest: n, inst: 0, why })?;
        for (i, typed) in nest.insts.iter().enumerate() {
            inst(lowered, nest, i, &typed.inst).map_err(|why| CompileError::Malformed { nest: n, inst: i, why })?;
        }
    }
    for (n, nest) in lowered.settles.iter().enumerate() {
        for (i, typed) in nest.insts.iter().enumerate() {
            let malformed = |why| CompileError::Malformed { nest: lowered.nests.len() + n, inst: i, why };
            let kind = !typed.inst.is_effect() || matches!(typed.inst, Inst::Store { .. });
            ensure(kind && nest.walk == Walk::All, || "a state is settled by more than stores".into())
                .and_then(|()| inst(lowered, nest, i, &typed.inst))
                .map_err(malformed)?;
        }
    }
    Ok(())
}

/// The amount of a shift; `None` for other operations and for amounts that are not literals.
pub(crate) fn shift_amount(nest: &Nest, op: BinaryOp, amount: Val) -> Option<i32> {
    match (op, &nest.insts[amount.index()].inst) {
        (BinaryOp::Shl | BinaryOp::Shr, Inst::Literal(Literal::I32(by))) => Some(*by),
        _ => None,
    }
}

fn ensure(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}

/// What lists and logs trust to be as they wrote it, each has for itself.
fn own(lowered: &Lowered) -> Result<(), String> {
    let mut seen = Vec::new();
    for id in owned(lowered) {
        ensure(!seen.contains(&id), || format!("{id} is written by two lists or logs"))?;
        seen.push(id);
    }
    Ok(())
}

/// An array that lies by delay: every element has its place in it.
fn placed(lowered: &Lowered, id: BufferId, found: &Buffer) -> Result<(), String> {
    let Some(placed) = &found.placed else { return Ok(()) };
    let places = buffer(lowered, placed.places)?;
    let Data::U16(values) = placed.table.data() else {
        return Err(format!("{} does not hold places", placed.places));
    };
    let holds_table = |buffer: &Buffer| {
        let same = matches!(&buffer.role, Role::Constant(table) if table.same_bits(&placed.table));
        same && buffer.dtype == DType::U16 && buffer.sizes() == found.sizes() && buffer.placed.is_none()
    };
    ensure(holds_table(places), || format!("{} does not hold places", placed.places))?;
    let fits = places.turned && found.turned && placed.bits < 16 && placed.table.shape().sizes() == found.sizes();
    ensure(fits, || format!("{id} does not fit its places"))?;
    let arrivals = lowered.scans.get(placed.scan).and_then(|scan| scan.delayed.as_ref());
    let delays =
        match arrivals.and_then(|arrivals| lowered.buffers.get(arrivals.delays.index())).map(|delays| &delays.role) {
            Some(Role::Constant(delays)) => delays.to_i32(),
            _ => Vec::new(),
        };
    let marked = |(&value, &delay): (&u16, &i32)| i32::from(value) >> placed.bits == delay;
    let inside = values.iter().all(|&value| placed.place(value) < placed.pitch)
        && delays.len() == values.len()
        && values.iter().zip(&delays).all(marked);
    if let Some(across) = placed.across {
        let across = buffer(lowered, across)?;
        ensure(holds_table(across) && !across.turned, || format!("{id} has two tables of places"))?;
    }
    // One table for each list of events: whoever looks a place up does so once for all arrays.
    let others = lowered.buffers.iter().filter_map(|buffer| buffer.placed.as_ref());
    let one = others
        .filter(|other| other.scan == placed.scan)
        .all(|other| (other.places, other.across, other.bits) == (placed.places, placed.across, placed.bits));
    ensure(inside && one && found.sizes().len() == 2, || format!("{id} does not fit its places"))
}

/// Accesses to arrays that lie by delay are those of visits of lists that lie alike, and of replays.
fn by_delay(lowered: &Lowered, nest: &Nest, id: BufferId, map: &Map) -> Result<(), String> {
    let Some(placed) = &buffer(lowered, id)?.placed else { return Ok(()) };
    let (list, element) = match nest.walk {
        Walk::Replay(log) => (lowered.logs.get(log).map(|log| log.scan), [2, 0]),
        _ => (nest.visit().filter(|visit| visit.rows.is_empty()).and_then(|visit| visit.scan), [0, 1]),
    };
    let arrivals = lowered.scans.get(placed.scan).and_then(|scan| scan.delayed.as_ref());
    let alike = list == Some(placed.scan) && arrivals.is_some_and(|arrivals| arrivals.pitch == placed.pitch);
    ensure(alike && *map == element, || format!("{id} lies by delay, which its accesses do not follow"))
}

fn owned(lowered: &Lowered) -> impl Iterator<Item = BufferId> {
    let lists = lowered.scans.iter().flat_map(|scan| [scan.list, scan.count]);
    let logs = lowered.logs.iter().flat_map(|log| {
        let values = log.values.iter().map(|(_, to)| *to);
        let numbers = [log.head, log.step, log.before, log.whole, log.next];
        values.chain([log.entries, log.columns, log.recent, log.older, log.aside]).chain(numbers)
    });
    let copies = lowered.nests.iter().filter_map(|nest| nest.visit()?.beside.as_ref().map(|beside| beside.copy));
    lists.chain(logs).chain(copies)
}

/// An error if instructions must not write a buffer: others trust what it holds.
fn writable(lowered: &Lowered, id: BufferId) -> Result<(), String> {
    let free = matches!(buffer(lowered, id)?.role, Role::State(_) | Role::Output | Role::Temporary);
    ensure(free && !owned(lowered).any(|own| own == id), || format!("a store into {id}, which is not free"))
}

fn inst(lowered: &Lowered, nest: &Nest, position: usize, inst: &Inst) -> Result<(), String> {
    for operand in inst.operands() {
        let known = operand.index() < position && !nest.insts[operand.index()].inst.is_effect();
        ensure(known, || format!("{operand} is not a value defined before"))?;
    }
    let elem = |v: &Val| nest.insts[v.index()].elem;
    match inst {
        Inst::Binary(op @ (BinaryOp::Shl | BinaryOp::Shr), _, b) => {
            ensure(shift_amount(nest, *op, *b).is_some(), || "a shift by something that is not a literal".into())
        }
        Inst::Load { buffer, map } => {
            array(lowered, nest, *buffer, map)?;
            by_delay(lowered, nest, *buffer, map)
        }
        Inst::LoadAt { buffer, offsets, map } => {
            let target = plain(lowered, *buffer)?;
            indices(lowered, nest, *offsets, map, target.padded_len())?;
            int32(lowered, *offsets)
        }
        Inst::LoadDelayed { history, map, delays, delays_map } => {
            let rows = self::history(lowered, *history)?;
            array(lowered, nest, *history, map)?;
            indices(lowered, nest, *delays, delays_map, rows)
        }
        Inst::Lookup { table, index } => {
            let found = plain(lowered, *table)?;
            let row = found.sizes().len() == 1 && found.inner() > 0 && !found.turned;
            let numbers = matches!(found.role, Role::Constant(_)) && found.dtype != DType::Bool;
            ensure(row && numbers, || format!("{table} is not a table"))?;
            ensure(elem(index) == Elem::I32, || format!("a lookup at {}", elem(index)))
        }
        Inst::Store { buffer, map, .. } => {
            let target = array(lowered, nest, *buffer, map)?;
            ensure(!matches!(target.role, Role::History { .. }), || "a plain store into a history".into())?;
            writable(lowered, *buffer)?;
            by_delay(lowered, nest, *buffer, map)?;
            // A replay goes over entries, of which each is one row.
            covers(nest, map, matches!(nest.walk, Walk::Replay(_)).then_some(1))
        }
        Inst::StoreRow { history, map, .. } => {
            self::history(lowered, *history)?;
            array(lowered, nest, *history, map)?;
            covers(nest, map, None)
        }
        Inst::StoreAt { buffer, base, .. } => {
            writable(lowered, *buffer)?;
            let sizes = plain(lowered, *buffer)?.sizes();
            let fits = sizes.len() == 1 && base + nest.size() <= sizes[0];
            ensure(fits, || format!("{} elements at {base} do not fit {sizes:?}", nest.size()))
        }
        Inst::Reduce { op, over, value, buffer, map } => {
            let target = array(lowered, nest, *buffer, map)?;
            writable(lowered, *buffer)?;
            let bits = matches!(op, ReduceOp::Any | ReduceOp::All);
            ensure(*over < nest.sizes.len(), || format!("no loop {over} to reduce over"))?;
            ensure(target.dtype == elem(value).dtype(), || format!("{} summed in {}", elem(value), target.dtype))?;
            ensure(bits == (elem(value) == Elem::Bool), || format!("{} of {}", op.name(), elem(value)))?;
            covers(nest, map, Some(*over))
        }
        Inst::ScatterAdd { buffer, offsets, map, value } => {
            let target = plain(lowered, *buffer)?;
            writable(lowered, *buffer)?;
            let sums = target.dtype == elem(value).dtype() && target.dtype != DType::Bool;
            ensure(sums, || format!("{} added in {}", elem(value), target.dtype))?;
            indices(lowered, nest, *offsets, map, target.padded_len())?;
            int32(lowered, *offsets)?;
            covers(nest, map, None)
        }
        Inst::Literal(_)
        | Inst::Unary(..)
        | Inst::Binary(..)
        | Inst::Compare(..)
        | Inst::MulAdd(..)
        | Inst::Select(..)
        | Inst::Cast(..)
        | Inst::Bitcast(..)
        | Inst::Index
        | Inst::Threefry { .. } => Ok(()),
    }
}

/// Buffers of a visit: bits over rows, partial sums of every row.
fn visit(lowered: &Lowered, nest: &Nest, visit: &Visit) -> Result<(), String> {
    ensure(nest.sizes.len() == 2, || format!("a visit of {} loops", nest.sizes.len()))?;
    ensure(lowered.dense.is_some(), || "a visit without the switch to go over all elements".into())?;
    for bits in &visit.rows {
        let found = array(lowered, nest, *bits, &vec![0])?;
        ensure(found.dtype == DType::Bool, || format!("events {bits} are not truth values"))?;
    }
    if let Some(scan) = visit.scan {
        let scan = lowered.scans.get(scan).ok_or("no such list of events")?;
        ensure(scan.sizes == nest.sizes[..], || "events of another domain".into())?;
    }
    let sums: Vec<&Typed> = nest.insts.iter().filter(|t| matches!(t.inst, Inst::Reduce { .. })).collect();
    for typed in sums {
        let Inst::Reduce { op, over, buffer, .. } = typed.inst else { unreachable!("filtered") };
        let into = visit.sums.iter().find(|(to, _)| *to == buffer).map(|(_, partials)| lowered.buffer(*partials));
        let wide = into.is_some_and(|p| {
            p.sizes() == [LANES, nest.sizes[0]] && p.dtype == typed.elem.dtype() && p.role == Role::Log
        });
        ensure(wide && over == 1 && op == ReduceOp::Sum, || format!("the sum into {buffer} cannot be taken in parts"))?;
    }
    if let Some(Beside { values, copy }) = &visit.beside {
        let stored = |id| {
            nest.insts
                .iter()
                .any(|t| matches!(t.inst, Inst::Store { buffer, .. } | Inst::Reduce { buffer, .. } if buffer == id))
        };
        for &id in values {
            let found = array(lowered, nest, id, &vec![0])?;
            ensure(found.dtype == DType::F32 && !found.turned && !stored(id), || format!("{id} is not to be copied"))?;
        }
        let (found, sizes) = (buffer(lowered, *copy)?, [Beside::elements(nest.sizes[0], values.len())]);
        let fits = found.sizes() == sizes && found.dtype == DType::F32 && found.role == Role::Temporary;
        ensure(fits && (2..=4).contains(&values.len()), || format!("{copy} is not a copy of values of rows"))?;
    }
    let allowed = |t: &Typed| !matches!(t.inst, Inst::StoreRow { .. } | Inst::StoreAt { .. } | Inst::ScatterAdd { .. });
    ensure(nest.insts.iter().all(allowed), || "a visit pushes, joins or scatters".into())
}

/// Buffers of a list of events: bits over columns, lists of arrivals that point to rows, room for the list.
fn scan(lowered: &Lowered, scan: &Scan) -> Result<(), String> {
    ensure(lowered.dense.is_some(), || "a list of events without the switch".into())?;
    let domain = Nest { sizes: scan.sizes.to_vec(), ..Nest::default() };
    for bits in &scan.columns {
        let found = array(lowered, &domain, *bits, &vec![1])?;
        ensure(found.dtype == DType::Bool, || format!("events {bits} are not truth values"))?;
    }
    let working = |id: BufferId, sizes: &[usize]| {
        let found = buffer(lowered, id)?;
        let fits = found.sizes() == sizes && found.dtype == DType::I32 && found.role == Role::Temporary;
        ensure(fits, || format!("{id} does not hold a list of events"))
    };
    working(scan.list, &[LISTED * (scan.most + scan.block())])?;
    working(scan.count, &[])?;
    let Some(arrivals) = &scan.delayed else { return Ok(()) };
    let rows = history(lowered, arrivals.history)?;
    let past = array(lowered, &domain, arrivals.history, &vec![1])?;
    let fits = past.dtype == DType::U8 && arrivals.least + arrivals.steps <= rows && arrivals.steps > 0;
    ensure(fits, || "arrivals of another history".into())?;
    indices(lowered, &domain, arrivals.delays, &vec![0, 1], rows)?;
    let constant = |id: BufferId| match &buffer(lowered, id)?.role {
        Role::Constant(values) => Ok(values),
        _ => Err(format!("{id} is not constant")),
    };
    let (lists, targets) = (constant(arrivals.lists)?, constant(arrivals.targets)?);
    let (Data::I32(lists), Data::U16(targets)) = (lists.data(), targets.data()) else {
        return Err("lists of arrivals of another type".into());
    };
    let [_, columns] = scan.sizes;
    let pitch = arrivals.pitch;
    let enough = lists.len() == 2 * columns * arrivals.steps && targets.len() == columns * pitch && pitch % 4 == 0;
    // Four rows are read at a time.
    let within = |(number, list): (usize, &[i32])| {
        let start = number / arrivals.steps * pitch;
        let [from, to] = [list[0], list[1]].map(|at| usize::try_from(at).unwrap_or(usize::MAX));
        from % 4 == 0 && to % 4 == 0 && start <= from && from <= to && to <= start + pitch
    };
    ensure(enough && lists.chunks(2).enumerate().all(within), || "lists of arrivals that do not exist".into())?;
    // Vectorised, unlike a search.
    let inside = targets.is_empty() || usize::from(targets.iter().copied().fold(0, u16::max)) < scan.sizes[0];
    ensure(inside, || "arrivals at rows that do not exist".into())
}

/// Buffers of what is put off, and the instructions that replay it. Entries come from bits over the rows, so rows are inside.
fn log(lowered: &Lowered, nest: usize, log: &Log) -> Result<Result<(), String>, CompileError> {
    for (i, typed) in log.replay.insts.iter().enumerate() {
        inst(lowered, &log.replay, i, &typed.inst).map_err(|why| CompileError::Malformed { nest, inst: i, why })?;
    }
    Ok(log_buffers(lowered, log))
}

fn log_buffers(lowered: &Lowered, log: &Log) -> Result<(), String> {
    let &[columns, entries, rows] = &log.replay.sizes[..] else { return Err("a replay has three loops".into()) };
    let loads = |t: &Typed| !t.inst.is_effect() || matches!(t.inst, Inst::Store { buffer, .. } if buffer == log.state);
    ensure(log.replay.insts.iter().all(loads), || "a replay changes more than its state".into())?;
    // A past that reaches back from an older step than this wraps more than once.
    for typed in &log.replay.insts {
        if let Inst::LoadDelayed { history, .. } = typed.inst {
            let kept = self::history(lowered, history)?;
            let wraps = kept.is_power_of_two() && kept <= 1 << 16;
            ensure(wraps, || format!("a replay reads {history}, which has {kept} rows"))?;
        }
    }
    let scan = lowered.scans.get(log.scan).ok_or("no such list of events")?;
    ensure(scan.sizes == [rows, columns] && rows <= 1 << 16, || "events of another domain".into())?;
    ensure(entries.is_power_of_two() && entries < 1 << 31, || format!("{entries} entries"))?;
    let domain = Nest { sizes: vec![rows, columns], ..Nest::default() };
    for bits in &log.rows {
        let found = array(lowered, &domain, *bits, &vec![0])?;
        ensure(found.dtype == DType::Bool, || format!("events {bits} are not truth values"))?;
    }
    let working = |id: BufferId, sizes: &[usize]| {
        let found = buffer(lowered, id)?;
        let fits = found.sizes() == sizes && found.dtype == DType::I32 && found.role == Role::Log;
        ensure(fits, || format!("{id} does not hold a log"))
    };
    working(log.entries, &[entries])?;
    working(log.columns, &[4 * columns])?;
    let steps = scan.delayed.as_ref().map_or(1, |arrivals| arrivals.steps);
    ensure(steps <= 64, || format!("{steps} delays"))?;
    working(log.recent, &[4 * (columns + 1)])?;
    working(log.older, &[2 * (columns + 1)])?;
    [log.head, log.step, log.before, log.whole, log.next].into_iter().try_for_each(|id| working(id, &[]))?;
    working(log.aside, &[ASIDE])?;
    for (from, to) in &log.values {
        let (from, to) = (plain(lowered, *from)?, plain(lowered, *to)?);
        let same = from.dtype == to.dtype || (from.dtype, to.dtype) == (DType::Bool, DType::U8);
        let wide = same && to.sizes() == [entries] && to.role == Role::Log;
        let fits = wide && (from.sizes() == [rows] || from.shape.is_scalar()) && !from.turned;
        ensure(fits, || "values that do not fit their log".into())?;
    }
    Ok(())
}

fn buffer(lowered: &Lowered, id: BufferId) -> Result<&Buffer, String> {
    lowered.buffers.get(id.index()).ok_or_else(|| format!("no buffer {id}"))
}

/// A buffer that is one array.
fn plain(lowered: &Lowered, id: BufferId) -> Result<&Buffer, String> {
    let found = buffer(lowered, id)?;
    ensure(!matches!(found.role, Role::History { .. }), || format!("{id} is a history"))?;
    Ok(found)
}

/// A buffer whose groups have the sizes of the loops they follow.
fn array<'l>(lowered: &'l Lowered, nest: &Nest, id: BufferId, map: &Map) -> Result<&'l Buffer, String> {
    let found = buffer(lowered, id)?;
    let loops: Vec<Option<usize>> = map.iter().map(|&l| nest.sizes.get(l).copied()).collect();
    let groups: Vec<Option<usize>> = found.sizes().into_iter().map(Some).collect();
    ensure(loops == groups, || format!("{id} has sizes {groups:?}, its map {map:?} has {loops:?}"))?;
    let distinct = map.iter().enumerate().all(|(i, l)| !map[..i].contains(l));
    ensure(distinct, || format!("{map:?} follows a loop twice"))?;
    Ok(found)
}

fn covers(nest: &Nest, map: &Map, except: Option<usize>) -> Result<(), String> {
    let missing = (0..nest.sizes.len()).find(|l| Some(*l) != except && !map.contains(l));
    ensure(missing.is_none(), || format!("{map:?} does not cover the loops {:?}", nest.sizes))
}

/// An `i32` buffer, as offsets are.
fn int32(lowered: &Lowered, id: BufferId) -> Result<(), String> {
    ensure(buffer(lowered, id)?.dtype == DType::I32, || format!("offsets {id} are not i32"))
}

/// A constant integer buffer with values below `bound`.
fn indices(lowered: &Lowered, nest: &Nest, id: BufferId, map: &Map, bound: usize) -> Result<(), String> {
    let found = array(lowered, nest, id, map)?;
    ensure(found.dtype.elem() == Elem::I32, || format!("{id} does not hold integers"))?;
    let Role::Constant(values) = &found.role else { return Err(format!("{id} is not constant")) };
    ensure(bound > 0, || format!("{id} points into nothing"))?;
    let Bounds { low, high, .. } = values.bounds();
    let inside = values.is_empty() || low >= 0.0 && high < bound as f64;
    ensure(inside, || format!("{id} holds {low} to {high}, the bound is {bound}"))
}

/// The number of rows of a history whose position is its own.
fn history(lowered: &Lowered, id: BufferId) -> Result<usize, String> {
    let found = buffer(lowered, id)?;
    let Role::History { rows, position, .. } = found.role else { return Err(format!("{id} is not a history")) };
    let position = buffer(lowered, position)?;
    let owned = position.role == Role::Position { rows } && position.dtype == DType::I32 && position.shape.is_scalar();
    ensure(owned && rows > 0, || format!("history {id} of {rows} rows has the position {position:?}"))?;
    ensure(found.dtype != DType::Bool, || format!("history {id} stores bits"))?;
    Ok(rows)
}
