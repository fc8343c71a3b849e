//! `spark convert`: a model's file in its other form.

use super::print;
use clap::{Args, ValueEnum};
use spark::error::{Error, Result};
use spark::scfg::{Format, read_path, write_path};
use std::path::PathBuf;

/// The arguments of `spark convert`.
#[derive(Debug, Args)]
pub(crate) struct ConvertArgs {
    /// The file to read, compressed or plain
    #[arg(value_name = "FROM")]
    from: PathBuf,
    /// The file to write
    #[arg(value_name = "TO")]
    to: PathBuf,
    /// Its form; without it, plain JSON if its name ends in .json or .json.scfg, else compressed
    #[arg(long, value_enum)]
    format: Option<Form>,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
}

/// Names of the forms.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// JSON compressed with xz, as the Python Spark writes
    Scfg,
    /// Plain JSON
    Json,
}

/// Writes a configuration file in another form. What is written is read back and compared before it gets its name.
///
/// # Errors
/// If the file cannot be read, the other is there already, or it cannot be written.
pub(crate) fn convert(args: &ConvertArgs) -> Result<()> {
    let tree = read_path(&args.from)?;
    if args.to.exists() && !args.force {
        let error = Error::new("the file exists already").in_file(&args.to);
        return Err(error.help("choose another name, or replace it with --force"));
    }
    let format = match args.format {
        Some(Form::Scfg) => Format::Xz,
        Some(Form::Json) => Format::Json,
        None => Format::of(&args.to),
    };
    write_path(&args.to, &tree, format)?;
    let form = match format {
        Format::Xz => "compressed",
        Format::Json => "plain",
    };
    let size = std::fs::metadata(&args.to).map_or(0, |metadata| metadata.len());
    print(&format!("{}: {form}, {size} bytes\n", args.to.display()))
}
