use spark::prelude::*;

#[spark::config(group)]
struct MembraneConfig {
    #[param(default = -60.0, units = "mV")]
    potential_rest: Param,
    #[param(default = 20.0, units = "ms")]
    tau: Param,
}

#[spark::config]
struct UnknownConfig {
    #[flatten(potential_rset = -70.0, tau)]
    membrane: MembraneConfig,
}

#[spark::config]
struct BothConfig {
    #[flatten]
    #[param(default = 1.0)]
    membrane: MembraneConfig,
}

#[spark::config]
struct ClashConfig {
    #[param(default = 1.0)]
    tau: f64,
    #[flatten]
    membrane: MembraneConfig,
}

#[spark::config]
struct SetterConfig {
    #[param(default = 1.0, rename = "time_constant")]
    tau: f64,
    #[flatten]
    membrane: MembraneConfig,
}

#[spark::config]
struct OptionalConfig {
    #[flatten]
    membrane: Option<MembraneConfig>,
}

#[spark::config(group = true)]
struct ValuedConfig {}

#[spark::config]
struct TypedConfig {
    #[flatten(tau = "long")]
    membrane: MembraneConfig,
}

fn main() {
    let _ = (UnknownConfig::default(), BothConfig::default(), ClashConfig::default(), OptionalConfig::default());
}
