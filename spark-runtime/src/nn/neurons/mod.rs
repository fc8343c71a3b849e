//! Neurons as Spark ships them: populations with default modules.
//!
//! | neuron | modules | synapses | soma |
//! |---|---|---|---|
//! | `LIFNeuron` | [`lif_modules`] | linear | leaky |
//! | `ALIFNeuron` | [`alif_modules`] | exponential | leaky, adaptive threshold |
//! | `AdExNeuron` | [`adex_modules`] | exponential | adaptive exponential |

mod adex;
mod alif;
mod lif;
mod population;

pub use adex::adex_modules;
pub use alif::alif_modules;
pub use lif::lif_modules;
