//! `spark bench --every-pass`: what each pass of the compiler is worth.
//!
//! One row per choice of passes: all, none, all but one, one alone. Each choice takes turns with a model that has all passes, and
//! its ratio is to the runs of that model between its own, so that a machine with other work disturbs both alike.

use super::networks::Case;
use super::report::Report;
use super::timing::{self, Plan, Timed};
use crate::cli::print;
use serde_json::json;
use spark::error::Result;
use spark::prelude::DType;
use spark_compiler::passes::CompileOptions;

/// Every choice, with its name.
fn choices() -> Vec<(String, CompileOptions)> {
    let (all, none) = (CompileOptions::default(), CompileOptions::none());
    let mut choices = vec![("all".to_string(), all), ("none".to_string(), none)];
    let with = |base: CompileOptions, name: &str, on| base.with(name, on).unwrap_or(base);
    choices.extend(CompileOptions::names().map(|name| (format!("without {name}"), with(all, name, false))));
    choices.extend(CompileOptions::names().map(|name| (format!("only {name}"), with(none, name, true))));
    choices
}

/// Times every choice and prints the table, or a line of JSON for each.
///
/// # Errors
/// If the network cannot be run, or standard output not be written to.
pub(super) fn every_pass(case: &Case, dtype: DType, plan: Plan, as_json: bool) -> Result<()> {
    if !as_json {
        let synapses = case.synapses;
        print(&format!(
            "{}: {} neurons, {synapses} synapses, {}; medians of {} runs of {} steps, each in turn with all passes\n\n\
             | passes | step, µs | to all | compile, ms | memory, MiB | rate, Hz |\n|---|---:|---:|---:|---:|---:|\n",
            case.name,
            case.neurons,
            dtype.long_name(),
            plan.runs,
            plan.steps
        ))?;
    }
    for (name, options) in choices() {
        let all = Timed::new(case, dtype, CompileOptions::default())?;
        let mut pair = [all, Timed::new(case, dtype, options)?];
        timing::time(&mut pair, plan)?;
        let [all, timed] = &mut pair;
        let activity = timed.count(plan)?;
        let ratio = timed.medians().1 / all.medians().1;
        let report = Report { case, timed, activity: &activity, plan, dtype, options };
        if as_json {
            let mut line = report.json();
            line["choice"] = json!(name);
            line["to_all"] = json!(ratio);
            print(&format!("{line}\n"))?;
        } else {
            let step = timed.medians().1 / f64::from(plan.steps) * 1e6;
            let memory = timed.memory_bytes() as f64 / f64::from(1 << 20);
            let (compile, rate) = (timed.compile_s * 1e3, activity.mean_rate);
            print(&format!("| {name} | {step:.1} | {ratio:.2}× | {compile:.0} | {memory:.1} | {rate:.1} |\n"))?;
        }
    }
    Ok(())
}
