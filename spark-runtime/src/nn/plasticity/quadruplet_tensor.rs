//! The quadruplet rule with parameters per type of synapse.

use super::rule::{Learning, third_factor};
use super::traces::TracedSpikes;
use crate::prelude::*;

/// Parameters of [`QuadrupletRuleTensor`]. Each list has four numbers, for synapses of type EE, EI, IE and II; the
/// first letter is the postsynaptic neuron.
#[spark::config]
pub struct QuadrupletRuleTensorConfig {
    /// Time constants of the presynaptic trace.
    #[param(default = [10.0, 10.0, 10.0, 10.0], units = "ms", check = positive)]
    pub pre_tau: Vec<f64>,
    /// Time constants of the postsynaptic trace.
    #[param(default = [10.0, 10.0, 10.0, 10.0], units = "ms", check = positive)]
    pub post_tau: Vec<f64>,
    /// Change per presynaptic spike.
    #[param(default = [1.0, 1.0, 1.0, 1.0])]
    pub q_alpha: Vec<f64>,
    /// Change per presynaptic spike and postsynaptic trace.
    #[param(default = [1.0, 1.0, 1.0, 1.0])]
    pub q_beta: Vec<f64>,
    /// Change per postsynaptic spike.
    #[param(default = [1.0, 1.0, 1.0, 1.0])]
    pub q_gamma: Vec<f64>,
    /// Change per postsynaptic spike and presynaptic trace.
    #[param(default = [1.0, 1.0, 1.0, 1.0])]
    pub q_delta: Vec<f64>,
    /// Largest weights.
    #[param(default = [20.0, 20.0, 20.0, 20.0])]
    pub max_clip: Vec<f64>,
    /// Learning rate.
    #[param(default = 0.1)]
    pub eta: f64,
    /// Do as Spark on JAX, whose files mean that: round the lists, and what traces compute from them, to half precision,
    /// and inside a neuron take every synapse for one of type EE (the rule is built before it learns which neurons are
    /// inhibitory).
    #[param(default = false, python_default = true)]
    pub as_in_python: bool,
}

/// Quadruplet rule whose parameters depend on the type of the synapse, that is on whether the pre- and the postsynaptic
/// neuron is inhibitory. With spikes S, exponential traces x (pre) and y (post), and a modulation M:
///
/// dw/dt = η·M (α·S_pre + β·y·S_pre + γ·S_post + δ·S_post·x), with 0 ≤ w ≤ w_max.
///
/// Traces are updated first, so a coincident pair counts in both products. Traces have unit area (1/ms).
///
/// Confavreux, Ramesh, Goncalves, Macke, Vogels (2023), *Meta-learning families of plasticity rules in recurrent
/// spiking networks using simulation-based inference*, NeurIPS.
///
/// ```
/// use spark::prelude::*;
///
/// let builder = Model::component(QuadrupletRuleTensorConfig::default()).input("pre_spikes", [1]).input("post_spikes", [1]);
/// let mut model = builder.input("kernel", [1, 1]).input("modulation", [1]).build()?;
/// // Both neurons spike, and both are excitatory: all four terms with the first number of each list.
/// let outputs = model.step(&[
///     ("pre_spikes", vec![true].into()),
///     ("post_spikes", vec![true].into()),
///     ("kernel", vec![1.0f32].into()),
///     ("modulation", vec![0.5f32].into()),
/// ])?;
/// let weight = outputs.get("kernel")?.value().to_f32()[0];
/// assert!((weight - (1.0 + 0.1 * 0.5 * (2.0 + 2.0 / 10.0))).abs() < 1e-6);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Plasticity")]
pub struct QuadrupletRuleTensor {
    #[config]
    config: QuadrupletRuleTensorConfig,
    /// Whether all synapses are of type EE.
    #[host]
    untyped: bool,
    #[module]
    pre_trace: TypedTracer,
    #[module]
    post_trace: TypedTracer,
    #[module]
    alpha: PerType,
    #[module]
    beta: PerType,
    #[module]
    gamma: PerType,
    #[module]
    delta: PerType,
    #[module]
    max_clip: PerType,
    #[module(flatten)]
    learning: Learning,
}

#[spark::module]
impl QuadrupletRuleTensor {
    fn build(cx: &mut Build, config: QuadrupletRuleTensorConfig) -> Result<Self> {
        let shape = cx.shape("kernel")?;
        let precision = if config.as_in_python { Precision::Half } else { Precision::Full };
        let [pre_tau, post_tau] =
            [("pre_tau", &config.pre_tau), ("post_tau", &config.post_tau)].map(|(name, tau)| four(cx, name, tau));
        let mut list = |name: &str, values: &[f64]| {
            let values = four(cx, name, values).map(|value| precision.rounded(value));
            PerType::new(cx, values)
        };
        let [alpha, beta] = [list("q_alpha", &config.q_alpha), list("q_beta", &config.q_beta)];
        let [gamma, delta] = [list("q_gamma", &config.q_gamma), list("q_delta", &config.q_delta)];
        let max_clip = list("max_clip", &config.max_clip);
        Ok(Self {
            untyped: config.as_in_python && cx.is_in_neuron(),
            pre_trace: TypedTracer::new(cx, pre_tau, precision, &shape),
            post_trace: TypedTracer::new(cx, post_tau, precision, &shape),
            alpha,
            beta,
            gamma,
            delta,
            max_clip,
            learning: Learning::new(cx, cx.number(config.eta)),
            config,
        })
    }

    /// Weights after the step.
    #[step(out = kernel, axis = (post, pre))]
    fn step(
        &mut self,
        #[ports] synapses: RuleInputs,
        /// Modulation: one number, or one per postsynaptic neuron.
        modulation: FloatArray,
    ) -> FloatArray {
        let types = SynapseTypes::new(synapses.pre_spikes, synapses.post_spikes, self.untyped);
        let (pre, post) = (synapses.pre_spikes.to_real(), synapses.post_spikes.to_real());
        let pre_trace = self.pre_trace.update(pre, types);
        let post_trace = self.post_trace.update(post, types);
        let spikes = TracedSpikes { pre, post, pre_trace, post_trace };
        let change = spikes.quadruplets([&self.alpha, &self.beta, &self.gamma, &self.delta].map(|each| each.of(types)));
        let stepped = self.learning.gated(synapses.kernel, third_factor(modulation), change);
        stepped.min(self.max_clip.of(types)).into()
    }
}

/// Which neurons are inhibitory.
#[derive(Clone, Copy, Debug)]
struct SynapseTypes {
    pre: Bool,
    post: Bool,
}

impl SynapseTypes {
    /// The types of synapses between neurons with these spikes; all EE if they are `untyped`.
    #[track_caller]
    fn new(pre: SpikeArray, post: SpikeArray, untyped: bool) -> SynapseTypes {
        match untyped {
            true => SynapseTypes { pre: Bool::from(false), post: Bool::from(false) },
            false => SynapseTypes { pre: pre.inhibition_mask(), post: post.inhibition_mask() },
        }
    }
}

/// A number for each type of synapse.
#[spark::part]
#[derive(Clone, Copy, Debug)]
struct PerType {
    #[constant]
    ee: Real,
    #[constant]
    ei: Real,
    #[constant]
    ie: Real,
    #[constant]
    ii: Real,
}

/// The four numbers of the parameter `name`; another count is reported.
fn four(cx: &mut Build, name: &str, values: &[f64]) -> [f64; 4] {
    values.try_into().unwrap_or_else(|_| {
        let message = format!("must be 4 numbers, for synapses of type EE, EI, IE and II, found {}", values.len());
        cx.report(Error::new(message).at(name));
        [1.0; 4]
    })
}

/// What the rule's own numbers are rounded to before they are used.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Precision {
    Full,
    Half,
}

impl Precision {
    fn rounded(self, value: f64) -> f64 {
        if self == Precision::Half { half::f16::from_f64(value).to_f64() } else { value }
    }
}

impl PerType {
    /// The numbers of synapses of type EE, EI, IE and II.
    fn new(cx: &Build<'_>, [ee, ei, ie, ii]: [f64; 4]) -> PerType {
        PerType { ee: cx.number(ee), ei: cx.number(ei), ie: cx.number(ie), ii: cx.number(ii) }
    }

    /// The number of each synapse.
    #[track_caller]
    fn of(&self, types: SynapseTypes) -> Real {
        let excitatory = types.pre.select(self.ei, self.ee);
        let inhibitory = types.pre.select(self.ii, self.ie);
        types.post.select(inhibitory, excitatory)
    }
}

/// A trace of unit area per synapse, whose time constant depends on the synapse's type.
#[spark::part]
#[derive(Clone, Copy, Debug)]
struct TypedTracer {
    #[variable]
    trace: Real,
    #[module]
    decay: PerType,
    #[module]
    scale: PerType,
}

impl TypedTracer {
    fn new(cx: &Build<'_>, tau: [f64; 4], precision: Precision, shape: &Shape) -> TypedTracer {
        let tau = tau.map(|tau| precision.rounded(tau));
        let decay = tau.map(|tau| precision.rounded(precision.rounded(-cx.dt() / tau).exp()));
        let scale = tau.map(|tau| precision.rounded(1.0 / tau));
        let [decay, scale] = [decay, scale].map(|numbers| PerType::new(cx, numbers));
        TypedTracer { trace: cx.zeros(shape), decay, scale }
    }

    #[track_caller]
    fn update(&mut self, input: Real, types: SynapseTypes) -> Real {
        self.trace = self.decay.of(types) * self.trace + self.scale.of(types) * input;
        self.trace
    }
}
