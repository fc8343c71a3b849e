//! Lists of events and logs that are not what they should be: the check refuses them.

use super::*;
use crate::emit::{CompileError, check::check};
use crate::ir::parse::parse;
use crate::loops::{Walk, lower};
use crate::passes::{CompileOptions, optimize};

/// A weight that arrivals read and reduce, and that events of rows raise later.
fn plastic() -> Lowered {
    let delays = (0..64).map(|at| (at % 3).to_string()).collect::<Vec<_>>().join(", ");
    let text = format!(
        r#"
        program "plastic"
        const c0 "delays": u8[units:8, pre:8] = {delays}
        state s0 "kernel": f32[units:8, pre:8] = 0.125 -> %17
        state s1 "trace": f32[pre:8] = 0.0 -> %22
        history h0 "past": bool[pre:8] x 3
        history h1 "trace.past": f32[pre:8] x 3
        input i0 "spikes": bool[pre:8]
        input i1 "post": bool[units:8]
        input i2 "error": f32[units:8]
        %0 = input i0: bool[pre:8]
        %1 = delay h0, %0, c0: bool[units:8, pre:8]
        %2 = state s0: f32[units:8, pre:8]
        %3 = cast %1: f32[units:8, pre:8]
        %4 = state s1: f32[pre:8]
        %5 = delay h1, %4, c0: f32[units:8, pre:8]
        %6 = input i1: bool[units:8]
        %7 = cast %6: f32[units:8]
        %8 = input i2: f32[units:8]
        %9 = mul %7, %8: f32[units:8]
        %10 = mul %5, %9: f32[units:8, pre:8]
        %11 = literal 0.25: f32
        %12 = add %2, %10: f32[units:8, pre:8]
        %13 = mul %3, %8: f32[units:8, pre:8]
        %14 = sub %12, %13: f32[units:8, pre:8]
        %15 = literal 0.0: f32
        %16 = max %14, %15: f32[units:8, pre:8]
        %17 = min %16, %11: f32[units:8, pre:8]
        %18 = mul %2, %3: f32[units:8, pre:8]
        %19 = reduce.sum pre, %18: f32[units:8]
        %20 = mul %4, %11: f32[pre:8]
        %21 = cast %0: f32[pre:8]
        %22 = add %20, %21: f32[pre:8]
        output "current": f32 = %19
        "#
    );
    lower(&optimize(parse(&text).unwrap(), &CompileOptions::exact()))
}

/// The program with one thing changed is refused, with `part` in the reason; as it was, it is not.
#[track_caller]
fn refused(change: impl FnOnce(&mut Lowered), part: &str) {
    let mut lowered = plastic();
    assert_eq!((lowered.scans.len(), lowered.logs.len()), (1, 1));
    check(&lowered).unwrap();
    change(&mut lowered);
    match check(&lowered) {
        Err(CompileError::Malformed { why, .. }) => assert!(why.contains(part), "{why}"),
        other => panic!("{other:?}"),
    }
}

fn resize(lowered: &mut Lowered, id: BufferId, sizes: &[usize]) {
    lowered.buffers[id.index()].shape = shape(sizes);
}

/// Changes the elements of a constant.
fn rewrite(lowered: &mut Lowered, id: BufferId, change: impl FnOnce(&mut Vec<i32>)) {
    let buffer = &mut lowered.buffers[id.index()];
    let Role::Constant(array) = &mut buffer.role else { panic!("a constant") };
    let mut elements = array.to_i32();
    change(&mut elements);
    *array = Array::new(array.shape().clone(), Data::I32(elements).convert(buffer.dtype)).unwrap();
}

fn arrivals(lowered: &mut Lowered) -> &mut crate::loops::Arrivals {
    lowered.scans[0].delayed.as_mut().expect("something arrives")
}

#[test]
fn lists_are_as_long_as_they_may_become() {
    let list = |lowered: &Lowered| lowered.scans[0].list;
    refused(
        |l| {
            let (id, size) = (list(l), l.buffer(list(l)).shape.size());
            resize(l, id, &[size - 8]);
        },
        "does not hold a list",
    );
    refused(|l| l.scans[0].most += 1, "does not hold a list");
    refused(|l| l.scans[0].count = list(l), "two lists");
    refused(
        |l| {
            let id = list(l);
            l.buffers[id.index()].dtype = DType::F32;
        },
        "does not hold a list",
    );
}

#[test]
fn arrivals_are_inside() {
    refused(
        |l| {
            let id = arrivals(l).targets;
            rewrite(l, id, |targets| targets[5] = 8);
        },
        "rows that do not exist",
    );
    refused(
        |l| {
            let id = arrivals(l).lists;
            rewrite(l, id, |ends| *ends.last_mut().unwrap() += 400);
        },
        "lists of arrivals",
    );
    refused(
        |l| {
            let id = arrivals(l).lists;
            rewrite(l, id, |ends| ends.swap(2, 7));
        },
        "lists of arrivals",
    );
    refused(
        |l| {
            let id = arrivals(l).lists;
            rewrite(l, id, |ends| ends[2] = -1);
        },
        "lists of arrivals",
    );
    refused(|l| arrivals(l).least = 1, "another history");
    refused(|l| arrivals(l).history = BufferId(0), "not a history");
    refused(|l| arrivals(l).targets = l.logs[0].rows[0], "not constant");
    refused(
        |l| {
            let id = arrivals(l).delays;
            rewrite(l, id, |delays| delays[9] = 200);
        },
        "bound",
    );
}

#[test]
fn everything_is_about_one_domain() {
    refused(|l| l.scans[0].sizes = [16, 8], "sizes");
    refused(|l| l.logs[0].replay.sizes[2] = 16, "sizes");
    refused(|l| l.logs[0].replay.sizes[0] = 4, "sizes");
    refused(|l| l.logs[0].replay.sizes.truncate(2), "sizes");
    refused(|l| l.logs[0].scan = 7, "no such list");
    refused(|l| l.scans.clear(), "no such list");
    refused(|l| l.logs.clear(), "no such log");
    refused(|l| l.dense = None, "without the switch");
    refused(|l| l.logs[0].rows[0] = l.scans[0].list, "sizes");
    refused(
        |l| {
            let number = l.buffers.len() as u32;
            l.buffers.push(Buffer::new("numbers", Role::Input, DType::F32, shape(&[8])));
            l.logs[0].rows[0] = BufferId(number);
        },
        "not truth values",
    );
}

#[test]
fn copies_hold_values_of_rows() {
    fn beside(l: &mut Lowered) -> &mut crate::loops::Beside {
        let copies = l.nests.iter_mut().filter_map(|nest| match &mut nest.walk {
            Walk::Visit(visit) => visit.beside.as_mut(),
            _ => None,
        });
        copies.last().expect("a visit that reads two values of rows")
    }
    refused(|l| _ = beside(l).values.pop(), "not a copy");
    refused(|l| beside(l).copy = l.logs[0].entries, "two lists or logs");
    refused(|l| beside(l).copy = l.dense.unwrap(), "not a copy");
    refused(
        |l| {
            let copy = beside(l).copy;
            resize(l, copy, &[16]);
        },
        "not a copy",
    );
    refused(|l| beside(l).values[0] = l.logs[0].state, "sizes");
    refused(|l| beside(l).values[1] = l.logs[0].rows[0], "not to be copied");
}

#[test]
fn logs_have_a_power_of_two_of_entries() {
    for size in [0, 48, 255, 257] {
        refused(
            |l| {
                let log = l.logs[0].clone();
                l.logs[0].replay.sizes[1] = size;
                resize(l, log.entries, &[size]);
                log.values.iter().for_each(|(_, to)| resize(l, *to, &[size]));
            },
            &format!("{size} entries"),
        );
    }
    refused(|l| resize(l, l.logs[0].entries, &[128]), "does not hold a log");
    refused(|l| resize(l, l.logs[0].columns, &[31]), "does not hold a log");
    refused(|l| resize(l, l.logs[0].recent, &[8]), "does not hold a log");
    refused(|l| resize(l, l.logs[0].older, &[16]), "does not hold a log");
    refused(|l| resize(l, l.logs[0].aside, &[1]), "does not hold a log");
    refused(|l| l.logs[0].older = l.logs[0].columns, "two lists or logs");
    refused(|l| l.logs[0].aside = l.logs[0].recent, "two lists or logs");
    refused(|l| l.nests.retain(|nest| nest.walk != Walk::Replay(0)), "no nest makes");
    refused(|l| l.nests.retain(|nest| nest.walk != Walk::Scan(0)), "no nest makes");
    refused(|l| resize(l, l.logs[0].head, &[2]), "does not hold a log");
    refused(|l| l.logs[0].next = l.logs[0].head, "two lists or logs");
    refused(|l| l.logs[0].values[0].1 = l.logs[0].entries, "two lists or logs");
    refused(|l| resize(l, l.logs[0].values[0].1, &[128]), "sizes");
}

#[test]
fn replays_change_their_state_alone() {
    let store = |l: &mut Lowered| {
        let last = l.logs[0].replay.insts.len() - 1;
        l.logs[0].replay.insts[last].inst.clone()
    };
    refused(
        |l| {
            let Inst::Store { map, value, .. } = store(l) else { panic!("the last is a store") };
            let number = l.buffers.len() as u32;
            l.buffers.push(Buffer::new("other", Role::Temporary, DType::F32, shape(&[8, 8])));
            let inst = Inst::Store { buffer: BufferId(number), map, value };
            l.logs[0].replay.insts.push(Typed { inst, elem: Elem::F32, location: Location::UNKNOWN });
        },
        "more than its state",
    );
    refused(
        |l| {
            let constant = l.buffer(l.logs[0].state).clone();
            let Role::State(array) = constant.role else { panic!("a state") };
            let id = l.logs[0].state.index();
            l.buffers[id].role = Role::Constant(array);
        },
        "not free",
    );
}

/// Steps that are long ago are found by a mask.
#[test]
fn the_past_that_replays_read_is_a_power_of_two() {
    refused(
        |l| {
            let read = |t: &Typed| if let Inst::LoadDelayed { history, .. } = t.inst { Some(history) } else { None };
            let history = l.logs[0].replay.insts.iter().find_map(read).expect("a trace is read");
            let Role::History { rows, position, .. } = &mut l.buffers[history.index()].role else {
                panic!("a history")
            };
            *rows = 40;
            let position = *position;
            l.buffers[position.index()].role = Role::Position { rows: 40 };
        },
        "40 rows",
    );
}

/// More delays than there are bits to note that something arrived.
#[test]
fn logs_of_more_than_sixty_four_delays_are_refused() {
    refused(
        |l| {
            let scan = &mut l.scans[0];
            let (most, columns) = (scan.most, scan.sizes[1]);
            let delayed = scan.delayed.as_mut().expect("something arrives");
            delayed.steps = 65;
            let pitch = delayed.pitch;
            let (lists, history, list) = (delayed.lists, delayed.history, scan.list);
            let Role::History { rows, position, .. } = &mut l.buffers[history.index()].role else {
                panic!("a history")
            };
            *rows = 80;
            let position = *position;
            l.buffers[position.index()].role = Role::Position { rows: 80 };
            resize(l, list, &[8 * (most + 8 * 65)]);
            let sizes = shape(&[2 * 65 * columns]);
            let empty = (0..2 * 65 * columns).map(|at| (at / (2 * 65) * pitch) as i32).collect();
            let empty = Role::Constant(Array::new(sizes.clone(), Data::I32(empty)).unwrap());
            l.buffers[lists.index()] = Buffer::new("lists", empty, DType::I32, sizes);
        },
        "65 delays",
    );
}

#[test]
fn instructions_write_nothing_that_others_trust() {
    let trusted: [fn(&Lowered) -> BufferId; 7] = [
        |l| l.scans[0].list,
        |l| l.scans[0].count,
        |l| l.logs[0].next,
        |l| l.logs[0].whole,
        |l| l.scans[0].delayed.as_ref().expect("something arrives").lists,
        |l| l.dense.expect("there are visits"),
        |l| l.iter().find(|(_, b)| matches!(b.role, Role::Position { .. })).expect("there are histories").0,
    ];
    for trusted in trusted {
        refused(
            |l| {
                let id = trusted(l);
                let sizes = l.buffer(id).sizes();
                let map: Vec<usize> = (0..sizes.len()).collect();
                let mut nest = Nest { sizes, walk: Walk::All, ..Nest::default() };
                let value = nest.literal(Literal::I32(1 << 20));
                nest.store(id, &map, value);
                l.nests.push(nest);
            },
            "not free",
        );
    }
}
