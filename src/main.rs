//! The `spark` command: see `spark --help`.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
