use spark::prelude::*;

#[spark::config]
struct SomaConfig {}

#[spark::module]
struct Soma {
    #[config]
    config: SomaConfig,
}

#[spark::module(category = "Somas")]
impl Soma {
    #[step]
    fn step(&mut self) {}
}

fn main() {}
