//! Everything `#[spark::config]` allows.
use spark::prelude::*;

/// Parameters of a soma.
#[spark::config]
#[derive(Clone)]
pub struct SomaConfig {
    /// Membrane rest potential.
    #[param(default = -60.0, units = "mV")]
    pub potential_rest: Param,
    #[param(default = 20.0, units = "ms", check = positive)]
    pub potential_tau: Param,
    #[param(default = 0.01, units = "1/ms", check = [non_negative, finite])]
    pub eta: f64,
    #[param(default = true)]
    pub adaptive: bool,
    #[param(default = 0.5, units = "nS/mV", rename = "slope", alias = "steepness")]
    pub slope_factor: f64,
    #[param(default = "exponential")]
    pub shape: String,
}

/// With required fields, in this order.
#[spark::config]
pub struct RequiredConfig {
    #[param]
    pub units: Units,
    /// No attribute: required as well.
    pub gain: f64,
    /// Declared, so not added.
    #[param(default = 7)]
    pub seed: u32,
}

/// Without the common fields.
#[spark::config(bare)]
struct BareConfig {
    #[param(default = 1.0)]
    values: f64,
    #[param(default = 2.0)]
    r#type: f64,
}

fn main() {
    let soma = SomaConfig::default().with_eta(0.02).with_seed(3_u32).with_dt(0.1);
    assert_eq!(soma.eta, 0.02);
    assert_eq!((soma.seed, soma.dt), (3, 0.1));
    let required = RequiredConfig::new(64_usize, 1.0);
    assert_eq!(required.seed, 7);
    let bare = BareConfig::default().with_type(3.0);
    assert_eq!((bare.values, bare.r#type), (1.0, 3.0));
}
