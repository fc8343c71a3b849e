//! Traces of the spikes on both sides of a synapse, a part that rules hold.

use crate::prelude::*;

/// Parameters of [`SpikeTraces`].
#[spark::config(group)]
pub struct SpikeTracesConfig {
    /// Time constant of the presynaptic trace.
    #[param(default = 20.0, units = "ms", check = positive)]
    pub pre_tau: Param,
    /// Time constant of the postsynaptic trace.
    #[param(default = 20.0, units = "ms", check = positive)]
    pub post_tau: Param,
}

/// Exponential traces of unit area (1/ms): x of the presynaptic spikes, y of the postsynaptic ones.
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct SpikeTraces {
    #[module]
    pre_trace: Tracer,
    #[module]
    post_trace: Tracer,
}

/// What a rule sees of one step: spikes S, whatever their sign, and the traces with these spikes in them.
#[derive(Clone, Copy, Debug)]
pub struct TracedSpikes {
    /// S_pre.
    pub pre: Real,
    /// S_post.
    pub post: Real,
    /// x.
    pub pre_trace: Real,
    /// y.
    pub post_trace: Real,
}

impl SpikeTraces {
    /// Traces of the spikes on the ports `pre_spikes` and `post_spikes`. Draws a key for each time constant: one number for
    /// all neurons, or one per neuron.
    ///
    /// # Errors
    /// If nothing is connected, or a parameter does not fit.
    #[track_caller]
    pub fn per_neuron(cx: &mut Build, config: &SpikeTracesConfig) -> Result<SpikeTraces> {
        let (pre, post) = (cx.shape("pre_spikes")?, cx.shape("post_spikes")?);
        SpikeTraces::new(cx, config, &pre, &post)
    }

    /// The same where a time constant may also be one per synapse of the kernel on the port `kernel`.
    ///
    /// # Errors
    /// If nothing is connected, or a parameter does not fit.
    #[track_caller]
    pub fn per_synapse(cx: &mut Build, config: &SpikeTracesConfig) -> Result<SpikeTraces> {
        let (pre, post, kernel) = (cx.shape("pre_spikes")?, cx.shape("post_spikes")?, cx.shape("kernel")?);
        let pre = trace_shape(&config.pre_tau, &pre, &kernel);
        let post = trace_shape(&config.post_tau, &post, &kernel);
        SpikeTraces::new(cx, config, &pre, &post)
    }

    fn new(cx: &mut Build, config: &SpikeTracesConfig, pre: &Shape, post: &Shape) -> Result<SpikeTraces> {
        Ok(SpikeTraces {
            pre_trace: spike_trace(cx, "pre_tau", &config.pre_tau, pre)?,
            post_trace: spike_trace(cx, "post_tau", &config.post_tau, post)?,
        })
    }

    /// Takes one step: traces are updated first.
    #[track_caller]
    pub fn update(&mut self, synapses: RuleInputs) -> TracedSpikes {
        let (pre, post) = (synapses.pre_spikes.to_real(), synapses.post_spikes.to_real());
        let pre_trace = self.pre_trace.update(pre);
        let post_trace = self.post_trace.update(post);
        TracedSpikes { pre, post, pre_trace, post_trace }
    }
}

impl TracedSpikes {
    /// The pairs of Hebb's rule, y·S_pre + S_post·x.
    #[track_caller]
    pub fn pairs(self) -> Real {
        self.post_trace * self.pre + self.post * self.pre_trace
    }

    /// The terms of the quadruplet rules, α·S_pre + β·y·S_pre + γ·S_post + δ·S_post·x.
    #[track_caller]
    pub fn quadruplets(self, [alpha, beta, gamma, delta]: [Real; 4]) -> Real {
        let TracedSpikes { pre, post, pre_trace, post_trace } = self;
        alpha * pre + beta * (post_trace * pre) + gamma * post + delta * (post * pre_trace)
    }
}

/// A trace of unit area over `shape`, whose time constant is the parameter `name`. Draws one key.
#[track_caller]
pub(super) fn spike_trace(cx: &mut Build, name: &str, tau: &Param, shape: &Shape) -> Result<Tracer> {
    let tau = cx.param(name, tau, shape)?;
    Ok(Tracer::normalized(cx, shape, tau))
}
