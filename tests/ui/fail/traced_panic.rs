use spark::prelude::*;

#[spark::traced]
fn f(x: Real) -> Real {
    if x > 0.0 {
        panic!("positive");
    }
    x
}

fn main() {}
