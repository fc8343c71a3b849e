use spark::prelude::*;

#[spark::traced]
fn f(x: Real, mut y: Real) -> Real {
    if x {
        y += 1.0;
    }
    if y > "text" && x {
        y += 1.0;
    }
    y
}

fn main() {}
