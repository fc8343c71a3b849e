//! Injected currents.

use crate::prelude::*;

/// Parameters of [`CurrentSource`].
#[spark::config]
pub struct CurrentSourceConfig {
    /// Shape of the source.
    #[param]
    pub units: Units,
    /// Constant current, and mean of the noise: one for all, or one per unit.
    #[param(default = 0.0, units = "pA", check = finite)]
    pub dc: Param,
    /// Standard deviation of the noise: one for all, or one per unit.
    #[param(default = 0.0, units = "pA", check = (finite, non_negative))]
    pub noise_std: Param,
    /// Time for which a noise value is held, rounded to whole steps; the default is one step.
    #[param(default = None::<f64>, units = "ms", check = (finite, positive))]
    pub noise_interval: Option<f64>,
    /// When the current is switched on, rounded to whole steps.
    #[param(default = 0.0, units = "ms", check = (finite, non_negative))]
    pub onset: f64,
    /// When the current is switched off, rounded to whole steps; by default it stays on.
    #[param(default = None::<f64>, units = "ms", check = (finite, non_negative))]
    pub offset: Option<f64>,
}

/// Currents for injection, one per unit: constant, with Gaussian white noise, switched on and off.
///
/// I(t) = dc + noise_std·ξ(t) for onset ≤ t < offset, 0 otherwise,
///
/// where ξ is a standard normal number, drawn anew every `noise_interval` for each unit and held in between; the first
/// step covers the time from t = 0 on. These are the semantics of NEST's `dc_generator`, `step_current_generator` with one
/// step, and `noise_generator` (mean `dc`; its `dt` is `noise_interval`): the spectral density of the noise is
/// noise_std²·noise_interval, so for results that do not depend on the time step give the interval, or scale `noise_std`
/// with 1/√dt.
///
/// Noise depends on seed, step and unit alone.
///
/// Spark's own, after those devices: Gewaltig, Diesmann, *NEST (NEural Simulation Tool)*, Scholarpedia 2(4), 2007.
///
/// ```
/// use spark::prelude::*;
///
/// let config = CurrentSourceConfig::new(1).with_dc(250.0).with_onset(2.0).with_offset(4.0);
/// let mut model = Model::component(config).build()?;
/// let mut currents = Vec::new();
/// for _ in 0..5 {
///     currents.push(model.step(&[])?.get("currents")?.value().to_f32()[0]);
/// }
/// assert_eq!(currents, [0.0, 0.0, 250.0, 250.0, 0.0]);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Interfaces/Input")]
pub struct CurrentSource {
    #[config]
    config: CurrentSourceConfig,
    #[host]
    stream: RandomStream,
    #[host]
    units: Shape,
    /// First step that is on, and first that is off again.
    #[host]
    on: (i32, i32),
    /// Steps a noise value is held for; 0 without noise.
    #[host]
    hold: i32,
    /// The noise held now, in pA.
    #[variable]
    noise: Real,
    /// Steps it is held for still.
    #[variable]
    left: Int,
    #[constant]
    dc: Real,
    #[constant]
    noise_std: Real,
}

#[spark::module]
impl CurrentSource {
    fn build(cx: &mut Build, config: CurrentSourceConfig) -> Result<Self> {
        let units = Shape::units(&config.units);
        let dc = cx.param("dc", &config.dc, &units)?;
        let noise_std = cx.param("noise_std", &config.noise_std, &units)?;
        let offset = config.offset.unwrap_or(f64::INFINITY);
        if offset < config.onset && cx.is_right("onset") && cx.is_right("offset") {
            let message = format!("must not be before onset, {} ms, found {offset} ms", config.onset);
            cx.report(Error::new(message).at("offset"));
        }
        // Conversions saturate: what is too late for the step counter never comes.
        let dt = cx.dt();
        let steps = |time: f64| (time / dt).round() as i32;
        let noisy = noise_std.known().is_some_and(|std| std.to_f64().iter().any(|&std| std > 0.0));
        let interval = config.noise_interval.unwrap_or(dt);
        Ok(Self {
            stream: RandomStream::new(cx.key()),
            on: (steps(config.onset), steps(offset)),
            hold: if noisy { steps(interval).max(1) } else { 0 },
            noise: cx.zeros(&units),
            left: Int::from(0),
            dc: cx.full(&units, dc),
            noise_std,
            units,
            config,
        })
    }

    /// Current of each unit, in pA.
    #[step(out = currents)]
    fn step(&mut self) -> CurrentArray {
        if self.hold == 1 {
            self.noise = self.noise_std * self.stream.normal(&self.units);
        } else if self.hold > 1 {
            if self.left == 0 {
                self.noise = self.noise_std * self.stream.normal(&self.units);
                self.left = Int::from(self.hold);
            }
            self.left -= 1;
        }
        let current = if self.hold > 0 { self.dc + self.noise } else { self.dc };
        let (onset, offset) = self.on;
        // A current that is always on does not look at the time, whose counter ends.
        if onset == 0 && offset == i32::MAX {
            return current.into();
        }
        let now = step_index();
        let on = now >= onset && now < offset;
        let switched = if on { current } else { 0.0 };
        switched.into()
    }
}
