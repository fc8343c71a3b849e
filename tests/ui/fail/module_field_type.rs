use spark::prelude::*;

#[spark::config]
struct SomaConfig {}

#[spark::module]
struct Soma {
    #[config]
    config: SomaConfig,
    #[variable]
    name: String,
    #[module]
    tracer: Real,
}

fn main() {}
