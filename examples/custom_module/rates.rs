//! How fast theta neurons fire, against theory.

use super::theta::ThetaSomaConfig;
use spark::prelude::*;
use std::f64::consts::PI;

/// Injects constant currents for a second and prints how often each neuron spikes.
///
/// # Errors
/// If the model has a mistake.
pub fn run() -> Result<()> {
    let currents = [90.0f32, 150.0, 200.0, 500.0];
    let config = ThetaSomaConfig::default().with_dt(0.1);
    let mut model = Model::component(config).input("current", [currents.len()]).build()?;
    let mut counts = [0; 4];
    for _ in 0..10_000 {
        let outputs = model.step(&[("current", currents.as_slice().into())])?;
        for (count, fired) in counts.iter_mut().zip(outputs.spikes("spikes")?) {
            *count += u32::from(fired);
        }
    }
    for (current, count) in currents.iter().zip(counts) {
        let above = (f64::from(*current) / 100.0 - 1.0).max(0.0);
        let expected = 1000.0 * above.sqrt() / (PI * 10.0);
        println!("{current} pA: {count} Hz, in theory {expected:.1} Hz");
        assert!((f64::from(count) - expected).abs() < 1.0);
    }
    Ok(())
}
