use spark::prelude::*;

#[spark::config]
struct SomaConfig {
    #[param(default = 1.0, units = "mv")]
    potential: Param,
    #[param(default = 1.0, units = "mV/mss")]
    slope: Param,
    #[param(default = 1.0, units = "furlong")]
    length: f64,
}

fn main() {
    SomaConfig::default();
}
