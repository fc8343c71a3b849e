//! A model compiled and evaluated, and its kernel.

use super::theta::ThetaSomaConfig;
use spark::prelude::*;

/// Compares a compiled and an eager model bit for bit and prints the loops of the kernel.
///
/// # Errors
/// If the model has a mistake.
pub fn run() -> Result<()> {
    let model = |eager| Model::component(ThetaSomaConfig::default()).input("current", [2]).eager(eager).build();
    let (mut compiled, mut eager) = (model(false)?, model(true)?);
    for _ in 0..100 {
        let inputs = [("current", vec![90.0f32, 300.0].into())];
        let (one, other) = (compiled.step(&inputs)?, eager.step(&inputs)?);
        assert_eq!(one.spikes("spikes")?, other.spikes("spikes")?);
        assert_eq!(compiled.state("phase")?.to_f32(), eager.state("phase")?.to_f32());
    }
    if let Some(loops) = compiled.lowered() {
        println!("{loops}");
    }
    Ok(())
}
