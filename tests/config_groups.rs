//! Groups of parameters: a configuration that flattens them is, outside code, one that has their fields itself.

use spark::config::{Config, ConfigTree, ConfigValue, FieldSpec, Param, Units};

/// What a membrane has.
#[spark::config(group)]
#[derive(Eq, PartialEq)]
pub struct MembraneConfig {
    /// Shape of the pool.
    pub units: Units,
    /// Learning rate, as a whole number.
    #[param(default = 3, rename = "rate", alias = "gamma")]
    pub eta: i64,
    /// Count as another does.
    #[param(default = false, python_default = true)]
    pub wrap: bool,
}

/// A membrane and more.
#[spark::config(group)]
pub struct LargerConfig {
    #[param(default = 1.0)]
    first: f64,
    #[flatten(eta = 4)]
    membrane: MembraneConfig,
    /// Membrane time constant.
    #[param(default = 20.0, units = "ms", check = positive)]
    tau: Param,
}

/// Parameters of a soma.
#[spark::config]
pub struct SomaConfig {
    #[flatten(wrap = true, tau = 10.0)]
    pub larger: LargerConfig,
    /// The last one.
    #[param(default = 2.0)]
    pub last: f64,
}

fn names(fields: &[FieldSpec]) -> Vec<&str> {
    fields.iter().map(|field| field.name).collect()
}

fn given() -> ConfigTree {
    ConfigTree::new("SomaConfig").with("units", ConfigValue::Int(4))
}

#[test]
fn fields_stand_in_place_and_in_order() {
    let fields = SomaConfig::spec().fields;
    assert_eq!(names(fields), ["first", "units", "rate", "wrap", "tau", "last", "seed", "dtype", "dt"]);
    assert_eq!((fields[4].units, fields[4].type_name), (Some("ms"), "Param"));
    assert_eq!(fields[4].checks.iter().map(|check| check.name).collect::<Vec<_>>(), ["positive"]);
    assert_eq!(fields[4].description, "Membrane time constant.");
    assert_eq!(SomaConfig::new(4).to_tree().values.keys().collect::<Vec<_>>(), names(fields));
}

#[test]
fn defaults_are_the_group_s_or_what_replaces_them() {
    let soma = SomaConfig::new(4);
    assert_eq!(soma.larger.membrane, MembraneConfig { units: Units::from(4), eta: 4, wrap: true });
    assert_eq!((soma.larger.first, &soma.larger.tau), (1.0, &Param::Scalar(10.0)));
    // Read from a file, they are the same.
    assert_eq!(SomaConfig::from_tree(&given()).unwrap(), soma);
    assert_eq!(LargerConfig::new(4).tau, Param::Scalar(20.0));
}

#[test]
fn a_round_trip_is_the_identity() {
    let soma = SomaConfig::new(4).with_tau(vec![1.0, 2.0]).with_eta(7).with_first(0.5).with_last(3.0).with_dt(0.1);
    assert_eq!((soma.larger.membrane.eta, soma.larger.first), (7, 0.5));
    let read = SomaConfig::from_tree(&soma.to_tree()).unwrap();
    assert_eq!(read, soma);
    assert_ne!(read, SomaConfig::new(4));
    let written = spark::scfg::write(&soma.to_tree(), true).unwrap();
    assert_eq!(SomaConfig::from_tree(&spark::scfg::parse(&written).unwrap()).unwrap(), soma);
}

#[test]
fn aliases_and_defaults_of_files_are_kept() {
    let read = |tree: ConfigTree| SomaConfig::from_tree(&tree);
    assert_eq!(read(given().with("gamma", ConfigValue::Int(9))).unwrap().larger.membrane.eta, 9);
    let twice = given().with("gamma", ConfigValue::Int(9)).with("rate", ConfigValue::Int(9));
    let message = "rate: given twice, as `rate` and as `gamma`\n  help: remove one of the two";
    assert_eq!(read(twice).unwrap_err().to_string(), message);
    // Only the Python Spark writes this note; there, `wrap` means what its `python_default` says.
    let tree = ConfigTree::new("PlainConfig").with("units", ConfigValue::Int(1));
    assert!(!PlainConfig::from_tree(&tree).unwrap().membrane.wrap);
    let tree = tree.with("__config_delimiter__", ConfigValue::Text("__".into()));
    assert!(PlainConfig::from_tree(&tree).unwrap().membrane.wrap);
}

/// A group as it is.
#[spark::config(bare)]
struct PlainConfig {
    #[flatten]
    membrane: MembraneConfig,
}

#[test]
fn mistakes_have_the_path_of_the_configuration_s_own_fields() {
    let tree = ConfigTree::new("SomaConfig")
        .with("rate", ConfigValue::Float(0.5))
        .with("tau", ConfigValue::Float(-1.0))
        .with("warp", ConfigValue::Bool(true));
    assert_eq!(
        SomaConfig::from_tree(&tree).unwrap_err().prefixed("soma").to_string(),
        "soma.warp: `SomaConfig` has no such field\n  help: did you mean `wrap`?\n\
         soma.units: missing required field\n  help: give a value (Units: Shape of the pool.)\n\
         soma.rate: must be an integer, found 0.5\n\
         soma.tau: must be positive, found -1 ms\n  help: Membrane time constant."
    );
    let invalid = SomaConfig::new(0).with_tau(0.0).validate().unwrap_err();
    assert_eq!(
        invalid.to_string(),
        "units[0]: must be at least 1, found 0\ntau: must be positive, found 0 ms\n  help: Membrane time constant."
    );
}

/// A required field may be given a value once and for all.
#[spark::config(bare)]
struct FixedConfig {
    #[flatten(units = [2, 3])]
    membrane: MembraneConfig,
}

#[test]
fn a_required_field_that_is_given_is_not_required() {
    assert_eq!(FixedConfig::default().membrane.units, Units::from([2, 3]));
    assert_eq!(FixedConfig::from_tree(&ConfigTree::new("fixed_config")).unwrap(), FixedConfig::default());
}

#[test]
fn groups_are_no_configurations_of_their_own() {
    let registry = spark::registry::Registry::global().unwrap();
    assert!(registry.configs.find("SomaConfig").is_some());
    assert!(registry.configs.find("MembraneConfig").is_none());
}
