//! Some elements of a stream.

use super::population;
use crate::prelude::*;

/// Parameters of [`Sampler`].
#[spark::config]
pub struct SamplerConfig {
    /// Number of elements to draw from the population; may be larger than the population.
    #[param(check = positive)]
    pub sample_size: usize,
}

/// Passes on elements of its input that were drawn once, with replacement:
///
/// output\[i\] = inputs\[k_i\], with k_i uniform over the flattened input.
///
/// Takes payloads of any kind and shape; the output has the kind of the input and is a list of `sample_size` elements.
/// Spikes keep their signs and inhibition masks. The indices k are drawn when the module is built and stay.
///
/// ```
/// use spark::prelude::*;
///
/// let mut model = Model::component(SamplerConfig::new(5_usize)).input("inputs", [3]).record("indices").build()?;
/// let signal = [0.5f32, 1.5, 2.5];
/// let outputs = model.step(&[("inputs", signal[..].into())])?;
/// let indices = outputs.get("indices")?.value().to_i32();
/// let expected: Vec<f32> = indices.iter().map(|&k| signal[k as usize]).collect();
/// assert_eq!(outputs.get("output")?.value().to_f32(), expected);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Interfaces/Control")]
pub struct Sampler {
    #[config]
    config: SamplerConfig,
    #[host]
    indices: Array,
}

#[spark::module]
impl Sampler {
    fn build(cx: &mut Build, config: SamplerConfig) -> Result<Self> {
        const MOST: usize = 1 << 30;
        let size = population(cx, "inputs")?.size();
        if config.sample_size > MOST {
            let message = format!("must be at most {MOST}, found {}", config.sample_size);
            return Err(Error::new(message).at("sample_size"));
        }
        // An input has at most 2³⁰ elements.
        let drawn = cx.key().randint(config.sample_size, 0, size as i32);
        let indices = Array::new(Shape::units(&[config.sample_size]), Data::I32(drawn));
        Ok(Self { indices: indices.map_err(|e| Error::new(e.to_string()))?, config })
    }

    fn output_shape(config: &SamplerConfig) -> Option<Units> {
        Some(config.sample_size.into())
    }

    /// Which elements are passed on: row-major indices into the input.
    #[property]
    fn indices(&self) -> IntegerArray {
        IntegerArray::new(Int::from_array("indices", &self.indices))
    }

    /// The elements drawn, of the kind of the input.
    #[step(out = output)]
    fn step(
        &mut self,
        /// What to sample.
        inputs: Payload,
    ) -> Payload {
        inputs.gather(&self.indices)
    }
}
