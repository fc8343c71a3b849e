//! Arrivals at many rows: sums that an intrinsic takes, and a rule that reads two values of each row, beside the evaluator.

mod common;

use common::{Random, Way, run};
use spark_compiler::ir::parse::parse;
use spark_compiler::ir::{Array, Program};
use spark_compiler::passes::CompileOptions;

/// Long lists: a pair of a column and a delay has a third of them.
const ROWS: usize = 1000;
const COLUMNS: usize = 24;

/// A weight that arrivals read, and that they lower by an error of the row; events of rows raise it by a trace.
fn plastic() -> Program {
    let delays = (0..ROWS * COLUMNS).map(|at| ((at * 7 + at / 5) % 3).to_string()).collect::<Vec<_>>().join(", ");
    let weights = (0..ROWS * COLUMNS).map(|at| format!("{:?}", (at * 37 % 101) as f32 / 404.0));
    let weights = weights.collect::<Vec<_>>().join(", ");
    let text = format!(
        r#"
        program "plastic"
        const c0 "delays": u8[units:{ROWS}, pre:{COLUMNS}] = {delays}
        const c1 "sign": f32[pre:{COLUMNS}] = {signs}
        state s0 "kernel": f32[units:{ROWS}, pre:{COLUMNS}] = {weights} -> %17
        state s1 "trace": f32[pre:{COLUMNS}] = 0.0 -> %24
        history h0 "past": bool[pre:{COLUMNS}] x 3
        history h1 "trace.past": f32[pre:{COLUMNS}] x 3
        input i0 "spikes": bool[pre:{COLUMNS}]
        input i1 "post": bool[units:{ROWS}]
        input i2 "error": f32[units:{ROWS}]
        %0 = input i0: bool[pre:{COLUMNS}]
        %1 = delay h0, %0, c0: bool[units:{ROWS}, pre:{COLUMNS}]
        %2 = state s0: f32[units:{ROWS}, pre:{COLUMNS}]
        %3 = cast %1: f32[units:{ROWS}, pre:{COLUMNS}]
        %4 = state s1: f32[pre:{COLUMNS}]
        %5 = delay h1, %4, c0: f32[units:{ROWS}, pre:{COLUMNS}]
        %6 = input i1: bool[units:{ROWS}]
        %7 = cast %6: f32[units:{ROWS}]
        %8 = input i2: f32[units:{ROWS}]
        %9 = mul %7, %8: f32[units:{ROWS}]
        %10 = mul %5, %9: f32[units:{ROWS}, pre:{COLUMNS}]
        %11 = literal 0.25: f32
        %12 = add %2, %10: f32[units:{ROWS}, pre:{COLUMNS}]
        %13 = mul %3, %8: f32[units:{ROWS}, pre:{COLUMNS}]
        %14 = sub %12, %13: f32[units:{ROWS}, pre:{COLUMNS}]
        %15 = literal 0.0: f32
        %16 = max %14, %15: f32[units:{ROWS}, pre:{COLUMNS}]
        %17 = min %16, %11: f32[units:{ROWS}, pre:{COLUMNS}]
        %18 = constant c1: f32[pre:{COLUMNS}]
        %19 = mul %3, %18: f32[units:{ROWS}, pre:{COLUMNS}]
        %20 = mul %2, %19: f32[units:{ROWS}, pre:{COLUMNS}]
        %21 = reduce.sum pre, %20: f32[units:{ROWS}]
        %22 = mul %4, %11: f32[pre:{COLUMNS}]
        %23 = cast %0: f32[pre:{COLUMNS}]
        %24 = add %22, %23: f32[pre:{COLUMNS}]
        output "current": f32 = %21
        "#,
        signs = (0..COLUMNS).map(|at| if at % 3 == 0 { "-1.5" } else { "0.75" }).collect::<Vec<_>>().join(", "),
    );
    parse(&text).unwrap()
}

fn ways(by_delay: [usize; 2]) -> [Way; 2] {
    let options = CompileOptions { by_delay, ..CompileOptions::exact() };
    let without = CompileOptions { intrinsics: false, ..options };
    [
        Way { name: "with intrinsics", options, kernel: true },
        Way { name: "without intrinsics", options: without, kernel: true },
    ]
}

#[test]
fn deliveries_and_rules_at_many_rows() {
    let program = plastic();
    let mut random = Random(5);
    let mut spikes = |port: usize, one_in: u64| {
        let shape = &program.inputs[port].shape;
        let bits = (0..shape.size()).map(|_| i32::from(random.next().is_multiple_of(one_in))).collect::<Vec<_>>();
        Array::new(shape.clone(), spark_compiler::ir::Data::I32(bits)).unwrap().convert(program.inputs[port].dtype)
    };
    let inputs: Vec<Vec<Array>> = (0..60)
        .map(|step| {
            let error = (0..ROWS).map(|row| ((row * 13 + step * 5) % 17) as f32 / 64.0).collect();
            let error = Array::new(program.inputs[2].shape.clone(), spark_compiler::ir::Data::F32(error)).unwrap();
            vec![spikes(0, 9), spikes(1, 60), error]
        })
        .collect();
    let columns = [usize::MAX, usize::MAX];
    let placed = [0, usize::MAX];
    for by_delay in [columns, placed] {
        run(&program, &inputs, &ways(by_delay)).unwrap();
    }
}
