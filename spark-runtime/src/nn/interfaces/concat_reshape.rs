//! Several streams as one, of a given shape.

use super::population;
use crate::prelude::*;

/// Parameters of [`ConcatReshape`].
#[spark::config]
pub struct ConcatReshapeConfig {
    /// Shape of the output; as many elements as all inputs have together.
    #[param]
    pub reshape: Units,
}

/// Joins payloads of one kind into one, in the order they are connected, and gives it a shape:
///
/// output = reshape(inputs\[0\], inputs\[1\], …), each flattened, the output filled row by row.
///
/// Takes any number of payloads of any kind and shape; the output has the kind of the inputs. Spikes keep their signs and
/// inhibition masks.
///
/// ```
/// use spark::prelude::*;
///
/// let config = ConcatReshapeConfig::new([2, 2]);
/// let mut model = Model::component(config).input("inputs[0]", [1]).input("inputs[1]", [3]).build()?;
/// let outputs = model.step(&[("inputs[0]", vec![1.0f32].into()), ("inputs[1]", vec![2.0f32, 3.0, 4.0].into())])?;
/// assert_eq!(outputs.get("output")?.dims(), [2, 2]);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Interfaces/Control")]
pub struct ConcatReshape {
    #[config]
    config: ConcatReshapeConfig,
}

#[spark::module]
impl ConcatReshape {
    fn build(cx: &mut Build, config: ConcatReshapeConfig) -> Result<Self> {
        let size = population(cx, "inputs")?.size();
        if size != config.reshape.size() {
            let message =
                format!("must have as many elements as the inputs together, {size}, found {:?}", &config.reshape[..]);
            return Err(Error::new(message).at("reshape"));
        }
        Ok(Self { config })
    }

    fn output_shape(config: &ConcatReshapeConfig) -> Option<Units> {
        Some(config.reshape.clone())
    }

    /// All inputs, of their kind.
    #[step(out = output)]
    fn step(
        &mut self,
        /// What to join.
        inputs: Vec<Payload>,
    ) -> Payload {
        Payload::concat(inputs).regroup(&Shape::units(&self.config.reshape))
    }
}
