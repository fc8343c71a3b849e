use spark::prelude::*;

#[spark::config]
struct Generic<T> {
    #[param]
    value: T,
}

#[spark::config]
struct Tuple(f64);

#[spark::config]
enum Choice {
    One,
}

fn main() {}
