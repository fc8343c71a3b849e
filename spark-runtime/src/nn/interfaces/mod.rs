//! Interfaces: how signals become spikes, how spikes become signals, and how streams are joined and sampled.
//!
//! | module | from | to |
//! |---|---|---|
//! | [`PoissonSpiker`] | signals | spikes, at random |
//! | [`LinearSpiker`] | signals | spikes, regular |
//! | [`TopologicalPoissonSpiker`], [`TopologicalLinearSpiker`] | points of a space | spikes of units that tile the space |
//! | [`PoissonSource`] | | spikes and their counts, at a rate |
//! | [`CurrentSource`] | | currents: constant, switched, noisy |
//! | [`ExponentialIntegrator`] | spikes | signals |
//! | [`Concat`], [`ConcatReshape`] | several payloads of one kind | one payload |
//! | [`Sampler`] | a payload | some of its elements |
//!
//! What they share are parts: [`LinearUnits`] (units that integrate and fire) and [`Manifold`] (units that tile a space).

mod concat;
mod concat_reshape;
mod current_source;
mod exponential_integrator;
mod linear_spiker;
mod linear_units;
mod manifold;
mod poisson_source;
mod poisson_spiker;
mod sampler;
mod topological_linear_spiker;
mod topological_poisson_spiker;

pub use concat::{Concat, ConcatConfig};
pub use concat_reshape::{ConcatReshape, ConcatReshapeConfig};
pub use current_source::{CurrentSource, CurrentSourceConfig};
pub use exponential_integrator::{ExponentialIntegrator, ExponentialIntegratorConfig};
pub use linear_spiker::{LinearSpiker, LinearSpikerConfig};
pub use linear_units::{LinearUnits, LinearUnitsConfig};
pub use manifold::{Manifold, ManifoldConfig};
pub use poisson_source::{PoissonSource, PoissonSourceConfig};
pub use poisson_spiker::{PoissonSpiker, PoissonSpikerConfig};
pub use sampler::{Sampler, SamplerConfig};
pub use topological_linear_spiker::{TopologicalLinearSpiker, TopologicalLinearSpikerConfig};
pub use topological_poisson_spiker::{TopologicalPoissonSpiker, TopologicalPoissonSpikerConfig};

use crate::prelude::*;

/// The shape of everything that arrives at `port`, a port for any payload.
///
/// # Errors
/// If nothing is connected, or spikes over synapses are: their elements are not a population's.
fn population(cx: &Build, port: &str) -> Result<Shape> {
    let input = cx.input(port)?;
    if input.async_spikes {
        let error = Error::new("takes the spikes of neurons, found spikes over synapses").at(port);
        return Err(error.help("connect it before the per-synapse delays"));
    }
    Ok(input.shape.clone())
}
