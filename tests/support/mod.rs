//! Golden data: traces of the Python Spark, recorded once, and how to run ours beside them.
#![allow(dead_code)]

pub(crate) mod command;
pub(crate) mod modes;
pub(crate) mod registered;

use modes::{First, in_every_mode};
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;
use spark::config::{ConfigTree, ConfigValue};
use spark::controller::{ModuleSpecs, PortMap};
use spark::model::{InputShape, Model, ModelBuilder, Outputs};
use spark::prelude::*;
use std::collections::HashMap;
use std::path::PathBuf;

/// A tensor of a golden file, as host numbers.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    pub(crate) dims: Vec<usize>,
    pub(crate) values: Vec<f64>,
}

impl Tensor {
    /// The slice of time step `t`.
    pub(crate) fn step(&self, t: usize) -> &[f64] {
        let size: usize = self.dims[1..].iter().product();
        &self.values[t * size..(t + 1) * size]
    }
}

/// Names of the recorded cases in `folder`, for example `synapses/linear_plain.f32`, sorted.
pub(crate) fn cases(folder: &str) -> Vec<String> {
    let files = std::fs::read_dir(golden_dir().join(folder)).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut cases: Vec<String> =
        names.filter_map(|name| Some(format!("{folder}/{}", name.strip_suffix(".safetensors")?))).collect();
    cases.sort();
    cases
}

/// One recorded case.
pub(crate) struct Golden {
    pub(crate) name: String,
    pub(crate) meta: HashMap<String, String>,
    pub(crate) tensors: HashMap<String, Tensor>,
}

pub(crate) fn golden_dir() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden"))
}

pub(crate) fn load(name: &str) -> Golden {
    let path = golden_dir().join(format!("{name}.safetensors"));
    let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let meta = header.metadata().clone().unwrap_or_default();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let tensors = file
        .tensors()
        .into_iter()
        .map(|(name, view)| {
            let bytes = view.data();
            let values = match view.dtype() {
                Dtype::U8 => bytes.iter().map(|&b| f64::from(b)).collect(),
                Dtype::F32 => bytes.as_chunks().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect(),
                Dtype::I32 => bytes.as_chunks().0.iter().map(|b| f64::from(i32::from_le_bytes(*b))).collect(),
                Dtype::U16 => bytes.as_chunks().0.iter().map(|b| f64::from(u16::from_le_bytes(*b))).collect(),
                Dtype::U32 => bytes.as_chunks().0.iter().map(|b| f64::from(u32::from_le_bytes(*b))).collect(),
                Dtype::F16 => bytes.as_chunks().0.iter().map(|b| half(u16::from_le_bytes(*b))).collect(),
                other => panic!("{name}: unexpected {other:?}"),
            };
            (name, Tensor { dims: view.shape().to_vec(), values })
        })
        .collect();
    Golden { name: name.into(), meta, tensors }
}

fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = ((bits >> 10) & 31, f64::from(bits & 1023));
    match exponent {
        0 => sign * fraction * 2f64.powi(-24),
        31 => f64::NAN,
        e => sign * (1.0 + fraction / 1024.0) * 2f64.powi(i32::from(e) - 15),
    }
}

impl Golden {
    pub(crate) fn config(&self) -> ConfigTree {
        let json: Value = serde_json::from_str(&self.meta["config"]).unwrap();
        match self.value(&json, "") {
            ConfigValue::Config(tree) => *tree,
            other => panic!("{}: the config is {other:?}", self.name),
        }
    }

    fn value(&self, json: &Value, field: &str) -> ConfigValue {
        match json {
            Value::Null => ConfigValue::Null,
            Value::Bool(b) => ConfigValue::Bool(*b),
            Value::Number(n) => n.as_i64().map_or_else(|| ConfigValue::Float(n.as_f64().unwrap()), ConfigValue::Int),
            Value::String(s) => DType::parse(s).map_or_else(|| ConfigValue::Text(s.clone()), ConfigValue::DType),
            Value::Array(items) => ConfigValue::List(items.iter().map(|v| self.value(v, field)).collect()),
            Value::Object(map) if map.contains_key("__array__") => {
                let Some(tensor) = self.tensors.get(&format!("param/{field}")) else {
                    // Small arrays are in the configuration itself.
                    return self.value(&map["data"], field);
                };
                let shape = Shape::of(Axis::anonymous(0), &tensor.dims);
                ConfigValue::Array(Array::new(shape, Data::F64(tensor.values.clone())).unwrap())
            }
            Value::Object(map) if map.contains_key("module_cls") => self.module(map),
            Value::Object(map) => {
                let mut tree = ConfigTree::new(map["__class__"].as_str().unwrap());
                for (name, value) in map.iter().filter(|(name, _)| *name != "__class__") {
                    tree.values.insert(name.clone(), self.value(value, name));
                }
                if tree.type_name.ends_with("DelaysConfig") {
                    // The reference's ring has B rows: a delay of B steps is none. Its files mean that.
                    tree.values.insert("wrap".into(), ConfigValue::Bool(true));
                }
                ConfigValue::Config(Box::new(tree))
            }
        }
    }

    fn module(&self, map: &serde_json::Map<String, Value>) -> ConfigValue {
        let text = |v: &Value| v.as_str().unwrap().to_string();
        let mut specs = ModuleSpecs::new(text(&map["name"]), text(&map["module_cls"]));
        let sources = |v: &Value| -> Vec<PortMap> {
            let one =
                |s: &Value| PortMap { origin: text(&s[0]), port: text(&s[1]), is_property: s[2].as_bool().unwrap() };
            v.as_array().unwrap().iter().map(one).collect()
        };
        for (port, v) in map["inputs"].as_object().unwrap() {
            specs.inputs.insert(port.clone(), sources(v));
        }
        for (port, v) in map["effects"].as_object().unwrap() {
            specs.effects.insert(port.clone(), sources(v));
        }
        for (name, v) in map["outputs"].as_object().unwrap() {
            specs.outputs.insert(name.clone(), text(v));
        }
        let ConfigValue::Config(config) = self.value(&map["config"], "config") else { panic!("module config") };
        specs.config = *config;
        spark::config::FieldType::to_value(&specs)
    }

    /// The largest difference between the reference's own modes in `what`.
    ///
    /// `eager_maxdiff.json` has it for whole cases, measured by running the reference once more; its jitted run gave
    /// every recorded number of these cases bit for bit. For others it is what was recorded, over the first steps.
    pub(crate) fn own_difference(&self, what: &str) -> f64 {
        let measured: Value = serde_json::from_str(include_str!("../golden/eager_maxdiff.json")).unwrap();
        let recorded: Option<Value> = self.meta.get("eager_maxdiff").and_then(|text| serde_json::from_str(text).ok());
        let tables = [measured.get(&self.name).cloned(), recorded];
        tables.into_iter().flatten().find_map(|table| table.get(what)?.as_f64()).unwrap_or(0.0)
    }

    /// Number of recorded steps.
    pub(crate) fn steps(&self) -> usize {
        self.meta["T"].parse().unwrap()
    }

    pub(crate) fn is_async(&self) -> bool {
        self.meta.get("async_spikes").is_some_and(|v| v == "True")
    }

    /// The value of input `port` at step `t`; a tensor without time is constant.
    pub(crate) fn input(&self, port: &str, t: usize) -> HostPayload {
        let tensor = &self.tensors[&format!("in/{port}")];
        let (dims, values) = match tensor.dims.first() {
            Some(&n) if n == self.steps() => (&tensor.dims[1..], tensor.step(t)),
            _ => (&tensor.dims[..], &tensor.values[..]),
        };
        let shape = Shape::of(Axis::anonymous(0), dims);
        HostPayload::new(Array::new(shape, Data::F64(values.to_vec())).unwrap())
    }

    pub(crate) fn dims(&self, port: &str) -> Vec<usize> {
        self.input(port, 0).dims()
    }

    /// The model of this case, with inputs declared. `ports` are input ports and the tensor of each one's mask.
    pub(crate) fn builder(&self, ports: &[(&str, Option<&str>)]) -> ModelBuilder {
        let mut builder = Model::from_tree(self.config());
        for (port, mask) in ports {
            let mut shape = InputShape::new(self.dims(port));
            if let Some(mask) = mask {
                shape = shape.with_mask(self.dims(mask));
            }
            if self.is_async() && *port != "post_spikes" && port.ends_with("spikes") {
                shape = shape.asynchronous();
            }
            builder = builder.input(*port, shape);
        }
        builder
    }

    /// The inputs of step `t`.
    pub(crate) fn inputs<'a>(&self, ports: &[(&'a str, Option<&str>)], t: usize) -> Vec<(&'a str, HostPayload)> {
        let one = |(port, mask): &(&'a str, Option<&str>)| {
            let value = self.input(port, t).value().clone();
            (*port, HostPayload::spikes(value, mask.map(|m| self.input(m, t).value().clone())))
        };
        ports.iter().map(one).collect()
    }
}

/// Writes a line of the table in the test's output, also where the harness keeps what tests print.
pub(crate) fn row(line: String) {
    // Written in one go, so that lines of tests that run side by side stay whole.
    let _ = std::io::Write::write_all(&mut std::io::stdout(), format!("{line}\n").as_bytes());
}

/// What differed in a case.
#[derive(Default)]
pub(crate) struct Deviation {
    /// Largest relative deviation, of numbers that are off by more than what the reference itself differs by.
    worst: f64,
    /// Largest absolute deviation of all.
    largest: f64,
    /// Numbers that differ at all, and numbers compared.
    differing: (usize, usize),
}

impl Deviation {
    /// Checks `found` against `expected`: within `tolerance` relative, or within `own`, what the reference itself differs
    /// between its own eager and compiled modes (the golden data's rule would allow ten times that).
    #[track_caller]
    pub(crate) fn check(&mut self, what: &str, found: &[f64], expected: &[f64], tolerance: f64, own: f64) {
        assert_eq!(found.len(), expected.len(), "{what}: length");
        self.differing.1 += found.len();
        for (i, (f, e)) in found.iter().zip(expected).enumerate() {
            if f == e {
                continue;
            }
            let difference = (f - e).abs();
            self.differing.0 += 1;
            self.largest = self.largest.max(difference);
            // Written so that NaN is beyond both.
            if difference <= own {
                continue;
            }
            let relative = difference / e.abs();
            assert!(relative <= tolerance, "{what}[{i}]: {f}, the reference has {e} (relative {relative:.2e})");
            self.worst = self.worst.max(relative);
        }
    }

    /// For the table in the test's output.
    pub(crate) fn told(&self) -> String {
        match self.differing {
            (0, 0) => "every spike and integer equal".to_owned(),
            (0, all) => format!("{all:>8} numbers, all equal bit for bit"),
            (some, all) => {
                format!("{some:>8} of {all} differ, by at most {:.1e}; relative {:.1e}", self.largest, self.worst)
            }
        }
    }
}

/// Runs a case in every mode; `compare` sees the model and its outputs after every step.
#[track_caller]
pub(crate) fn check(
    name: &str,
    ports: &[(&str, Option<&str>)],
    tolerance: f64,
    mut compare: impl FnMut(&Golden, usize, &Model, &Outputs, &mut Deviation),
) {
    let golden = load(name);
    in_every_mode(golden.builder(ports), First::Eager, |trial| {
        let mut deviation = Deviation::default();
        for t in 0..golden.steps() {
            let outputs = trial.step(&golden.inputs(ports, t));
            compare(&golden, t, trial, &outputs, &mut deviation);
        }
        row(format!("{name:<44} {:<20} {}  within {tolerance:.0e}", trial.mode, deviation.told()));
    });
}

/// Checks that every element is the same.
#[track_caller]
pub(crate) fn exact(what: &str, t: usize, found: &[f64], expected: &[f64]) {
    let wrong = found.iter().zip(expected).position(|(f, e)| f != e);
    assert!(found.len() == expected.len() && wrong.is_none(), "{what}, step {t}: element {wrong:?} differs");
}

/// Repeats a mask without time over the shape of its spikes, as recorded masks are.
pub(crate) fn repeated(values: &[f64], len: usize) -> Vec<f64> {
    (0..len).map(|i| values[i % values.len()]).collect()
}
