//! `spark inspect --passes`: what the compiler did with which array, in plain words.

use spark_compiler::loops::{layouts, lower};
use spark_compiler::passes::Optimized;
use std::fmt::Write;

/// One line per array and pass, what was done first.
pub(crate) fn text(optimized: &Optimized) -> String {
    let mut out = String::new();
    let layouts = layouts(&lower(optimized));
    for (applied, title) in [(true, "applied"), (false, "left as it was")] {
        let notes: Vec<_> = optimized.notes().iter().chain(&layouts).filter(|note| note.applied == applied).collect();
        if notes.is_empty() {
            continue;
        }
        writeln!(out, "{title}:").expect("writing to a string");
        for note in notes {
            writeln!(out, "  {:<13} {}: {}", note.pass, note.what, note.why).expect("writing to a string");
        }
    }
    if out.is_empty() {
        out.push_str("no pass concerns this model: it has no synapses\n");
    }
    out
}
