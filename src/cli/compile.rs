//! `spark compile`: a model as an object file for another machine.

use super::register::Register;
use super::shapes::{self, InputArgs};
use super::source::{Limit, Source};
use super::{print, remark};
use clap::Args;
use spark::aot::{Object, Target, name_of};
use spark::error::{Error, Result};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The arguments of `spark compile`.
#[derive(Debug, Args)]
pub(crate) struct CompileArgs {
    /// The model, a .scfg file, or a .spark checkpoint, whose state the object starts in
    #[arg(value_name = "MODEL.scfg|CHECKPOINT.spark")]
    model: PathBuf,
    /// The folder where NAME.o, NAME.h, NAME.rs and NAME.json go; made if it is not there
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
    /// The machine, as aarch64-unknown-linux-gnu, riscv64gc-unknown-none-elf or x86_64-pc-windows-msvc [default: this one]
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
    /// Instruction sets that may be relied on: avx2,fma or x86-64-v3, v on RISC-V; `native` for all that this machine has
    #[arg(long, value_name = "FEATURE,...", default_value = "", hide_default_value = true)]
    cpu: String,
    /// What symbols begin with [default: the name of the file]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    inputs: InputArgs,
    #[command(flatten)]
    register: Register,
    #[command(flatten)]
    limit: Limit,
    /// Round a·b + c after the product, too, instead of once (a fused multiply-add): for machines without the instruction
    #[arg(long)]
    no_contract: bool,
}

/// Compiles a model for another machine.
///
/// # Errors
/// If the model or its inputs have a mistake, the target is unknown or cannot do what the model needs, or the files cannot be
/// written; then none of them is.
pub(crate) fn compile(args: &CompileArgs) -> Result<()> {
    let target = target(args)?;
    let source = Source::open(&args.model, &args.register)?;
    let builder = || args.limit.apply(source.builder());
    let mut model = match source.checkpoint() {
        Some(_) => {
            let wrong = [("--input", !args.inputs.is_empty()), ("--no-contract", args.no_contract)];
            if let Some((option, _)) = wrong.iter().find(|(_, given)| *given) {
                let error = Error::new("a checkpoint goes on as it began").at(*option).in_file(&args.model);
                return Err(error.help(format!("leave {option} out")));
            }
            builder().build().map_err(|e| e.in_file(&args.model))?
        }
        None => shapes::fixed(|| builder().contract(!args.no_contract), &args.inputs, &args.model)?,
    };
    source.restore(&mut model).map_err(|e| e.in_file(&args.model))?;
    let object = model.object(&args.name.clone().unwrap_or_else(|| name_of(&args.model)), &target)?;
    let output = &args.output;
    let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let missing: Vec<&Path> = output.ancestors().take_while(is_missing).collect();
    let made =
        std::fs::create_dir_all(output).map_err(|e| Error::new(format!("cannot make the folder: {e}")).in_file(output));
    let written = made.and_then(|()| spark::aot::write(&object, output)).inspect_err(|_| {
        missing.iter().for_each(|folder| drop(std::fs::remove_dir(folder)));
    })?;
    if source.steps() > 0 {
        remark("note", &format!("the object starts where the checkpoint is, after {} steps", source.steps()));
    }
    let names: Vec<String> = written.iter().map(|path| path.display().to_string()).collect();
    print(&format!("{}\n{}", names.join("\n"), summary(&object)))
}

fn target(args: &CompileArgs) -> Result<Target> {
    let target = match (&args.target, args.cpu.as_str()) {
        (None, "native") => Target::host(true),
        (Some(triple), "native") => {
            let error = Error::new(format!("what {triple} has beyond others of its kind is not known here"));
            return Err(error.at("--cpu").help("name the instruction sets, or leave --target out"));
        }
        (None, cpu) => Target::host(false).and_then(|host| Target::new(&host.triple(), cpu)),
        (Some(triple), cpu) => Target::new(triple, cpu),
    };
    Ok(target?)
}

/// What was compiled, and how much it takes.
fn summary(object: &Object) -> String {
    let sizes = object.sizes();
    let mut out = format!("compiled for {}\n", object.target());
    for (what, bytes) in [
        ("code", sizes.code),
        ("read-only data", sizes.data),
        ("stack of a step", sizes.stack),
        ("memory of a model", sizes.block),
    ] {
        writeln!(out, "  {what:<18} {bytes:>10} bytes").expect("writing to a string");
    }
    out
}
