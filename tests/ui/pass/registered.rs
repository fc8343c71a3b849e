//! Everything `#[spark::initializer]`, `#[spark::payload]` and `#[spark::validator]` allow.
use spark::init::{InitOverrides, stored};
use spark::prelude::*;
use spark::registry::Registry;
use spark::rng::Key;

mod mine {
    /// An even number.
    #[spark::validator(allowed = "be even")]
    pub fn even(x: f64) -> bool {
        x % 2.0 == 0.0
    }

    #[spark::validator(allowed = "be a small positive number", name = "small")]
    pub(crate) fn positive(x: f64) -> bool {
        (0.0..10.0).contains(&x)
    }

    /// Parameters with a check that is known here only.
    #[spark::config(group)]
    pub struct RepeatedConfig {
        /// How often.
        #[param(default = 2, check = self::positive)]
        pub repeats: usize,
        /// Added to each.
        #[param(default = 0.0, check = finite)]
        pub shift: f64,
    }
}
use mine::even;

/// Ones on a diagonal.
#[spark::initializer]
#[derive(Debug)]
struct Diagonal {
    /// Where the diagonal begins.
    #[param(default = 0, check = [non_negative, even, mine::positive])]
    offset: usize,
    /// A required field.
    value: f64,
}

impl Initializer for Diagonal {
    fn init(&self, _: Key, shape: &[usize], dtype: DType, _: &InitOverrides) -> Result<Array> {
        let columns = shape.last().copied().unwrap_or(1);
        let on = |i: usize| i / columns + self.offset == i % columns;
        let values = (0..shape.iter().product()).map(|i| if on(i) { self.value } else { 0.0 }).collect();
        stored(Data::F64(values), shape, dtype)
    }
}

/// Without fields, under another name.
#[spark::initializer(name = "OnesInitializer")]
#[derive(Clone, PartialEq)]
pub struct Ones {}

impl Initializer for Ones {
    fn init(&self, _: Key, shape: &[usize], dtype: DType, _: &InitOverrides) -> Result<Array> {
        stored(Data::F32(vec![1.0; shape.iter().product()]), shape, dtype)
    }
}

/// With a group of parameters.
#[spark::initializer]
pub struct Stairs {
    #[flatten(shift = 1.0)]
    steps: mine::RepeatedConfig,
}

impl Initializer for Stairs {
    fn init(&self, _: Key, shape: &[usize], dtype: DType, _: &InitOverrides) -> Result<Array> {
        let value = |i: usize| (i / self.steps.repeats) as f64 + self.steps.shift;
        stored(Data::F64((0..shape.iter().product()).map(value).collect()), shape, dtype)
    }
}

/// Two parts and a flag.
#[spark::payload]
#[derive(Debug)]
pub struct Marked {
    pub value: Real,
    pub mark: Bool,
    #[async_spikes]
    over_synapses: bool,
}

#[spark::payload(name = "CountArray")]
struct Counts(Int);

/// One part with a name.
#[spark::payload]
struct Level {
    height: Real,
}

#[spark::config]
pub struct RelayConfig {}

/// Marks what is large, and counts.
#[spark::module(category = "Test")]
pub struct Relay {
    #[config]
    config: RelayConfig,
    /// What was large so far.
    #[variable(property = Counts)]
    seen: Int,
    #[constant(property = Level)]
    level: Real,
}

#[spark::module]
impl Relay {
    fn build(cx: &mut Build, config: RelayConfig) -> Result<Self> {
        let shape = cx.shape("x")?;
        Ok(Self { seen: cx.int_zeros(&shape), level: cx.number(1.0), config })
    }

    #[step(out = (marked, counts))]
    fn step(&mut self, x: FloatArray) -> (Marked, Counts) {
        let mark = x.value() > self.level;
        self.seen = self.seen + mark.to_int();
        (Marked { value: x.value(), mark, over_synapses: false }, mark.to_int().into())
    }
}

/// Takes what the relay gives.
#[spark::module(category = "Test")]
pub struct Sink {
    #[config]
    config: SinkConfig,
}

#[spark::config]
pub struct SinkConfig {}

#[spark::module]
impl Sink {
    fn build(_: &mut Build, config: SinkConfig) -> Result<Self> {
        Ok(Self { config })
    }

    #[step(out = y)]
    fn step(&mut self, marked: Marked, counts: Counts, seen: Counts, level: Level) -> FloatArray {
        let kept = if marked.mark { marked.value } else { 0.0 };
        (kept + (counts.value() + seen.value()).to_real() - level.height).into()
    }
}

fn main() {
    let registry = Registry::global().unwrap();
    assert_eq!(registry.validators.get("even").unwrap().allowed, "be even");
    assert_eq!(registry.validators.get("small").unwrap().name, "small");
    assert_eq!((registry.initializers.get("diagonal").unwrap().config)().name, "DiagonalConfig");
    assert_eq!((registry.initializers.get("ones_initializer").unwrap().config)().name, "OnesInitializerConfig");
    assert_eq!(registry.payloads.get("Marked").unwrap().parts.len(), 2);
    assert_eq!(registry.payloads.get("CountArray").unwrap().parts[0].0, "value");
    assert!(even(2.0));

    assert!(Diagonal::new(1.0).with_offset(2_usize).validate().is_ok());
    let refused = |offset: usize| Diagonal::new(1.0).with_offset(offset).validate().unwrap_err().to_string();
    assert_eq!(refused(3), "offset: must be even, found 3\n  help: Where the diagonal begins.");
    assert_eq!(refused(12), "offset: must be a small positive number, found 12\n  help: Where the diagonal begins.");

    let synapses = LinearSynapsesConfig::new(2).with_kernel(Diagonal::new(3.0));
    let mut model = Model::component(synapses).input("spikes", [2]).build().unwrap();
    let outputs = model.run(1, &[("spikes", vec![true, false].into())]).unwrap();
    assert_eq!(outputs.get("currents").unwrap().value().to_f32(), [3.0, 0.0]);
    let _ = Param::from(Ones {});

    let synapses = LinearSynapsesConfig::new(1).with_kernel(Stairs::default().with_repeats(3));
    let mut model = Model::component(synapses).input("spikes", [4]).build().unwrap();
    let outputs = model.run(1, &[("spikes", vec![true; 4].into())]).unwrap();
    assert_eq!(outputs.get("currents").unwrap().value().to_f32(), [5.0]);
    let refused = Stairs::default().with_repeats(10).validate().unwrap_err().to_string();
    assert_eq!(refused, "repeats: must be a small positive number, found 10\n  help: How often.");

    let relay = ModuleSpecs::new("relay", "Relay").input("x", PortMap::output(PortMap::CALL, "x"));
    let sink = ModuleSpecs::new("sink", "Sink")
        .input("marked", PortMap::output("relay", "marked"))
        .input("counts", PortMap::output("relay", "counts"))
        .input("seen", PortMap::property("relay", "seen"))
        .input("level", PortMap::property("relay", "level"))
        .output("y", "y");
    let neuron = NeuronConfig::new([2], vec![relay, sink]);
    let mut model = Model::component(neuron).input("x", [2]).build().unwrap();
    let outputs = model.run(3, &[("x", vec![0.5f32, 2.0].into())]).unwrap();
    assert_eq!(outputs.get("y").unwrap().value().to_f32(), [-1.0, 5.0]);
}
