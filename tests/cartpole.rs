//! The CartPole example: its environment is Gymnasium's, its brain learns, and only through its third factors.

#[path = "../examples/cartpole/agent.rs"]
mod agent;
#[path = "../examples/cartpole/brain.rs"]
mod brain;
#[path = "../examples/cartpole/environment.rs"]
mod environment;
#[path = "../examples/cartpole/plot.rs"]
mod plot;
#[path = "../examples/cartpole/report.rs"]
mod report;
#[path = "../examples/cartpole/training.rs"]
mod training;

use environment::{Action, CartPole, Outcome, State};
use safetensors::SafeTensors;
use spark::prelude::*;
use spark_compiler::passes::CompileOptions;
use training::{Run, median};

fn state(numbers: &[f64]) -> State {
    State { position: numbers[0], velocity: numbers[1], angle: numbers[2], angular_velocity: numbers[3] }
}

fn numbers(state: State) -> [f64; 4] {
    [state.position, state.velocity, state.angle, state.angular_velocity]
}

#[test]
fn transitions_are_those_of_gymnasium() {
    let bytes = include_bytes!("golden/cartpole/transitions.safetensors");
    let file = SafeTensors::deserialize(bytes).unwrap();
    let states = |name: &str| -> Vec<State> {
        let data = file.tensor(name).unwrap().data().to_vec();
        let numbers: Vec<f64> = data.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect();
        numbers.chunks(4).map(state).collect()
    };
    let flags = |name: &str| file.tensor(name).unwrap().data().iter().map(|&b| b == 1).collect::<Vec<bool>>();
    let (before, after) = (states("state"), states("next_state"));
    let (right, first) = (flags("action"), flags("first"));
    let (terminated, truncated) = (flags("terminated"), flags("truncated"));
    let (mut steps, mut equal, mut worst, mut off_track) = (0, 0, 0.0f64, 0);
    for t in 0..before.len() {
        // Each step starts from Gymnasium's state: a difference in the last bit would grow as the pole falls.
        steps = if first[t] { 0 } else { steps + 1 };
        let mut episode = CartPole::at(before[t], steps);
        let outcome = episode.step(if right[t] { Action::Right } else { Action::Left });
        let (found, expected) = (numbers(episode.state()), numbers(after[t]));
        for (found, expected) in found.into_iter().zip(expected) {
            worst = worst.max((found - expected).abs());
        }
        equal += usize::from(found == expected);
        off_track += usize::from(outcome == Outcome::Terminated && after[t].angle.abs() < environment::FALLEN);
        let expected = match (terminated[t], truncated[t]) {
            (true, _) => Outcome::Terminated,
            (false, true) => Outcome::Truncated,
            (false, false) => Outcome::Running,
        };
        assert_eq!(outcome, expected, "step {t}");
    }
    println!("{equal} of {} states have the same bits; the largest difference is {worst:.1e}", before.len());
    assert!(worst <= 1e-12, "{worst}");
    // Every way to end occurs.
    let count = |flags: &[bool]| flags.iter().filter(|flag| **flag).count();
    assert!(before.len() > 1000 && count(&terminated) >= 10 && count(&truncated) >= 1 && off_track >= 1);
}

fn train(seed: u32, learns: bool, episodes: usize) -> Run {
    training::train((seed, learns), episodes, &|| false, &|_| ()).unwrap()
}

fn mean(lengths: &[usize]) -> f64 {
    lengths.iter().sum::<usize>() as f64 / lengths.len() as f64
}

#[test]
fn a_brain_learns_and_without_its_third_factors_it_does_not() {
    let [learning, frozen] = [true, false].map(|learns| train(4, learns, 32).lengths);
    println!("learning {learning:?}\nfrozen {frozen:?}");
    // Untrained, the pole stays up for about 20 steps.
    assert!((10.0..40.0).contains(&mean(&frozen)), "{frozen:?}");
    assert!(mean(&learning[..8]) < 50.0, "{learning:?}");
    assert!(mean(&learning[24..]) > 4.0 * mean(&frozen), "{learning:?} and {frozen:?}");
}

#[test]
fn a_seed_always_gives_the_same_run() {
    let [one, again, other] = [3, 3, 4].map(|seed| train(seed, true, 8));
    assert_eq!(one, again);
    assert_ne!(one.lengths, other.lengths);
}

#[test]
fn training_ends_when_it_is_told_to() {
    let calls = std::cell::Cell::new(0);
    let stopped = || calls.replace(calls.get() + 1) >= 30;
    let run = training::train((1, true), 100, &stopped, &|_| ()).unwrap();
    assert!(run.lengths.iter().sum::<usize>() <= 30, "{run:?}");
}

#[test]
fn a_third_factor_changes_its_own_pool_only() {
    let pools = ["A_excitatory", "B_excitatory", "A_inhibitory", "B_inhibitory", "critic"];
    let mut brain = brain::build(1).unwrap();
    let kernels = |brain: &Model| pools.map(|pool| brain.state(&format!("{pool}.synapses.kernel")).unwrap().to_f32());
    let signal = agent::signal(state(&[0.1, -0.5, 0.05, 0.5]));
    let mut changed = |factors: [f32; 3]| {
        let before = kernels(&brain);
        let mut inputs = vec![("signal", HostPayload::from(&signal[..]))];
        inputs.extend(["mod_a", "mod_b", "mod_critic"].into_iter().zip(factors.map(|factor| vec![factor].into())));
        brain.run(100, &inputs).unwrap();
        let after = kernels(&brain);
        pools.into_iter().enumerate().filter(|(i, _)| before[*i] != after[*i]).map(|(_, pool)| pool).collect::<Vec<_>>()
    };
    assert!(changed([0.0; 3]).is_empty());
    assert_eq!(changed([0.5, 0.0, 0.0]), ["A_excitatory"]);
    assert_eq!(changed([0.0, -0.5, 0.0]), ["B_excitatory"]);
    assert_eq!(changed([0.0, 0.0, 0.5]), ["critic"]);
}

#[test]
fn the_passes_change_nothing_but_last_bits() {
    let pools = ["A_excitatory", "B_excitatory", "A_inhibitory", "B_inhibitory", "critic"];
    let build = |options: CompileOptions| {
        let builder = brain::builder(1).options(options);
        pools.iter().fold(builder, |builder, pool| builder.record(format!("{pool}.out_spikes"))).build().unwrap()
    };
    let mut brains = [CompileOptions::exact(), CompileOptions::default()].map(build);
    let (mut spikes, before) = (0.0, brains[0].state("A_excitatory.synapses.kernel").unwrap().to_f32());
    for t in 0..200 {
        let swing = (t as f64 / 20.0).sin();
        let signal = agent::signal(state(&[swing, -swing, 0.1 * swing, 0.5 - swing]));
        let mut inputs = vec![("signal", HostPayload::from(&signal[..]))];
        inputs
            .extend([("mod_a", 0.5f32), ("mod_b", -0.3), ("mod_critic", 0.4)].map(|(name, m)| (name, vec![m].into())));
        let [exact, fast] = brains.each_mut().map(|brain| brain.step(&inputs).unwrap());
        for pool in pools {
            let [exact, fast] = [&exact, &fast].map(|o| o.get(&format!("{pool}.out_spikes")).unwrap().value().to_f64());
            assert_eq!(exact, fast, "{pool}, step {t}");
            spikes += exact.iter().map(|spike| spike.abs()).sum::<f64>();
        }
        for output in ["activity", "danger"] {
            let [exact, fast] = [&exact, &fast].map(|o| o.get(output).unwrap().value().to_f64());
            assert_eq!(exact, fast, "{output}, step {t}");
        }
        for pool in ["A_excitatory", "B_excitatory", "critic"] {
            let [exact, fast] =
                brains.each_ref().map(|brain| brain.state(&format!("{pool}.synapses.kernel")).unwrap().to_f32());
            let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-5 * a.abs();
            assert!(exact.iter().zip(&fast).all(near), "{pool}, step {t}");
        }
    }
    assert!(spikes > 100.0 && brains[0].state("A_excitatory.synapses.kernel").unwrap().to_f32() != before, "{spikes}");
}

#[test]
fn inhibitory_synapses_stay_as_they_are() {
    // An excitatory pool hears 256 units of the spiker, 8 of the background, 4 inhibitory neurons of the other pool.
    let mut brain = brain::build(1).unwrap();
    let kernel = |brain: &Model| brain.state("A_excitatory.synapses.kernel").unwrap();
    let before = kernel(&brain);
    assert_eq!(before.dims(), [16, 256 + 8 + 4]);
    let signal = agent::signal(state(&[0.0, 0.0, 0.02, -0.3]));
    let factor = || HostPayload::from(vec![0.5f32]);
    let inputs = [("signal", signal[..].into()), ("mod_a", factor()), ("mod_b", factor()), ("mod_critic", factor())];
    brain.run(200, &inputs).unwrap();
    let (before, after) = (before.to_f32(), kernel(&brain).to_f32());
    let same = |inputs: std::ops::Range<usize>| {
        (0..16).all(|row| inputs.clone().all(|input| before[row * 268 + input] == after[row * 268 + input]))
    };
    assert!(!same(0..256) && same(264..268));
}

#[test]
fn the_signal_stays_on_its_scale() {
    let signal = agent::signal(state(&[-2.4, 9.0, 0.1, -1.0]));
    assert_eq!(signal[..3], [-1.0, 1.0, (0.1 / environment::FALLEN) as f32]);
    assert!(signal.iter().all(|number| (-1.0..=1.0).contains(number)));
    assert_eq!(agent::signal(state(&[0.0; 4])), [0.0; brain::SIGNALS]);
}

#[test]
fn averages_medians_and_the_files() {
    let run = |seed, learns, lengths: &[usize]| Run { seed, learns, lengths: lengths.to_vec() };
    let runs = [run(1, true, &[10, 20]), run(2, true, &[500, 500, 500]), run(1, false, &[30, 30, 0])];
    assert_eq!(runs[0].averages(), [10.0, 12.0]);
    assert_eq!(runs[0].learned_after(), None);
    assert_eq!(runs[1].learned_after(), Some(1));
    assert_eq!(median(&[&runs[0], &runs[1]]), [255.0, 256.0, 500.0]);

    let folder = tempfile::tempdir().unwrap();
    report::write(folder.path(), &runs).unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let csv = read("cartpole.csv");
    assert_eq!(csv.lines().count(), 1 + 8);
    assert_eq!(csv.lines().nth(2), Some("1,true,2,20,12.0"));
    let svg = read("cartpole.svg");
    // A line for each run and for the median of each kind.
    assert!(svg.starts_with("<svg") && svg.matches("<polyline").count() >= 5);
    assert_eq!(report::table(&runs).lines().count(), 1 + 3);

    report::check(folder.path()).unwrap();
    assert_eq!((read("cartpole.csv"), read("cartpole.svg")), (csv, svg));
    let empty = folder.path().join("new");
    report::check(&empty).unwrap();
    assert_eq!(std::fs::read_dir(&empty).unwrap().count(), 0);

    let file = folder.path().join("cartpole.csv");
    assert!(report::check(&file).unwrap_err().to_string().contains("cannot write"));
    let error = report::write(&file, &runs).unwrap_err().to_string();
    assert!(error.contains("cannot write") && error.contains("cartpole.csv"), "{error}");
}
