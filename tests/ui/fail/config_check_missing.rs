use spark::prelude::*;

#[spark::config]
struct SomaConfig {
    #[param(default = 1.0, check = [finite, huge])]
    gain: f64,
}

fn main() {
    SomaConfig::default();
}
