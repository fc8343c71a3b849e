//! The quadruplet rule with parameters per type of synapse.

use super::rule::{stepped, third_factor};
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
    #[constant]
    rate: Real,
    #[constant]
    dt: Real,
}

#[spark::module]
impl QuadrupletRuleTensor {
    fn build(cx: &mut Build, config: QuadrupletRuleTensorConfig) -> Result<Self> {
        let shape = cx.shape("kernel")?;
        Ok(Self {
            pre_trace: TypedTracer::new(cx, "pre_tau", &config.pre_tau, &shape),
            post_trace: TypedTracer::new(cx, "post_tau", &config.post_tau, &shape),
            alpha: PerType::new(cx, "q_alpha", &config.q_alpha),
            beta: PerType::new(cx, "q_beta", &config.q_beta),
            gamma: PerType::new(cx, "q_gamma", &config.q_gamma),
            delta: PerType::new(cx, "q_delta", &config.q_delta),
            max_clip: PerType::new(cx, "max_clip", &config.max_clip),
            rate: cx.number(config.eta),
            dt: cx.number(cx.dt()),
            config,
        })
    }

    #[step(out = kernel, axis = (post, pre))]
    fn step(
        &mut self,
        /// Presynaptic spikes.
        #[axis(pre)]
        pre_spikes: SpikeArray,
        /// Postsynaptic spikes.
        post_spikes: SpikeArray,
        /// Weights now.
        #[axis(post, pre)]
        kernel: FloatArray,
        /// Modulation: one number, or one per postsynaptic neuron.
        modulation: FloatArray,
    ) -> FloatArray {
        let types = SynapseTypes { pre: pre_spikes.inhibition_mask(), post: post_spikes.inhibition_mask() };
        let (pre, post) = (pre_spikes.to_real(), post_spikes.to_real());
        let pre_trace = self.pre_trace.update(pre, types);
        let post_trace = self.post_trace.update(post, types);
        let (on_pre, on_post) = (self.alpha.of(types) * pre, self.gamma.of(types) * post);
        let pre_pairs = self.beta.of(types) * (post_trace * pre);
        let post_pairs = self.delta.of(types) * (post * pre_trace);
        let change = self.rate * third_factor(modulation) * (on_pre + pre_pairs + on_post + post_pairs);
        stepped(kernel, change, self.dt).min(self.max_clip.of(types)).into()
    }
}

/// Which neurons are inhibitory.
#[derive(Clone, Copy, Debug)]
struct SynapseTypes {
    pre: Bool,
    post: Bool,
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

impl PerType {
    /// The four numbers of the parameter `name`; another count is reported.
    fn new(cx: &mut Build<'_>, name: &str, values: &[f64]) -> PerType {
        let [ee, ei, ie, ii] = *values else {
            let message = format!("must be 4 numbers, for synapses of type EE, EI, IE and II, found {}", values.len());
            cx.report(Error::new(message).at(name));
            return PerType::new(cx, name, &[1.0; 4]);
        };
        PerType { ee: cx.number(ee), ei: cx.number(ei), ie: cx.number(ie), ii: cx.number(ii) }
    }

    /// The number of each synapse.
    #[track_caller]
    fn of(&self, types: SynapseTypes) -> Real {
        let excitatory = types.pre.select(self.ei, self.ee);
        let inhibitory = types.pre.select(self.ii, self.ie);
        types.post.select(inhibitory, excitatory)
    }

    /// With `change` applied to each number.
    fn map(self, change: impl Fn(Real) -> Real) -> PerType {
        PerType { ee: change(self.ee), ei: change(self.ei), ie: change(self.ie), ii: change(self.ii) }
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
    fn new(cx: &mut Build<'_>, name: &str, tau: &[f64], shape: &Shape) -> TypedTracer {
        let tau = PerType::new(cx, name, tau);
        let decay = tau.map(|tau| (-cx.dt() / tau).exp());
        TypedTracer { trace: cx.zeros(shape), decay, scale: tau.map(|tau| 1.0 / tau) }
    }

    #[track_caller]
    fn update(&mut self, input: Real, types: SynapseTypes) -> Real {
        self.trace = self.decay.of(types) * self.trace + self.scale.of(types) * input;
        self.trace
    }
}
