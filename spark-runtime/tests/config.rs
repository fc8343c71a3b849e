//! Typed configurations: conversion, checks, messages, and the code the macro emits.

use indexmap::IndexMap;
use spark_compiler::ir::{Array, DType, Data};
use spark_runtime::config::validate::{Validator, ValidatorSpec, checks};
use spark_runtime::config::*;
use spark_runtime::init::{SparseUniform, Uniform};
use spark_runtime::registry::{Registered, Registry};

/// A soma, written out as `#[spark::config]` emits it.
#[derive(Clone, Debug, PartialEq)]
struct SomaConfig {
    potential_rest: Param,
    potential_tau: Param,
    eta: f64,
    units: Units,
    kernel: Param,
    names: Option<Vec<String>>,
    seed: u32,
    dtype: DType,
}

const fn field(name: &'static str, type_name: &'static str, default: Option<fn() -> ConfigValue>) -> FieldSpec {
    FieldSpec { name, alias: None, type_name, units: None, description: "", checks: &[], default, python_default: None }
}

impl Config for SomaConfig {
    fn spec() -> &'static ConfigSpec {
        static SPEC: ConfigSpec = ConfigSpec {
            name: "SomaConfig",
            description: "",
            fields: &[
                FieldSpec {
                    units: Some("mV"),
                    ..field(
                        "potential_rest",
                        "Param",
                        Some(|| IntoConfigValue::into_value(&<Param as FromDefault<_>>::from_default(-60.0))),
                    )
                },
                FieldSpec {
                    units: Some("ms"),
                    description: "Membrane time constant.",
                    checks: &[checks::positive::SPEC],
                    ..field(
                        "potential_tau",
                        "Param",
                        Some(|| IntoConfigValue::into_value(&<Param as FromDefault<_>>::from_default(20))),
                    )
                },
                FieldSpec {
                    alias: Some("gamma"),
                    ..field(
                        "eta",
                        "f64",
                        Some(|| IntoConfigValue::into_value(&<f64 as FromDefault<_>>::from_default(1))),
                    )
                },
                FieldSpec { description: "Shape of the pool.", ..field("units", "Units", None) },
                field(
                    "kernel",
                    "Param",
                    Some(|| {
                        IntoConfigValue::into_value(&<Param as FromDefault<_>>::from_default(SparseUniform::default()))
                    }),
                ),
                field(
                    "names",
                    "Option<Vec<String>>",
                    Some(|| IntoConfigValue::into_value(&<Option<Vec<String>> as FromDefault<_>>::from_default(None))),
                ),
                field("seed", "u32", Some(|| IntoConfigValue::into_value(&<u32 as FromDefault<_>>::from_default(0)))),
                field(
                    "dtype",
                    "DType",
                    Some(|| IntoConfigValue::into_value(&<DType as FromDefault<_>>::from_default(DType::F32))),
                ),
            ],
        };
        &SPEC
    }

    fn from_values(values: &ConfigValues, errors: &mut ConfigErrors) -> Option<Self> {
        let potential_rest = values.read::<Param>(&Self::spec().fields[0], errors);
        let potential_tau = values.read::<Param>(&Self::spec().fields[1], errors);
        let eta = values.read::<f64>(&Self::spec().fields[2], errors);
        let units = values.read::<Units>(&Self::spec().fields[3], errors);
        let kernel = values.read::<Param>(&Self::spec().fields[4], errors);
        let names = values.read::<Option<Vec<String>>>(&Self::spec().fields[5], errors);
        let seed = values.read::<u32>(&Self::spec().fields[6], errors);
        let dtype = values.read::<DType>(&Self::spec().fields[7], errors);
        Some(Self {
            potential_rest: potential_rest?,
            potential_tau: potential_tau?,
            eta: eta?,
            units: units?,
            kernel: kernel?,
            names: names?,
            seed: seed?,
            dtype: dtype?,
        })
    }

    fn to_values(&self) -> ConfigValues {
        let mut values = ConfigValues::new(Self::spec());
        values.write("potential_rest", &self.potential_rest);
        values.write("potential_tau", &self.potential_tau);
        values.write("eta", &self.eta);
        values.write("units", &self.units);
        values.write("kernel", &self.kernel);
        values.write("names", &self.names);
        values.write("seed", &self.seed);
        values.write("dtype", &self.dtype);
        values
    }
}

inventory::submit! { Registered::Config(<SomaConfig as Config>::spec, file!(), line!()) }

fn units() -> ConfigTree {
    ConfigTree::new("soma_config").with("units", ConfigValue::List(vec![ConfigValue::Int(4), ConfigValue::Int(3)]))
}

#[test]
fn defaults_fill_in_and_notes_are_ignored() {
    let soma = SomaConfig::from_tree(&units().with("__metadata__", ConfigValue::Map(IndexMap::new()))).unwrap();
    assert_eq!(soma.potential_tau, Param::Scalar(20.0));
    assert_eq!((soma.eta, soma.units.size(), soma.dtype, soma.seed), (1.0, 12, DType::F32, 0));
    assert_eq!(soma.kernel, Param::from(SparseUniform::default()));
}

#[test]
fn a_round_trip_is_the_identity() {
    let soma = SomaConfig {
        potential_rest: Param::from(vec![-60.0, 0.1]),
        kernel: Param::from(Uniform::default().with_max_value(2.0)),
        names: Some(vec!["a".to_owned()]),
        seed: u32::MAX,
        dtype: DType::F16,
        ..SomaConfig::from_tree(&units()).unwrap()
    };
    assert_eq!(SomaConfig::from_tree(&soma.to_tree()).unwrap(), soma);
    let written = spark_runtime::scfg::write(&soma.to_tree(), true).unwrap();
    assert_eq!(SomaConfig::from_tree(&spark_runtime::scfg::parse(&written).unwrap()).unwrap(), soma);
    soma.validate().unwrap();
}

#[test]
fn the_alias_is_read() {
    let tree = units().with("gamma", ConfigValue::Float(0.5));
    assert_eq!(SomaConfig::from_tree(&tree).unwrap().eta, 0.5);
    let twice = SomaConfig::from_tree(&tree.with("eta", ConfigValue::Float(0.5))).unwrap_err();
    assert_eq!(twice.to_string(), "eta: given twice, as `eta` and as `gamma`\n  help: remove one of the two");
}

#[test]
fn every_mistake_is_reported() {
    let tree = ConfigTree::new("SomaConfig")
        .with("potential_tua", ConfigValue::Float(1.0))
        .with("potential_rest", ConfigValue::Bool(true))
        .with("potential_tau", ConfigValue::List(vec![ConfigValue::Int(20), ConfigValue::Int(-20)]))
        .with("eta", ConfigValue::Float(f64::NAN))
        .with(
            "kernel",
            ConfigValue::Config(Box::new(
                ConfigTree::new("uniform_initializer_config").with("scale", ConfigValue::Null),
            )),
        )
        .with("names", ConfigValue::List(vec![ConfigValue::Int(1)]))
        .with("seed", ConfigValue::Int(-1))
        .with("dtype", ConfigValue::Text("flot32".to_owned()));
    assert_eq!(
        SomaConfig::from_tree(&tree).unwrap_err().prefixed("soma").to_string(),
        "soma.potential_tua: `SomaConfig` has no such field\n  help: did you mean `potential_tau`?\n\
         soma.potential_rest: must be a number, an array or an initializer, found true\n\
         soma.potential_tau: must be positive, found -20 ms at position 1\n  help: Membrane time constant.\n\
         soma.eta: must be a number, found NaN\n\
         soma.units: missing required field\n  help: give a value (Units: Shape of the pool.)\n\
         soma.kernel.scale: must be a number, found null\n\
         soma.names[0]: must be a string, found 1\n\
         soma.seed: must be an integer from 0 to 4294967295, found -1\n\
         soma.dtype: unsupported dtype `flot32`\n  help: did you mean `float32`?"
    );
    let other = SomaConfig::from_tree(&ConfigTree::new("leaky_soma_config")).unwrap_err();
    assert_eq!(other.to_string(), "expected a `SomaConfig`, found a `leaky_soma_config`");
}

#[test]
fn validate_checks_values_set_in_code() {
    let mut soma = SomaConfig::from_tree(&units()).unwrap();
    soma.potential_tau = Param::from(-20);
    soma.units = Units::from([4, 0]);
    assert_eq!(
        soma.validate().unwrap_err().to_string(),
        "potential_tau: must be positive, found -20 ms\n  help: Membrane time constant.\n\
         units[1]: must be at least 1, found 0"
    );
}

#[test]
fn units_are_dimensions() {
    #[track_caller]
    fn refuses(value: ConfigValue, text: &str) {
        assert_eq!(Units::from_value(&value).unwrap_err().to_string(), text);
    }
    assert_eq!(Units::from_value(&ConfigValue::Int(5)).unwrap(), Units::from(5));
    refuses(ConfigValue::List(vec![]), "must have at least one dimension, found none");
    refuses(ConfigValue::Float(5.5), "must be a list of dimensions, found 5.5");
    refuses(ConfigValue::Int(-1), "must be an integer from 0 to 18446744073709551615, found -1");
    let huge = ConfigValue::List(vec![ConfigValue::Int(1 << 40); 2]);
    refuses(
        huge,
        "[1099511627776, 1099511627776] are too many units\n  help: at most 2^24 are possible, fewer under a limit of memory",
    );
    let default: Units = FromDefault::from_default([2, -3]);
    assert_eq!(default.check().unwrap_err().to_string(), "[1]: must be at least 1, found 0");
}

#[test]
fn nested_lists_are_arrays() {
    let row = |a, b| ConfigValue::List(vec![ConfigValue::Int(a), ConfigValue::Int(b)]);
    let array = Array::from_value(&ConfigValue::List(vec![row(1, 2), row(3, 4), row(5, 6)])).unwrap();
    assert_eq!((array.dims(), array.data()), (vec![3, 2], &Data::I32(vec![1, 2, 3, 4, 5, 6])));
    let ragged = ConfigValue::List(vec![row(1, 2), ConfigValue::List(vec![ConfigValue::Float(1.0)])]);
    assert_eq!(
        Array::from_value(&ragged).unwrap_err().to_string(),
        "[1]: rows of an array must have equal dimensions, found [2] and [1]"
    );
}

#[test]
fn checks_name_the_allowed_range() {
    #[track_caller]
    fn refuses(check: &'static ValidatorSpec, x: f64, text: &str) {
        let spec = FieldSpec { checks: Box::leak(Box::new([check])), ..field("x", "f64", None) };
        assert_eq!(validate::check(&[x], &spec).unwrap_err().to_string(), text);
    }
    refuses(checks::positive::SPEC, 0.0, "must be positive, found 0");
    refuses(checks::non_negative::SPEC, -0.5, "must be zero or positive, found -0.5");
    refuses(checks::binary::SPEC, 0.5, "must be 0 or 1, found 0.5");
    refuses(checks::zero_one::SPEC, 1.5, "must lie between 0 and 1, found 1.5");
    refuses(checks::finite::SPEC, f64::INFINITY, "must be finite, found inf");
    refuses(checks::finite::SPEC, f64::NAN, "must be a number, found NaN");
}

#[test]
fn everything_linked_is_registered() {
    let registry = Registry::global().unwrap();
    assert_eq!(registry.configs.get("soma_config").unwrap().name, "SomaConfig");
    let validators: Vec<&str> = registry.validators.names().collect();
    assert_eq!(
        validators,
        ["binary", "finite", "hodgkin_huxley_step", "infinite", "non_negative", "positive", "type", "zero_one"]
    );
    let initializers: Vec<&str> = registry.initializers.names().collect();
    assert_eq!(
        initializers,
        [
            "constant_initializer",
            "fixed_indegree_initializer",
            "log_normal_initializer",
            "normal_initializer",
            "normalized_sparse_uniform_initializer",
            "sparse_uniform_initializer",
            "uniform_initializer"
        ]
    );
    assert_eq!(
        registry.initializers.get("UniformInitialiser").unwrap_err().to_string(),
        "there is no initializer called `UniformInitialiser`\n  help: did you mean `UniformInitializer`?"
    );
}
