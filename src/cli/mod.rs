//! The command line: what can be asked ([`Cli`]), and what every command shares.
//!
//! Each command is one file with one function that takes its arguments and returns a [`Result`]; nothing below [`main`]
//! exits or panics. Results go to standard output; progress, remarks and errors go to standard error. Exit codes: 0, 1 for
//! an error, 2 for a wrong command line, 130 for a run that Ctrl-C ended.
//!
//! * [`run`]: a model over a file of inputs; [`source`] is where the model comes from, [`inputs`] and [`readings`] find out
//!   what the file means, [`record`] keeps the results, [`tensors`] reads and writes files, [`interrupt`] hears Ctrl-C.
//! * [`inspect`]: a model's structure ([`tree`]) and the stages of its compilation; [`catalog`]: what is registered.
//! * [`shapes`]: how large the inputs of a model without data are.
//! * [`compile`]: a model as an object file. [`convert`]: a model's file in its other form. [`bench`]: how fast networks run here.
//! * [`demo`]: the shipped example; [`plot`] draws it.

mod bench;
mod catalog;
mod compile;
mod convert;
mod demo;
mod inputs;
mod inspect;
mod interrupt;
mod passes;
mod plot;
mod readings;
mod record;
mod register;
mod run;
mod shapes;
mod source;
mod tensors;
mod tree;

use clap::{Parser, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use spark::error::{Error, Result};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Runs, inspects and compiles models of spiking neural networks.
///
/// A model is a .scfg file (as the Python Spark writes them): a component, a neuron made of
/// components, or a brain made of neurons; or a .spark checkpoint of a run. It is compiled
/// to one fused kernel for this machine and run step by step. Without a command, `spark` runs the shipped example.
#[derive(Debug, Parser)]
#[command(name = "spark", version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

/// Shown below `spark --help`.
const EXAMPLES: &str = "\
Examples:
  spark
  spark run examples/lif/neuron_lif.scfg --input examples/lif/input.safetensors --record soma.potential -o out.safetensors
  spark run examples/lif/neuron_lif.scfg --input examples/lif/input.safetensors --steps 200 --save half-way.spark
  spark run half-way.spark --input examples/lif/input.safetensors
  spark inspect examples/lif/neuron_lif.scfg
  spark inspect examples/lif/neuron_lif.scfg --loops --input in_spikes=80
  spark compile half-way.spark --target aarch64-unknown-linux-gnu -o build
  spark describe LeakySoma
  spark bench spark-lif 512";

/// The commands.
#[derive(Debug, Subcommand)]
enum Command {
    /// Run a model over a file of inputs
    Run(run::RunArgs),
    /// Show a model's structure, or a stage of its compilation
    Inspect(inspect::InspectArgs),
    /// Compile a model ahead of time: an object file for another machine
    Compile(compile::CompileArgs),
    /// Convert a model's file: compressed to plain JSON, or back
    Convert(convert::ConvertArgs),
    /// Time a benchmark network on this machine
    Bench(bench::BenchArgs),
    /// List the registered modules, neurons and initializers
    List,
    /// Describe a module, neuron, initializer or payload: ports, parameters, defaults, units, checks
    Describe {
        /// Its name, as `LeakySoma` or `leaky_soma`
        name: String,
    },
    /// Run the shipped example and plot it (what `spark` does without a command)
    Demo(demo::DemoArgs),
}

/// Reads the command line, runs the command and reports its error.
pub(crate) fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Some(Command::Run(args)) => run::run(&args),
        Some(Command::Inspect(args)) => inspect::inspect(&args),
        Some(Command::Compile(args)) => compile::compile(&args),
        Some(Command::Convert(args)) => convert::convert(&args),
        Some(Command::Bench(args)) => bench::bench(&args),
        Some(Command::List) => catalog::list(),
        Some(Command::Describe { name }) => catalog::describe(&name),
        Some(Command::Demo(args)) => demo::demo(&args),
        None => demo::demo(&demo::DemoArgs::default()),
    };
    match result {
        Ok(()) if interrupt::requested() => ExitCode::from(interrupt::EXIT_CODE),
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            for error in error.errors() {
                remark("error", &error.to_string());
            }
            ExitCode::FAILURE
        }
    }
}

/// Writes a line to standard error, where nobody may be listening.
fn remark(kind: &str, text: &str) {
    let _ = writeln!(std::io::stderr(), "{kind}: {text}");
}

/// Writes a result to standard output. A reader that has seen enough (`| head`) is no error.
///
/// # Errors
/// If standard output cannot be written to.
fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::new(format!("cannot write to standard output: {e}")))
        }
        _ => Ok(()),
    }
}

/// A progress bar on standard error, if that is a terminal and the run takes long enough to wonder.
struct Progress {
    bar: Option<ProgressBar>,
    start: Instant,
    patience: Duration,
    total: u64,
}

impl Progress {
    /// A bar of `total` steps that appears after `patience`.
    fn new(total: usize, patience: Duration) -> Progress {
        Progress { bar: None, start: Instant::now(), patience, total: total as u64 }
    }

    /// Shows that `done` steps are done.
    fn show(&mut self, done: usize) {
        if self.bar.is_none() && self.start.elapsed() >= self.patience && std::io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("{bar:40} {pos}/{len} steps, {per_sec}, {eta} left");
            let bar = ProgressBar::with_draw_target(Some(self.total), ProgressDrawTarget::stderr());
            self.bar = Some(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())));
        }
        if let Some(bar) = &self.bar {
            bar.set_position(done as u64);
        }
    }

    /// Ends the line of the bar.
    fn finish(self) {
        if let Some(bar) = self.bar {
            bar.abandon();
        }
    }
}

/// A duration in milliseconds.
fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
