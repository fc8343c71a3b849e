//! Theta neurons with noise of their own.

use super::noise::{Noise, NoiseConfig};
use spark::prelude::*;
use std::f64::consts::{FRAC_PI_2, PI};

/// Parameters of [`NoisyThetaSoma`].
#[spark::config]
pub struct NoisyThetaSomaConfig {
    /// Shape of the population.
    pub units: Units,
    /// Membrane time constant.
    #[param(default = 10.0, units = "ms", check = positive)]
    pub tau: Param,
    /// Current above which the neuron fires.
    #[param(default = 100.0, units = "pA", check = positive)]
    pub rheobase: Param,
    #[flatten(noise_std = 50.0)]
    pub noise: NoiseConfig,
}

/// A theta neuron, as `ThetaSoma`, that receives noise besides its input.
#[spark::module(category = "Tutorial/Somas")]
pub struct NoisyThetaSoma {
    #[config]
    config: NoisyThetaSomaConfig,
    /// Phase, from −π to π.
    #[variable(property = FloatArray)]
    phase: Real,
    #[module]
    noise: Noise,
    #[constant]
    rate: Real,
    #[constant]
    rheobase: Real,
}

#[spark::module]
impl NoisyThetaSoma {
    fn build(cx: &mut Build, config: NoisyThetaSomaConfig) -> Result<Self> {
        let units = Shape::units(&config.units);
        let rate = cx.dt() / cx.param("tau", &config.tau, &units)?;
        let rheobase = cx.param("rheobase", &config.rheobase, &units)?;
        let noise = Noise::build(cx, &config.noise, &units)?;
        Ok(Self { phase: cx.full(&units, cx.number(-FRAC_PI_2)), noise, rate, rheobase, config })
    }

    #[step(out = (spikes, currents))]
    fn step(
        &mut self,
        /// Input current, in pA.
        current: Option<CurrentArray>,
    ) -> (SpikeArray, CurrentArray) {
        let noise = self.noise.advance();
        let input = match current {
            Some(current) => noise + current,
            None => noise,
        };
        let cosine = self.phase.cos();
        let change = (1.0 + cosine) * input / self.rheobase - 2.0 * cosine;
        self.phase = (self.phase + self.rate * change).clip(-PI, PI);
        let fired = self.phase >= PI;
        if fired {
            self.phase = Real::from(-PI);
        }
        (SpikeArray::new(fired, None), input.into())
    }

    /// What is left of the way to the next spike, in rad.
    #[property]
    fn remaining(&self) -> FloatArray {
        (PI - self.phase).into()
    }
}

/// Prints how often neurons fire that nothing but noise drives, for three strengths of it.
///
/// # Errors
/// If the model has a mistake.
pub fn run() -> Result<()> {
    let mut rates = Vec::new();
    for std in [20.0, 100.0, 200.0] {
        let config = NoisyThetaSomaConfig::new([100]).with_noise_std(std).with_seed(3u32);
        let mut model = Model::component(config).record("remaining").build()?;
        let mut spikes = 0;
        for _ in 0..1000 {
            let outputs = model.step(&[])?;
            spikes += outputs.spikes("spikes")?.iter().filter(|spike| **spike).count();
            assert!(outputs.get("remaining")?.value().to_f64().iter().all(|left| *left >= 0.0));
        }
        rates.push(spikes as f64 / 100.0);
        println!("noise of {std} pA: {:.1} Hz", spikes as f64 / 100.0);
    }
    assert!(rates.is_sorted() && rates[2] > 1.0);
    Ok(())
}
