use spark::prelude::*;

#[spark::initializer]
struct NeverDraws {
    #[param(default = 1.0)]
    scale: f64,
}

#[spark::initializer]
struct Tuple(f64);

#[spark::initializer(nam = "Ring")]
struct Generic<T> {
    value: T,
}

#[spark::initializer(name = 3)]
enum Shape {
    Round,
}

fn main() {}
