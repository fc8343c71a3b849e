use spark::prelude::*;

#[spark::config]
struct SomaConfig {
    #[param(default = "0.01")]
    eta: f64,
    #[param(default = false)]
    tau: Param,
    #[param(default = 1)]
    adaptive: bool,
    #[param(default = "64")]
    units: Units,
}

fn main() {
    SomaConfig::default();
}
