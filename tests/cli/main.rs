//! The `spark` command as its users run it: results of golden models, and what bad input leads to.

mod cache;
mod compile;
mod files;
mod inputs;
mod inspect;
mod run;
#[path = "../support/mod.rs"]
mod support;
