//! From the tensors of a file to the inputs of a model: which port each one feeds, and whether it has a time axis.
//!
//! In: the tensors of a file, called as the ports they feed, an inhibition mask `<port>.inhibition_mask`. Out: a [`Plan`]
//! that declares the model's inputs and gives their values step by step. Whether a leading dimension is time, the file does
//! not say: [`plan`] takes the reading of each tensor that agrees with the number of steps ([`super::readings`]). What stays
//! ambiguous is an error that names the option to use.

use super::readings::{Matched, choose, common_steps, is_series, population, readings_of};
use super::tensors::{Tensor, TensorFile};
use spark::error::{Error, Result, suggest};
use spark::model::{InputShape, ModelBuilder};
use spark::payload::{BooleanMask, HostPayload, Payload, PayloadKind, PayloadType, SpikeArray};
use spark::spec::PortSpecs;
use spark_compiler::ir::{Array, Axis, Data, Shape};

/// What the user says about the tensors.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hints {
    /// Number of steps.
    pub(crate) steps: Option<usize>,
    /// Ports whose tensor has no time axis.
    pub(crate) constant: Vec<String>,
    /// Ports that take spikes over synapses.
    pub(crate) asynchronous: Vec<String>,
}

/// A tensor that feeds a part of a port, with or without time axis.
struct Source {
    tensor: Tensor,
    series: bool,
}

/// What feeds one port.
pub(crate) struct Feed {
    /// The port.
    pub(crate) port: String,
    kind: &'static PayloadKind,
    value: Source,
    mask: Option<Source>,
    asynchronous: bool,
}

/// What feeds each port, and for how many steps.
pub(crate) struct Plan {
    /// Number of steps.
    pub(crate) steps: usize,
    /// One entry per port that is fed.
    pub(crate) feeds: Vec<Feed>,
    /// Remarks for the user.
    pub(crate) notes: Vec<String>,
}

impl Hints {
    /// Checks that they make sense for these ports.
    ///
    /// # Errors
    /// If a port does not exist, or there are no steps.
    pub(crate) fn check(&self, ports: &[(String, PortSpecs)]) -> Result<()> {
        if self.steps == Some(0) {
            return Err(Error::new("a run of 0 steps").at("--steps").help("run at least one step"));
        }
        for (option, names) in [("--constant", &self.constant), ("--async", &self.asynchronous)] {
            for name in names {
                find_port(ports, name).map_err(|e| e.at(option))?;
            }
        }
        Ok(())
    }
}

/// Finds what feeds each port.
///
/// # Errors
/// If a required port has no tensor, a name belongs to no port, or it is not clear which tensors have a time axis.
pub(crate) fn plan(
    file: &TensorFile,
    ports: &[(String, PortSpecs)],
    units: Option<&[usize]>,
    hints: &Hints,
) -> Result<Plan> {
    let matched = match_ports(file, ports)?;
    let units = units.map(<[usize]>::to_vec).or_else(|| population(&matched));
    let marked = file.metadata.get("async_spikes").is_some_and(|v| v == "True");
    let spike_ports = ports.iter().filter(|(_, p)| is_spikes(p.payload)).count();
    let mut readings = Vec::new();
    for m in &matched {
        let marked = marked && is_spikes(m.spec.payload) && (m.spec.axes == [Axis::PRE] || spike_ports == 1);
        let forced = marked || hints.asynchronous.iter().any(|name| name == m.port);
        let mut found = readings_of(m, &matched, units.as_deref(), forced)?;
        if hints.constant.iter().any(|name| name == m.port) {
            found.retain(|r| !r.series);
        }
        readings.push(found);
    }
    let steps = match hints.steps {
        Some(steps) => steps,
        None => common_steps(&matched, &readings)?,
    };
    let mut plan = Plan { steps, feeds: Vec::new(), notes: Vec::new() };
    for (m, readings) in matched.iter().zip(readings) {
        let reading = choose(m, &readings, steps, hints.steps.is_some())?;
        if reading.series && m.leading() > steps {
            plan.notes.push(format!("`{}` has {} steps; the first {steps} are used", m.value.name, m.leading()));
        }
        plan.feeds.push(Feed {
            port: m.port.to_string(),
            kind: m.spec.payload,
            value: Source { tensor: m.value.clone(), series: reading.series },
            mask: m.mask.map(|mask| Source { tensor: mask.clone(), series: reading.mask_series }),
            asynchronous: reading.asynchronous,
        });
    }
    Ok(plan)
}

fn is_spikes(kind: &PayloadKind) -> bool {
    kind == SpikeArray::KIND
}

fn find_port<'a>(ports: &'a [(String, PortSpecs)], name: &str) -> Result<&'a (String, PortSpecs)> {
    ports.iter().find(|(port, _)| port == name).ok_or_else(|| {
        let names: Vec<&str> = ports.iter().map(|(port, _)| port.as_str()).collect();
        let error = Error::new(format!("the model has no input port `{name}`"));
        match suggest(name, names.iter().copied()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(format!("its input ports: {}", names.join(", "))),
        }
    })
}

/// Folders of a tensor file that hold recordings, not inputs.
const RECORDINGS: [&str; 5] = ["out/", "state/", "final/", "init/", "param/"];

/// Finds the port of each tensor by name; recordings stay unread.
fn match_ports<'a>(file: &'a TensorFile, ports: &'a [(String, PortSpecs)]) -> Result<Vec<Matched<'a>>> {
    let mut errors = Vec::new();
    let mut values: Vec<Option<&Tensor>> = vec![None; ports.len()];
    let mut masks = values.clone();
    // A port for any payload takes spikes, too.
    let masked = |kind: &PayloadKind| is_spikes(kind) || kind == Payload::KIND;
    let spikes: Vec<usize> = (0..ports.len()).filter(|&i| masked(ports[i].1.payload)).collect();
    for tensor in &file.tensors {
        let name = tensor.name.strip_prefix("in/").unwrap_or(&tensor.name);
        if RECORDINGS.iter().any(|folder| name.starts_with(folder)) {
            continue;
        }
        let at = |port: &str| ports.iter().position(|(name, _)| name == port);
        let slot = match (at(name), name.strip_suffix(".inhibition_mask").and_then(at), &spikes[..]) {
            (Some(port), _, _) => &mut values[port],
            (None, Some(port), _) if spikes.contains(&port) => &mut masks[port],
            (None, None, [only]) if name == "inhibition_mask" => &mut masks[*only],
            _ => {
                errors.extend(find_port(ports, name).err().map(|e| e.at(tensor.name.as_str())));
                continue;
            }
        };
        if let Some(other) = slot.replace(tensor) {
            let message = format!("`{}` and `{}` feed the same port", other.name, tensor.name);
            errors.push(Error::new(message).help("keep one of them"));
        }
    }
    let all_optional = !ports.iter().any(|(_, spec)| !spec.optional && is_series(spec));
    let mut matched = Vec::new();
    for (((port, spec), value), mask) in ports.iter().zip(values).zip(masks) {
        match (value, mask) {
            (Some(value), mask) => matched.push(Matched { port, spec, value, mask, all_optional }),
            (None, Some(mask)) => {
                errors.push(Error::new(format!("there are no spikes `{port}` to this mask")).at(mask.name.as_str()));
            }
            (None, None) if !spec.optional && !spec.variadic => {
                let message = format!("there is no tensor for the input port `{port}`, a {}", spec.payload.name);
                errors.push(Error::new(message).help(format!("add a tensor called `{port}`")));
            }
            (None, None) => {}
        }
    }
    if errors.is_empty() { Ok(matched) } else { Err(Error::many(errors)) }
}

impl Source {
    fn dims(&self) -> &[usize] {
        if self.series { &self.tensor.dims[1..] } else { &self.tensor.dims }
    }

    fn at(&self, file: &TensorFile, step: usize) -> Result<Array> {
        let size: usize = self.dims().iter().product();
        let from = if self.series { step * size } else { 0 };
        let data = file.values(&self.tensor, from..from + size)?;
        let shape = Shape::of(Axis::anonymous(0), self.dims());
        Array::new(shape, data).map_err(|e| Error::new(e.to_string()).at(self.tensor.name.as_str()))
    }

    /// Refuses values that no step could use: NaN, and spikes other than 0 and 1.
    fn check(&self, file: &TensorFile, steps: usize, binary: bool) -> Result<()> {
        for step in 0..if self.series { steps } else { 1 } {
            let values = self.at(file, step)?;
            let place = if self.series { format!(" in step {step}") } else { String::new() };
            let refuse = |what: &str| Error::new(format!("{what}{place}")).at(self.tensor.name.as_str());
            if matches!(values.data(), Data::Bool(_)) {
                continue;
            }
            for value in values.to_f64() {
                if value.is_nan() {
                    return Err(refuse("a value is not a number (NaN)").help("clean the data first"));
                }
                if binary && value != 0.0 && value != 1.0 {
                    let help =
                        "spikes and masks are 0 or 1; inhibitory neurons are those where `.inhibition_mask` is 1";
                    return Err(refuse(&format!("{value} is not a spike")).help(help));
                }
            }
        }
        Ok(())
    }
}

impl Feed {
    /// True if the value or the mask differs from step to step.
    pub(crate) fn changes(&self) -> bool {
        self.value.series || self.mask.as_ref().is_some_and(|mask| mask.series)
    }

    /// What the port takes in `step`.
    ///
    /// # Errors
    /// If the tensor's elements cannot be converted.
    pub(crate) fn at(&self, file: &TensorFile, step: usize) -> Result<HostPayload> {
        let mask = self.mask.as_ref().map(|mask| mask.at(file, step)).transpose()?;
        Ok(HostPayload::spikes(self.value.at(file, step)?, mask))
    }
}

impl Plan {
    /// Declares the inputs of a model.
    pub(crate) fn declare(&self, mut builder: ModelBuilder) -> ModelBuilder {
        for feed in &self.feeds {
            let mut shape = InputShape::new(feed.value.dims());
            if let Some(mask) = &feed.mask {
                shape = shape.with_mask(mask.dims());
            }
            builder = builder.input(&feed.port, if feed.asynchronous { shape.asynchronous() } else { shape });
        }
        builder
    }

    /// Refuses values that no step could use, before the first step runs.
    ///
    /// # Errors
    /// If a value is NaN, or a spike or mask value is neither 0 nor 1; the error names tensor and step.
    pub(crate) fn check(&self, file: &TensorFile) -> Result<()> {
        for feed in &self.feeds {
            feed.value.check(file, self.steps, is_spikes(feed.kind) || feed.kind == BooleanMask::KIND)?;
            if let Some(mask) = &feed.mask {
                mask.check(file, self.steps, true)?;
            }
        }
        Ok(())
    }
}
