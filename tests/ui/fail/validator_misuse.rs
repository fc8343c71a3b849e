#[spark::validator]
fn silent(x: f64) -> bool {
    x > 0.0
}

#[spark::validator(allowed = "be small")]
fn two(x: f64, y: f64) -> bool {
    x < y
}

#[spark::validator(allowed = "be small")]
fn single(x: f32) -> f32 {
    x
}

#[spark::validator(allowed = "be anything", alowed = "")]
fn generic<T>(_: f64) {}

#[spark::validator(allowed = "be a type")]
struct NotAFunction;

fn main() {}
