use spark::prelude::*;

#[spark::config]
struct SomaConfig {
    #[param(defualt = 1.0, unit = "mV", banana)]
    gain: f64,
    #[param(default = 1.0, default = 2.0, units = mV)]
    rate: f64,
}

#[spark::config(naked)]
struct OtherConfig {}

fn main() {
    SomaConfig::new(1.0);
}
