use spark::prelude::*;

#[spark::traced]
fn f(x: Real) -> Real {
    if x > 0.0 {
        return x;
    }
    x + 1.0
}

fn main() {}
