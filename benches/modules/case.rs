//! A case: one model as Spark compiles it, and as a loop that is written for it alone.

use spark::config::Config;
use spark::prelude::*;

/// Neurons or elements of modules that have one state each.
pub(crate) const UNITS: usize = 1 << 14;
/// Neurons on either side of modules that work on synapses.
pub(crate) const SIDE: usize = 256;
/// Steps before the two are compared.
pub(crate) const WARM_UP: usize = 200;

/// A case by name.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    /// The registered module.
    pub(crate) module: &'static str,
    /// What tells it from other cases of the module.
    pub(crate) variant: &'static str,
    /// What a time is per: `unit` or `synapse`.
    pub(crate) per: &'static str,
    /// Builds it.
    pub(crate) case: fn() -> Result<Case>,
}

impl Entry {
    /// A module whose cost is per unit and step.
    pub(crate) const fn per_unit(module: &'static str, case: fn() -> Result<Case>) -> Entry {
        Entry { module, variant: "", per: "unit", case }
    }

    /// A module whose cost is per synapse and step.
    pub(crate) const fn per_synapse(module: &'static str, case: fn() -> Result<Case>) -> Entry {
        Entry { module, variant: "", per: "synapse", case }
    }

    /// The name in the table.
    pub(crate) fn name(&self) -> String {
        [self.module, self.variant].join(" ").trim_end().to_owned()
    }
}

/// One model, twice.
pub(crate) struct Case {
    /// Units or synapses.
    pub(crate) elements: usize,
    /// As compiled, with its inputs set.
    pub(crate) model: Model,
    /// As a loop.
    pub(crate) scalar: Box<dyn Scalar>,
    /// The state or output that both compute.
    pub(crate) compared: &'static str,
    /// How closely.
    pub(crate) tolerance: Tolerance,
}

/// A model as a scalar loop.
pub(crate) trait Scalar {
    /// One step.
    fn step(&mut self);
    /// What the last step computed, as far as it is compared.
    fn result(&self) -> Vec<f32>;
}

/// How closely two computations of a model must agree.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tolerance {
    /// In all elements but one in a thousand, relative to the largest. The two round differently, which can move a spike by a
    /// step.
    Elements(f32),
    /// In the mean: they draw other random numbers.
    Mean(f32),
}

impl Tolerance {
    /// Compares Spark's result with the scalar one.
    ///
    /// # Errors
    /// If they disagree, or are not numbers.
    pub(crate) fn check(self, spark: &[f32], scalar: &[f32]) -> Result<()> {
        let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len() as f32;
        let size = scalar.iter().map(|x| x.abs()).fold(0.0, f32::max);
        let (a, b) = (mean(spark), mean(scalar));
        let agree = match self {
            Tolerance::Elements(relative) => {
                let near = |(a, b): (&f32, &f32)| (a - b).abs() <= relative * size;
                let far = spark.iter().zip(scalar).filter(|pair| !near(*pair)).count();
                far * 1000 <= scalar.len()
            }
            Tolerance::Mean(relative) => (a - b).abs() <= relative * b.abs(),
        };
        if agree && spark.len() == scalar.len() && size > 0.0 && size.is_finite() {
            return Ok(());
        }
        let first = spark.iter().zip(scalar).enumerate().find(|(_, (a, b))| a != b);
        Err(Error::new(format!("the two disagree: means {a} and {b}, largest {size}, first difference {first:?}")))
    }
}

/// `n` numbers from `low` to `high`, in no order.
pub(crate) fn spread(n: usize, low: f32, high: f32) -> Vec<f32> {
    (0..n).map(|i| low + (high - low) * ((i * 7919 + 13) % 1009) as f32 / 1008.0).collect()
}

/// Spikes of `n` neurons, 5 % of them.
pub(crate) fn sparse_spikes(n: usize) -> Vec<bool> {
    spread(n, 0.0, 1.0).iter().map(|&x| x < 0.05).collect()
}

/// The inhibitory ones of `n` neurons, one in five.
pub(crate) fn inhibitory(n: usize) -> Vec<bool> {
    (0..n).map(|i| i % 5 == 4).collect()
}

/// Spikes as numbers: 1, or −1 of an inhibitory neuron.
pub(crate) fn signed(spikes: &[bool], inhibitory: &[bool]) -> Vec<f32> {
    let sign = |(&spike, &inhibitory): (&bool, &bool)| match (spike, inhibitory) {
        (false, _) => 0.0,
        (true, false) => 1.0,
        (true, true) => -1.0,
    };
    spikes.iter().zip(inhibitory).map(sign).collect()
}

/// Truth values as numbers.
pub(crate) fn numbers(values: &[bool]) -> Vec<f32> {
    values.iter().map(|&value| f32::from(u8::from(value))).collect()
}

/// Spikes as a port takes them.
pub(crate) fn spike_payload(spikes: &[bool], inhibitory: &[bool]) -> HostPayload {
    let array = |values: &[bool]| HostPayload::from(values).value().clone();
    HostPayload::spikes(array(spikes), Some(array(inhibitory)))
}

/// Builds a model of one module and sets its inputs.
///
/// # Errors
/// If it cannot be built.
pub(crate) fn model(config: impl Config, inputs: Vec<(&str, HostPayload)>) -> Result<Model> {
    let mut builder = Model::component(config);
    for (port, payload) in &inputs {
        let shape = InputShape::new(payload.dims());
        builder = builder
            .input(*port, if payload.inhibition_mask().is_some() { shape.with_mask(payload.dims()) } else { shape });
    }
    let mut model = builder.build()?;
    model.set_inputs(&inputs)?;
    Ok(model)
}
