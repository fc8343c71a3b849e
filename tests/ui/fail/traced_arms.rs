use spark::prelude::*;

#[spark::traced]
fn f(x: Real) -> Real {
    let name = if x > 0.0 { "positive" } else { "negative" };
    if x > 0.0 { x } else { name.len() }
}

fn main() {}
