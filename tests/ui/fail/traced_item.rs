use spark::prelude::*;

#[spark::traced(fast)]
fn f(x: Real) -> Real {
    x
}

#[spark::traced]
struct Soma;

fn main() {}
