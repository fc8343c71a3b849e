use spark::prelude::*;

#[spark::traced]
fn f(mut x: Real) -> Real {
    while x > 0.0 {
        x += 1.0;
    }
    x
}

fn main() {}
