use spark::prelude::*;

#[spark::config]
struct SomaConfig {
    #[param(default = 1.0)]
    tau: f64,
    #[param(default = 1.0, alias = "tau")]
    time_constant: f64,
}

fn main() {}
