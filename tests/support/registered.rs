//! Registered modules of a category, each with inputs that fit its ports: for properties that hold for all of them.

use spark::config::{ConfigTree, ConfigValue, FieldType};
use spark::model::{InputShape, Outputs};
use spark::payload::{PayloadKind, PayloadType};
use spark::prelude::*;
use spark::registry::Registry;
use spark::rng::Key;
use spark::spec::{ModuleType, PortSpecs};
use spark_compiler::passes::CompileOptions;

/// The registered modules of a category.
pub(crate) fn modules(category: &str) -> Vec<&'static ModuleType> {
    let modules: Vec<_> = Registry::global().unwrap().modules.iter().filter(|m| m.category == category).collect();
    assert!(!modules.is_empty(), "{category}");
    modules
}

/// A module between two populations.
#[derive(Clone)]
pub(crate) struct Subject {
    pub(crate) spec: &'static ModuleType,
    pub(crate) tree: ConfigTree,
    pub(crate) post: Vec<usize>,
    pub(crate) pre: Vec<usize>,
    /// Presynaptic spikes are given once for each synapse.
    pub(crate) over_synapses: bool,
    /// What ports for any payload carry.
    pub(crate) carried: &'static PayloadKind,
    /// The compiler's passes; the defaults if none.
    pub(crate) options: Option<CompileOptions>,
}

/// Values over a kind of axes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Over {
    Pre,
    Post,
    Synapses,
}

/// Where the values of a port lie.
pub(crate) fn over(port: &PortSpecs) -> Over {
    match port.axes {
        [Axis::PRE] => Over::Pre,
        [_] => Over::Post,
        _ => Over::Synapses,
    }
}

impl Subject {
    /// `spec` with its defaults.
    pub(crate) fn new(spec: &'static ModuleType, post: &[usize], pre: &[usize]) -> Subject {
        let config = (spec.config)();
        let mut tree = ConfigTree::new(config.name);
        if config.field("units").is_some() {
            tree = tree.with("units", Units(post.to_vec()).to_value());
        }
        let (post, pre) = (post.to_vec(), pre.to_vec());
        Subject { spec, tree, post, pre, over_synapses: false, carried: FloatArray::KIND, options: None }
    }

    /// `spec`, whatever it is, with 24 units (and 5 inputs), and what has no default as large as a population of them. Ports for
    /// any payload carry `carried`.
    pub(crate) fn any(spec: &'static ModuleType, carried: &'static PayloadKind) -> Subject {
        let mut subject = Subject { carried, ..Subject::new(spec, &[24], &[5]) };
        for field in (spec.config)().fields.iter().filter(|field| field.default.is_none()) {
            let value = match field.type_name {
                "Units" => Units(vec![24]).to_value(),
                "usize" => ConfigValue::Int(6),
                other => panic!("{}.{}: no value of type {other}", spec.name, field.name),
            };
            subject = subject.with(field.name, value);
        }
        subject
    }

    /// What a port carries.
    fn kind(&self, port: &PortSpecs) -> &'static PayloadKind {
        if port.payload == Payload::KIND { self.carried } else { port.payload }
    }

    /// With another value of a field, if it has the field.
    pub(crate) fn with(mut self, field: &str, value: ConfigValue) -> Subject {
        if (self.spec.config)().field(field).is_some() {
            self.tree = self.tree.with(field, value);
        }
        self
    }

    pub(crate) fn dims(&self, over: Over) -> Vec<usize> {
        match over {
            Over::Pre => self.pre.clone(),
            Over::Post => self.post.clone(),
            Over::Synapses => [self.post.clone(), self.pre.clone()].concat(),
        }
    }

    fn repeats(&self, port: &PortSpecs) -> bool {
        self.over_synapses && over(port) == Over::Pre
    }

    fn array(&self, over: Over, values: Vec<f64>) -> Array {
        array(&self.dims(over), values)
    }

    pub(crate) fn size(&self, over: Over) -> usize {
        self.dims(over).iter().product()
    }

    /// The model; where the module holds a kernel it is `kernel`.
    #[track_caller]
    pub(crate) fn build(&self, kernel: &[f64], eager: bool) -> Model {
        self.try_build(kernel, eager).unwrap_or_else(|e| panic!("{}: {e}", self.spec.name))
    }

    /// The same, or what is wrong with the configuration.
    #[track_caller]
    pub(crate) fn try_build(&self, kernel: &[f64], eager: bool) -> Result<Model> {
        let mut builder = Model::from_tree(self.tree.clone()).eager(eager);
        if let Some(options) = self.options {
            builder = builder.options(options);
        }
        for port in self.spec.inputs {
            let dims = self.dims(over(port));
            let kind = (port.payload == Payload::KIND).then_some(self.carried);
            let shape = InputShape { kind, ..InputShape::new(dims.clone()) };
            let shape = match self.kind(port).name {
                "SpikeArray" if self.repeats(port) => {
                    InputShape::new(self.dims(Over::Synapses)).with_mask(dims).asynchronous()
                }
                "SpikeArray" => shape.with_mask(dims),
                _ => shape,
            };
            builder = builder.input(source(port), shape);
        }
        let mut model = builder.build()?;
        if model.states().iter().any(|state| state == "kernel") {
            model.set_state("kernel", &self.array(Over::Synapses, kernel.to_vec())).unwrap();
        }
        Ok(model)
    }

    /// One step: spikes and other values as `drive` has them, and the kernel where the module takes one.
    #[track_caller]
    pub(crate) fn step(&self, model: &mut Model, drive: &Drive, t: usize, kernel: &[f64]) -> Outputs {
        let payload = |port: &PortSpecs| -> HostPayload {
            let (values, size) = (|values| self.array(over(port), values), self.size(over(port)));
            match self.kind(port).name {
                "SpikeArray" => {
                    let mask = drive.inhibitory(port, size);
                    let spikes = drive.spikes(port, t, size);
                    let spikes = if self.repeats(port) {
                        self.array(Over::Synapses, spikes.repeat(self.size(Over::Post)))
                    } else {
                        values(spikes)
                    };
                    HostPayload::spikes(spikes, Some(values(mask)))
                }
                _ if port.name == "kernel" => values(kernel.to_vec()).into(),
                "BooleanMask" => values(drive.inhibitory(port, size)).into(),
                _ => values(drive.factor(port, t, size)).into(),
            }
        };
        let inputs: Vec<(String, HostPayload)> =
            self.spec.inputs.iter().map(|port| (source(port), payload(port))).collect();
        let inputs: Vec<(&str, HostPayload)> =
            inputs.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        model.step(&inputs).unwrap_or_else(|e| panic!("{}, step {t}: {e}", self.spec.name))
    }
}

/// The name of a port's only source.
fn source(port: &PortSpecs) -> String {
    if port.variadic { format!("{}[0]", port.name) } else { port.name.into() }
}

/// An array of dimensions alone.
pub(crate) fn array(dims: &[usize], values: Vec<f64>) -> Array {
    Array::new(Shape::of(Axis::anonymous(0), dims), Data::F64(values)).unwrap()
}

/// The value in a storage type of an element of a port in a step.
pub(crate) type AnyValue = fn(DType, &str, usize, usize) -> f64;

/// Random input, the same whenever it is asked for.
#[derive(Clone)]
pub(crate) struct Drive {
    /// Probability of a spike in a step with spikes.
    pub(crate) rate: f32,
    /// Spikes come in steps that this divides, and then are those of the quotient.
    pub(crate) every: usize,
    /// Largest value of other inputs than spikes and kernels.
    pub(crate) factor: f64,
    /// What they are instead: of the element of a port in a step.
    pub(crate) any: Option<AnyValue>,
    /// The type that holds them.
    pub(crate) dtype: DType,
    /// Which element of the population stands where, if not in order.
    pub(crate) pre: Option<Vec<usize>>,
    pub(crate) post: Option<Vec<usize>>,
}

impl Drive {
    pub(crate) fn new(rate: f32) -> Drive {
        Drive { rate, every: 1, factor: 1.0, any: None, dtype: DType::F32, pre: None, post: None }
    }

    /// Uniform numbers for the port, in the order of its population.
    fn draw(&self, port: &PortSpecs, t: usize, size: usize) -> Vec<f64> {
        let seed = port.name.bytes().fold(t as u32, |seed, byte| seed.wrapping_mul(31).wrapping_add(u32::from(byte)));
        let drawn = Key::new(seed).uniform_f32(size);
        let order = match over(port) {
            Over::Pre => &self.pre,
            Over::Post => &self.post,
            Over::Synapses => &None,
        };
        (0..size).map(|i| f64::from(drawn[order.as_ref().map_or(i, |order| order[i])])).collect()
    }

    fn spikes(&self, port: &PortSpecs, t: usize, size: usize) -> Vec<f64> {
        if !t.is_multiple_of(self.every) {
            return vec![0.0; size];
        }
        let drawn = self.draw(port, t / self.every, size);
        drawn.into_iter().map(|u| f64::from(u8::from(u < f64::from(self.rate)))).collect()
    }

    /// A third of the neurons.
    fn inhibitory(&self, port: &PortSpecs, size: usize) -> Vec<f64> {
        self.draw(port, 12_345, size).into_iter().map(|u| f64::from(u8::from(u < 0.33))).collect()
    }

    fn factor(&self, port: &PortSpecs, t: usize, size: usize) -> Vec<f64> {
        if let Some(any) = self.any {
            return (0..size).map(|i| any(self.dtype, port.name, i, t)).collect();
        }
        self.draw(port, t / self.every, size).into_iter().map(|u| self.factor * (u - 0.3)).collect()
    }
}

/// Weights from 0 to 1 over `size` synapses.
pub(crate) fn weights(size: usize) -> Vec<f64> {
    Key::new(77).uniform_f32(size).into_iter().map(f64::from).collect()
}

/// The values of every state, by path.
pub(crate) fn states(model: &Model) -> Vec<(String, Vec<f64>)> {
    model.states().into_iter().map(|path| (path.clone(), model.state(&path).unwrap().to_f64())).collect()
}

/// The values of every output, by port.
pub(crate) fn values(outputs: &Outputs) -> Vec<(String, Vec<f64>)> {
    outputs.iter().map(|(name, payload)| (name.to_string(), payload.value().to_f64())).collect()
}
