//! Several streams as one.

use super::population;
use crate::prelude::*;

/// Parameters of [`Concat`].
#[spark::config]
pub struct ConcatConfig {}

/// Joins payloads of one kind into one, in the order they are connected:
///
/// output = (inputs\[0\], inputs\[1\], …), each flattened.
///
/// Takes any number of payloads of any kind and shape; the output has the kind of the inputs and is a list. Spikes keep
/// their signs and inhibition masks.
///
/// ```
/// use spark::prelude::*;
///
/// let mut model = Model::component(ConcatConfig::default())
///     .input("inputs[0]", InputShape::new([2]).carrying::<CurrentArray>())
///     .input("inputs[1]", InputShape::new([3]).carrying::<CurrentArray>())
///     .build()?;
/// let inputs = [("inputs[0]", vec![1.0f32, 2.0].into()), ("inputs[1]", vec![3.0f32, 4.0, 5.0].into())];
/// let outputs = model.step(&inputs)?;
/// assert_eq!(outputs.get("output")?.value().to_f32(), [1.0, 2.0, 3.0, 4.0, 5.0]);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Interfaces/Control")]
pub struct Concat {
    #[config]
    config: ConcatConfig,
}

#[spark::module]
impl Concat {
    fn build(cx: &mut Build, config: ConcatConfig) -> Result<Self> {
        population(cx, "inputs")?;
        Ok(Self { config })
    }

    /// All inputs, of their kind.
    #[step(out = output)]
    fn step(
        &mut self,
        /// What to join.
        inputs: Vec<Payload>,
    ) -> Payload {
        Payload::concat(inputs)
    }
}
