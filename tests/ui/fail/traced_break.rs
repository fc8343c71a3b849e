use spark::prelude::*;

#[spark::traced]
fn f(mut x: Real) -> Real {
    for _ in 0..3 {
        if x > 0.0 {
            break;
        }
        if x < 0.0 {
            continue;
        }
        x += 1.0;
    }
    x
}

fn main() {}
