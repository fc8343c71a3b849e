//! Kernels come and go: what they take is given back, and code lives as long as anything that can run it.

use spark_compiler::ir::parse::parse;
use spark_compiler::ir::{Array, Data, Program, Shape};
use spark_compiler::kernel::{Instance, Kernel, Plan};
use spark_compiler::passes::CompileOptions;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

/// Adds its input to a state and yields the sum, of so many elements.
fn accumulator_of(size: usize) -> Program {
    let text = r#"
        program "accumulator"
        state s0 "sum": f32[units:SIZE] = 0 -> %2
        input i0 "x": f32[units:SIZE]
        %0 = state s0: f32[units:SIZE]
        %1 = input i0: f32[units:SIZE]
        %2 = add %0, %1: f32[units:SIZE]
        output "sum": f32 = %2
    "#;
    parse(&text.replace("SIZE", &size.to_string())).unwrap()
}

fn accumulator() -> Program {
    accumulator_of(17)
}

fn kernel() -> Kernel {
    Kernel::compile(accumulator(), &CompileOptions::default()).unwrap()
}

/// One step with `x` everywhere.
fn step(instance: &mut Instance, x: f32) {
    instance.set_input(0, &Data::F32(vec![x; 17])).unwrap();
    instance.step();
}

#[track_caller]
fn holds(instance: &Instance, sum: f32) {
    assert_eq!(instance.output(0), Array::new(Shape::units(&[17]), Data::F32(vec![sum; 17])).unwrap());
}

/// Memory of this process that is in use (`VmRSS`), in kB; `None` if the system does not say.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Written to by the test that measures memory, read by the others: it runs alone.
static MEASURING: RwLock<()> = RwLock::new(());

fn not_measuring() -> RwLockReadGuard<'static, ()> {
    MEASURING.read().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn ten_thousand_kernels_leave_nothing_behind() {
    let _alone = MEASURING.write().unwrap_or_else(PoisonError::into_inner);
    let program = accumulator();
    let one = || {
        let kernel = Kernel::compile(program.clone(), &CompileOptions::default()).unwrap();
        let mut instance = kernel.instance().unwrap();
        step(&mut instance, 1.0);
        holds(&instance, 1.0);
    };
    for _ in 0..1000 {
        one();
    }
    let Some(before) = resident() else {
        eprintln!("skipped: no /proc/self/status on this system");
        return;
    };
    for _ in 0..10_000 {
        one();
    }
    let after = resident().unwrap();
    let grown = after.saturating_sub(before);
    println!("from {before} to {after} kB");
    assert!(grown < 1 << 10, "from {before} to {after} kB");
}

#[test]
fn an_instance_outlives_its_kernel() {
    let _others = not_measuring();
    let mut instance = kernel().instance().unwrap();
    step(&mut instance, 1.0);
    let others: Vec<Kernel> = (0..10).map(|_| kernel()).collect();
    step(&mut instance, 2.0);
    drop(others);
    step(&mut instance, 4.0);
    holds(&instance, 7.0);
}

#[test]
fn instances_of_one_kernel_share_nothing_but_code() {
    let _others = not_measuring();
    let kernel = kernel();
    let (mut a, mut b) = (kernel.instance().unwrap(), kernel.instance().unwrap());
    step(&mut a, 1.0);
    step(&mut b, 10.0);
    step(&mut a, 1.0);
    holds(&a, 2.0);
    holds(&b, 10.0);
    a.reset();
    step(&mut a, 5.0);
    step(&mut b, 1.0);
    holds(&a, 5.0);
    holds(&b, 11.0);
}

#[test]
fn threads_share_a_kernel() {
    let _others = not_measuring();
    let kernel = kernel();
    std::thread::scope(|scope| {
        for thread in 1..=8u8 {
            let kernel = &kernel;
            scope.spawn(move || {
                let mut instance = kernel.instance().unwrap();
                for _ in 0..1000 {
                    step(&mut instance, f32::from(thread));
                }
                holds(&instance, 1000.0 * f32::from(thread));
            });
        }
    });
}

#[test]
fn threads_compile_at_the_same_time() {
    let _others = not_measuring();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let mut instance = kernel().instance().unwrap();
                    step(&mut instance, 3.0);
                    holds(&instance, 3.0);
                }
            });
        }
    });
}

/// Every thread but the last drops its clone while others run; the instances move to threads of their own.
#[test]
fn a_kernel_is_dropped_while_its_clones_run() {
    let _others = not_measuring();
    let kernel = kernel();
    let threads: Vec<_> = (1..=8u8)
        .map(|steps| {
            let clone = kernel.clone();
            let mut instance = clone.instance().unwrap();
            std::thread::spawn(move || {
                drop(clone);
                for _ in 0..500 * u32::from(steps) {
                    step(&mut instance, 1.0);
                }
                holds(&instance, 500.0 * f32::from(steps));
            })
        })
        .collect();
    drop(kernel);
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn memory_that_is_filled_while_code_is_made() {
    let _others = not_measuring();
    for size in [17, 1 << 20] {
        let mut program = accumulator_of(size);
        let start: Vec<f32> = (0..size).map(|i| i as f32).collect();
        program.states[0].init = Array::new(Shape::units(&[size]), Data::F32(start.clone())).unwrap();
        let options = CompileOptions::default();
        let plan = Plan::new(program, &options);
        let bytes = plan.memory_bytes();
        let mut instance = plan.start(&options).unwrap();
        assert_eq!(instance.kernel().stats().memory_bytes, bytes);
        instance.set_input(0, &Data::F32(vec![0.5; size])).unwrap();
        instance.step();
        let expected: Vec<f32> = start.iter().map(|x| x + 0.5).collect();
        assert_eq!(instance.output(0).to_f32(), expected);
    }
}
