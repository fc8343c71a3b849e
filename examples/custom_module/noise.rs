//! Noise that remembers itself.

use spark::prelude::*;

/// Parameters of [`Noise`].
#[spark::config(group)]
pub struct NoiseConfig {
    /// Standard deviation of the noise.
    #[param(default = 20.0, units = "pA", check = non_negative)]
    pub noise_std: Param,
    /// Correlation time of the noise.
    #[param(default = 5.0, units = "ms", check = positive)]
    pub noise_tau: Param,
}

/// An Ornstein-Uhlenbeck process: dx/dt = −x/τ + σ·√(2/τ)·ξ(t), exact for any time step.
///
/// Gillespie (1996), *Exact numerical simulation of the Ornstein-Uhlenbeck process and its integral*, Physical Review E
/// 54.
#[spark::part]
pub struct Noise {
    /// The noise now, in pA.
    #[variable]
    value: Real,
    #[constant]
    decay: Real,
    #[constant]
    spread: Real,
    #[host]
    stream: RandomStream,
    #[host]
    units: Shape,
}

#[spark::traced]
impl Noise {
    /// A process for each of `units` neurons.
    ///
    /// # Errors
    /// If a parameter does not fit `units`.
    pub fn build(cx: &mut Build, config: &NoiseConfig, units: &Shape) -> Result<Noise> {
        let std = cx.param("noise_std", &config.noise_std, units)?;
        let decay = (-cx.dt() / cx.param("noise_tau", &config.noise_tau, units)?).exp();
        let spread = std * (1.0 - decay.square()).sqrt();
        let stream = RandomStream::new(cx.key());
        Ok(Noise { value: cx.zeros(units), decay, spread, stream, units: units.clone() })
    }

    /// The noise of the next step, in pA.
    pub fn advance(&mut self) -> Real {
        self.value = self.decay * self.value + self.spread * self.stream.normal(&self.units);
        self.value
    }
}
