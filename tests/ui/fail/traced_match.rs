use spark::prelude::*;

#[spark::traced]
fn f(x: Real) -> Real {
    match x > 0.0 {
        true => x,
        false => x + 1.0,
    }
}

fn main() {}
