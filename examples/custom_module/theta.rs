//! The theta neuron.

use spark::prelude::*;
use std::f64::consts::{FRAC_PI_2, PI};

/// Parameters of [`ThetaSoma`].
#[spark::config]
pub struct ThetaSomaConfig {
    /// Membrane time constant.
    #[param(default = 10.0, units = "ms", check = positive)]
    pub tau: Param,
    /// Current above which the neuron fires.
    #[param(default = 100.0, units = "pA", check = positive)]
    pub rheobase: Param,
}

/// Theta neuron: a phase θ that turns in a circle and spikes at π.
///
/// τ dθ/dt = (1 − cos θ) + (1 + cos θ)·(I/I₀ − 1) = (1 + cos θ)·I/I₀ − 2·cos θ, by the explicit Euler method,
///
/// where I₀ is `rheobase`. A constant current I > I₀ makes it spike every πτ/√(I/I₀ − 1).
///
/// Ermentrout, Kopell (1986), *Parabolic bursting in an excitable system coupled with a slow oscillation*, SIAM Journal
/// on Applied Mathematics 46.
#[spark::module(category = "Tutorial/Somas")]
pub struct ThetaSoma {
    #[config]
    config: ThetaSomaConfig,
    /// Phase, from −π to π; −π/2 is rest.
    #[variable(property = FloatArray)]
    phase: Real,
    #[constant]
    rate: Real,
    #[constant]
    rheobase: Real,
}

#[spark::module]
impl ThetaSoma {
    fn build(cx: &mut Build, config: ThetaSomaConfig) -> Result<Self> {
        let units = cx.shape("current")?;
        let rate = cx.dt() / cx.param("tau", &config.tau, &units)?;
        let rheobase = cx.param("rheobase", &config.rheobase, &units)?;
        Ok(Self { phase: cx.full(&units, cx.number(-FRAC_PI_2)), rate, rheobase, config })
    }

    #[step(out = spikes)]
    fn step(&mut self, current: CurrentArray, inhibition_mask: Option<BooleanMask>) -> SpikeArray {
        let cosine = self.phase.cos();
        let change = (1.0 + cosine) * current / self.rheobase - 2.0 * cosine;
        self.phase = (self.phase + self.rate * change).clip(-PI, PI);
        let fired = self.phase >= PI;
        self.phase = if fired { -PI } else { self.phase };
        SpikeArray::new(fired, inhibition_mask)
    }
}
