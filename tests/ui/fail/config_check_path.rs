use spark::prelude::*;

mod checks {
    pub fn plain(x: f64) -> bool {
        x > 0.0
    }

    pub struct NotACheck;
}

#[spark::config]
struct SomaConfig {
    #[param(default = 1.0, check = checks::plain)]
    tau: Param,
    #[param(default = 1.0, check = checks::NotACheck)]
    gain: f64,
    #[param(default = 1.0, check = "positive")]
    rate: f64,
}

fn main() {
    SomaConfig::default();
}
