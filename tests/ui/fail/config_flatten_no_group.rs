use spark::prelude::*;

#[spark::config]
struct MembraneConfig {
    #[param(default = 20.0, units = "ms")]
    tau: Param,
}

#[spark::config]
struct SomaConfig {
    #[flatten]
    membrane: MembraneConfig,
}

fn main() {}
