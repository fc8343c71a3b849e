//! Spikes as signals.

use crate::prelude::*;

/// Parameters of [`ExponentialIntegrator`].
#[spark::config]
pub struct ExponentialIntegratorConfig {
    /// Number of signals; the inputs are shared out evenly among them. At most as many as there are inputs.
    #[param(check = positive)]
    pub num_outputs: usize,
    /// Mean firing rate of a signal's inputs that brings the signal to about 1.
    #[param(default = 50.0, units = "Hz", check = positive)]
    pub saturation_freq: f64,
    /// Time constant of the signals: of their decay, or of their rise if they are smooth.
    #[param(default = 5.0, units = "ms", check = positive)]
    pub tau: f64,
    /// The signal each input counts for, from 0; as many as there are inputs. The default shares them out evenly.
    #[param(default = None::<Array>)]
    pub output_map: Option<Array>,
    /// Share the inputs out at random, otherwise in their order. Without effect if there is a map.
    #[param(default = true)]
    pub shuffle: bool,
    /// Smooth signals: they rise before they decay.
    #[param(default = true)]
    pub smooth_trace: bool,
}

/// Turns spikes into signals: each input counts for one of `num_outputs` groups, and a group's signal x is an
/// exponential trace of the number s of its spikes, whatever their sign:
///
/// x ← e^(−dt/τ)·x + a·s, with a = 1000/(saturation_freq·dt·τ·n)
///
/// for a group of n inputs. If the signals are smooth, x is the difference of two such traces: one that decays with 10 ms
/// and a = 1/10, less one that decays with 1/(1/τ + 1/10 ms) and a as above.
///
/// Inputs are shared out so that group sizes differ by 1 at most. As in Spark on JAX, n is the size of such a share also
/// if `output_map` makes groups of other sizes, and the slow trace of smooth signals is not divided by n.
///
/// The scaling is Spark's own; that a low-pass filter reads out spikes is in Gerstner, Kistler, Naud, Paninski, *Neuronal
/// Dynamics*, Cambridge University Press, 2014, chapter 7.
///
/// ```
/// use spark::prelude::*;
///
/// let config = ExponentialIntegratorConfig::new(2_usize).with_shuffle(false).with_smooth_trace(false);
/// let mut model = Model::component(config).input("spikes", [4]).build()?;
/// let outputs = model.step(&[("spikes", vec![true, true, true, false].into())])?;
/// // 1000/(50 Hz · 1 ms · 5 ms · 2 inputs) = 2 for each spike.
/// assert_eq!(outputs.get("signal")?.value().to_f32(), [4.0, 2.0]);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Interfaces/Output")]
pub struct ExponentialIntegrator {
    #[config]
    config: ExponentialIntegratorConfig,
    #[module]
    trace: Trace,
    /// The signal each input counts for.
    #[host]
    output_map: Array,
}

/// The trace of a signal.
enum Trace {
    Plain(Tracer),
    Smooth(RDTracer),
}

impl Nested for Trace {
    fn visit_parts(&mut self, visitor: &mut dyn FieldVisitor) {
        match self {
            Trace::Plain(trace) => trace.visit_parts(visitor),
            Trace::Smooth(trace) => trace.visit_parts(visitor),
        }
    }
}

impl Trace {
    #[track_caller]
    fn update(&mut self, input: Real) -> Real {
        match self {
            Trace::Plain(trace) => trace.update(input),
            Trace::Smooth(trace) => trace.update(input),
        }
    }
}

#[spark::module]
impl ExponentialIntegrator {
    fn build(cx: &mut Build, config: ExponentialIntegratorConfig) -> Result<Self> {
        let inputs = cx.shape("spikes")?;
        let (size, groups) = (inputs.size(), config.num_outputs.min(inputs.size()).max(1));
        if config.num_outputs > size {
            let message = format!("must be at most the number of inputs, {size}, found {}", config.num_outputs);
            cx.report(Error::new(message).at("num_outputs"));
        }
        let shares: Vec<usize> = (0..groups).map(|group| size / groups + usize::from(group < size % groups)).collect();
        let map = match &config.output_map {
            Some(map) => given_map(map, size, config.num_outputs).unwrap_or_else(|error| {
                cx.report(error.at("output_map"));
                vec![0; size]
            }),
            None => {
                let group = |(group, &share): (usize, &usize)| std::iter::repeat_n(group as i32, share);
                let mut map: Vec<i32> = shares.iter().enumerate().flat_map(group).collect();
                if config.shuffle {
                    cx.key().shuffle(&mut map);
                }
                map
            }
        };
        let outputs = Shape::units(&[groups]);
        let shares = Array::new(outputs.clone(), Data::F64(shares.iter().map(|&share| share as f64).collect()));
        let shares = cx.real(&shares.map_err(|e| Error::new(e.to_string()))?);
        let scale = 1000.0 / config.saturation_freq / (cx.dt() * config.tau * shares);
        let (tau, zero) = (cx.number(config.tau), cx.number(0.0));
        let fast = Exponential { tau, scale, base: zero };
        let slow = Exponential { tau: cx.number(10.0), scale: cx.number(0.1), base: zero };
        Ok(Self {
            trace: match config.smooth_trace {
                true => Trace::Smooth(RDTracer::new(cx, &outputs, fast, slow)),
                false => Trace::Plain(Tracer::new(cx, &outputs, tau, scale, zero)),
            },
            output_map: Array::new(inputs, Data::I32(map)).map_err(|e| Error::new(e.to_string()))?,
            config,
        })
    }

    fn output_shape(config: &ExponentialIntegratorConfig) -> Option<Units> {
        Some(config.num_outputs.into())
    }

    /// The signals, about 1 at `saturation_freq`.
    #[step(out = signal)]
    fn step(
        &mut self,
        /// Spikes of either sign.
        spikes: SpikeArray,
    ) -> FloatArray {
        let outputs = Shape::units(&[self.config.num_outputs]);
        let counts = spikes.to_real().segment_sum(&self.output_map, &outputs);
        self.trace.update(counts).into()
    }
}

/// An explicit map, checked.
fn given_map(map: &Array, size: usize, groups: usize) -> Result<Vec<i32>> {
    if map.len() != size {
        return Err(Error::new(format!("must have one number for each input, {size}, found {}", map.len())));
    }
    let numbers = map.to_f64();
    match numbers.iter().position(|&group| group.fract() != 0.0 || !(0.0..groups as f64).contains(&group)) {
        Some(at) => {
            let message =
                format!("must be integers from 0 to {}, found {} at position {at}", groups.max(1) - 1, numbers[at]);
            Err(Error::new(message))
        }
        None => Ok(map.to_i32()),
    }
}
