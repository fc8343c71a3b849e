//! Synapses with short-term plasticity.

use super::kernel::build_kernel;
use crate::prelude::*;

/// Parameters of [`TsodyksMarkramSynapses`].
#[spark::config]
pub struct TsodyksMarkramSynapsesConfig {
    /// Shape of the postsynaptic population.
    #[param]
    pub units: Units,
    /// Synaptic weights, of shape (units, inputs): the current if a spike released all resources.
    #[param(default = SparseUniform::default(), units = "pA")]
    pub kernel: Param,
    /// Time constant of the resources' recovery.
    #[param(default = 800.0, units = "ms", check = positive)]
    pub tau_rec: Param,
    /// Time constant of the facilitation; 0 is no facilitation.
    #[param(default = 0.0, units = "ms", check = non_negative)]
    pub tau_facil: Param,
    /// Share of the resources that a spike releases at rest.
    #[param(default = 0.5, rename = "U", check = zero_one)]
    pub u: Param,
    /// Time constant of the current; 0 is a current that lasts one step.
    #[param(default = 3.0, units = "ms", check = non_negative)]
    pub tau_psc: Param,
}

/// Synapses with short-term plasticity after Tsodyks and Markram. A spike raises the utilisation u of its synapse, then
/// releases the share u of the synapse's resources R, and the current I of the neuron jumps by w·u·R (falls, for an
/// inhibitory neuron):
///
/// du/dt = −u/τ_facil, u ← u + U·(1 − u),
///
/// dR/dt = (1 − R)/τ_rec, R ← R − u·R,
///
/// τ_psc dI/dt = −I, I ← I + Σ w·u·R.
///
/// τ_rec much longer than τ_facil, with a large U, depresses; τ_facil longer than τ_rec, with a small U, facilitates.
/// The numbers are those of NEST's `tsodyks2_synapse` on a neuron with exponential currents: resources recover at once
/// from the moment they are released. `U`, `tau_rec` and `tau_facil` are one number, one per input or one per synapse;
/// `tau_psc` is one number or one per unit.
///
/// Tsodyks, Uziel, Markram (2000), *Synchrony generation in recurrent networks with frequency-dependent synapses*,
/// Journal of Neuroscience 20.
///
/// ```
/// use spark::prelude::*;
///
/// let config = TsodyksMarkramSynapsesConfig::new([1]).with_kernel(100.0).with_tau_psc(0.0);
/// let mut model = Model::component(config).input("spikes", [1]).build()?;
/// let mut currents = Vec::new();
/// for _ in 0..3 {
///     let outputs = model.step(&[("spikes", vec![true].into())])?;
///     currents.push(outputs.get("currents")?.value().to_f64()[0]);
/// }
/// // The synapse depresses: U = 0.5, and little recovers within a step.
/// assert_eq!(currents.iter().map(|current| current.round()).collect::<Vec<_>>(), [50.0, 25.0, 13.0]);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Components/Synapses")]
pub struct TsodyksMarkramSynapses {
    #[config]
    config: TsodyksMarkramSynapsesConfig,
    /// Synaptic weights, in pA.
    #[variable]
    kernel: Real,
    /// Resources of each synapse and their utilisation; of each input, where all its synapses are the same.
    #[module]
    ru_tracer: RUTracer,
    /// Current of each neuron, in pA.
    #[module]
    current_tracer: Tracer,
}

#[spark::module]
impl TsodyksMarkramSynapses {
    fn build(cx: &mut Build, config: TsodyksMarkramSynapsesConfig) -> Result<Self> {
        let kernel = build_kernel(cx, &config.units, &config.kernel)?;
        let (spikes, synapses) = (cx.shape("spikes")?, kernel.shape());
        let shape_of = |param| trace_shape(param, &spikes, &synapses);
        let shapes = [&config.tau_rec, &config.tau_facil, &config.u].map(shape_of);
        let tau_rec = cx.param("tau_rec", &config.tau_rec, &shapes[0])?;
        let tau_facil = cx.param("tau_facil", &config.tau_facil, &shapes[1])?;
        let u = cx.param("U", &config.u, &shapes[2])?;
        check_recovery(cx, tau_rec);
        let units = Shape::units(&config.units);
        let tau_psc = cx.param("tau_psc", &config.tau_psc, &units)?;
        // Synapses that differ in one parameter have a state each.
        let shape = if shapes.contains(&synapses) { synapses } else { spikes };
        Ok(Self {
            kernel,
            ru_tracer: RUTracer::new(cx, &shape, tau_rec, tau_facil, u),
            current_tracer: Tracer::unscaled(cx, &units, tau_psc),
            config,
        })
    }

    /// Synaptic weights, in pA.
    #[property(axis = (post, pre))]
    fn kernel(&self) -> FloatArray {
        FloatArray::new(self.kernel)
    }

    #[property]
    fn set_kernel(&mut self, kernel: FloatArray) {
        self.kernel = kernel.value();
    }

    /// Current of each neuron, in pA.
    #[step(out = currents, axis = post)]
    fn step(
        &mut self,
        /// Presynaptic spikes.
        #[axis(pre)]
        spikes: SpikeArray,
    ) -> CurrentArray {
        let released = self.ru_tracer.update(spikes.to_real());
        let arriving = (self.kernel * spikes.value() * released).sum(Axis::PRE);
        self.current_tracer.update(arriving).into()
    }
}

/// Recovery must move the resources: in narrow storage, less than half a last digit in a step is lost.
fn check_recovery(cx: &mut Build, tau_rec: Real) {
    let most = match cx.dtype() {
        DType::F16 => 2048.0,
        DType::BF16 => 256.0,
        _ => return,
    };
    let slowest = tau_rec.known().map_or(0.0, |tau| tau.to_f64().into_iter().fold(0.0, f64::max));
    if slowest > most * cx.dt() && cx.is_right("tau_rec") {
        let message = format!("must be at most {most} steps of {} ms in {}, found {slowest} ms", cx.dt(), cx.dtype());
        cx.report(
            Error::new(message).at("tau_rec").help("recovery would be lost in rounding; use float32, or longer steps"),
        );
    }
}
