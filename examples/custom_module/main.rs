//! A neuron model of one's own: the program of `docs/tutorials/modules.md`.
//!
//! `cargo run --release --example custom_module`

#![allow(unreachable_pub, reason = "written as in a library")]

mod in_a_neuron;
mod looking_inside;
mod noise;
mod noisy_theta;
mod plot;
mod rates;
mod theta;

/// Runs the programs of the tutorial, one after another.
///
/// # Errors
/// If a model has a mistake, or the drawing cannot be written.
pub fn main() -> spark::Result<()> {
    rates::run()?;
    in_a_neuron::run()?;
    looking_inside::run()?;
    noisy_theta::run()?;
    plot::run()?;
    Ok(())
}
