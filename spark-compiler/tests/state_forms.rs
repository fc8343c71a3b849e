//! How the host sees states that passes keep in another form: what can be read, what can be set, and what goes on from it.

use spark_compiler::error::RunError;
use spark_compiler::ir::parse::parse;
use spark_compiler::ir::{Array, Data, Program};
use spark_compiler::kernel::{Instance, Kernel};
use spark_compiler::passes::{CompileOptions, View};

/// A trace of postsynaptic spikes for each synapse, one of presynaptic spikes that arrive late, and a filtered current.
fn program() -> Program {
    parse(
        r#"
        const c0 "delays": u8[units:2, pre:3] = 0, 1, 2, 2, 1, 0
        state s0 "post": f32[units:2, pre:3] = 0.0 -> %5
        state s1 "pre": f32[units:2, pre:3] = 0.0 -> %10
        state s2 "current": f32[units:2, pre:3] = 0.0 -> %13
        history h0 "past": bool[pre:3] x 3
        input i0 "pre": bool[pre:3]
        input i1 "post": bool[units:2]
        %0 = input i1: bool[units:2]
        %1 = cast %0: f32[units:2]
        %2 = state s0: f32[units:2, pre:3]
        %3 = literal 0.5: f32
        %4 = mul %2, %3: f32[units:2, pre:3]
        %5 = add %4, %1: f32[units:2, pre:3]
        %6 = input i0: bool[pre:3]
        %7 = delay h0, %6, c0: bool[units:2, pre:3]
        %8 = state s1: f32[units:2, pre:3]
        %9 = cast %7: f32[units:2, pre:3]
        %10 = fma %8, %3, %9: f32[units:2, pre:3]
        %11 = mul %10, %5: f32[units:2, pre:3]
        %12 = state s2: f32[units:2, pre:3]
        %13 = fma %12, %3, %11: f32[units:2, pre:3]
        %14 = reduce.sum pre, %13: f32[units:2]
        output "current": f32 = %14
        "#,
    )
    .unwrap()
}

fn instance(options: &CompileOptions) -> Instance {
    Kernel::compile(program(), options).unwrap().instance().unwrap()
}

/// Steps with spikes that follow from the number of the step.
fn steps(instance: &mut Instance, numbers: std::ops::Range<u32>) -> Vec<Array> {
    let step = |number: u32| {
        let bits = |of: u32, count: u32| Data::Bool((0..count).map(|i| of >> i & 1 == 1).collect());
        instance.set_input(0, &bits(number * 5 + number / 3, 3)).unwrap();
        instance.set_input(1, &bits(number * 3, 2)).unwrap();
        instance.step();
        instance.output(0)
    };
    numbers.map(step).collect()
}

#[test]
fn each_pass_has_its_form() {
    let all = instance(&CompileOptions::default());
    assert_eq!(all.view("post").unwrap().view, View::Broadcast);
    assert!(matches!(all.view("pre").unwrap().view, View::Delayed { .. }));
    assert_eq!(all.view("current").unwrap().view, View::Gone);
    let whole = instance(&CompileOptions::none());
    assert!(["post", "pre", "current"].iter().all(|name| whole.view(name).unwrap().view == View::Whole));
    assert!(all.view("nothing").is_none() && all.state("nothing").is_none() && all.kept("nothing").is_none());
}

#[test]
fn declared_arrays_are_read_from_every_form() {
    let (mut all, mut whole) = (instance(&CompileOptions::default()), instance(&CompileOptions::none()));
    for number in 0..7 {
        steps(&mut all, number..number + 1);
        steps(&mut whole, number..number + 1);
        for name in ["post", "pre"] {
            assert_eq!(all.state(name), whole.state(name), "{name} after step {number}");
        }
        assert_eq!(all.state("current"), None);
        assert_eq!(all.state_type("current"), whole.state_type("current"));
    }
    assert_eq!(all.kept("post").unwrap().len(), 2);
    assert_eq!(all.kept("pre").unwrap().len(), 3);
    assert_eq!(all.kept("current").unwrap().len(), 2);
}

#[test]
fn rows_that_are_alike_can_be_set() {
    let mut instance = instance(&CompileOptions::default());
    let rows = Data::F32(vec![0.25, 0.25, 0.25, -3.0, -3.0, -3.0]);
    instance.set_state("post", &rows).unwrap();
    assert_eq!(instance.kept("post").unwrap().to_f64(), [0.25, -3.0]);
    assert_eq!(instance.state("post").unwrap().data(), &rows);
    let uneven = instance.set_state("post", &Data::F32(vec![0.25, 0.25, 0.0, -3.0, -3.0, -3.0]));
    assert!(matches!(&uneven, Err(RunError::Form { name, .. }) if name == "post"), "{uneven:?}");
    let signs = instance.set_state("post", &Data::F32(vec![0.0, 0.0, -0.0, 1.0, 1.0, 1.0]));
    assert!(matches!(signs, Err(RunError::Form { .. })), "{signs:?}");
    // What failed changed nothing.
    assert_eq!(instance.state("post").unwrap().data(), &rows);
}

#[test]
fn errors_say_which_state_and_why() {
    let mut instance = instance(&CompileOptions::default());
    for name in ["pre", "current"] {
        let error = instance.set_state(name, &Data::zeros(spark_compiler::ir::DType::F32, 6)).unwrap_err();
        assert!(matches!(&error, RunError::Form { name: found, .. } if found == name), "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
    let few = instance.set_state("post", &Data::F32(vec![1.0, 2.0]));
    assert!(matches!(few, Err(RunError::StateSize { found: 2, .. })), "{few:?}");
    let many = instance.set_kept("post", &Data::F32(vec![0.0; 6]));
    assert!(matches!(many, Err(RunError::StateSize { found: 6, .. })), "{many:?}");
    let unknown = instance.set_state("trace", &Data::F32(vec![0.0]));
    assert!(matches!(unknown, Err(RunError::Unknown { kind: "state", .. })), "{unknown:?}");
}

#[test]
fn what_is_kept_goes_on_bit_for_bit() {
    for options in [CompileOptions::default(), CompileOptions::exact(), CompileOptions::none()] {
        let mut first = instance(&options);
        steps(&mut first, 0..5);
        let mut second = instance(&options);
        steps(&mut second, 3..10);
        for name in first.state_names() {
            second.set_kept(name, first.kept(name).unwrap().data()).unwrap();
        }
        let lowered = first.kernel().lowered();
        for &id in first.histories() {
            let name = &lowered.buffer(id).name;
            second.set_past(name, &first.past(name).unwrap()).unwrap();
        }
        for number in 5..15 {
            for name in first.state_names() {
                assert_eq!(second.state(name), first.state(name), "{name} before step {number}, {options:?}");
            }
            let other = steps(&mut second, number..number + 1);
            assert_eq!(steps(&mut first, number..number + 1), other, "{options:?}");
        }
    }
}
