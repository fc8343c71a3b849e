//! Log-normally distributed numbers.

use super::normal::normal;
use super::{InitOverrides, Initializer, LimitsConfig, size, stored};
use crate::error::Result;
use crate::rng::Key;
use spark_compiler::ir::{Array, DType, Data};
use spark_compiler::math::scalar::{exp_f32, exp_f64};

/// Log-normally distributed: x = `scale`·e^(`mean` + `std`·z) with z standard normal, clipped to
/// [`min_value`, `max_value`].
///
/// `mean` and `std` are those of the logarithm, without unit; `scale` is in the unit of the parameter. The median is
/// `scale`·e^`mean`, the mean `scale`·e^(`mean` + `std`²/2). Drawn in double precision for `f64`, else in single precision.
///
/// Song, Sjöström, Reigl, Nelson, Chklovskii, *Highly nonrandom features of synaptic connectivity in local cortical
/// circuits*, PLoS Biology 3(3), 2005 (synaptic weights are distributed so).
///
/// ```
/// use spark::prelude::*;
///
/// let kernel = LogNormal::default().with_mean(-0.7).with_std(0.9).with_scale(100.0);
/// let synapses = LinearSynapsesConfig::new(10).with_kernel(kernel);
/// let mut model = Model::component(synapses).input("spikes", [40]).build()?;
/// let outputs = model.run(1, &[("spikes", vec![true; 40].into())])?;
/// assert!(outputs.get("currents")?.value().to_f32().iter().all(|&current| current > 0.0));
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::initializer(name = "LogNormalInitializer")]
pub struct LogNormal {
    /// Mean of the logarithm.
    #[param(default = 0.0, check = finite)]
    pub mean: f64,
    /// Standard deviation of the logarithm.
    #[param(default = 1.0, check = [non_negative, finite])]
    pub std: f64,
    /// Factor on the numbers.
    #[param(default = 1.0, check = finite)]
    pub scale: f64,
    #[flatten]
    pub limits: LimitsConfig,
}

impl Initializer for LogNormal {
    fn init(&self, key: Key, shape: &[usize], dtype: DType, overrides: &InitOverrides) -> Result<Array> {
        let scale = overrides.scale.unwrap_or(self.scale);
        let mut values = normal(key, size(shape)?, dtype, self.mean, self.std);
        match &mut values {
            Data::F32(values) => values.iter_mut().for_each(|x| *x = scale as f32 * exp_f32(*x)),
            Data::F64(values) => values.iter_mut().for_each(|x| *x = scale * exp_f64(*x)),
            _ => unreachable!("draws are in single or double precision"),
        }
        self.limits.clip(&mut values, overrides)?;
        stored(values, shape, dtype)
    }
}
