//! Plasticity rules: traces of each neuron, then a loop over all synapses.

use crate::case::{
    Case, Entry, SIDE, Scalar, Tolerance, inhibitory, model, numbers, sparse_spikes, spike_payload, spread,
};
use spark::config::Config;
use spark::prelude::*;
use std::hint::black_box;

pub(crate) const CASES: &[Entry] = &[
    Entry::per_synapse("HebbianRule", hebbian),
    Entry::per_synapse("OjaRule", oja),
    Entry::per_synapse("ThreeFactorHebbianRule", three_factor),
    Entry::per_synapse("PairSTDPRule", pair_stdp),
    Entry { variant: "(μ = 0.4)", ..Entry::per_synapse("PairSTDPRule", pair_stdp_with_powers) },
    Entry::per_synapse("PowerLawSTDPRule", power_law_stdp),
    Entry::per_synapse("QuadrupletRule", quadruplet),
    Entry::per_synapse("QuadrupletRuleTensor", quadruplet_tensor),
    Entry::per_synapse("ZenkeRule", zenke),
];

/// A neuron: its spike, its sign, and its exponential traces before and after the spike.
#[derive(Clone, Copy)]
struct Neuron<const N: usize> {
    spike: f32,
    inhibitory: bool,
    relaxed: [f32; N],
    trace: [f32; N],
}

/// The neurons on one side, with `N` traces each.
struct Side<const N: usize> {
    neurons: Vec<Neuron<N>>,
    decays: [f32; N],
    scales: [f32; N],
}

impl<const N: usize> Side<N> {
    fn new(spikes: &[bool], taus: [f32; N], scales: [f32; N]) -> Side<N> {
        let rest = |(spike, inhibitory)| Neuron { spike, inhibitory, relaxed: [0.0; N], trace: [0.0; N] };
        let neurons = numbers(spikes).into_iter().zip(inhibitory(SIDE)).map(rest).collect();
        Side { neurons, decays: taus.map(|tau| (-1.0 / tau).exp()), scales }
    }

    /// With traces of unit area.
    fn normalized(spikes: &[bool], taus: [f32; N]) -> Side<N> {
        Side::new(spikes, taus, taus.map(|tau| 1.0 / tau))
    }

    fn advance(&mut self) {
        for neuron in &mut self.neurons {
            for k in 0..N {
                neuron.relaxed[k] = self.decays[k] * neuron.trace[k];
                neuron.trace[k] = neuron.relaxed[k] + self.scales[k] * neuron.spike;
            }
        }
    }
}

struct Rule<S, F, const A: usize, const B: usize> {
    pre: Side<A>,
    post: Side<B>,
    kernel: Vec<f32>,
    states: Vec<S>,
    changed: Vec<f32>,
    update: F,
}

impl<S, F, const A: usize, const B: usize> Scalar for Rule<S, F, A, B>
where
    F: Fn(f32, &Neuron<A>, &Neuron<B>, &mut S) -> f32,
{
    #[inline(never)]
    fn step(&mut self) {
        let Rule { pre, post, kernel, states, changed, update } = black_box(self);
        pre.advance();
        post.advance();
        let rows = kernel.chunks_exact(SIDE).zip(states.chunks_exact_mut(SIDE)).zip(changed.chunks_exact_mut(SIDE));
        for (post, ((weights, states), changed)) in post.neurons.iter().zip(rows) {
            let synapses = weights.iter().zip(states).zip(changed);
            for (pre, ((weight, state), changed)) in pre.neurons.iter().zip(synapses) {
                *changed = update(*weight, pre, post, state);
            }
        }
    }

    fn result(&self) -> Vec<f32> {
        self.changed.clone()
    }
}

/// A rule on the synapses between [`SIDE`] neurons on either side, of which different ones spike. `update` gives the new
/// weight of one with the given states.
fn rule<S: Clone + 'static, const A: usize, const B: usize>(
    config: impl Config,
    factor: Option<&'static str>,
    sides: impl Fn(&[bool], &[bool]) -> (Side<A>, Side<B>),
    states: S,
    update: impl Fn(f32, &Neuron<A>, &Neuron<B>, &mut S) -> f32 + 'static,
) -> Result<Case> {
    let pre = sparse_spikes(SIDE);
    let post: Vec<bool> = pre.iter().rev().copied().collect();
    let kernel = spread(SIDE * SIDE, 0.1, 10.0);
    let host =
        Array::new(Shape::units(&[SIDE, SIDE]), Data::F32(kernel.clone())).map_err(|e| Error::new(e.to_string()))?;
    let payload = |spikes: &[bool]| spike_payload(spikes, &inhibitory(SIDE));
    let mut inputs = vec![("pre_spikes", payload(&pre)), ("post_spikes", payload(&post)), ("kernel", host.into())];
    inputs.extend(factor.map(|port| (port, vec![FACTOR].into())));
    let (pre, post) = sides(&pre, &post);
    let size = SIDE * SIDE;
    let scalar = Rule { pre, post, kernel, states: vec![states; size], changed: vec![0.0; size], update };
    Ok(Case {
        elements: size,
        model: model(config, inputs)?,
        scalar: Box::new(scalar),
        compared: "kernel",
        tolerance: Tolerance::Elements(1e-4),
    })
}

/// The third factor of rules that have one.
const FACTOR: f32 = 0.5;

/// One trace of unit area on either side.
fn traced(tau: f32) -> impl Fn(&[bool], &[bool]) -> (Side<1>, Side<1>) {
    move |pre, post| (Side::normalized(pre, [tau]), Side::normalized(post, [tau]))
}

fn hebbian() -> Result<Case> {
    rule(HebbianRuleConfig::default(), None, traced(20.0), (), |weight, pre, post, _| {
        (weight + 0.01 * (post.trace[0] * pre.spike + post.spike * pre.trace[0])).max(0.0)
    })
}

fn oja() -> Result<Case> {
    rule(OjaRuleConfig::default(), None, traced(20.0), (), |weight, pre, post, _| {
        let trace = post.trace[0];
        (weight + 0.1 * (trace * pre.spike - weight * trace * trace)).max(0.0)
    })
}

fn three_factor() -> Result<Case> {
    let config = ThreeFactorHebbianRuleConfig::default();
    rule(config, Some("reward"), traced(10.0), (), |weight, pre, post, _| {
        let pairs = post.trace[0] * pre.spike + post.spike * pre.trace[0];
        (weight + 0.1 * (FACTOR + 0.1) * pairs).max(0.0)
    })
}

/// One trace on either side that a spike raises by 1.
fn unscaled(pre: &[bool], post: &[bool]) -> (Side<1>, Side<1>) {
    (Side::new(pre, [20.0], [1.0]), Side::new(post, [20.0], [1.0]))
}

fn pair_stdp() -> Result<Case> {
    rule(PairSTDPRuleConfig::default(), None, unscaled, (), |weight, pre, post, _| {
        let weight = weight.clamp(0.0, 100.0);
        let weight = (weight + 0.01 * (100.0 - weight) * post.spike * pre.relaxed[0]).clamp(0.0, 100.0);
        (weight - 0.01 * weight * pre.spike * post.relaxed[0]).clamp(0.0, 100.0)
    })
}

fn pair_stdp_with_powers() -> Result<Case> {
    let config = PairSTDPRuleConfig::default().with_mu_plus(0.4).with_mu_minus(0.4);
    rule(config, None, unscaled, (), |weight, pre, post, _| {
        let weight = weight.clamp(0.0, 100.0);
        let above = ((100.0 - weight) / 100.0).powf(0.4);
        let weight = (weight + 100.0 * 0.01 * above * post.spike * pre.relaxed[0]).clamp(0.0, 100.0);
        let below = (weight / 100.0).powf(0.4);
        (weight - 100.0 * 0.01 * below * pre.spike * post.relaxed[0]).clamp(0.0, 100.0)
    })
}

fn power_law_stdp() -> Result<Case> {
    rule(PowerLawSTDPRuleConfig::default(), None, unscaled, (), |weight, pre, post, _| {
        let weight = weight.max(0.0);
        let weight = weight + 0.1 * weight.powf(0.4) * post.spike * pre.relaxed[0];
        (weight - 0.1 * weight * pre.spike * post.relaxed[0]).max(0.0)
    })
}

fn quadruplet() -> Result<Case> {
    rule(QuadrupletRuleConfig::default(), Some("modulation"), traced(10.0), (), |weight, pre, post, _| {
        let (on_pre, on_post) = (pre.spike + post.trace[0] * pre.spike, post.spike + post.spike * pre.trace[0]);
        (weight + 0.1 * (FACTOR + 0.1) * (on_pre + on_post)).max(0.0)
    })
}

fn quadruplet_tensor() -> Result<Case> {
    // Parameters of synapses of type EE, EI, IE and II.
    struct PerType {
        pre_decay: [f32; 4],
        post_decay: [f32; 4],
        pre_scale: [f32; 4],
        post_scale: [f32; 4],
        alpha: [f32; 4],
        beta: [f32; 4],
        gamma: [f32; 4],
        delta: [f32; 4],
        largest: [f32; 4],
    }
    let (pre_tau, post_tau) = ([10.0f32, 12.0, 14.0, 16.0], [20.0f32, 22.0, 24.0, 26.0]);
    let (alpha, beta, gamma, delta) =
        ([1.0, 0.9, 0.8, 0.7], [0.5, 0.6, 0.7, 0.8], [1.1, 1.2, 1.3, 1.4], [0.4, 0.5, 0.6, 0.7]);
    let list = |values: [f32; 4]| values.map(f64::from).to_vec();
    let config = QuadrupletRuleTensorConfig::default()
        .with_pre_tau(list(pre_tau))
        .with_post_tau(list(post_tau))
        .with_q_alpha(list(alpha))
        .with_q_beta(list(beta))
        .with_q_gamma(list(gamma))
        .with_q_delta(list(delta));
    let decay = |tau: f32| (-1.0 / tau).exp();
    let types = PerType {
        pre_decay: pre_tau.map(decay),
        post_decay: post_tau.map(decay),
        pre_scale: pre_tau.map(|tau| 1.0 / tau),
        post_scale: post_tau.map(|tau| 1.0 / tau),
        alpha,
        beta,
        gamma,
        delta,
        largest: [20.0; 4],
    };
    rule(config, Some("modulation"), traced(10.0), [0.0; 2], move |weight, pre, post, traces| {
        let kind = 2 * usize::from(post.inhibitory) + usize::from(pre.inhibitory);
        let [pre_trace, post_trace] = traces;
        *pre_trace = types.pre_decay[kind] * *pre_trace + types.pre_scale[kind] * pre.spike;
        *post_trace = types.post_decay[kind] * *post_trace + types.post_scale[kind] * post.spike;
        let on_pre = pre.spike * (types.alpha[kind] + types.beta[kind] * *post_trace);
        let on_post = post.spike * (types.gamma[kind] + types.delta[kind] * *pre_trace);
        (weight + 0.1 * FACTOR * (on_pre + on_post)).max(0.0).min(types.largest[kind])
    })
}

fn zenke() -> Result<Case> {
    let sides = |pre: &[bool], post: &[bool]| (Side::normalized(pre, [20.0]), Side::normalized(post, [20.0, 20.0]));
    let (decay, scale) = ((-1.0f32 / 20_000.0).exp(), 1.0 / 20_000.0);
    rule(ZenkeRuleConfig::default(), None, sides, 0.0, move |weight, pre, post, target| {
        let largest = (2.0f32 * 20_000.0 / (3.0 * 20.0)).sqrt();
        let bounded = f32::clamp(*target, -largest, largest);
        let potential = 20.0 * bounded * (0.25 - bounded) * (0.5 - bounded);
        *target = decay * *target + scale * (weight - potential);
        let [fast, slow] = post.trace;
        let triplet = slow * post.spike * pre.trace[0];
        let doublet = fast * pre.spike;
        let heterosynaptic = (weight - *target) * (fast * fast * fast * post.spike);
        (weight + 0.1 * (triplet - doublet - heterosynaptic + pre.spike)).max(0.0)
    })
}
