use spark::prelude::*;

#[spark::traced]
fn f(x: Real) -> Real {
    let mut gain = 1.0;
    let mut count = 0_usize;
    if x > 0.0 {
        gain = 2.0;
        count += 1;
    }
    let _ = count;
    x * gain
}

fn main() {}
