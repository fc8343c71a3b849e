//! Memory, the contract between memory and code, and what is refused.

use super::*;
use crate::emit::{CompileError, clif_text};
use crate::memory::MemoryError;

fn state(build: &mut Build, dtype: DType, sizes: &[usize]) -> BufferId {
    let data = build.data(dtype, sizes.iter().product());
    let array = Array::new(shape(sizes), data).unwrap();
    build.buffer(Role::State(array), dtype, sizes)
}

#[test]
fn what_is_written_is_read() {
    for dtype in DType::ALL {
        for sizes in [vec![], vec![65], vec![3, 7], vec![2, 3, 64], vec![0], vec![2, 0]] {
            let mut build = Build::default();
            let id = build.input(dtype, &sizes);
            let data = build.data(dtype, sizes.iter().product());
            let mut memory = Memory::new(&build.lowered).unwrap();
            memory.write(&build.lowered, id, &data).unwrap();
            assert!(memory.read(&build.lowered, id).unwrap().data().same_bits(&data));
            let mut into = Data::zeros(dtype, data.len());
            memory.read_into(&build.lowered, id, &mut into).unwrap();
            assert!(into.same_bits(&data));
        }
    }
}

#[test]
fn writing_converts() {
    let mut build = Build::default();
    let id = build.input(DType::U8, &[3]);
    let mut memory = Memory::new(&build.lowered).unwrap();
    memory.write(&build.lowered, id, &Data::F32(vec![-1.0, 2.9, 1e9])).unwrap();
    assert_eq!(memory.read(&build.lowered, id).unwrap().data(), &Data::U8(vec![0, 2, 255]));
}

#[test]
fn reset_restores_states_and_empties_histories() {
    let mut build = Build::default();
    let input = build.input(DType::F32, &[5]);
    let id = state(&mut build, DType::F32, &[5]);
    let history = build.history(3, DType::F32, &[5]);
    let nest = build.nest(&[5]);
    let value = nest.load(input, &[0], Elem::F32);
    nest.store(id, &[0], value);
    nest.push(Inst::StoreRow { history, map: vec![0], value }, Elem::F32);
    check(&mut build, 4);

    let lowered = build.lowered;
    let code = compile(&lowered, &CompileOptions::exact()).unwrap();
    let fresh = Memory::new(&lowered).unwrap();
    let mut memory = Memory::new(&lowered).unwrap();
    memory.write(&lowered, input, &Data::F32(vec![1.0; 5])).unwrap();
    code.step(&mut memory).unwrap();
    assert_ne!(memory.read_history(&lowered, history), fresh.read_history(&lowered, history));
    memory.reset(&lowered).unwrap();
    for (id, _) in lowered.iter().filter(|(_, buffer)| buffer.role != Role::Input) {
        let (ours, theirs) = (memory.read_history(&lowered, id).unwrap(), fresh.read_history(&lowered, id).unwrap());
        assert!(ours.same_bits(&theirs));
    }
}

#[test]
fn histories_survive_a_checkpoint() {
    let mut build = Build::default();
    let history = build.history(3, DType::U8, &[70]);
    let data = build.data(DType::U8, 210);
    let mut memory = Memory::new(&build.lowered).unwrap();
    memory.write_history(&build.lowered, history, &data).unwrap();
    assert_eq!(memory.read_history(&build.lowered, history).unwrap(), data);
    memory.write(&build.lowered, BufferId(0), &Data::I32(vec![2])).unwrap();
    let error = memory.write(&build.lowered, BufferId(0), &Data::I32(vec![3])).unwrap_err();
    assert!(matches!(error, MemoryError::Position { rows: 3, found: 3, .. }));
}

#[test]
fn constants_cannot_be_overwritten() {
    let mut build = Build::default();
    let id = build.indices(DType::I32, &[4], 4);
    let mut memory = Memory::new(&build.lowered).unwrap();
    let error = memory.write(&build.lowered, id, &Data::I32(vec![1 << 30; 4])).unwrap_err();
    assert!(matches!(error, MemoryError::ReadOnly(_)));
}

/// The sum of an input and a constant of so many columns, whose rows are padded or not.
fn plus_constant(columns: usize) -> (Build, BufferId, Array) {
    let mut build = Build::default();
    let sizes = [1 << 15, columns];
    let array = Array::new(shape(&sizes), build.data(DType::F32, sizes.iter().product())).unwrap();
    let constant = build.buffer(Role::Constant(array.clone()), DType::F32, &sizes);
    let (input, output) = (build.input(DType::F32, &sizes[..1]), build.output(DType::F32, &sizes));
    let nest = build.nest(&sizes);
    let (a, b) = (nest.load(constant, &[0, 1], Elem::F32), nest.load(input, &[0], Elem::F32));
    let sum = nest.push(Inst::Binary(crate::ir::BinaryOp::Add, a, b), Elem::F32);
    nest.store(output, &[0, 1], sum);
    (build, constant, array)
}

#[test]
fn large_constants_are_shared_if_they_lie_as_the_host_has_them() {
    for (columns, shared) in [(64, true), (60, false)] {
        let (mut build, constant, array) = plus_constant(columns);
        let Data::F32(values) = array.data() else { unreachable!("made above") };
        let mut memory = Memory::new(&build.lowered).unwrap();
        assert_eq!(memory.bytes(constant).as_ptr() == values.as_ptr().cast(), shared);
        assert!(memory.read(&build.lowered, constant).unwrap().same_bits(&array));
        let error = memory.write(&build.lowered, constant, &Data::zeros(DType::F32, array.len())).unwrap_err();
        assert!(matches!(error, MemoryError::ReadOnly(_)));
        check_with(&mut build, 1, &CompileOptions::none());
    }
}

#[test]
fn shared_constants_outlive_their_program() {
    let (build, constant, array) = plus_constant(64);
    let expected = array.to_f32();
    let memory = Memory::new(&build.lowered).unwrap();
    drop((build, array));
    let found = memory.bytes(constant).chunks(4).map(|bytes| u32::from_le_bytes(bytes.try_into().unwrap()));
    assert!(found.eq(expected.iter().map(|x| x.to_bits())));
}

#[test]
fn too_large_is_an_error() {
    for size in [1 << 50, usize::MAX / 16] {
        let mut build = Build::default();
        build.input(DType::F64, &[size]);
        assert_eq!(Memory::new(&build.lowered).unwrap_err(), MemoryError::TooLarge);
    }
}

#[test]
fn code_refuses_the_memory_of_another_program() {
    let mut build = Build::default();
    build.indices(DType::I32, &[4], 4);
    let mut other = Build { seed: 1, ..Build::default() };
    other.indices(DType::I32, &[4], 100);
    let code = compile(&build.lowered, &CompileOptions::exact()).unwrap();
    assert!(code.step(&mut Memory::new(&other.lowered).unwrap()).is_err());
    assert!(code.clone().step(&mut Memory::new(&build.lowered).unwrap()).is_ok());
}

#[test]
fn code_is_shared_between_threads() {
    let mut build = Build::default();
    let id = state(&mut build, DType::I32, &[20]);
    let nest = build.nest(&[20]);
    let (value, one) = (nest.load(id, &[0], Elem::I32), nest.literal(Literal::I32(1)));
    let value = nest.push(Inst::Binary(crate::ir::BinaryOp::Add, value, one), Elem::I32);
    nest.store(id, &[0], value);
    let lowered = &build.lowered;
    let code = compile(lowered, &CompileOptions::exact()).unwrap();
    let start = Memory::new(lowered).unwrap().read(lowered, id).unwrap().to_i32();
    std::thread::scope(|scope| {
        for steps in 1..4 {
            let (code, start) = (code.clone(), &start);
            scope.spawn(move || {
                let mut memory = Memory::new(lowered).unwrap();
                (0..steps).for_each(|_| code.step(&mut memory).unwrap());
                let expected: Vec<i32> = start.iter().map(|x| x.wrapping_add(steps)).collect();
                assert_eq!(memory.read(lowered, id).unwrap().to_i32(), expected);
            });
        }
    });
}

/// Refused by the check, with `part` in the reason.
#[track_caller]
fn refused(build: &Build, part: &str) {
    match compile(&build.lowered, &CompileOptions::exact()) {
        Err(CompileError::Malformed { why, .. }) => assert!(why.contains(part), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn offsets_outside_their_buffer_are_refused() {
    let mut build = Build::default();
    let source = build.input(DType::F32, &[4]);
    let offsets = Array::new(shape(&[2]), Data::I32(vec![3, 64])).unwrap();
    let offsets = build.buffer(Role::Constant(offsets), DType::I32, &[2]);
    build.nest(&[2]).push(Inst::LoadAt { buffer: source, offsets, map: vec![0] }, Elem::F32);
    refused(&build, "the bound is 64");
}

#[test]
fn delays_that_change_are_refused() {
    let mut build = Build::default();
    let (history, delays) = (build.history(3, DType::F32, &[4]), build.input(DType::I32, &[4]));
    let load = Inst::LoadDelayed { history, map: vec![0], delays, delays_map: vec![0] };
    build.nest(&[4]).push(load, Elem::F32);
    refused(&build, "not constant");
}

#[test]
fn tables_that_are_none_are_refused() {
    let lookup = |role: Option<Data>, sizes: &[usize], elem: Elem| {
        let mut build = Build::default();
        let (index, input) = (build.input(elem.dtype(), &[4]), build.input(DType::F32, sizes));
        let table = match role {
            Some(data) => {
                let table = Array::new(shape(sizes), data).unwrap();
                build.buffer(Role::Constant(table.clone()), table.dtype(), sizes)
            }
            None => input,
        };
        let nest = build.nest(&[4]);
        let index = nest.load(index, &[0], elem);
        nest.push(Inst::Lookup { table, index }, Elem::F32);
        build
    };
    refused(&lookup(None, &[8], Elem::I32), "not a table");
    refused(&lookup(Some(Data::F32(vec![0.0; 8])), &[2, 4], Elem::I32), "not a table");
    refused(&lookup(Some(Data::Bool(vec![true; 8])), &[8], Elem::I32), "not a table");
    refused(&lookup(Some(Data::F32(vec![0.0; 8])), &[8], Elem::F32), "a lookup at f32");
}

#[test]
fn maps_of_other_sizes_are_refused() {
    let mut build = Build::default();
    let input = build.input(DType::F32, &[4]);
    build.nest(&[5]).load(input, &[0], Elem::F32);
    refused(&build, "sizes");
}

/// A chain of nests long enough for several functions.
#[test]
fn long_programs_are_split() {
    let mut build = Build::default();
    let mut last = build.input(DType::F32, &[33]);
    for _ in 0..300 {
        let next = build.buffer(Role::Temporary, DType::F32, &[33]);
        let nest = build.nest(&[33]);
        let value = nest.load(last, &[0], Elem::F32);
        let value = nest.push(Inst::Binary(crate::ir::BinaryOp::Mul, value, value), Elem::F32);
        nest.store(next, &[0], value);
        last = next;
    }
    assert!(compile(&build.lowered, &CompileOptions::exact()).unwrap().stats().functions > 1);
    assert!(clif_text(&build.lowered, &CompileOptions::exact()).unwrap().matches("function").count() > 1);
    check(&mut build, 1);
}
