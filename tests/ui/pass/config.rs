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

/// A group, in a module of its own.
pub mod parts {
    use spark::prelude::*;

    /// Every field has a type that is not in scope below.
    #[spark::config(group)]
    pub struct MembraneConfig {
        /// Membrane time constant.
        #[param(default = 20.0, units = "ms", check = positive)]
        pub tau: Param,
        #[param(default = hidden::MODE)]
        pub mode: hidden::Mode,
    }

    mod hidden {
        pub type Mode = String;
        pub const MODE: &str = "leaky";
    }

    #[spark::config(group)]
    pub(crate) struct EmptyConfig {}
}

/// Groups of groups, by path, required fields and replaced defaults.
#[spark::config(group)]
struct SynapsesConfig {
    #[flatten(tau = 5, mode = "fast")]
    membrane: parts::MembraneConfig,
    r#type: usize,
}

#[spark::config]
pub struct FlatConfig {
    #[param(default = 1.0)]
    pub values: f64,
    /// Documented, or not.
    #[flatten(tau = 6.0)]
    pub(crate) synapses: SynapsesConfig,
    #[flatten]
    pub(crate) empty: parts::EmptyConfig,
    #[flatten]
    fields: inner::FieldsConfig,
}

mod inner {
    #[spark::config(group)]
    pub(super) struct FieldsConfig {
        pub(super) errors: bool,
    }
}

fn main() {
    let soma = SomaConfig::default().with_eta(0.02).with_seed(3_u32).with_dt(0.1);
    assert_eq!(soma.eta, 0.02);
    assert_eq!((soma.seed, soma.dt), (3, 0.1));
    let required = RequiredConfig::new(64_usize, 1.0);
    assert_eq!(required.seed, 7);
    let bare = BareConfig::default().with_type(3.0);
    assert_eq!((bare.values, bare.r#type), (1.0, 3.0));
    let flat = FlatConfig::new(3_usize, true).with_mode("slow").with_type(4_usize);
    assert_eq!((flat.synapses.r#type, flat.synapses.membrane.mode.as_str()), (4, "slow"));
    assert_eq!(flat.synapses.membrane.tau, Param::from(6.0));
    assert!(flat.fields.errors);
    {
        // Within a function, too.
        #[spark::config(group)]
        struct LocalConfig {
            #[param(default = 2.0)]
            local: f64,
        }
        #[spark::config]
        struct OuterConfig {
            #[flatten]
            group: LocalConfig,
        }
        assert_eq!(OuterConfig::default().group.local, 2.0);
    }
}
