use spark::prelude::*;

#[spark::traced]
fn f(x: Real, slot: &std::cell::RefCell<Real>) {
    if x > 0.0 {
        *slot.borrow_mut() = x;
    }
}

fn main() {}
