//! States: everything a model remembers from step to step, as a tree of named arrays.
//!
//! The names are paths (`pool_a.soma.potential`): those of modules, then of their variables. Besides variables the tree has
//! the past of delayed values (`delays.line`, the values of the last steps, the newest first, along a leading axis), the
//! outputs that a brain's modules will read in the next step (`#previous.pool_a.out_spikes.spikes`), the keys of random
//! numbers, and the number of steps done. Constants and inputs are no states.
//!
//! [`Model::save_state`](crate::model::Model::save_state) takes a state out of a model,
//! [`Model::load_state`](crate::model::Model::load_state) puts it back, and [`State::to_safetensors`] writes it to where
//! other programs read it, too.
//!
//! ```
//! use spark::prelude::*;
//!
//! let mut model = Model::component(LeakySomaConfig::default()).input("current", [3]).build()?;
//! model.run(10, &[("current", vec![100.0f32, 200.0, 300.0].into())])?;
//! let state = model.save_state();
//! println!("{state}");
//! assert_eq!(state.steps(), 10);
//! assert_eq!(state.get("potential")?.dims(), [3]);
//!
//! let bytes = state.to_safetensors()?;
//! assert_eq!(State::from_safetensors(&bytes)?, state);
//! # Ok::<(), spark::Error>(())
//! ```

mod compare;
mod display;
mod tensors;

pub use compare::Difference;

use crate::error::{Error, Result, unknown_name_help};
use spark_compiler::ir::Array;
use std::collections::{BTreeMap, btree_map};
use std::path::Path;

/// Named arrays, sorted by name, and the number of steps that led to them.
///
/// Two states are equal if they have the same names, dimensions, storage types, bits and steps; the axes' names do not
/// matter, because files do not keep them.
#[derive(Clone, Debug, Default)]
pub struct State {
    arrays: BTreeMap<String, Array>,
    steps: u64,
}

/// An iterator over the names and arrays of a [`State`], in order.
pub type Iter<'a> =
    std::iter::Map<btree_map::Iter<'a, String, Array>, fn((&'a String, &'a Array)) -> (&'a str, &'a Array)>;

impl State {
    /// Without arrays, before the first step.
    pub fn new() -> State {
        State::default()
    }

    /// Number of steps that led here, since the start or the last reset.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Says how many steps led here.
    pub fn set_steps(&mut self, steps: u64) {
        self.steps = steps;
    }

    /// Number of arrays.
    pub fn len(&self) -> usize {
        self.arrays.len()
    }

    /// True without arrays.
    pub fn is_empty(&self) -> bool {
        self.arrays.is_empty()
    }

    /// Names and arrays, sorted by name.
    pub fn iter(&self) -> Iter<'_> {
        self.arrays.iter().map(|(path, array)| (path.as_str(), array))
    }

    /// The names, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.arrays.keys().map(String::as_str)
    }

    /// True if there is an array of this name.
    pub fn contains(&self, path: &str) -> bool {
        self.arrays.contains_key(path)
    }

    /// The array called `path`.
    ///
    /// # Errors
    /// If there is none; the hint names the nearest.
    pub fn get(&self, path: &str) -> Result<&Array> {
        self.arrays.get(path).ok_or_else(|| self.unknown(path))
    }

    /// The array called `path`, to write to.
    ///
    /// # Errors
    /// If there is none; the hint names the nearest.
    pub fn get_mut(&mut self, path: &str) -> Result<&mut Array> {
        if !self.contains(path) {
            return Err(self.unknown(path));
        }
        Ok(self.arrays.get_mut(path).expect("it is contained"))
    }

    /// Puts an array at `path`; gives what was there.
    pub fn insert(&mut self, path: impl Into<String>, array: Array) -> Option<Array> {
        self.arrays.insert(path.into(), array)
    }

    /// Takes the array at `path` out.
    pub fn remove(&mut self, path: &str) -> Option<Array> {
        self.arrays.remove(path)
    }

    /// The arrays below `path`, by the rest of their names: `pool_a.soma.potential` is `soma.potential` below `pool_a`.
    /// Nothing is below a name that does not occur.
    pub fn subtree(&self, path: &str) -> State {
        let inside = |(name, array): (&String, &Array)| {
            let rest = name.strip_prefix(path)?.strip_prefix('.')?;
            Some((rest.to_string(), array.clone()))
        };
        State { arrays: self.arrays.iter().filter_map(inside).collect(), steps: self.steps }
    }

    /// Puts the arrays of `other` below `path`, for those that are there already in their place.
    pub fn graft(&mut self, path: &str, other: &State) {
        for (name, array) in other.iter() {
            self.insert(crate::module::join(path, name), array.clone());
        }
    }

    /// Reads a safetensors file.
    ///
    /// # Errors
    /// If the file cannot be read, and as [`State::from_safetensors`].
    pub fn read(path: impl AsRef<Path>) -> Result<State> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|e| Error::new(format!("cannot read the file: {e}")));
        bytes.and_then(|bytes| State::from_safetensors(&bytes)).map_err(|e| e.in_file(path))
    }

    /// Writes a safetensors file, all or nothing.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let (path, bytes) = (path.as_ref(), self.to_safetensors()?);
        crate::atomic::write(path, |out| out.write_all(&bytes))
    }

    fn unknown(&self, path: &str) -> Error {
        Error::new(format!("there is no state `{path}`"))
            .help(unknown_name_help(path, self.paths().collect::<Vec<_>>()))
    }
}

impl FromIterator<(String, Array)> for State {
    fn from_iter<I: IntoIterator<Item = (String, Array)>>(arrays: I) -> State {
        State { arrays: arrays.into_iter().collect(), steps: 0 }
    }
}

impl Extend<(String, Array)> for State {
    fn extend<I: IntoIterator<Item = (String, Array)>>(&mut self, arrays: I) {
        self.arrays.extend(arrays);
    }
}

impl<'a> IntoIterator for &'a State {
    type Item = (&'a str, &'a Array);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}
