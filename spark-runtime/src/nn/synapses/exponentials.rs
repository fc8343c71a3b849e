//! The exponentials that the currents of synapses are made of.

use crate::prelude::*;

/// Parameters of a current's rise.
#[spark::config(group)]
pub struct RiseConfig {
    /// Time constant of the rise.
    #[param(default = 1.0, units = "ms", check = positive)]
    pub tau_rise: Param,
    /// Current per weight, of the exponential of the rise.
    #[param(default = 1.0, check = positive)]
    pub scale_rise: Param,
    /// Value at rest of the exponential of the rise.
    #[param(default = 0.0, units = "pA")]
    pub base_rise: Param,
}

/// The exponentials of these names, given by their parameters `tau_NAME`, `scale_NAME` and `base_NAME`. Draws a key for each
/// time constant, then for each scale, then for each base.
///
/// # Errors
/// If a parameter does not fit `shape`.
#[track_caller]
pub(super) fn exponentials<const N: usize>(
    cx: &mut Build,
    shape: &Shape,
    given: [(&str, [&Param; 3]); N],
) -> Result<[Exponential; N]> {
    let zero = cx.number(0.0);
    let mut drawn = [Exponential { tau: zero, scale: zero, base: zero }; N];
    for (index, part) in ["tau", "scale", "base"].into_iter().enumerate() {
        for (exponential, (name, params)) in drawn.iter_mut().zip(given) {
            let value = cx.param(&format!("{part}_{name}"), params[index], shape)?;
            *[&mut exponential.tau, &mut exponential.scale, &mut exponential.base][index] = value;
        }
    }
    Ok(drawn)
}
