use spark::prelude::*;

#[spark::config]
struct SomaConfig {}

#[spark::module(categroy = "Somas")]
struct Soma {
    #[config]
    config: SomaConfig,
}

fn main() {}
