//! Every way in which a model runs: eagerly, and compiled with all passes, with those that keep every bit, with none, and with
//! each alone.

use spark::model::{ModelBuilder, Outputs};
use spark::prelude::*;
use spark_compiler::loops::{Lowered, lower};
use spark_compiler::passes::{CompileOptions, StateView, optimize};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::{Deref, DerefMut};

/// One run of a model.
pub(crate) struct Trial<'a> {
    pub(crate) mode: String,
    pub(crate) options: CompileOptions,
    model: Model,
    /// What the outputs of each step were.
    steps: Vec<u64>,
    /// The run that must have the same bits.
    first: Option<&'a Bits>,
}

/// The bits of a run.
struct Bits {
    steps: Vec<u64>,
    states: BTreeMap<String, u64>,
}

/// Whether what comes first, and what others are compared to, is eager. A large model takes long for that; then it is compiled
/// without passes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum First {
    Eager,
    Compiled,
}

/// All choices of passes, without passes first. Passes that look for something find more in a program that is cleaned up, so
/// each is also with those that do that.
fn choices() -> Vec<(String, CompileOptions)> {
    let (none, exact) = (CompileOptions::none(), CompileOptions::exact());
    let CompileOptions { fold, simplify, cse, dce, .. } = exact;
    let clean = CompileOptions { fold, simplify, cse, dce, ..none };
    let with = |base: CompileOptions, name| base.with(name, true).expect("a name of a pass");
    let first = [("none", none), ("all", CompileOptions::default()), ("exact", exact), ("clean", clean)];
    let mut choices = Vec::from(first.map(|(mode, options)| (mode.to_string(), options)));
    choices.extend(CompileOptions::names().map(|name| (name.to_string(), with(none, name))));
    let looking = ["narrow", "delay_filters", "sum_filters", "events", "deferred", "layouts"];
    choices.extend(looking.map(|name| (format!("clean, {name}"), with(clean, name))));
    choices
}

/// All that machine code is made from, and how the host sees states.
type Compiled = (Lowered, Vec<StateView>, [bool; 2]);

/// Runs a model in every mode, but once for all choices of passes that give the same machine code. Runs without a pass that changes
/// results must have the outputs and states of the first run, bit for bit; `run` checks whatever else there is to check.
#[track_caller]
pub(crate) fn in_every_mode(builder: ModelBuilder, first: First, mut run: impl FnMut(&mut Trial<'_>)) {
    let eager = builder.eager(true).build().unwrap_or_else(|e| panic!("{e}"));
    let (program, graphdef) = (eager.program().clone(), eager.graphdef().clone());
    let mut reference = None;
    if first == First::Eager {
        let mut trial = Trial::new("eager".into(), CompileOptions::none(), eager, None);
        run(&mut trial);
        reference = Some(trial.end());
    }
    let mut done: Vec<Compiled> = Vec::new();
    for (mode, options) in choices() {
        let optimized = optimize(program.clone(), &options);
        let code = [options.intrinsics, options.flush_subnormals];
        let compiled = (lower(&optimized), optimized.views().to_vec(), code);
        if done.contains(&compiled) {
            continue;
        }
        done.push(compiled);
        let model = graphdef.builder().options(options).build().unwrap_or_else(|e| panic!("{mode}: {e}"));
        let same = reference.as_ref().filter(|_| !options.sum_filters && !options.flush_subnormals);
        let mut trial = Trial::new(mode, options, model, same);
        run(&mut trial);
        let bits = trial.end();
        reference.get_or_insert(bits);
    }
}

impl<'a> Trial<'a> {
    fn new(mode: String, options: CompileOptions, model: Model, first: Option<&'a Bits>) -> Trial<'a> {
        Trial { mode, options, model, steps: Vec::new(), first }
    }

    /// Runs a step.
    #[track_caller]
    pub(crate) fn step(&mut self, inputs: &[(&str, HostPayload)]) -> Outputs {
        let (mode, t) = (&self.mode, self.steps.len());
        let outputs = self.model.step(inputs).unwrap_or_else(|e| panic!("{mode}, step {t}: {e}"));
        let mut hasher = DefaultHasher::new();
        for (_, payload) in outputs.iter() {
            bits(payload.value(), &mut hasher);
            payload.inhibition_mask().iter().for_each(|mask| bits(mask, &mut hasher));
        }
        let found = hasher.finish();
        if let Some(first) = self.first {
            assert!(first.steps[t] == found, "{mode}, step {t}: the outputs are not those of the first mode");
        }
        self.steps.push(found);
        outputs
    }

    #[track_caller]
    fn end(self) -> Bits {
        let exact = !self.options.sum_filters;
        let mut states = BTreeMap::new();
        for name in self.model.states() {
            match self.model.state(&name) {
                Ok(value) => {
                    let mut hasher = DefaultHasher::new();
                    bits(&value, &mut hasher);
                    states.insert(name, hasher.finish());
                }
                Err(error) => assert!(!exact, "{}: {error}", self.mode),
            }
        }
        if let Some(first) = self.first {
            for (name, found) in &states {
                assert!(first.states[name] == *found, "{}: `{name}` is not that of the first mode", self.mode);
            }
        }
        Bits { steps: self.steps, states }
    }
}

fn bits(array: &Array, hasher: &mut DefaultHasher) {
    array.dims().hash(hasher);
    array.to_f64().iter().for_each(|value| value.to_bits().hash(hasher));
}

impl Deref for Trial<'_> {
    type Target = Model;

    fn deref(&self) -> &Model {
        &self.model
    }
}

impl DerefMut for Trial<'_> {
    fn deref_mut(&mut self) -> &mut Model {
        &mut self.model
    }
}
