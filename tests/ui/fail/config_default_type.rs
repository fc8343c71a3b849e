use spark::prelude::*;

#[spark::config]
struct SomaConfig {
    #[param(default = Some(1.0))]
    eta: f64,
}

fn main() {
    SomaConfig::default();
}
