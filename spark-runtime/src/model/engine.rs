//! What runs a model's steps, and where its states are.
//!
//! States and histories go in and out in one form for both engines: a state as it is stored, a history as the values of the
//! last `rows − 1` steps, the newest first. So a state saved from one engine continues in the other. A history that passes added,
//! for a state to be read from, has the value of one step more: the largest delay looks that far back until the next step.

use crate::error::{Error, Result};
use spark_compiler::array::tape;
use spark_compiler::ir::{Array, Axis, Data, History, Program, Shape, Stored};
use spark_compiler::kernel::Instance;
use spark_compiler::loops::Role;
use spark_compiler::passes::View;
use spark_compiler::with_data;

/// What runs a model's steps.
pub(super) enum Engine {
    /// A kernel with its memory.
    Compiled(Box<Instance>),
    /// The evaluator.
    Eager {
        /// States and histories.
        memory: tape::Memory,
        /// Number of steps done.
        steps: u64,
    },
}

impl Engine {
    /// The evaluator, before the first step.
    pub(super) fn eager() -> Engine {
        Engine::Eager { memory: tape::Memory::default(), steps: 0 }
    }

    pub(super) fn steps(&self) -> u64 {
        match self {
            Engine::Compiled(instance) => instance.steps(),
            Engine::Eager { steps, .. } => *steps,
        }
    }

    pub(super) fn set_steps(&mut self, done: u64) {
        match self {
            Engine::Compiled(instance) => instance.set_steps(done),
            Engine::Eager { steps, .. } => *steps = done,
        }
    }

    pub(super) fn reset(&mut self) {
        match self {
            Engine::Compiled(instance) => instance.reset(),
            Engine::Eager { .. } => *self = Engine::eager(),
        }
    }

    /// Names and initial values of the states, in the form that [`Engine::saved`] gives: the program's, and those that passes
    /// added.
    pub(super) fn states(&self, program: &Program) -> Vec<(String, Array)> {
        let mut states: Vec<(String, Array)> =
            program.states.iter().map(|state| (state.name.clone(), state.init.clone())).collect();
        if let Engine::Compiled(instance) = self {
            for buffer in &instance.kernel().lowered().buffers {
                let Role::State(init) = &buffer.role else { continue };
                match states.iter_mut().find(|(name, _)| *name == buffer.name) {
                    Some((name, whole)) if !is_whole(instance, name) => *whole = init.clone(),
                    Some(_) => {}
                    None => states.push((buffer.name.clone(), init.clone())),
                }
            }
        }
        states
    }

    /// The histories: the program's, and those that passes added.
    pub(super) fn histories(&self, program: &Program) -> Vec<History> {
        let mut histories = program.histories.clone();
        if let Engine::Compiled(instance) = self {
            for &id in instance.histories() {
                let buffer = instance.kernel().lowered().buffer(id);
                let added = !histories.iter().any(|h| h.name == buffer.name);
                if let Some(steps) = instance.past_steps(&buffer.name).filter(|_| added) {
                    let (name, shape, elem) = (buffer.name.clone(), buffer.shape.clone(), buffer.dtype.elem());
                    histories.push(History { name, elem, shape, rows: steps + 1 });
                }
            }
        }
        histories
    }

    /// What a checkpoint holds of a state: its value, or what passes keep in its place. `None` if it still has the initial one.
    pub(super) fn saved(&self, name: &str) -> Option<Array> {
        match self {
            Engine::Compiled(instance) if !is_whole(instance, name) => instance.kept(name),
            Engine::Compiled(_) | Engine::Eager { .. } => self.state(name),
        }
    }

    /// Sets what [`Engine::saved`] gives; the array has its shape and type.
    pub(super) fn restore(&mut self, name: &str, value: Array) -> Result<()> {
        match self {
            Engine::Compiled(instance) if !is_whole(instance, name) => {
                instance.set_kept(name, value.data()).map_err(|e| Error::new(e.to_string()).at(name))
            }
            Engine::Compiled(_) | Engine::Eager { .. } => self.set_state(name, value),
        }
    }

    /// The value of a state; `None` if it still has the initial one.
    pub(super) fn state(&self, name: &str) -> Option<Array> {
        match self {
            Engine::Compiled(instance) => instance.state(name),
            Engine::Eager { memory, .. } => memory.states.get(name).cloned(),
        }
    }

    /// Sets a state; the array has its shape and type.
    pub(super) fn set_state(&mut self, name: &str, value: Array) -> Result<()> {
        match self {
            Engine::Compiled(instance) => {
                instance.set_state(name, value.data()).map_err(|e| Error::new(e.to_string()).at(name))
            }
            Engine::Eager { memory, .. } => {
                memory.states.insert(name.to_string(), value);
                Ok(())
            }
        }
    }

    /// The values of the steps before, the newest first, over a leading axis of `rows − 1`.
    pub(super) fn past(&self, history: &History) -> Array {
        let none = || Data::zeros(history.elem.dtype(), past_len(history));
        let data = match self {
            Engine::Compiled(instance) => instance.past(&history.name),
            Engine::Eager { memory, .. } => memory.histories.get(&history.name).map(|(rows, next)| {
                let ago = |steps: usize| rows[(next + rows.len() - steps) % rows.len()].data();
                concatenated(&none(), (1..rows.len()).map(ago))
            }),
        };
        let data = data.map_or_else(none, |data| data.convert(history.elem.dtype()));
        Array::new(past_shape(history), data).expect("as many elements as the shape has")
    }

    /// Sets what [`Engine::past`] gives; the array has its dimensions.
    pub(super) fn set_past(&mut self, history: &History, value: &Array) -> Result<()> {
        let wrong = |e: &dyn std::fmt::Display| Error::new(e.to_string()).at(&history.name);
        match self {
            // The passes leave a history out that nothing reads.
            Engine::Compiled(instance) if instance.past(&history.name).is_none() => Ok(()),
            Engine::Compiled(instance) => instance.set_past(&history.name, value.data()).map_err(|e| wrong(&e)),
            Engine::Eager { memory, .. } => {
                let (size, dtype) = (history.shape.size(), history.elem.dtype());
                let past = value.data().convert(dtype);
                let mut rows = vec![Array::zeros(history.shape.clone(), dtype)];
                for steps in (1..history.rows).rev() {
                    let row = with_data!(&past, v => Stored::data(v[(steps - 1) * size..][..size].to_vec()));
                    rows.push(Array::new(history.shape.clone(), row).map_err(|e| wrong(&e))?);
                }
                memory.histories.insert(history.name.clone(), (rows, 0));
                Ok(())
            }
        }
    }
}

/// True if the passes keep a state so that its declared elements say all there is to restore.
fn is_whole(instance: &Instance, name: &str) -> bool {
    instance.view(name).is_none_or(|view| matches!(view.view, View::Whole | View::Broadcast))
}

fn past_len(history: &History) -> usize {
    history.shape.size() * (history.rows - 1)
}

/// Steps, then the dimensions of the delayed value.
pub(super) fn past_shape(history: &History) -> Shape {
    Shape::of(Axis::anonymous(0), &[&[history.rows - 1], &history.shape.dims()[..]].concat())
}

/// The elements of `parts`, one after another; all are of the type of `like`.
fn concatenated<'a>(like: &Data, parts: impl Iterator<Item = &'a Data>) -> Data {
    fn all<'a, T: Stored>(_: &[T], parts: impl Iterator<Item = &'a Data>) -> Data {
        T::data(parts.filter_map(|part| T::slice(part)).flatten().copied().collect())
    }
    with_data!(like, v => all(v, parts))
}
