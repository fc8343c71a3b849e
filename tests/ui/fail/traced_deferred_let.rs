use spark::prelude::*;

#[spark::traced]
fn f(x: Real) -> Real {
    let y;
    if x > 0.0 {
        y = x;
    } else {
        y = x + 1.0;
    }
    y
}

fn main() {}
