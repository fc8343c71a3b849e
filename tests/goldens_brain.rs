//! Brains give the reference's numbers in every mode: every module's outputs on every step.

mod support;

use spark::controller::register_neuron_from_file;
use spark::prelude::*;
use support::modes::{First, in_every_mode};
use support::{Deviation, exact, load};

const TOLERANCE: f64 = 1e-5;

/// Compares the outputs `ports` of modules (`pool_a.out_spikes`) and what else is recorded of pools.
fn check(case: &str, spikes: &[&str], floats: &[&str], pools: &[&str]) {
    let name = format!("brain/{case}.f32");
    let golden = load(&name);
    // Potentials near zero are differences of larger numbers: what the reference's own modes differ by in this soma.
    let own = load("soma/leaky_default.f32").own_difference("state/potential");
    let builder = golden.builder(&[("signal", None)]);
    let builder = spikes.iter().chain(floats).fold(builder, |builder, path| builder.record(*path));
    in_every_mode(builder, First::Eager, |model| {
        let mut deviation = Deviation::default();
        let mut count = 0.0;
        for t in 0..golden.steps() {
            let outputs = model.step(&golden.inputs(&[("signal", None)], t));
            for path in spikes {
                let expected = golden.tensors[&format!("state/{path}")].step(t);
                exact(path, t, &outputs.get(path).unwrap().value().to_f64(), expected);
                count += expected.iter().sum::<f64>();
            }
            for path in floats {
                let found = outputs.get(path).unwrap().value().to_f64();
                deviation.check(path, &found, golden.tensors[&format!("state/{path}")].step(t), TOLERANCE, 0.0);
            }
            for pool in pools {
                let potential = model.state(&format!("{pool}.soma.potential")).unwrap().to_f64();
                let expected = golden.tensors[&format!("state/{pool}.potential")].step(t);
                deviation.check(&format!("{pool}.potential, step {t}"), &potential, expected, TOLERANCE, own);
                let kernel = model.state(&format!("{pool}.synapses.kernel")).unwrap().to_f64();
                let expected = golden.tensors[&format!("state/{pool}.kernel_sum")].step(t);
                let sums: Vec<f64> = kernel.chunks(kernel.len() / expected.len()).map(|row| row.iter().sum()).collect();
                deviation.check(&format!("{pool}.kernel sums"), &sums, expected, TOLERANCE, 0.0);
            }
            for (output, tensor) in golden.tensors.iter().filter_map(|(n, t)| Some((n.strip_prefix("out/")?, t))) {
                let found = outputs.get(output).unwrap().value().to_f64();
                deviation.check(output, &found, tensor.step(t), TOLERANCE, 0.0);
            }
        }
        for pool in pools {
            let kernel = model.state(&format!("{pool}.synapses.kernel")).unwrap().to_f64();
            let expected = &golden.tensors[&format!("final/{pool}.synapses._kernel")].values;
            deviation.check("final kernel", &kernel, expected, 0.0, 0.0);
        }
        let (mode, told) = (&model.mode, deviation.told());
        support::row(format!("{name:<32} {mode:<20} {count:>6} spikes {told}  within {TOLERANCE:.0e}"));
    });
}

#[test]
fn pools_that_read_each_other() {
    let spikes = ["spiker.spikes", "pool_a.out_spikes", "pool_b.out_spikes"];
    check("mutual_lif", &spikes, &[], &["pool_a", "pool_b"]);
}

#[test]
fn a_chain_of_pools_and_an_integrator() {
    let spikes = ["spiker.spikes", "first_pool.out_spikes", "second_pool.out_spikes"];
    check("feedforward_alif", &spikes, &["integrator.signal"], &["first_pool", "second_pool"]);
}

/// The reference's Sampler cannot be in a brain, so it was fed what `pool_a` fired. It loses spikes of inhibitory neurons:
/// two here, and they are all that differs.
#[test]
fn a_sampler_of_a_pool() {
    let (golden, brain) = (load("brain/mutual_lif.f32.sampler"), load("brain/mutual_lif.f32"));
    assert_eq!(golden.tensors["in/inputs"].values, brain.tensors["state/pool_a.out_spikes"].values);
    let ports = [("inputs", Some("inhibition_mask"))];
    let indices = &golden.tensors["init/indices"].values;
    let mask = &golden.tensors["in/inhibition_mask"].values;
    in_every_mode(golden.builder(&ports).record("indices"), First::Eager, |model| {
        let mut lost = Vec::new();
        for t in 0..golden.steps() {
            let outputs = model.step(&golden.inputs(&ports, t));
            exact("indices", t, &outputs.get("indices").unwrap().value().to_f64(), indices);
            let found = outputs.get("output").unwrap().value().to_f64();
            for (i, (found, expected)) in found.iter().zip(golden.tensors["out/output"].step(t)).enumerate() {
                if found != expected {
                    assert_eq!((found.abs(), *expected, mask[indices[i] as usize]), (1.0, 0.0, 1.0), "{i}, step {t}");
                    lost.push((t, i));
                }
            }
        }
        assert_eq!(lost, [(107, 16), (148, 16)]);
    });
}

/// Spark's own CartPole brain, as its files say, in single precision: four plastic pools that read each other, a spiker
/// and an integrator. Everything is equal to the last bit.
#[test]
fn the_cartpole_brain() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/models");
    register_neuron_from_file("ALIFModNeuron", format!("{folder}/alif_mod_neuron.scfg")).unwrap();
    let golden = load("brain/ab.f32");
    let inputs = ["signal", "mod_a_ex", "mod_b_ex", "mod_a_in", "mod_b_in"];
    let ports = inputs.map(|name| (name, None));
    let pools = ["A_excitatory", "B_excitatory", "A_inhibitory", "B_inhibitory"];
    let paths: Vec<String> =
        pools.iter().map(|pool| format!("{pool}.out_spikes")).chain(["spiker.spikes".into()]).collect();
    let builder = Model::from_file(format!("{folder}/ab_brain.scfg")).unwrap().dtype(DType::F32);
    let builder = inputs.iter().fold(builder, |builder, name| builder.input(*name, golden.dims(name)));
    let builder = paths.iter().fold(builder, |builder, path| builder.record(path));
    in_every_mode(builder, First::Compiled, |model| {
        for t in 0..golden.steps() {
            let outputs = model.step(&golden.inputs(&ports, t));
            for path in &paths {
                let expected = golden.tensors[&format!("state/{path}")].step(t);
                exact(path, t, &outputs.get(path).unwrap().value().to_f64(), expected);
            }
            exact("action", t, &outputs.get("action").unwrap().value().to_f64(), golden.tensors["out/action"].step(t));
        }
        support::row(format!("{:<32} {:<20} every spike equal  within 0e0", golden.name, model.mode));
    });
}
