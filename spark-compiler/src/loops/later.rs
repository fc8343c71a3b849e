//! Logs: the buffers for events of rows that are put off, and the nest that replays them.

use super::buffer::{BufferId, Role};
use super::fuse::{Building, Lowering};
use super::nest::{Inst, Log, Map, Nest, Typed, Val, Walk};
use super::schedule::resolve;
use crate::ir::{Array, Axis, DType, Elem, Literal, Location, Op, OpId, Shape, StateId};
use crate::passes::Later;
use std::collections::HashMap;

/// Numbers that have room for one of any type.
pub(crate) const ASIDE: usize = 2;

/// Loops of a replay: over columns, entries and rows.
const COLUMN: usize = 0;
const ENTRY: usize = 1;
const ROW: usize = 2;

impl Lowering<'_> {
    /// Brings the states that a visit reads up to date before it, and has it write down what is put off.
    pub(super) fn replay_before(&mut self, number: usize, scan: Option<usize>, building: &Building) -> Option<usize> {
        let loaded = |typed: &Typed| if let Inst::Load { buffer, .. } = typed.inst { Some(buffer) } else { None };
        let read: Vec<BufferId> = building.nest.insts.iter().filter_map(loaded).collect();
        let visits = self.visits;
        for visit in &visits.list {
            let (Some(later), &[state], Some(scan)) = (&visit.later, &visit.states[..], scan) else { continue };
            let buffer = self.states[&state];
            if read.contains(&buffer) && !self.logs.contains_key(&buffer) {
                let log = self.log(state, later, scan);
                self.out.nests.push(Nest { walk: Walk::Replay(log), ..Nest::default() });
                self.logs.insert(buffer, log);
            }
        }
        let visit = &visits.list[number];
        let log = visit.later.as_ref().and(visit.states.first()).map(|state| self.logs[&self.states[state]])?;
        self.out.nests.extend(self.pushes.remove(&log).into_iter().flatten());
        Some(log)
    }

    fn log(&mut self, state: StateId, later: &Later, scan: usize) -> usize {
        let domain = self.program.state(state).init.shape().clone();
        let (rows, columns) = (domain.groups()[0].size(), domain.groups()[1].size());
        let deepest = later.nodes.iter().filter_map(|&id| match self.program.node(id).op {
            Op::Delay { history, .. } => Some(self.program.history(history).rows),
            _ => None,
        });
        let deepest = deepest.max().unwrap_or(1);
        let kept = later.kept;
        // Between two turns of a column the past must reach back to the oldest entry, and from there by the longest delay.
        // A column comes twice in that time: what most columns lack when their turn comes is young, and can wait until the next.
        let back = kept - deepest - 2;
        let turns = columns.div_ceil(back / 2).max(1);
        let young = back - columns.div_ceil(turns);
        let capacity = (rows * kept).next_power_of_two();
        let mut replay = Replay {
            nest: Nest { sizes: vec![columns, capacity, rows], ..Nest::default() },
            values: HashMap::new(),
            logged: Vec::new(),
            pushes: Vec::new(),
            domain,
            kept,
        };
        for &id in &later.nodes {
            self.replayed(&mut replay, &later.nodes, id);
        }
        replay.nest.walk = Walk::Replay(self.out.logs.len());
        let value = replay.values[&later.root];
        let node = self.program.node(later.root);
        let buffer = self.states[&state];
        let inst = Inst::Store { buffer, map: vec![ROW, COLUMN], value };
        replay.nest.insts.push(Typed { inst, elem: node.elem, location: node.location });
        let entries = Shape::of(Axis::anonymous(0), &[capacity]);
        let events = later.rows.iter().map(|&id| self.memory_of(resolve(self.program, id))).collect();
        let mut number = |name: &str, shape: Shape| self.buffer(name, Role::Log, DType::I32, shape);
        let log = Log {
            state: buffer,
            rows: events,
            scan,
            values: replay.logged,
            entries: number("later.entries", entries),
            head: number("later.head", Shape::scalar()),
            step: number("later.step", Shape::scalar()),
            columns: number("later.columns", Shape::of(Axis::anonymous(0), &[4 * columns])),
            before: number("later.before", Shape::scalar()),
            recent: number("later.recent", Shape::of(Axis::anonymous(0), &[4 * (columns + 1)])),
            older: number("later.older", Shape::of(Axis::anonymous(0), &[2 * (columns + 1)])),
            aside: number("later.aside", Shape::of(Axis::anonymous(0), &[ASIDE])),
            whole: number("later.whole", Shape::scalar()),
            next: number("later.next", Shape::scalar()),
            turns,
            young,
            replay: replay.nest,
        };
        self.out.logs.push(log);
        self.pushes.insert(self.out.logs.len() - 1, replay.pushes);
        self.out.logs.len() - 1
    }

    /// The value of an operation of `nodes`, or of what they need, in a replay.
    fn replayed(&mut self, replay: &mut Replay, nodes: &[OpId], id: OpId) -> Val {
        if let Some(&value) = replay.values.get(&id) {
            return value;
        }
        let program = self.program;
        let node = program.node(id);
        let inst = if let Op::Literal(literal) = node.op {
            Inst::Literal(literal)
        } else if !nodes.contains(&id) {
            self.remembered(replay, id)
        } else if let Op::Delay { history, delays, .. } = node.op {
            let ring = self.histories[&history];
            self.lengthen(ring, replay.kept);
            let delays_map = replay.map(program.constant(delays).value.shape());
            Inst::LoadDelayed { history: ring, map: vec![COLUMN], delays: self.constant(delays), delays_map }
        } else {
            let inst = Inst::elementwise(&node.op, node.elem, |operand| self.replayed(replay, nodes, operand));
            inst.unwrap_or_else(|| crate::bug!("{id} is not an operation on single elements"))
        };
        replay.nest.insts.push(Typed { inst, elem: node.elem, location: node.location });
        let value = Val(replay.nest.insts.len() as u32 - 1);
        replay.values.insert(id, value);
        value
    }

    /// What is needed of a step long after it: the element as it is, constants, values written down with the entry, and the past
    /// of columns.
    fn remembered(&mut self, replay: &mut Replay, id: OpId) -> Inst {
        let program = self.program;
        let source = resolve(program, id);
        let (elem, shape) = (program.node(source).elem, &program.node(id).shape);
        let buffer = self.memory_of(source);
        let map = replay.map(shape);
        if matches!(program.node(source).op, Op::Constant(_)) || map.len() == 2 {
            return Inst::Load { buffer, map };
        }
        // Memory has truth values of such kinds in bytes.
        let dtype = if elem == Elem::Bool { DType::U8 } else { elem.dtype() };
        if map == [COLUMN] {
            let (rows, shape) = (replay.kept, shape.clone());
            let position = self.buffer("later.past.position", Role::Position { rows }, DType::I32, Shape::scalar());
            let history = self.buffer("later.past", Role::History { rows, depth: 0, position }, dtype, shape);
            let mut push = Nest { sizes: vec![replay.nest.sizes[COLUMN]], ..Nest::default() };
            let insts = [Inst::Load { buffer, map: vec![0] }, Inst::StoreRow { history, map: vec![0], value: Val(0) }];
            push.insts = insts.map(|inst| Typed { inst, elem, location: Location::UNKNOWN }).into();
            replay.pushes.push(push);
            let now = Role::Constant(Array::scalar(Literal::I32(0)));
            let delays = self.buffer("now", now, DType::I32, Shape::scalar());
            return Inst::LoadDelayed { history, map, delays, delays_map: vec![] };
        }
        let number = replay.nest.sizes[ENTRY];
        let dtype = match self.out.buffer(buffer).dtype {
            DType::Bool => DType::U8,
            dtype => dtype,
        };
        let log = self.buffer("later.values", Role::Log, dtype, Shape::of(Axis::anonymous(0), &[number]));
        replay.logged.push((buffer, log));
        Inst::Load { buffer: log, map: vec![ENTRY] }
    }

    /// Keeps `rows` rows of a history, or more.
    fn lengthen(&mut self, history: BufferId, rows: usize) {
        let Role::History { rows: kept, position, .. } = &mut self.out.buffers[history.index()].role else {
            crate::bug!("{history} is not a history")
        };
        *kept = rows.max(*kept);
        let (rows, position) = (*kept, *position);
        self.out.buffers[position.index()].role = Role::Position { rows };
    }
}

/// A replay under construction.
struct Replay {
    nest: Nest,
    values: HashMap<OpId, Val>,
    /// Values of rows, and where those of each entry are.
    logged: Vec<(BufferId, BufferId)>,
    /// Nests that push values of columns.
    pushes: Vec<Nest>,
    domain: Shape,
    /// Steps for which the past of columns is kept.
    kept: usize,
}

impl Replay {
    /// The loops that the groups of `shape` follow.
    fn map(&self, shape: &Shape) -> Map {
        let rows = self.domain.groups()[0].axis;
        shape.groups().iter().map(|group| if group.axis == rows { ROW } else { COLUMN }).collect()
    }
}
