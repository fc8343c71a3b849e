//! The examples of wiring by names run.

#[path = "../examples/neuron_from_parts.rs"]
mod neuron_from_parts;
#[path = "../examples/recurrent_brain.rs"]
mod recurrent_brain;

#[test]
fn a_neuron_from_parts() {
    neuron_from_parts::main().unwrap();
}

#[test]
fn a_recurrent_brain_draws_who_spikes_when() {
    let path = "spark-output/recurrent_brain.svg";
    let _ = std::fs::remove_file(path);
    recurrent_brain::main().unwrap();
    let drawn = std::fs::read_to_string(path).unwrap();
    assert!(drawn.starts_with("<svg") && drawn.matches("<circle").count() > 1000);
}
