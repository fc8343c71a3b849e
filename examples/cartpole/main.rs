//! A brain of spiking neurons learns to balance a pole: the program of `docs/tutorials/cartpole.md`.
//!
//! `cargo run --release --example cartpole`

mod agent;
mod brain;
mod environment;
mod plot;
mod report;
mod training;

use clap::Parser;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use spark::prelude::*;
use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use training::Run;

/// Trains brains of spiking neurons to balance a pole (CartPole-v1), and others that cannot learn for comparison.
///
/// Writes the lengths of all episodes (cartpole.csv) and the learning curves (cartpole.svg). Ctrl-C ends the training and
/// keeps what there is. Exit codes: 0 if most brains learned the task or fewer than 150 episodes were asked for, 1 if not
/// or after an error, 2 for a wrong command line, 130 after Ctrl-C.
#[derive(Parser)]
#[command(name = "cartpole")]
struct Cli {
    /// Number of brains
    #[arg(long, default_value = "5", value_name = "N")]
    seeds: NonZeroUsize,
    /// Seed of the first brain; the others have the seeds that follow
    #[arg(long, default_value_t = 1, value_name = "SEED")]
    first_seed: u32,
    /// Episodes of each brain
    #[arg(long, default_value = "150", value_name = "N")]
    episodes: NonZeroUsize,
    /// Only the brains that cannot learn, whose third factors are held at zero
    #[arg(long)]
    no_learning: bool,
    /// Folder for the results; it is created if needed
    #[arg(short, long, default_value = "spark-output", value_name = "DIR")]
    output: PathBuf,
}

/// Episodes within which a brain is to learn.
const TRIAL: usize = 150;

/// Set by Ctrl-C.
static STOPPED: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            error.errors().iter().for_each(|error| eprintln!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<ExitCode> {
    let stop = || STOPPED.store(true, Ordering::Relaxed);
    ctrlc::set_handler(stop).map_err(|e| Error::new(format!("cannot listen to Ctrl-C: {e}")))?;
    // A folder that cannot be written to is known before the training, not after it.
    report::check(&cli.output)?;
    let brains: Vec<(u32, bool)> = [true, false]
        .into_iter()
        .filter(|learns| !(cli.no_learning && *learns))
        .flat_map(|learns| (0..cli.seeds.get() as u32).map(move |i| (cli.first_seed.wrapping_add(i), learns)))
        .collect();
    let runs = train(&brains, cli.episodes.get())?;
    report::write(&cli.output, &runs)?;
    print!("{}", report::table(&runs));
    println!("learning curves: {}", cli.output.join("cartpole.svg").display());
    if STOPPED.load(Ordering::Relaxed) {
        return Ok(ExitCode::from(130));
    }
    let learning: Vec<&Run> = runs.iter().filter(|run| run.learns).collect();
    let learned = learning.iter().filter(|run| run.learned_after().is_some_and(|episode| episode <= TRIAL)).count();
    let missed = cli.episodes.get() >= TRIAL && 2 * learned <= learning.len() && !learning.is_empty();
    Ok(if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Trains brains, as many at a time as there are processors; those that Ctrl-C ended have fewer episodes.
fn train(brains: &[(u32, bool)], episodes: usize) -> Result<Vec<Run>> {
    let bar = progress(brains.len() * episodes);
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let stopped = || STOPPED.load(Ordering::Relaxed);
    let after = |run: &Run| {
        bar.inc(1);
        let average = run.averages().last().copied().unwrap_or_default();
        let ablated = if run.learns { "" } else { ", no learning" };
        bar.set_message(format!("seed {}{ablated}: average {average:.0}", run.seed));
    };
    let work = || {
        while let Some(brain) = brains.get(next.fetch_add(1, Ordering::Relaxed)).filter(|_| !stopped()) {
            let run = training::train(*brain, episodes, &stopped, &after);
            if run.is_err() {
                STOPPED.store(true, Ordering::Relaxed);
            }
            done.lock().unwrap_or_else(PoisonError::into_inner).push(run);
        }
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(brains.len());
        (0..threads).for_each(|_| drop(scope.spawn(work)));
    });
    bar.finish_and_clear();
    let runs: Result<Vec<Run>> = done.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().collect();
    let mut runs = runs?;
    runs.sort_by_key(|run| (!run.learns, run.seed));
    Ok(runs)
}

/// A progress bar on standard error, if that is a terminal.
fn progress(episodes: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} episodes, {elapsed}  {msg}");
    let target =
        if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(episodes as u64), target);
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
