//! The CartPole example: its environment is Gymnasium's.

#[path = "../examples/cartpole/environment.rs"]
mod environment;

use environment::{Action, CartPole, Outcome, State};
use safetensors::SafeTensors;

fn state(numbers: &[f64]) -> State {
    State { position: numbers[0], velocity: numbers[1], angle: numbers[2], angular_velocity: numbers[3] }
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

fn numbers(state: State) -> [f64; 4] {
    [state.position, state.velocity, state.angle, state.angular_velocity]
}
