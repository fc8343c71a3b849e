use spark::prelude::*;

#[spark::traced]
fn f(x: Option<Real>) -> Real {
    if let Some(x) = x
        && x > 0.0
    {
        x
    } else {
        Real::from(0.0)
    }
}

fn main() {}
