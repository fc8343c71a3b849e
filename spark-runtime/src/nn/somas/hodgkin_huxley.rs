//! Hodgkin-Huxley soma.

use crate::prelude::*;

/// Longest step that the integration of [`HodgkinHuxleySoma`] is made for, in ms.
const LONGEST_STEP: f64 = 0.1;

#[spark::validator(allowed = "be positive and at most 0.1", name = "hodgkin_huxley_step")]
fn short_step(dt: f64) -> bool {
    dt > 0.0 && dt <= LONGEST_STEP
}

/// Parameters of [`HodgkinHuxleySoma`].
#[spark::config]
pub struct HodgkinHuxleySomaConfig {
    /// Reversal potential of the leak, at which the potential starts.
    #[param(default = -65.0, units = "mV")]
    pub potential_rest: Param,
    /// Membrane capacitance.
    #[param(default = 200.0, units = "pF", check = positive)]
    pub capacitance: Param,
    /// Conductance of the leak.
    #[param(default = 10.0, units = "nS", check = positive)]
    pub leak_conductance: Param,
    /// Largest conductance of the sodium channels.
    #[param(default = 20_000.0, units = "nS", check = non_negative)]
    pub sodium_conductance: Param,
    /// Reversal potential of sodium.
    #[param(default = 50.0, units = "mV")]
    pub sodium_reversal: Param,
    /// Largest conductance of the potassium channels.
    #[param(default = 6_000.0, units = "nS", check = non_negative)]
    pub potassium_conductance: Param,
    /// Reversal potential of potassium.
    #[param(default = -90.0, units = "mV")]
    pub potassium_reversal: Param,
    /// Where the channels' rates begin, V_T: moves the potential at which spikes start.
    #[param(default = -63.0, units = "mV")]
    pub rate_offset: Param,
    /// Potential whose upward crossing counts as the spike.
    #[param(default = -20.0, units = "mV")]
    pub threshold: Param,
    /// Duration of one step; longer ones miss the upstroke of a spike.
    #[param(default = 0.05, units = "ms", check = self::short_step)]
    pub dt: f64,
}

/// Hodgkin-Huxley soma with the channels of Traub and Miles, the neuron of the field's simulator benchmarks (NEST's
/// `hh_cond_exp_traub`, Brian's COBAHH):
///
/// C dv/dt = g_L·(E_L − v) + g_Na·m³·h·(E_Na − v) + g_K·n⁴·(E_K − v) + I, dx/dt = α_x·(1 − x) − β_x·x for x = m, h, n
///
/// with, for u = v − V_T in mV and rates in 1/ms,
///
/// | | α | β |
/// |---|---|---|
/// | m | 0.32·(13 − u)/(e^((13−u)/4) − 1) | 0.28·(u − 40)/(e^((u−40)/5) − 1) |
/// | h | 0.128·e^((17−u)/18) | 4/(1 + e^((40−u)/5)) |
/// | n | 0.032·(15 − u)/(e^((15−u)/5) − 1) | 0.5·e^((10−u)/40) |
///
/// by the exponential Euler method: gates first, for the potential before, then the potential for the gates after. It
/// needs steps of 0.1 ms or less, and `dt` is 0.05 ms unless given; in a neuron, it is the neuron's. A neuron spikes in the step in which v crosses
/// `threshold` upwards; nothing is reset. v is stored relative to `potential_rest`. Without input it settles where all
/// currents balance, near it. Rates are those of the nearest potential within 300 mV of V_T.
///
/// E_L is −65 mV as in the benchmark's publication; with the −60 mV that NEST and Brian have the neuron spikes without
/// input.
///
/// Traub, Miles, *Neuronal Networks of the Hippocampus*, Cambridge University Press, 1991; Brette et al., *Simulation of
/// networks of spiking neurons: A review of tools and strategies*, Journal of Computational Neuroscience 23, 2007.
///
/// ```
/// use spark::prelude::*;
///
/// let mut model = Model::component(HodgkinHuxleySomaConfig::default()).input("current", [2]).build()?;
/// let mut counts = [0, 0];
/// for _ in 0..4000 {
///     let spikes = model.step(&[("current", vec![0.0f32, 500.0].into())])?.spikes("spikes")?;
///     (0..2).for_each(|i| counts[i] += usize::from(spikes[i]));
/// }
/// assert_eq!(counts[0], 0);
/// assert!(counts[1] > 5);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Somas")]
pub struct HodgkinHuxleySoma {
    #[config]
    config: HodgkinHuxleySomaConfig,
    /// Membrane potential relative to `potential_rest`, in mV.
    #[variable(property = PotentialArray)]
    potential: Real,
    /// Activation of sodium, m.
    #[variable]
    sodium_activation: Real,
    /// Inactivation of sodium, h.
    #[variable]
    sodium_inactivation: Real,
    /// Activation of potassium, n.
    #[variable]
    potassium_activation: Real,
    #[constant]
    leak_conductance: Real,
    #[constant]
    sodium_conductance: Real,
    #[constant]
    sodium_reversal: Real,
    #[constant]
    potassium_conductance: Real,
    #[constant]
    potassium_reversal: Real,
    #[constant]
    rate_offset: Real,
    #[constant]
    threshold: Real,
    /// dt/C.
    #[constant]
    scale: Real,
}

#[spark::module]
impl HodgkinHuxleySoma {
    fn build(cx: &mut Build, config: HodgkinHuxleySomaConfig) -> Result<Self> {
        let units = cx.shape("current")?;
        let rest = cx.param("potential_rest", &config.potential_rest, &units)?;
        let capacitance = cx.param("capacitance", &config.capacitance, &units)?;
        let leak_conductance = cx.param("leak_conductance", &config.leak_conductance, &units)?;
        let sodium_conductance = cx.param("sodium_conductance", &config.sodium_conductance, &units)?;
        let sodium_reversal = cx.param("sodium_reversal", &config.sodium_reversal, &units)? - rest;
        let potassium_conductance = cx.param("potassium_conductance", &config.potassium_conductance, &units)?;
        let potassium_reversal = cx.param("potassium_reversal", &config.potassium_reversal, &units)? - rest;
        let rate_offset = cx.param("rate_offset", &config.rate_offset, &units)? - rest;
        let threshold = cx.param("threshold", &config.threshold, &units)? - rest;
        let potential = cx.zeros(&units);
        let [m, h, n] = rates(potential - rate_offset).map(Rates::steady);
        Ok(Self {
            potential,
            sodium_activation: m,
            sodium_inactivation: h,
            potassium_activation: n,
            leak_conductance,
            sodium_conductance,
            sodium_reversal,
            potassium_conductance,
            potassium_reversal,
            rate_offset,
            threshold,
            scale: cx.dt() / capacitance,
            config,
        })
    }

    /// True where a neuron spikes.
    #[step(out = spikes)]
    fn step(&mut self, #[ports] inputs: SomaInputs) -> SpikeArray {
        let dt = self.config.dt;
        let [m, h, n] = rates(self.potential - self.rate_offset);
        self.sodium_activation = m.advance(self.sodium_activation, dt);
        self.sodium_inactivation = h.advance(self.sodium_inactivation, dt);
        self.potassium_activation = n.advance(self.potassium_activation, dt);
        let open = self.sodium_activation.square() * self.sodium_activation * self.sodium_inactivation;
        let sodium = self.sodium_conductance * open;
        let potassium = self.potassium_conductance * self.potassium_activation.square().square();
        let total = self.leak_conductance + sodium + potassium;
        let target =
            (sodium * self.sodium_reversal + potassium * self.potassium_reversal + bounded(inputs.current.value()))
                / total;
        let before = self.potential;
        self.potential = target + (before - target) * (-self.scale * total).exp();
        let fired = self.potential > self.threshold && before <= self.threshold;
        SpikeArray::new(fired, inputs.inhibition_mask)
    }
}

/// The rates at which a gate opens and closes, in 1/ms.
struct Rates {
    opening: Real,
    closing: Real,
}

impl Rates {
    /// Where the gate settles.
    #[track_caller]
    fn steady(self) -> Real {
        self.opening / (self.opening + self.closing)
    }

    /// The gate after a step of `dt`, exact for constant rates.
    #[track_caller]
    fn advance(self, gate: Real, dt: f64) -> Real {
        let decay = (-dt * (self.opening + self.closing)).exp();
        let steady = self.steady();
        steady + (gate - steady) * decay
    }
}

/// The rates of m, h and n at a potential u relative to V_T.
#[track_caller]
fn rates(u: Real) -> [Rates; 3] {
    let u = u.max(-300.0).min(300.0);
    [
        Rates { opening: 1.28 * quotient((13.0 - u) / 4.0), closing: 1.4 * quotient((u - 40.0) / 5.0) },
        Rates { opening: 0.128 * ((17.0 - u) / 18.0).exp(), closing: 4.0 / (1.0 + ((40.0 - u) / 5.0).exp()) },
        Rates { opening: 0.16 * quotient((15.0 - u) / 5.0), closing: 0.5 * ((10.0 - u) / 40.0).exp() },
    ]
}

/// x/(e^x − 1), by its series where that is 0/0 or nearly so.
#[spark::traced]
fn quotient(x: Real) -> Real {
    let small = x.abs() < 0.5;
    let square = x.square();
    let series = 1.0 - 0.5 * x + square * (1.0 / 12.0 - square * (1.0 / 720.0 - square * (1.0 / 30_240.0)));
    let divisor = if small { 1.0 } else { x.exp() - 1.0 };
    if small { series } else { x / divisor }
}
