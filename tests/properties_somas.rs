//! What holds for every soma. Somas are found in the registry: a new one is tested without being named here.

use spark::config::{ConfigTree, ConfigValue};
use spark::model::ModelBuilder;
use spark::payload::HostPayload;
use spark::prelude::*;
use spark::registry::Registry;
use spark::spec::ModuleType;

/// The somas that come with Spark.
fn somas() -> Vec<&'static ModuleType> {
    let modules = &Registry::global().unwrap().modules;
    let somas: Vec<_> = modules.iter().filter(|module| module.category == "Components/Somas").collect();
    assert!(somas.len() >= 15);
    somas
}

/// The inputs that drive a soma: numbers, not masks.
fn drives(soma: &ModuleType) -> Vec<&'static str> {
    let ports = soma
        .inputs
        .iter()
        .filter(|port| ["CurrentArray", "FloatArray", "ConductanceArray"].contains(&port.payload.name));
    let drives: Vec<_> = ports.map(|port| port.name).collect();
    assert!(drives.contains(&"current"), "{} has no input `current`", soma.name);
    drives
}

/// One soma with all its drives connected.
struct Population {
    model: Model,
    drives: Vec<&'static str>,
}

impl Population {
    fn new(soma: &ModuleType, units: usize, change: impl Fn(ModelBuilder) -> ModelBuilder) -> Population {
        Population::of(soma, ConfigTree::new((soma.config)().name), units, change)
    }

    fn of(
        soma: &ModuleType,
        tree: ConfigTree,
        units: usize,
        change: impl Fn(ModelBuilder) -> ModelBuilder,
    ) -> Population {
        let drives = drives(soma);
        let builder = drives.iter().fold(Model::from_tree(tree), |builder, port| builder.input(*port, [units]));
        Population { model: change(builder).build().unwrap_or_else(|e| panic!("{}: {e}", soma.name)), drives }
    }

    /// One step with `values` on one port and nothing on the others.
    fn step(&mut self, driven: &str, values: &[f64]) -> Vec<bool> {
        let input = |port: &&'static str| {
            let on: f64 = if *port == driven { 1.0 } else { 0.0 };
            (*port, HostPayload::from(values.iter().map(|value| on * value).collect::<Vec<f64>>()))
        };
        let inputs: Vec<_> = self.drives.iter().map(input).collect();
        self.model.step(&inputs).unwrap().spikes("spikes").unwrap()
    }

    /// Every state and its values.
    fn states(&self) -> Vec<(String, Vec<f64>)> {
        self.model.states().into_iter().map(|name| (name.clone(), self.model.state(&name).unwrap().to_f64())).collect()
    }
}

#[test]
fn silence_settles_and_stays() {
    for soma in somas() {
        let mut population = Population::new(soma, 3, |builder| builder);
        let mut silent = |steps: usize| {
            for _ in 0..steps {
                assert_eq!(population.step("current", &[0.0; 3]), [false; 3], "{} spikes in silence", soma.name);
            }
            population.states()
        };
        let (settled, later) = (silent(20_000), silent(100));
        for ((name, before), (_, after)) in settled.iter().zip(later) {
            let counts = name.ends_with("counter");
            let same = before.iter().zip(&after).all(|(b, a)| (b - a).abs() <= 1e-4 * (1.0 + b.abs()));
            assert!(counts || same, "{}: `{name}` goes on from {before:?} to {after:?} in silence", soma.name);
        }
    }
}

#[test]
fn permuted_units_give_permuted_outputs() {
    const UNITS: usize = 67;
    let order = |i: usize| (i * 29 + 5) % UNITS;
    for soma in somas() {
        let mut spikes = 0;
        for driven in drives(soma) {
            let [mut one, mut other] = [0, 1].map(|_| Population::new(soma, UNITS, |builder| builder));
            for step in 0..300 {
                let values: Vec<f64> = (0..UNITS).map(|i| (i * (1 + step % 3)) as f64 * 8.0).collect();
                let permuted: Vec<f64> = (0..UNITS).map(|i| values[order(i)]).collect();
                let straight = one.step(driven, &values);
                let expected: Vec<bool> = (0..UNITS).map(|i| straight[order(i)]).collect();
                assert_eq!(other.step(driven, &permuted), expected, "{} by {driven}, step {step}", soma.name);
                spikes += straight.iter().filter(|s| **s).count();
            }
            for ((name, straight), (_, permuted)) in one.states().iter().zip(other.states()) {
                let expected: Vec<f64> = (0..UNITS).map(|i| straight[order(i)]).collect();
                assert_eq!(permuted, expected, "{} by {driven}: {name}", soma.name);
            }
        }
        assert!(spikes > 0, "{} never spikes", soma.name);
    }
}

#[test]
fn eager_and_compiled_steps_are_the_same() {
    let values: Vec<f64> = (0..9).map(|i| f64::from(i) * 60.0 - 30.0).collect();
    for soma in somas() {
        for driven in drives(soma) {
            for dtype in [DType::F32, DType::F16] {
                let [mut eager, mut compiled] = [true, false]
                    .map(|eager| Population::new(soma, values.len(), |builder| builder.eager(eager).dtype(dtype)));
                for step in 0..100 {
                    let spikes = eager.step(driven, &values);
                    assert_eq!(compiled.step(driven, &values), spikes, "{} by {driven}, step {step}", soma.name);
                    assert_eq!(compiled.states(), eager.states(), "{} {dtype} by {driven}, step {step}", soma.name);
                }
            }
        }
    }
}

#[test]
fn any_finite_input_keeps_every_state_finite() {
    let sizes = [0.0, 1.0, -1.0, 1e2, -1e2, 1e4, -1e4, 1e6, -1e6, 1e12, -1e12, 1e20, -1e20];
    for soma in somas() {
        for driven in drives(soma) {
            let mut population = Population::new(soma, sizes.len(), |builder| builder);
            for step in 0..1000 {
                // Constant, alternating, and in bursts.
                let factor = match step {
                    0..400 => 1.0,
                    400..700 => [1.0, -1.0][step % 2],
                    _ => [1.0, 0.0, 0.0, 0.0, -1.0][step / 10 % 5],
                };
                let values: Vec<f64> = sizes.iter().map(|size| factor * size).collect();
                population.step(driven, &values);
                if step % 10 == 0 || step > 990 {
                    for (name, values) in population.states() {
                        let finite = values.iter().all(|value| value.is_finite());
                        assert!(finite, "{} by {driven}, step {step}: {name} is {values:?}", soma.name);
                    }
                }
            }
        }
    }
}

/// Spike times, in ms, over 300 ms of constant current.
fn times(soma: &'static ModuleType, dt: f64, current: f64) -> Vec<f64> {
    let tree = ConfigTree::new((soma.config)().name).with("dt", ConfigValue::Float(dt));
    let mut population = Population::of(soma, tree, 1, |builder| builder.dtype(DType::F64));
    let steps = (300.0 / dt).round() as usize;
    (0..steps).filter(|_| population.step("current", &[current])[0]).map(|step| step as f64 * dt).collect()
}

#[test]
fn smaller_steps_converge() {
    for soma in somas() {
        // Twice a current that makes it spike regularly.
        let drive = (0..20).map(|power| f64::from(1 << power)).find(|current| times(soma, 0.1, *current).len() >= 5);
        let current = 2.0 * drive.unwrap_or_else(|| panic!("{} does not spike regularly", soma.name));
        let [coarse, middle, fine] = [0.1, 0.05, 0.025].map(|dt| times(soma, dt, current));
        let counts = [coarse.len(), middle.len(), fine.len()];
        println!(
            "{:<36} {current:>8} pA: {counts:?} spikes, first at {:.3} {:.3} {:.3}",
            soma.name, coarse[0], middle[0], fine[0]
        );
        let [first, second] = [counts[0].abs_diff(counts[1]), counts[1].abs_diff(counts[2])];
        assert!(second <= first.max(1 + counts[2] / 50), "{}: {counts:?} spikes", soma.name);
        let [far, near] = [(coarse[0] - middle[0]).abs(), (middle[0] - fine[0]).abs()];
        assert!(near <= far.max(2.0 * 0.05), "{}: first spike at {coarse:?}, {middle:?}, {fine:?}", soma.name);
    }
}
