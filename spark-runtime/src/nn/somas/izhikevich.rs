//! Izhikevich's soma.

use super::drive::Inlet;
use super::stability::unstable;
use crate::prelude::*;

/// Parameters of [`IzhikevichSoma`].
#[spark::config]
pub struct IzhikevichSomaConfig {
    /// Membrane potential at the start.
    #[param(default = -65.0, units = "mV")]
    pub potential_rest: Param,
    /// Membrane potential right after a spike (c).
    #[param(default = -65.0, units = "mV")]
    pub potential_reset: Param,
    /// Membrane resistance.
    #[param(default = 0.1, units = "GΩ", check = positive)]
    pub resistance: Param,
    /// Potential above which the neuron spikes.
    #[param(default = 30.0, units = "mV")]
    pub threshold: Param,
    /// Rate of the recovery variable (a).
    #[param(default = 0.02, units = "1/ms", check = non_negative)]
    pub recovery_timescale: Param,
    /// Recovery per mV of potential (b).
    #[param(default = 0.2, units = "nS")]
    pub recovery_sensitivity: Param,
    /// Rise of the recovery variable after a spike (d).
    #[param(default = 2.0, units = "pA")]
    pub recovery_update: Param,
}

/// Izhikevich's soma, by the explicit Euler method, first v, then u with the new v:
///
/// dv/dt = 0.04·v² + 5·v + 140 + R·(I − u), du/dt = a·(b·v − u), and v ← c, u ← u + d when v exceeds the threshold.
///
/// v is the potential itself, in mV; the variable `potential` is stored relative to `potential_rest`, and u begins at 0.
/// The published model has R = 1. Without input v settles where the two equations balance, which is not
/// `potential_rest` in general. After strong inhibition the parabola overshoots, more with every step; v stays above what
/// keeps it finite in the storage type (−640 mV for `float16`, −10¹⁵ mV otherwise). Refused are
/// a > 2/dt and b < −1/(R·dt), with which u diverges.
///
/// Izhikevich, *Simple Model of Spiking Neurons*, IEEE Transactions on Neural Networks 14(6), 2003.
///
/// ```
/// use spark::prelude::*;
///
/// // A regular spiking neuron of the paper: a = 0.02, b = 0.2, c = −65, d = 8, and R = 1.
/// let config = IzhikevichSomaConfig::default().with_resistance(1.0).with_recovery_update(8.0).with_dt(0.1);
/// let mut model = Model::component(config).input("current", [1]).build()?;
/// let mut count = 0;
/// for _ in 0..5000 {
///     count += usize::from(model.step(&[("current", vec![10.0f32].into())])?.spikes("spikes")?[0]);
/// }
/// assert!((5..20).contains(&count));
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Somas")]
pub struct IzhikevichSoma {
    #[config]
    config: IzhikevichSomaConfig,
    /// Membrane potential relative to `potential_rest`, in mV.
    #[variable(property = PotentialArray)]
    potential: Real,
    /// Recovery variable u.
    #[variable]
    recovery: Real,
    #[constant]
    rest: Real,
    #[constant]
    reset: Real,
    #[constant]
    resistance: Real,
    #[constant]
    threshold: Real,
    #[module]
    inlet: Inlet,
    /// Lowest potential.
    #[constant]
    lowest: Real,
    #[constant]
    recovery_timescale: Real,
    #[constant]
    recovery_sensitivity: Real,
    #[constant]
    recovery_update: Real,
}

#[spark::module]
impl IzhikevichSoma {
    fn build(cx: &mut Build, config: IzhikevichSomaConfig) -> Result<Self> {
        let units = cx.shape("current")?;
        let rest = cx.param("potential_rest", &config.potential_rest, &units)?;
        let reset = cx.param("potential_reset", &config.potential_reset, &units)?;
        let recovery_update = cx.param("recovery_update", &config.recovery_update, &units)?;
        let recovery_timescale = cx.param("recovery_timescale", &config.recovery_timescale, &units)?;
        let recovery_sensitivity = cx.param("recovery_sensitivity", &config.recovery_sensitivity, &units)?;
        let resistance = cx.param("resistance", &config.resistance, &units)?;
        let threshold = cx.param("threshold", &config.threshold, &units)?;
        let overshoot = 1.0 + cx.dt() * resistance * recovery_sensitivity;
        if let Some(found) = unstable(cx, &["recovery_sensitivity", "resistance"], recovery_sensitivity, overshoot) {
            let message = format!("must be at least −1/(dt·resistance), found {found} nS");
            let error = Error::new(message).at("recovery_sensitivity");
            cx.report(
                error.help("every step would drive the potential further beyond the threshold: use a shorter dt"),
            );
        }
        let overshoot = 2.0 - cx.dt() * recovery_timescale;
        if let Some(found) = unstable(cx, &["recovery_timescale"], recovery_timescale, overshoot) {
            let message = format!("must be at most two per time step, {}/ms, found {found}/ms", 2.0 / cx.dt());
            let error = Error::new(message).at("recovery_timescale");
            cx.report(error.help("the explicit Euler method diverges: use a shorter dt"));
        }
        Ok(Self {
            potential: cx.zeros(&units),
            recovery: cx.zeros(&units),
            rest,
            reset: reset - rest,
            resistance,
            threshold: threshold - rest,
            // A quarter of the largest number, and far from the largest square of single precision.
            lowest: cx.number(-(cx.largest() / 4.0 / 0.04).sqrt().min(1e15)) - rest,
            inlet: Inlet::new(resistance),
            recovery_timescale,
            recovery_sensitivity,
            recovery_update,
            config,
        })
    }

    /// True where a neuron spikes.
    #[step(out = spikes)]
    fn step(&mut self, #[ports] inputs: SomaInputs) -> SpikeArray {
        let dt = self.config.dt;
        let v = self.potential + self.rest;
        let slope = 5.0 * v + 0.04 * v.square() + 140.0;
        let current = self.inlet.take(inputs.current.value());
        let pull = dt * (slope - self.resistance * self.recovery + self.resistance * current);
        self.potential = (self.potential + pull).max(self.lowest);
        let v = self.potential + self.rest;
        self.recovery += dt * (self.recovery_timescale * (self.recovery_sensitivity * v - self.recovery));
        let fired = self.potential > self.threshold;
        self.potential = fired.select(self.reset, self.potential);
        self.recovery = fired.select(self.recovery + self.recovery_update, self.recovery);
        SpikeArray::new(fired, inputs.inhibition_mask)
    }
}
