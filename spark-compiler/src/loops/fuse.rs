//! Fusion: an optimised program becomes loop nests over buffers.
//!
//! In: [`Optimized`]. Out: [`Lowered`], one nest per place of the schedule (see `schedule.rs`). Values used in their own
//! nest stay in registers; values that another nest reads are stored once, into an output's buffer if one has the right
//! type, else into a temporary.
//!
//! Invariant: a state is stored only when every read of its old value has happened, in an earlier nest or at the same
//! element earlier in the same nest. Where the schedule does not give that, the new value goes through a temporary and a
//! last nest copies it.

use super::buffer::{Buffer, BufferId, Role};
use super::nest::{Inst, Lowered, Map, Nest, Typed, Val};
use super::schedule::{self, Place, complete_only, is_read, resolve};
use super::visits;
use crate::ir::{
    Array, ConstId, DType, Data, Elem, HistoryId, InputId, Literal, Location, Op, OpId, Program, Shape, StateId,
};
use crate::passes::{Optimized, Visits};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

/// Lowers a program to loop nests.
pub fn lower(optimized: &Optimized) -> Lowered {
    let mut optimized = Cow::Borrowed(optimized);
    loop {
        match attempt(&optimized) {
            Ok(lowered) => return lowered,
            Err(visit) => {
                let why = "its old value is read after it is updated";
                optimized = Cow::Owned(optimized.into_owned().without_visit(visit, why));
            }
        }
    }
}

/// The loop nests; the number of a visit that cannot be made if there is one.
fn attempt(optimized: &Optimized) -> Result<Lowered, usize> {
    let program = optimized.program();
    let mut lowering = Lowering {
        program,
        visits: optimized.visits(),
        places: schedule::schedule(program, optimized.visits()),
        out: Lowered { name: program.name.clone(), ..Lowered::default() },
        nests: BTreeMap::new(),
        order: Vec::new(),
        inputs: HashMap::new(),
        states: HashMap::new(),
        constants: HashMap::new(),
        histories: HashMap::new(),
        offsets: HashMap::new(),
        homes: HashMap::new(),
        reads: Vec::new(),
        arrivals: HashMap::new(),
        scans: HashMap::new(),
        logs: HashMap::new(),
        pushes: HashMap::new(),
        layouts: optimized.layouts(),
    };
    lowering.declare();
    lowering.settle(optimized.views());
    for (id, _) in program.iter() {
        if lowering.places[id.index()].is_some() {
            lowering.compute(id);
        }
    }
    lowering.finish()
}

/// Indices, sizes they are laid over, sizes of what they index.
type OffsetsKey = (Option<ConstId>, Vec<usize>, Vec<usize>);

/// A read of a state's old value.
struct StateRead {
    state: StateId,
    place: Place,
    /// At the element the nest is at, over all of its loops.
    elementwise: bool,
}

pub(super) struct Lowering<'a> {
    pub(super) program: &'a Program,
    pub(super) visits: &'a Visits,
    places: Vec<Option<Place>>,
    pub(super) out: Lowered,
    nests: BTreeMap<Place, Building>,
    /// Places in order of first use: nests of one level run in this order.
    order: Vec<Place>,
    inputs: HashMap<InputId, BufferId>,
    pub(super) states: HashMap<StateId, BufferId>,
    constants: HashMap<ConstId, BufferId>,
    pub(super) histories: HashMap<HistoryId, BufferId>,
    /// Physical offsets derived from a constant of row-major indices into a value of some shape.
    offsets: HashMap<OffsetsKey, BufferId>,
    /// Buffers of values that other nests read.
    homes: HashMap<OpId, BufferId>,
    reads: Vec<StateRead>,
    /// Least delay and lists of arrivals for delays.
    pub(super) arrivals: HashMap<ConstId, (usize, usize, BufferId, BufferId)>,
    /// Scans that are made already.
    pub(super) scans: HashMap<visits::ScanKey, usize>,
    /// What is put off of a state, by its buffer.
    pub(super) logs: HashMap<BufferId, usize>,
    /// Nests that keep the past of columns, by log.
    pub(super) pushes: HashMap<usize, Vec<Nest>>,
    layouts: Option<[usize; 2]>,
}

#[derive(Default)]
pub(super) struct Building {
    pub(super) nest: Nest,
    values: HashMap<OpId, Val>,
    loads: HashMap<(BufferId, Map), Val>,
    literals: HashMap<Literal, Val>,
    pub(super) stores: Vec<Typed>,
}

impl Building {
    pub(super) fn push(&mut self, inst: Inst, elem: Elem, location: Location) -> Val {
        self.nest.insts.push(Typed { inst, elem, location });
        Val((self.nest.insts.len() - 1) as u32)
    }
}

impl Lowering<'_> {
    /// The program's interface, and buffers of values that cross nests.
    fn declare(&mut self) {
        let program = self.program;
        for (i, state) in program.states.iter().enumerate() {
            let (dtype, shape) = (state.init.dtype(), state.init.shape().clone());
            let id = self.buffer(&state.name, Role::State(state.init.clone()), dtype, shape);
            self.states.insert(StateId::from_index(i), id);
        }
        for (i, input) in program.inputs.iter().enumerate() {
            let id = self.buffer(&input.name, Role::Input, input.dtype, input.shape.clone());
            self.inputs.insert(InputId::from_index(i), id);
        }
        for (i, history) in program.histories.iter().enumerate() {
            let rows = history.rows;
            let position = self.buffer(
                &format!("{}.position", history.name),
                Role::Position { rows },
                DType::I32,
                Shape::scalar(),
            );
            let dtype = if history.elem == Elem::Bool { DType::U8 } else { history.elem.dtype() };
            let role = Role::History { rows, depth: rows, position };
            let id = self.buffer(&history.name, role, dtype, history.shape.clone());
            self.histories.insert(HistoryId::from_index(i), id);
        }
        for output in &program.outputs {
            let node = program.node(output.value);
            let id = self.buffer(&output.name, Role::Output, output.dtype, node.shape.clone());
            let value = resolve(program, output.value);
            let exact = output.dtype == node.elem.dtype();
            if exact && !is_read(program, value) && !self.homes.contains_key(&value) {
                self.homes.insert(value, id);
            }
        }
        for (id, node) in program.iter() {
            let Some(place) = self.places[id.index()].clone() else { continue };
            let mut operands = Vec::new();
            node.op.operands(|operand| operands.push(resolve(program, operand)));
            for source in operands {
                let crosses = self.places[source.index()].as_ref().is_some_and(|p| *p != place);
                let memory =
                    schedule::through_memory(program, id) && !matches!(node.op, Op::Concat(_) | Op::Delay { .. });
                if crosses && !matches!(node.op, Op::Delay { .. } | Op::Concat(_))
                    || memory && !is_read(program, source)
                {
                    self.home(source);
                }
            }
            if complete_only(program, id) {
                self.home(id);
            }
            if let Some(number) = place.visit {
                let visit = &self.visits.list[number];
                let later = visit.later.iter().flat_map(|later| &later.rows);
                for &event in visit.rows.iter().chain(&visit.columns).chain(later) {
                    let source = resolve(program, event);
                    if !is_read(program, source) {
                        self.home(source);
                    }
                }
            }
        }
        for state in &program.states {
            // A value that fills a larger state is stored in a nest of the state's size.
            let Some(next) = state.next else { continue };
            let source = resolve(program, next);
            let spreads = program.node(next).shape.sizes() != state.init.shape().sizes();
            if spreads && !is_read(program, source) {
                self.home(source);
            }
        }
    }

    pub(super) fn buffer(&mut self, name: &str, role: Role, dtype: DType, shape: Shape) -> BufferId {
        self.out.buffers.push(Buffer::new(name, role, dtype, shape));
        BufferId((self.out.buffers.len() - 1) as u32)
    }

    /// The buffer other nests read `value` from.
    fn home(&mut self, value: OpId) -> BufferId {
        if let Some(&id) = self.homes.get(&value) {
            return id;
        }
        let node = self.program.node(value);
        let id = self.buffer(&value.to_string(), Role::Temporary, node.elem.dtype(), node.shape.clone());
        self.homes.insert(value, id);
        id
    }

    pub(super) fn constant(&mut self, id: ConstId) -> BufferId {
        if let Some(&buffer) = self.constants.get(&id) {
            return buffer;
        }
        let constant = self.program.constant(id);
        let (dtype, shape) = (constant.value.dtype(), constant.value.shape().clone());
        let buffer = self.buffer(&constant.name, Role::Constant(constant.value.clone()), dtype, shape);
        self.constants.insert(id, buffer);
        buffer
    }

    fn nest(&mut self, place: &Place) -> &mut Building {
        if !self.nests.contains_key(place) {
            self.order.push(place.clone());
            let nest = Nest { sizes: place.sizes.clone(), ..Nest::default() };
            self.nests.insert(place.clone(), Building { nest, ..Building::default() });
        }
        self.nests.get_mut(place).expect("inserted above")
    }

    /// Buffer of a read or of a value of another nest.
    pub(super) fn memory_of(&mut self, source: OpId) -> BufferId {
        match self.program.node(source).op {
            Op::Constant(id) => self.constant(id),
            Op::Input(id) => self.inputs[&id],
            Op::State(id) => self.states[&id],
            Op::Literal(value) => {
                let role = Role::Constant(Array::scalar(value));
                self.buffer("literal", role, value.elem().dtype(), Shape::scalar())
            }
            // A buffer made only now would stay empty: `source` has been computed already.
            _ => match self.homes.get(&source) {
                Some(&home) => home,
                None => crate::bug!("{source} is read by another nest but not stored"),
            },
        }
    }

    /// The value of `id` in the nest at `place`, whose loops follow the groups of `shape`.
    fn value(&mut self, id: OpId, place: &Place, shape: &Shape) -> Val {
        let source = resolve(self.program, id);
        let node = self.program.node(source);
        if let Op::Literal(literal) = node.op {
            let nest = self.nest(place);
            if let Some(&val) = nest.literals.get(&literal) {
                return val;
            }
            let val = nest.push(Inst::Literal(literal), literal.elem(), Location::UNKNOWN);
            nest.literals.insert(literal, val);
            return val;
        }
        if self.places[source.index()].as_ref() == Some(place)
            && let Some(&val) = self.nest(place).values.get(&source)
        {
            return val;
        }
        let map = map_of(&self.program.node(id).shape, shape);
        if let Op::State(state) = node.op {
            let elementwise = map.len() == place.sizes.len();
            self.reads.push(StateRead { state, place: place.clone(), elementwise });
        }
        let buffer = self.memory_of(source);
        let (elem, location) = (node.elem, node.location);
        let nest = self.nest(place);
        if let Some(&val) = nest.loads.get(&(buffer, map.clone())) {
            return val;
        }
        let val = nest.push(Inst::Load { buffer, map: map.clone() }, elem, location);
        nest.loads.insert((buffer, map), val);
        val
    }

    fn compute(&mut self, id: OpId) {
        let program = self.program;
        let node = program.node(id);
        let place = self.places[id.index()].clone().expect("only placed operations are computed");
        let shape = match node.op {
            Op::Reduce(_, _, a) | Op::SegmentSum { source: a, .. } => program.node(a).shape.clone(),
            _ => node.shape.clone(),
        };
        let inst = match &node.op {
            Op::Literal(_) | Op::Constant(_) | Op::Input(_) | Op::State(_) => crate::bug!("reads have no place"),
            Op::Reduce(op, axis, a) => {
                let value = self.value(*a, &place, &shape);
                let over = shape.position(*axis).expect("typing checked the axis");
                let buffer = self.home(id);
                let map = (0..place.sizes.len()).filter(|&level| level != over).collect();
                let inst = Inst::Reduce { op: *op, over, value, buffer, map };
                self.effect(&place, inst, node.elem, node.location);
                return;
            }
            Op::SegmentSum { source, segments } => {
                let value = self.value(*source, &place, &shape);
                let buffer = self.home(id);
                let offsets = self.offsets(Some(*segments), &shape, &node.shape);
                let map = (0..place.sizes.len()).collect();
                let inst = Inst::ScatterAdd { buffer, offsets, map, value };
                self.effect(&place, inst, node.elem, node.location);
                return;
            }
            Op::Concat(parts) => {
                let buffer = self.home(id);
                let mut base = 0;
                for &part in parts {
                    let place = self.place_of(part, place.level);
                    let shape = program.node(part).shape.clone();
                    let value = self.value(part, &place, &shape);
                    self.effect(&place, Inst::StoreAt { buffer, base, value }, node.elem, node.location);
                    base += shape.size();
                }
                return;
            }
            Op::Delay { history, value, delays } => {
                let ring = self.push_row(*history, *value);
                let delays_map = map_of(program.constant(*delays).value.shape(), &shape);
                let map = map_of(&program.history(*history).shape, &shape);
                Inst::LoadDelayed { history: ring, map, delays: self.constant(*delays), delays_map }
            }
            Op::Gather { source, indices } => self.gather(*source, Some(*indices), &place, &shape),
            Op::Regroup(source) => self.gather(*source, None, &place, &shape),
            Op::Lookup { table, index } => {
                Inst::Lookup { table: self.constant(*table), index: self.value(*index, &place, &shape) }
            }
            op => Inst::elementwise(op, node.elem, |operand| self.value(operand, &place, &shape))
                .unwrap_or_else(|| crate::bug!("{id} has no instruction")),
        };
        let nest = self.nest(&place);
        let val = nest.push(inst, node.elem, node.location);
        nest.values.insert(id, val);
        if let Some(&buffer) = self.homes.get(&id) {
            self.store(&place, buffer, val, node.elem, node.location);
        }
    }

    fn gather(&mut self, source: OpId, indices: Option<ConstId>, place: &Place, shape: &Shape) -> Inst {
        let source = resolve(self.program, source);
        if let Op::State(state) = self.program.node(source).op {
            self.reads.push(StateRead { state, place: place.clone(), elementwise: false });
        }
        let buffer = self.memory_of(source);
        let source_shape = self.program.node(source).shape.clone();
        let offsets = self.offsets(indices, shape, &source_shape);
        Inst::LoadAt { buffer, offsets, map: (0..place.sizes.len()).collect() }
    }

    /// Physical offsets into an array of shape `target` for row-major `indices` (`None`: 0, 1, 2, ...), as an array of
    /// shape `shape`.
    fn offsets(&mut self, indices: Option<ConstId>, shape: &Shape, target: &Shape) -> BufferId {
        let key = (indices, shape.sizes(), target.sizes());
        if let Some(&buffer) = self.offsets.get(&key) {
            return buffer;
        }
        let layout = Buffer::new("", Role::Temporary, DType::F32, target.clone());
        let list: Vec<i32> = match indices {
            Some(id) => self.program.constant(id).value.to_i32(),
            None => (0..shape.size() as i32).collect(),
        };
        let list = list.into_iter().map(|i| layout.physical(i as usize) as i32).collect();
        let array = Array::new(shape.clone(), Data::I32(list)).expect("one offset per element");
        let buffer = self.buffer("offsets", Role::Constant(array), DType::I32, shape.clone());
        self.offsets.insert(key, buffer);
        buffer
    }

    /// Where `value` is computed, or where a read of it may be placed so that the next level sees its effect.
    fn place_of(&self, value: OpId, level: usize) -> Place {
        let source = resolve(self.program, value);
        let at_rest = || Place { level, sizes: self.program.node(value).shape.sizes(), visit: None };
        match &self.places[source.index()] {
            Some(place) if !complete_only(self.program, source) => place.clone(),
            _ => at_rest(),
        }
    }

    /// Pushes the delayed value into its history, once.
    fn push_row(&mut self, history: HistoryId, value: OpId) -> BufferId {
        let ring = self.histories[&history];
        let pushed = |t: &Typed| matches!(t.inst, Inst::StoreRow { history, .. } if history == ring);
        if self.nests.values().any(|nest| nest.stores.iter().any(pushed)) {
            return ring;
        }
        let source = resolve(self.program, value);
        let level = match &self.places[source.index()] {
            Some(place) => place.level + 1,
            None => 0,
        };
        let place = self.place_of(value, level);
        let node = self.program.node(value);
        let val = self.value(value, &place, &node.shape.clone());
        let map = (0..place.sizes.len()).collect();
        self.effect(&place, Inst::StoreRow { history: ring, map, value: val }, node.elem, node.location);
        ring
    }

    fn effect(&mut self, place: &Place, inst: Inst, elem: Elem, location: Location) {
        self.nest(place).stores.push(Typed { inst, elem, location });
    }

    fn store(&mut self, place: &Place, buffer: BufferId, value: Val, elem: Elem, location: Location) {
        let map = (0..place.sizes.len()).collect();
        self.effect(place, Inst::Store { buffer, map, value }, elem, location);
    }

    fn finish(mut self) -> Result<Lowered, usize> {
        self.store_outputs();
        self.read_events();
        self.store_states()?;
        let mut order = std::mem::take(&mut self.order);
        order.sort_by_key(|place| place.level);
        for place in order {
            let mut building = self.nests.remove(&place).expect("every place in the order has a nest");
            if let Some(number) = place.visit {
                self.make_visit(number, &mut building);
            }
            building.nest.insts.append(&mut building.stores);
            if !building.nest.insts.is_empty() {
                self.out.nests.push(building.nest);
            }
        }
        if let Some(by_delay) = self.layouts {
            super::layout::turn(&mut self.out, by_delay);
            super::beside::lay_beside(&mut self.out);
        }
        Ok(self.out)
    }

    /// A place after everything that computes `value`, over `shape`.
    fn place_after(&self, value: OpId, shape: &Shape) -> Place {
        let source = resolve(self.program, value);
        let sizes = shape.sizes();
        match &self.places[source.index()] {
            Some(place) if place.sizes == sizes && !complete_only(self.program, source) => place.clone(),
            Some(place) => Place { level: place.level + 1, sizes, visit: None },
            None => {
                // A read can be copied anywhere; join an existing nest of this size.
                let here = |p: &&Place| p.sizes == sizes && p.visit.is_none();
                let level = self.nests.keys().filter(here).map(|p| p.level).max();
                Place { level: level.unwrap_or(0), sizes, visit: None }
            }
        }
    }

    /// Visits read states that are events, until they are done.
    fn read_events(&mut self) {
        let visited = |place: &Place| Some((place.clone(), place.visit?));
        let visited: Vec<(Place, usize)> = self.nests.keys().filter_map(visited).collect();
        for (place, number) in visited {
            let visit = &self.visits.list[number];
            let later = visit.later.iter().flat_map(|later| &later.rows);
            for &event in visit.rows.iter().chain(&visit.columns).chain(later) {
                if let Op::State(state) = self.program.node(resolve(self.program, event)).op {
                    self.reads.push(StateRead { state, place: place.clone(), elementwise: false });
                }
            }
        }
    }

    fn store_outputs(&mut self) {
        let program = self.program;
        let buffers: Vec<BufferId> =
            self.out.iter().filter(|(_, b)| b.role == Role::Output).map(|(id, _)| id).collect();
        for (output, buffer) in program.outputs.iter().zip(buffers) {
            let source = resolve(program, output.value);
            if self.homes.get(&source) == Some(&buffer) {
                continue;
            }
            let node = program.node(output.value);
            let place = self.place_after(output.value, &node.shape);
            let value = self.value(output.value, &place, &node.shape);
            self.store(&place, buffer, value, node.elem, node.location);
        }
    }

    fn store_states(&mut self) -> Result<(), usize> {
        let program = self.program;
        let writes: Vec<(StateId, OpId)> = program
            .states
            .iter()
            .enumerate()
            .filter_map(|(i, s)| Some((StateId::from_index(i), s.next?)))
            // Writing back what was read changes nothing.
            .filter(|&(state, next)| program.node(resolve(program, next)).op != Op::State(state))
            .collect();
        // Reading every new value first records every read of an old one.
        let mut pending = Vec::new();
        for (state, next) in writes {
            let shape = program.state(state).init.shape().clone();
            let place = self.place_after(next, &shape);
            let value = self.value(next, &place, &shape);
            pending.push((state, next, place, value));
        }
        let last = self.nests.keys().map(|p| p.level).max().unwrap_or(0);
        for (state, next, place, value) in pending {
            let (elem, location) = (program.node(next).elem, program.node(next).location);
            let buffer = self.states[&state];
            let safe = self
                .reads
                .iter()
                .filter(|read| read.state == state)
                .all(|read| read.place.level < place.level || read.place == place && read.elementwise);
            if safe {
                self.store(&place, buffer, value, elem, location);
                continue;
            }
            if let Some(visit) = place.visit {
                return Err(visit);
            }
            let shape = program.state(state).init.shape().clone();
            let name = format!("{}.next", program.state(state).name);
            let waiting = self.buffer(&name, Role::Temporary, elem.dtype(), shape);
            self.store(&place, waiting, value, elem, location);
            let after = Place { level: last + 1, sizes: place.sizes.clone(), visit: None };
            let map: Map = (0..after.sizes.len()).collect();
            let value = self.nest(&after).push(Inst::Load { buffer: waiting, map }, elem, location);
            self.store(&after, buffer, value, elem, location);
        }
        Ok(())
    }
}

/// Which loop each group of `shape` follows in a nest over the groups of `nest`.
fn map_of(shape: &Shape, nest: &Shape) -> Map {
    let at = |axis| nest.position(axis).expect("operands broadcast to the nest");
    shape.groups().iter().map(|group| at(group.axis)).collect()
}
