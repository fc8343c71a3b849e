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
    let ports = soma.inputs.iter().filter(|port| {
        ["CurrentArray", "FloatArray", "ConductanceArray", "PotentialArray"].contains(&port.payload.name)
    });
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

/// The states of a soma after 10 ms of silence and `time` ms of a constant input on the port `driven`, in double precision.
fn after(soma: &'static ModuleType, driven: &str, value: f64, dt: f64, time: f64) -> Vec<(String, Vec<f64>)> {
    let tree = ConfigTree::new((soma.config)().name).with("dt", ConfigValue::Float(dt));
    let mut population = Population::of(soma, tree, 1, |builder| builder.dtype(DType::F64));
    let steps = |time: f64| (time / dt).round() as usize;
    (0..steps(10.0)).for_each(|_| drop(population.step(driven, &[0.0])));
    for _ in 0..steps(time) {
        assert_eq!(population.step(driven, &[value]), [false], "{} spikes", soma.name);
    }
    population.states()
}

/// An input too weak to make the soma spike within 30 ms, but half of one that does.
fn subthreshold(soma: &'static ModuleType, driven: &str) -> f64 {
    let spikes = |value: f64| {
        let tree = ConfigTree::new((soma.config)().name).with("dt", ConfigValue::Float(0.05));
        let mut population = Population::of(soma, tree, 1, |builder| builder.dtype(DType::F64));
        (0..600).any(|_| population.step(driven, &[value])[0])
    };
    let least = (-10..30).map(|power| f64::from(power).exp2()).find(|value| spikes(*value));
    0.25 * least.unwrap_or_else(|| panic!("{} never spikes by {driven}", soma.name))
}

/// How the error depends on the step. A soma that is integrated exactly for constant input has none. One of NEST's kind takes
/// an input from the end of the step on, and what follows is shifted by that.
#[derive(Debug, PartialEq)]
enum Order {
    Exact,
    First,
    /// Gates and potential that are advanced in turn are half a step apart.
    Second,
}

#[test]
fn halving_the_step_halves_the_error_or_there_is_none() {
    for soma in somas() {
        let value = subthreshold(soma, "current");
        let [coarse, middle, fine, finest] =
            [0.1, 0.05, 0.025, 0.0125].map(|dt| after(soma, "current", value, dt, 10.0));
        let mut found = Vec::new();
        for (index, (name, _)) in coarse.iter().enumerate().filter(|(_, (name, _))| !name.ends_with("counter")) {
            let [coarse, middle, fine, finest] = [&coarse, &middle, &fine, &finest].map(|states| states[index].1[0]);
            let errors = [coarse - middle, middle - fine, fine - finest].map(f64::abs);
            let size = finest.abs().max(1e-3);
            let order = if errors.iter().all(|error| *error <= 1e-12 * size) {
                Order::Exact
            } else {
                // First order halves the error, second order quarters it; the more closely, the smaller the step.
                let ratios = [errors[0] / errors[1], errors[1] / errors[2]];
                let near =
                    |order: f64| (ratios[1] - order).abs() <= (0.75 * (ratios[0] - order).abs()).max(0.05 * order);
                match (near(2.0), near(4.0)) {
                    (true, false) => Order::First,
                    (false, true) => Order::Second,
                    _ => panic!("{}: `{name}` changes by {errors:?} as the step is halved, {ratios:?}", soma.name),
                }
            };
            found.push((name.clone(), order));
        }
        println!("{:<36} {found:?}", soma.name);
        assert!(found.iter().any(|(name, _)| name == "potential"));
        let exact = found.iter().all(|(_, order)| *order == Order::Exact);
        // As their documentation says.
        let says = |text: &str| soma.description.contains(text);
        let euler = says("Euler") && !says("exact for");
        let second = found.iter().any(|(_, order)| *order == Order::Second);
        assert_eq!(second, says("gates first"), "{}: {found:?}", soma.name);
        assert_eq!(exact, !euler && !says("NEST's `iaf_psc"), "{}: {found:?}", soma.name);
    }
}

#[test]
fn somas_of_nests_kind_are_exact_from_the_step_their_input_acts_in() {
    for soma in somas().into_iter().filter(|soma| soma.description.contains("NEST's `iaf_psc")) {
        let value = subthreshold(soma, "current");
        // One step more than the time, of whichever size: then the current has acted for as long.
        let potentials = [0.1, 0.05, 0.025].map(|dt| {
            let states = after(soma, "current", value, dt, 10.0 + dt);
            states.into_iter().find(|(name, _)| name == "potential").unwrap().1[0]
        });
        for potential in potentials {
            let error = (potential - potentials[2]).abs() / potentials[2];
            assert!(error < 1e-12, "{}: {potentials:?}", soma.name);
        }
    }
}
