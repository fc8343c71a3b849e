//! A model's states: one by path, or all of them as a [`State`].

use super::engine::past_shape;
use super::{Model, inputs};
use crate::error::{Error, Result, suggest, unknown_name_help};
use crate::state::State;
use spark_compiler::ir::{Array, DType};
use std::fmt;

/// What [`Model::load_state_partial`] did with each array.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// States that were set, sorted.
    pub loaded: Vec<String>,
    /// Those of them that were rounded to another floating-point type: name, type given, type of the state.
    pub converted: Vec<(String, DType, DType)>,
    /// Arrays that were not used, and why.
    pub unused: Vec<(String, String)>,
    /// States of the model that kept their values.
    pub kept: Vec<String>,
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} states set, {} kept", self.loaded.len(), self.kept.len())?;
        for (path, from, to) in &self.converted {
            write!(f, "\n  {path}: converted from {from} to {to}")?;
        }
        for (path, why) in &self.unused {
            write!(f, "\n  {path}: not used, {why}")?;
        }
        for path in &self.kept {
            write!(f, "\n  {path}: kept")?;
        }
        Ok(())
    }
}

impl Model {
    /// Number of steps since the start or the last reset.
    pub fn steps(&self) -> u64 {
        self.engine.steps()
    }

    /// Back to the initial state.
    pub fn reset(&mut self) {
        self.engine.reset();
    }

    /// Paths of the state variables, sorted: of all whose elements are known, see [`ModelBuilder::options`](super::ModelBuilder::options).
    pub fn states(&self) -> Vec<String> {
        let known = |name: &&String| self.engine.state(name).is_some() || self.engine.saved(name).is_none();
        let mut names: Vec<String> = self.program.states.iter().map(|s| &s.name).filter(known).cloned().collect();
        names.sort();
        names
    }

    /// The value of a state variable, by path: `soma.potential`.
    ///
    /// # Errors
    /// If there is none.
    pub fn state(&self, path: &str) -> Result<Array> {
        let init = self.program.states.iter().find(|s| s.name == path);
        let Some(init) = init else { return Err(self.unknown_state(path)) };
        match self.engine.state(path) {
            Some(value) => Ok(value),
            None if self.engine.saved(path).is_none() => Ok(init.init.clone()),
            None => {
                let help = "`ModelBuilder::options` without `sum_filters` keeps them, at the price of speed";
                Err(Error::new("only sums of its elements are kept").at(path).help(help))
            }
        }
    }

    /// Sets a state variable, by path; converted to its storage type.
    ///
    /// # Errors
    /// If there is none, or the number of values is wrong.
    pub fn set_state(&mut self, path: &str, value: &Array) -> Result<()> {
        let Some(state) = self.program.states.iter().find(|s| s.name == path) else {
            return Err(self.unknown_state(path));
        };
        inputs::check_dims(value, state.init.shape()).map_err(|e| e.at(path))?;
        let stored = value.convert(state.init.dtype());
        let shaped = stored.reshaped(state.init.shape().clone()).map_err(|e| Error::new(e.to_string()).at(path))?;
        self.engine.set_state(path, shaped)
    }

    fn unknown_state(&self, path: &str) -> Error {
        let names = self.states();
        Error::new(format!("there is no state `{path}`"))
            .help(unknown_name_help(path, names.iter().map(String::as_str)))
    }

    /// Everything the model remembers: its variables, the past of delayed values, and the number of steps.
    ///
    /// Put into a model of the same configuration, with [`Model::load_state`], it goes on with the same bits. What passes keep in
    /// another form (see [`ModelBuilder::options`](super::ModelBuilder::options)) is saved in that form, so both models
    /// need the same passes; without `delay_filters`, `sum_filters` and `lazy_decay`, states go from compiled to eager models and
    /// back.
    pub fn save_state(&self) -> State {
        let states = self.engine.states(&self.program).into_iter();
        let mut state: State =
            states.map(|(name, init)| (name.clone(), self.engine.saved(&name).unwrap_or(init))).collect();
        let histories = self.engine.histories(&self.program);
        state.extend(histories.iter().map(|h| (h.name.clone(), self.engine.past(h))));
        state.set_steps(self.steps());
        state
    }

    /// Sets everything the model remembers. Names, dimensions and storage types must be those of the model; nothing is set
    /// if one is not.
    ///
    /// ```
    /// use spark::prelude::*;
    ///
    /// let build = || Model::component(LeakySomaConfig::default()).input("current", [1]).build();
    /// let current = [("current", vec![300.0f32].into())];
    /// let (mut first, mut second) = (build()?, build()?);
    /// first.run(100, &current)?;
    /// second.load_state(&first.save_state())?;
    /// assert_eq!(second.steps(), 100);
    /// assert_eq!(first.step(&current)?.spikes("spikes")?, second.step(&current)?.spikes("spikes")?);
    /// # Ok::<(), spark::Error>(())
    /// ```
    ///
    /// # Errors
    /// Every array that is missing, unknown, or of other dimensions or another type.
    pub fn load_state(&mut self, state: &State) -> Result<()> {
        self.check_state(state)?;
        self.expected().iter().try_for_each(|(path, like)| self.put(path, like, state.get(path)?))?;
        self.engine.set_steps(state.steps());
        Ok(())
    }

    /// Checks that [`Model::load_state`] will take a state.
    ///
    /// # Errors
    /// As that.
    pub(crate) fn check_state(&self, state: &State) -> Result<()> {
        let expected = self.expected();
        let mut errors = Vec::new();
        for (path, like) in &expected {
            match state.get(path) {
                Ok(array) => errors.extend(mismatch(array, like).map(|message| Error::new(message).at(path))),
                Err(_) => errors.push(Error::new("the state lacks this variable of the model").at(path)),
            }
        }
        for path in state.paths().filter(|path| !expected.iter().any(|(name, _)| name == path)) {
            let error = Error::new("the model has no such variable").at(path);
            let near =
                suggest(path, expected.iter().map(|(name, _)| name.as_str()).filter(|name| !state.contains(name)));
            errors.push(match near {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error,
            });
        }
        if errors.is_empty() { Ok(()) } else { Err(Error::many(errors)) }
    }

    /// Sets what fits: arrays that have the name and dimensions of a variable of the model, and its type or, both being
    /// floating-point, another precision. The rest of the model and its number of steps stay as they are.
    ///
    /// ```
    /// use spark::prelude::*;
    ///
    /// let mut trained = Model::component(LeakySomaConfig::default()).input("current", [2]).build()?;
    /// trained.run(5, &[("current", vec![100.0f32, 200.0].into())])?;
    /// let mut half = Model::component(RefractoryLeakySomaConfig::default()).input("current", [2]).dtype(DType::F16).build()?;
    /// let report = half.load_state_partial(&trained.save_state())?;
    /// assert_eq!(report.loaded, ["potential"]);
    /// assert_eq!(report.converted, [("potential".to_string(), DType::F32, DType::F16)]);
    /// println!("{report}");
    /// # Ok::<(), spark::Error>(())
    /// ```
    ///
    /// # Errors
    /// If nothing fits.
    pub fn load_state_partial(&mut self, state: &State) -> Result<LoadReport> {
        let expected = self.expected();
        let mut report = LoadReport::default();
        for (path, array) in state {
            let Some((_, like)) = expected.iter().find(|(name, _)| name == path) else {
                report.unused.push((path.into(), "the model has no such variable".into()));
                continue;
            };
            let (from, to) = (array.dtype(), like.dtype());
            if from != to && from.is_float() && to.is_float() && array.dims() == like.dims() {
                report.converted.push((path.into(), from, to));
            } else if let Some(why) = mismatch(array, like) {
                report.unused.push((path.into(), why));
                continue;
            }
            self.put(path, like, &array.convert(to))?;
            report.loaded.push(path.into());
        }
        if report.loaded.is_empty() {
            let error = Error::new("nothing of the state fits the model");
            return Err(error.help(report.to_string()));
        }
        report.kept = expected.into_iter().map(|(path, _)| path).filter(|path| !report.loaded.contains(path)).collect();
        Ok(report)
    }

    /// Names of everything the model remembers, with arrays of the dimensions and types.
    fn expected(&self) -> Vec<(String, Array)> {
        let past = |h: &spark_compiler::ir::History| (h.name.clone(), Array::zeros(past_shape(h), h.elem.dtype()));
        let mut all = self.engine.states(&self.program);
        all.extend(self.engine.histories(&self.program).iter().map(past));
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }

    /// Sets a state or history; the array has the dimensions and type of `like`.
    fn put(&mut self, path: &str, like: &Array, array: &Array) -> Result<()> {
        if let Some(history) = self.engine.histories(&self.program).iter().find(|h| h.name == path) {
            return self.engine.set_past(history, array);
        }
        let shaped = array.clone().reshaped(like.shape().clone());
        self.engine.restore(path, shaped.map_err(|e| Error::new(e.to_string()).at(path))?)
    }
}

/// Why an array cannot be the value of a state.
fn mismatch(array: &Array, like: &Array) -> Option<String> {
    let (found, expected) = (array.dims(), like.dims());
    if found != expected {
        return Some(format!("dimensions {found:?}, where the model has {expected:?}"));
    }
    let (found, expected) = (array.dtype(), like.dtype());
    (found != expected).then(|| format!("{}, where the model has {}", found.long_name(), expected.long_name()))
}
