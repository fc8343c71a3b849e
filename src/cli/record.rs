//! What a run keeps: outputs and recorded values after each step, for the output file and the summary.
//!
//! A [`Recording`] is made before the first step, when shapes are known: it refuses what would not fit in memory. Spikes
//! are kept as bytes, integers in 32 bits, floats in the model's storage type; an inhibition mask gets a time axis only
//! if it changes.

use super::ms;
use super::run::dt_of;
use super::tensors::Column;
use spark::error::{Error, Result};
use spark::model::{Model, Outputs};
use spark::spec::Direction;
use spark_compiler::ir::{Array, DType};
use std::time::Duration;

/// The most bytes a run records; they are held in memory until the run ends.
const RECORD_LIMIT: u128 = 8 << 30;

/// What a recorded path names.
pub(crate) enum Recorded {
    /// A state variable.
    State(String),
    /// An output port or property.
    Port(String),
}

/// What a run keeps: the columns of the output file, and totals for the summary.
pub(crate) struct Recording {
    /// Number of steps kept so far.
    steps: usize,
    /// Names of the model's own output ports.
    own: Vec<String>,
    /// Outputs and recorded ports, by name of the model's output.
    ports: Vec<(String, Column)>,
    states: Vec<(String, Column)>,
    masks: Vec<(String, Mask)>,
    totals: Vec<Total>,
    /// False if there will be no output file.
    keep: bool,
}

/// An output's inhibition mask: one value as long as it does not change.
struct Mask {
    first: Array,
    seen: usize,
    series: Option<Column>,
}

/// The sum of an output over units and steps.
struct Total {
    name: String,
    sum: f64,
    count: usize,
    spikes: bool,
}

impl Recording {
    /// Columns for the outputs and recorded paths of `model`, with room for `steps` steps.
    ///
    /// # Errors
    /// If they would take more than [`RECORD_LIMIT`] bytes.
    pub(crate) fn new(model: &Model, paths: &[Recorded], steps: usize, keep: bool) -> Result<Recording> {
        let program = model.program();
        let wanted = |name: &str| paths.iter().any(|p| matches!(p, Recorded::Port(path) if path == name));
        let outputs = model.root().ports().into_iter().filter(|p| p.direction == Direction::Output);
        let mut columns = Recording {
            steps: 0,
            own: outputs.map(|p| p.name).collect(),
            ports: Vec::new(),
            states: Vec::new(),
            masks: Vec::new(),
            totals: Vec::new(),
            keep,
        };
        let mut sizes = Vec::new();
        for output in program.outputs.iter().filter(|o| keep && model.outputs().any(|name| name == o.name)) {
            let shape = &program.node(output.value).shape;
            for (folder, is_wanted) in [("out", columns.own.contains(&output.name)), ("state", wanted(&output.name))] {
                if is_wanted {
                    sizes.push(shape.size() as u128 * bytes_of(output.dtype));
                    let column = Column::new(format!("{folder}/{}", output.name), shape.dims());
                    columns.ports.push((output.name.clone(), column));
                }
            }
        }
        for path in paths {
            let Recorded::State(path) = path else { continue };
            let state = model.state(path)?;
            sizes.push(state.len() as u128 * bytes_of(state.dtype()));
            columns.states.push((path.clone(), Column::new(format!("state/{path}"), state.dims())));
        }
        let total = sizes.iter().sum::<u128>() * steps as u128;
        if total > RECORD_LIMIT {
            let gib = |bytes: u128| bytes as f64 / f64::from(1 << 30);
            let message =
                format!("{steps} steps would record {:.1} GiB, more than {} GiB", gib(total), RECORD_LIMIT >> 30);
            return Err(Error::new(message).help("record fewer or smaller values, or fewer steps with --steps"));
        }
        let all = columns.ports.iter_mut().chain(&mut columns.states);
        for ((_, column), size) in all.zip(sizes) {
            column.reserve((size * steps as u128) as usize)?;
        }
        Ok(columns)
    }

    /// Keeps the values after a step.
    ///
    /// # Errors
    /// If a state cannot be read.
    pub(crate) fn push(&mut self, model: &Model, outputs: &Outputs) -> Result<()> {
        self.steps += 1;
        for (name, payload) in outputs.iter() {
            let value = payload.value();
            for (_, column) in self.ports.iter_mut().filter(|(port, _)| port == name) {
                column.push(value.data());
            }
            if !self.own.iter().any(|port| port == name) {
                continue;
            }
            let spikes = payload.inhibition_mask().is_some();
            let sum: f64 = value.to_f64().iter().sum();
            match self.totals.iter_mut().find(|total| total.name == name) {
                Some(total) => {
                    total.sum += sum;
                    total.count += value.len();
                }
                None => self.totals.push(Total { name: name.into(), sum, count: value.len(), spikes }),
            }
            if let (true, Some(mask)) = (self.keep, payload.inhibition_mask()) {
                match self.masks.iter_mut().find(|(port, _)| port == name) {
                    Some((_, kept)) => kept.push(name, mask),
                    None => {
                        self.masks.push((name.into(), Mask { first: mask.clone(), seen: 1, series: None }));
                    }
                }
            }
        }
        for (path, column) in &mut self.states {
            column.push(model.state(path)?.data());
        }
        Ok(())
    }

    /// The summary of the run for people.
    pub(crate) fn summary(&self, model: &Model, took: Duration) -> String {
        let dt = dt_of(model);
        let mut text = format!("{}: {} steps of {dt} ms\n", model.root().type_name(), self.steps);
        for total in &self.totals {
            let mean = total.sum / total.count.max(1) as f64;
            text += &if total.spikes {
                format!("  {}: {} spikes, mean rate {:.2} Hz\n", total.name, total.sum, mean / dt * 1e3)
            } else {
                format!("  {}: mean {mean:.6}\n", total.name)
            };
        }
        let t = model.timings();
        text += &format!(
            "  build {:.2} ms, trace {:.2} ms, compile {:.2} ms, run {:.2} ms ({:.2} us per step)\n",
            ms(t.build),
            ms(t.trace),
            ms(t.compile),
            ms(took),
            ms(took) * 1e3 / self.steps as f64
        );
        text
    }

    /// The notes of the output file.
    pub(crate) fn notes(&self, model: &Model, eager: bool, took: Duration) -> Vec<(&'static str, String)> {
        let t = model.timings();
        let time = |duration: Duration| format!("{:.6}", ms(duration));
        vec![
            ("build_ms", time(t.build)),
            ("trace_ms", time(t.trace)),
            ("compile_ms", time(t.compile)),
            ("run_ms", time(took)),
            ("us_per_step", format!("{:.6}", ms(took) * 1e3 / self.steps as f64)),
            ("steps", self.steps.to_string()),
            ("model", model.root().type_name().to_string()),
            ("mode", if eager { "eager" } else { "compiled" }.to_string()),
            ("dtype", model.root().dtype().long_name().to_string()),
            ("spark_version", env!("CARGO_PKG_VERSION").to_string()),
        ]
    }

    /// The tensors of the output file.
    pub(crate) fn into_columns(self) -> Vec<Column> {
        let values = self.ports.into_iter().chain(self.states).map(|(_, column)| column);
        let masks = self.masks.into_iter().map(|(name, mask)| match mask.series {
            Some(series) => series,
            None => Column::constant(format!("out/{name}.inhibition_mask"), mask.first.dims(), mask.first.data()),
        });
        values.chain(masks).collect()
    }
}

impl Mask {
    fn push(&mut self, port: &str, mask: &Array) {
        if self.series.is_none() && *mask != self.first {
            let mut series = Column::new(format!("out/{port}.inhibition_mask"), mask.dims());
            (0..self.seen).for_each(|_| series.push(self.first.data()));
            self.series = Some(series);
        }
        self.seen += 1;
        if let Some(series) = &mut self.series {
            series.push(mask.data());
        }
    }
}

/// Bytes of an element in the output file: truth values take one, integers four.
fn bytes_of(dtype: DType) -> u128 {
    match dtype {
        DType::Bool => 1,
        DType::F16 | DType::BF16 => 2,
        DType::F32 | DType::I32 | DType::U8 | DType::U16 => 4,
        DType::F64 => 8,
    }
}
