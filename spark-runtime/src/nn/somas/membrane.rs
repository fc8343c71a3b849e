//! What somas ask of a membrane.

use crate::prelude::*;

/// A membrane: how a potential follows its input current over one step.
///
/// A soma keeps the potential as its own variable; the membrane holds the constants. Potentials are relative to rest.
pub trait Membrane {
    /// The potential after a step with `current`, in pA.
    fn advance(&self, potential: Real, current: Real) -> Real;

    /// The potential right after a spike.
    fn reset(&self) -> Real;
}
