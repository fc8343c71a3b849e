//! The cost of every registered module, compiled by Spark, beside the scalar loop one writes first of the same model.
//!
//! Both run in one process, in turn, and must compute the same before they are timed. Arguments keep the modules whose
//! name contains one of them.

mod case;
mod delays;
mod interfaces;
mod plasticity;
mod random;
mod somas;
#[path = "../support/mod.rs"]
mod support;
mod synapses;

use case::{Case, Entry, WARM_UP};
use spark::prelude::*;
use spark::registry::Registry;
use support::{ROUNDS, medians};

/// ns per measurement if a step takes 1 ns per element.
const BUDGET: usize = 4_000_000;

fn main() -> Result<()> {
    let filters: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let entries: Vec<Entry> =
        [somas::CASES, synapses::CASES, delays::CASES, plasticity::CASES, interfaces::CASES].concat();
    let measured = |name: &&str| entries.iter().any(|entry| entry.module == *name);
    let modules = Registry::global()?.modules.iter().map(|module| module.name);
    let missing: Vec<&str> = modules.filter(|name| !measured(name)).collect();
    if !missing.is_empty() {
        let error = Error::new(format!("no case measures {}", missing.join(", ")));
        return Err(error.help("add one to benches/modules"));
    }
    println!("| module | per | Spark, ns | scalar, ns | scalar / Spark |");
    println!("|---|---|---:|---:|---:|");
    for entry in &entries {
        let name = entry.name();
        if !filters.is_empty() && !filters.iter().any(|filter| name.contains(filter.as_str())) {
            continue;
        }
        let (spark, scalar) = measure((entry.case)().map_err(|e| e.prefixed(&name))?).map_err(|e| e.prefixed(&name))?;
        println!("| `{name}` | {} | {spark:.2} | {scalar:.2} | {:.1}× |", entry.per, scalar / spark);
    }
    println!("\nMedians of {ROUNDS}, CPU time, one core.");
    Ok(())
}

/// ns per element: Spark's and the scalar loop's.
fn measure(case: Case) -> Result<(f64, f64)> {
    let Case { elements, mut model, mut scalar, compared, tolerance } = case;
    for _ in 1..WARM_UP {
        model.instance_mut().ok_or("compiled by default")?.step();
        scalar.step();
    }
    let outputs = model.advance()?;
    scalar.step();
    let found = match model.state(compared) {
        Ok(state) => state.to_f32(),
        Err(_) => outputs.get(compared)?.value().to_f32(),
    };
    tolerance.check(&found, &scalar.result())?;
    let instance = model.instance_mut().ok_or("compiled by default")?;
    let mut cases: [support::Case<'_>; 2] =
        [("spark", Box::new(|| instance.step())), ("scalar", Box::new(|| scalar.step()))];
    let medians = medians(elements, BUDGET / elements, &mut cases);
    Ok((medians[0], medians[1]))
}
