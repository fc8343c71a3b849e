//! Which tensors have a time axis: the readings of a port's tensors, and the choice between them.
//!
//! A [`Reading`] is one way to understand a port's tensors: as a constant or a series, as spikes of neurons or over
//! synapses. [`readings_of`] lists those that ports and masks allow; [`common_steps`] and [`choose`] find the one that
//! agrees with the number of steps. Nothing here looks at values, only at dimensions.

use super::tensors::Tensor;
use spark::error::{Error, Result};
use spark::payload::{BooleanMask, IntegerMask, PayloadKind, PayloadType};
use spark::spec::PortSpecs;
use spark_compiler::ir::Axis;

/// A port with its tensors.
pub(crate) struct Matched<'a> {
    /// The port's name.
    pub(crate) port: &'a str,
    /// Its description.
    pub(crate) spec: &'a PortSpecs,
    /// The tensor called as the port.
    pub(crate) value: &'a Tensor,
    /// The tensor of its inhibition mask.
    pub(crate) mask: Option<&'a Tensor>,
    /// The model has no required port over one axis: its optional ones decide.
    pub(crate) all_optional: bool,
}

impl Matched<'_> {
    /// True for the ports whose tensors decide how long the run is: required ones over one axis, as spikes and currents.
    fn decides(&self) -> bool {
        (!self.spec.optional || self.all_optional) && is_series(self.spec)
    }

    /// The leading dimension: the number of steps, if this is a series.
    pub(crate) fn leading(&self) -> usize {
        self.value.dims.first().copied().unwrap_or(0)
    }
}

/// True for ports whose values may come as a series: one number per unit, and no mask.
pub(crate) fn is_series(spec: &PortSpecs) -> bool {
    spec.axes.len() == 1 && !is_mask(spec.payload)
}

/// One way to read a port's tensors.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Reading {
    /// The leading dimension is time.
    pub(crate) series: bool,
    /// The spikes are over synapses.
    pub(crate) asynchronous: bool,
    /// The mask has a time axis, too.
    pub(crate) mask_series: bool,
}

/// The shape of the population as the ports over it show it, where the configuration does not say.
pub(crate) fn population(matched: &[Matched<'_>]) -> Option<Vec<usize>> {
    let over_units = matched.iter().find(|m| m.decides() && m.spec.axes == [Axis::UNITS])?;
    let dims = &over_units.value.dims;
    Some(if dims.len() > 1 { dims[1..].to_vec() } else { dims.clone() })
}

/// Every way to read the tensors of a port, whatever the number of steps.
pub(crate) fn readings_of(
    m: &Matched<'_>,
    all: &[Matched<'_>],
    units: Option<&[usize]>,
    forced: bool,
) -> Result<Vec<Reading>> {
    let dims = &m.value.dims;
    let rank = if forced { 2 } else { m.spec.axes.len().max(1) };
    let mut readings = Vec::new();
    for series in [false, true] {
        if series && dims.len() <= rank {
            continue;
        }
        let values = if series { &dims[1..] } else { &dims[..] };
        let Some(mask) = m.mask else {
            // A mask port has a time axis only if it looks just like the series it selects from.
            let peer = |other: &Matched<'_>| other.decides() && other.value.dims == *dims;
            if !(series && is_mask(m.spec.payload)) || all.iter().any(peer) {
                readings.push(Reading { series, asynchronous: forced, mask_series: false });
            }
            continue;
        };
        let in_time = series && mask.dims.len() > 1 && mask.dims[0] == dims[0];
        for mask_series in [false, true].into_iter().take(if in_time { 2 } else { 1 }) {
            let mask = if mask_series { &mask.dims[1..] } else { &mask.dims[..] };
            let over_synapses = units.map_or(forced && values.ends_with(mask), |u| [u, mask].concat() == *values);
            if over_synapses || (forced && values == mask) {
                readings.push(Reading { series, asynchronous: true, mask_series });
            } else if values == mask {
                readings.push(Reading { series, asynchronous: false, mask_series });
            }
        }
    }
    if let (true, Some(mask)) = (readings.is_empty(), m.mask) {
        let message = format!("a mask of {} does not fit spikes of {}", dims_text(&mask.dims), dims_text(dims));
        let help = "a mask has the dimensions of the spikes of one step, or of the inputs for spikes over synapses";
        return Err(Error::new(message).at(mask.name.as_str()).help(help));
    }
    Ok(readings)
}

/// The number of steps that the series share.
pub(crate) fn common_steps(matched: &[Matched<'_>], readings: &[Vec<Reading>]) -> Result<usize> {
    let certain = |(m, r): &(&Matched<'_>, &Vec<Reading>)| {
        !r.is_empty() && r.iter().all(|r| r.series) && (m.mask.is_some() || m.decides())
    };
    let possible = |(m, r): &(&Matched<'_>, &Vec<Reading>)| m.decides() && r.iter().any(|r| r.series);
    let pairs = || matched.iter().zip(readings);
    let mut series: Vec<&Matched<'_>> = pairs().filter(certain).map(|(m, _)| m).collect();
    if series.is_empty() {
        series = pairs().filter(possible).map(|(m, _)| m).collect();
    }
    let Some(first) = series.first() else {
        let error = Error::new("no tensor has a time axis, so the number of steps is not known");
        return Err(error.help("say it with --steps; a series has time as its leading dimension"));
    };
    let steps = first.leading();
    if let Some(other) = series.iter().find(|m| m.leading() != steps) {
        return Err(disagreement(other, first.leading(), &format!("`{}` has", first.value.name)));
    }
    if steps == 0 {
        return Err(Error::new("a series of 0 steps").at(first.value.name.as_str()).help("give at least one step"));
    }
    Ok(steps)
}

fn disagreement(m: &Matched<'_>, steps: usize, who: &str) -> Error {
    let dims = dims_text(&m.value.dims);
    let message = format!("dimensions {dims}: a series of {} steps, where {who} {steps}", m.leading());
    let help =
        format!("if `{0}` is the same in every step, say --constant {0}; --steps sets the number of steps", m.port);
    Error::new(message).at(m.value.name.as_str()).help(help)
}

/// The reading that agrees with the number of steps.
pub(crate) fn choose(m: &Matched<'_>, readings: &[Reading], steps: usize, given: bool) -> Result<Reading> {
    let leading = m.leading();
    let series = readings.iter().copied().find(|r| r.series);
    let constant = readings.iter().copied().find(|r| !r.series);
    let who = if given { "--steps says" } else { "the others have" };
    match (series, constant) {
        (Some(_), Some(_)) if m.mask.is_some() && (!given || leading > steps) => {
            let message = format!("dimensions {} could be a series or a constant", dims_text(&m.value.dims));
            let help = format!("say which: --steps {leading} or --constant {}", m.port);
            Err(Error::new(message).at(m.value.name.as_str()).help(help))
        }
        (Some(series), _) if leading == steps => Ok(series),
        (Some(series), None) if given && leading > steps => Ok(series),
        (Some(_), None) => Err(disagreement(m, steps, who)),
        (Some(_), Some(constant)) if m.mask.is_some() || !m.decides() => Ok(constant),
        (Some(series), Some(_)) if given && leading > steps => Ok(series),
        (Some(_), Some(_)) => Err(disagreement(m, steps, who)),
        (None, Some(constant)) => Ok(constant),
        (None, None) => {
            let message = format!("dimensions {} cannot be read as a constant", dims_text(&m.value.dims));
            Err(Error::new(message).at(m.value.name.as_str()).help(format!("leave out --constant {}", m.port)))
        }
    }
}

fn dims_text(dims: &[usize]) -> String {
    let text: Vec<String> = dims.iter().map(ToString::to_string).collect();
    if text.is_empty() { "()".into() } else { text.join("x") }
}

fn is_mask(kind: &PayloadKind) -> bool {
    kind == BooleanMask::KIND || kind == IntegerMask::KIND
}
