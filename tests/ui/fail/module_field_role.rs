use spark::prelude::*;

#[spark::config]
struct SomaConfig {}

#[spark::module]
struct Soma {
    #[config]
    config: SomaConfig,
    potential: Real,
    #[varible]
    trace: Real,
    #[variable]
    #[constant]
    decay: Real,
    #[variable(fast)]
    fast: Real,
}

#[spark::module]
struct NoConfig {
    #[variable]
    potential: Real,
}

#[spark::module]
struct TwoConfigs {
    #[config]
    config: SomaConfig,
    #[config]
    other: SomaConfig,
}

fn main() {}
