use spark::prelude::*;

#[spark::config]
struct SomaConfig {
    #[param(default = 1.0, check = postive)]
    tau: Param,
    #[param(default = 1.0, check = [finite, non_negativ])]
    gain: f64,
}

fn main() {
    SomaConfig::default();
}
