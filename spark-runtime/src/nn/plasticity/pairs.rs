//! Pairs of a pre- and a postsynaptic spike: what rules of spike-timing-dependent plasticity count.

use crate::prelude::*;

/// Parameters of pairs of spikes.
#[spark::config(group)]
pub struct SpikePairsConfig {
    /// Time constant τ₊ of the presynaptic trace: how far before a postsynaptic spike a presynaptic one potentiates.
    #[param(default = 20.0, units = "ms", check = positive)]
    pub pre_tau: Param,
    /// Time constant τ₋ of the postsynaptic trace: how far before a presynaptic spike a postsynaptic one depresses.
    #[param(default = 20.0, units = "ms", check = positive)]
    pub post_tau: Param,
}

/// Counts every pair of a pre- and a postsynaptic spike (all-to-all pairing), weighted by how far apart they are.
///
/// Pairs of spikes in the same step do not count: a trace holds the spikes of the steps before.
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub(super) struct SpikePairs {
    #[module]
    pre_trace: Tracer,
    #[module]
    post_trace: Tracer,
}

/// What the spikes of one step complete, over the kernel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pairs {
    /// Σ e^(−Δt/τ₊) over the pairs with the presynaptic spike first, where the postsynaptic neuron spikes now.
    pub(super) pre_first: Real,
    /// Σ e^(−Δt/τ₋) over the pairs with the postsynaptic spike first, where the presynaptic neuron spikes now.
    pub(super) post_first: Real,
}

impl SpikePairs {
    /// No spikes yet. Draws a key for each time constant.
    pub(super) fn new(cx: &mut Build, config: &SpikePairsConfig) -> Result<SpikePairs> {
        let (pre, post) = (cx.shape("pre_spikes")?, cx.shape("post_spikes")?);
        let pre_tau = cx.param("pre_tau", &config.pre_tau, &pre)?;
        let post_tau = cx.param("post_tau", &config.post_tau, &post)?;
        let (pre_trace, post_trace) = (Tracer::unscaled(cx, &pre, pre_tau), Tracer::unscaled(cx, &post, post_tau));
        Ok(SpikePairs { pre_trace, post_trace })
    }

    /// Takes one step. The sign of spikes does not matter.
    #[track_caller]
    pub(super) fn update(&mut self, synapses: RuleInputs) -> Pairs {
        let (pre, post) = (synapses.pre_spikes.to_real(), synapses.post_spikes.to_real());
        let pre_first = post * self.pre_trace.relaxed();
        let post_first = self.post_trace.relaxed() * pre;
        self.pre_trace.update(pre);
        self.post_trace.update(post);
        Pairs { pre_first, post_first }
    }
}
