//! Episodes one after another, and what came of them.

use super::agent::Agent;
use super::environment::CartPole;
use spark::prelude::*;
use spark::rng::Key;

/// The average episode length that counts as learned.
pub(crate) const LEARNED: f64 = 300.0;

/// The episodes of one agent.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Run {
    /// Seed of its brain and of its episodes.
    pub(crate) seed: u32,
    /// Whether it learned.
    pub(crate) learns: bool,
    /// How long its episodes were.
    pub(crate) lengths: Vec<usize>,
}

/// Lets a new agent play `episodes` episodes, fewer if `stopped` says so; calls `after` after each, with all lengths so far.
///
/// # Errors
/// If the brain cannot be built or cannot take a step.
pub(crate) fn train(
    (seed, learns): (u32, bool),
    episodes: usize,
    stopped: &dyn Fn() -> bool,
    after: &dyn Fn(&Run),
) -> Result<Run> {
    let mut agent = Agent::new(seed, learns)?;
    let mut run = Run { seed, learns, lengths: Vec::new() };
    for episode in 0..episodes {
        // Keys apart from those of the brain, which are drawn from the seed itself.
        let cart_pole = CartPole::new(Key::new(seed).fold_in(1).fold_in(episode as u32));
        let Some(length) = agent.play(cart_pole, stopped)? else { break };
        run.lengths.push(length);
        after(&run);
    }
    Ok(run)
}

impl Run {
    /// The exponential moving average of the lengths after each episode: 0.8 of the average before and 0.2 of the length.
    pub(crate) fn averages(&self) -> Vec<f64> {
        let mut average = None;
        let next = |length: &usize| {
            let length = *length as f64;
            let new = average.map_or(length, |average: f64| 0.8 * average + 0.2 * length);
            average = Some(new);
            new
        };
        self.lengths.iter().map(next).collect()
    }

    /// The episode, counted from 1, after which the average first exceeded [`LEARNED`].
    pub(crate) fn learned_after(&self) -> Option<usize> {
        self.averages().iter().position(|average| *average > LEARNED).map(|episode| episode + 1)
    }
}

/// For each episode the median of the averages of the runs that came so far.
pub(crate) fn median(runs: &[&Run]) -> Vec<f64> {
    let averages: Vec<Vec<f64>> = runs.iter().map(|run| run.averages()).collect();
    let episodes = averages.iter().map(Vec::len).max().unwrap_or(0);
    let at = |episode: usize| {
        let mut values: Vec<f64> = averages.iter().filter_map(|run| run.get(episode).copied()).collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
    };
    (0..episodes).map(at).collect()
}
