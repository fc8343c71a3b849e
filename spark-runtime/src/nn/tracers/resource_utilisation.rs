//! Resources and their utilisation: the state of a synapse with short-term plasticity.

use crate::prelude::*;

/// The resources R of a synapse and their utilisation u. A spike raises the utilisation, then releases the share u of
/// the resources; between spikes the resources recover and the utilisation fades:
///
/// du/dt = −u/τ_facil, u ← u + U·(1 − u) at a spike,
///
/// dR/dt = (1 − R)/τ_rec, R ← R − u·R at a spike, with the new u.
///
/// Both start at rest, R = 1 and u = 0, so that the first spike releases U. Advanced exactly: spike n + 1, a time Δ after
/// spike n, meets
///
/// uₙ₊₁ = U + uₙ·(1 − U)·e^(−Δ/τ_facil), Rₙ₊₁ = 1 + (Rₙ − uₙ·Rₙ − 1)·e^(−Δ/τ_rec).
///
/// Tsodyks, Uziel, Markram (2000), *Synchrony generation in recurrent networks with frequency-dependent synapses*,
/// Journal of Neuroscience 20; the recursion is that of Maass, Markram (2002), *Synapses as dynamic memory buffers*,
/// Neural Networks 15.
///
/// ```
/// use spark::nn::tracers::RUTracer;
/// use spark::prelude::*;
///
/// // Depression alone: half of what is there is released by each of three spikes in a row.
/// let released = spark::eager(|| {
///     let inputs = Default::default();
///     let cx = Build::new("Example", &inputs);
///     let [slow, none, half] = [1e9, 0.0, 0.5].map(|x| cx.number(x));
///     let mut synapse = RUTracer::new(&cx, &Shape::units(&[1]), slow, none, half);
///     [1.0, 1.0, 1.0].map(|spike| synapse.update(cx.number(spike)).known().unwrap().to_f64()[0])
/// })?;
/// assert_eq!(released, [0.5, 0.25, 0.125]);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::part]
#[derive(Clone, Copy, Debug)]
pub struct RUTracer {
    /// Resources ready to be released, 1 at rest; in half precision those that are missing, 0 at rest, which are stored more
    /// finely as they become few, so that recovery goes on to its end.
    #[variable]
    resources: Real,
    /// Whether `resources` are those that are missing.
    #[host]
    counts_missing: bool,
    /// Share of them that the last spike released, faded since then; 0 at rest.
    #[variable]
    utilisation: Real,
    /// Share of what is missing that a step brings back.
    #[constant]
    recovery: Real,
    /// Share of the utilisation that a step takes away.
    #[constant]
    fading: Real,
    /// U.
    #[constant]
    increment: Real,
}

impl RUTracer {
    /// A synapse at rest, with time constants `tau_rec` of recovery and `tau_facil` of facilitation in ms (0 for no
    /// facilitation), and utilisation `u` of a spike at rest, from 0 to 1.
    #[track_caller]
    pub fn new(cx: &Build<'_>, shape: &Shape, tau_rec: Real, tau_facil: Real, u: Real) -> RUTracer {
        let counts_missing = matches!(cx.dtype(), DType::F16 | DType::BF16);
        RUTracer {
            resources: cx.full(shape, cx.number(if counts_missing { 0.0 } else { 1.0 })),
            counts_missing,
            utilisation: cx.zeros(shape),
            recovery: share_lost(cx.dt() / tau_rec),
            fading: share_lost(cx.dt() / tau_facil),
            increment: u,
        }
    }

    /// Resources ready to be released.
    #[track_caller]
    pub fn resources(&self) -> Real {
        if self.counts_missing { 1.0 - self.resources } else { self.resources }
    }

    /// Share of the resources that the last spike released, faded since then.
    pub fn utilisation(&self) -> Real {
        self.utilisation
    }

    /// Takes one step and gives what is released in it: u·R where `spikes` is 1, nothing where it is 0.
    #[track_caller]
    pub fn update(&mut self, spikes: Real) -> Real {
        let faded = self.utilisation - self.fading * self.utilisation;
        self.utilisation = faded + self.increment * (1.0 - faded) * spikes;
        if self.counts_missing {
            let missing = self.resources - self.recovery * self.resources;
            let released = self.utilisation * (1.0 - missing) * spikes;
            self.resources = missing + released;
            return released;
        }
        let recovered = self.resources + self.recovery * (1.0 - self.resources);
        let released = self.utilisation * recovered * spikes;
        self.resources = recovered - released;
        released
    }
}

/// 1 − e^(−x) to full precision: recovery takes thousands of steps, over which an error in a small x would add up.
#[track_caller]
fn share_lost(x: Real) -> Real {
    let half = (0.5 * x).tanh();
    2.0 * half / (1.0 + half)
}
