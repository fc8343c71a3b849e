//! The plots of the shipped example, as SVG text.
//!
//! [`raster`] shows who spikes when, the input above, the output below it, and their population rates; [`membrane`] the
//! membrane potential of a few neurons. Legends stand in the header, above the axes, so that they never cover data.

use plotters::coord::Shift;
use plotters::prelude::*;
use spark::error::{Error, Result};

/// Excitatory neurons.
pub(super) const EXCITATORY: RGBColor = RGBColor(31, 95, 168);
/// Inhibitory neurons.
pub(super) const INHIBITORY: RGBColor = RGBColor(205, 70, 40);
/// Text, axes and the threshold.
pub(super) const INK: RGBColor = RGBColor(60, 60, 60);
/// The input's rate.
const MUTED: RGBColor = RGBColor(150, 150, 150);
/// Grid lines.
pub(super) const GRID: RGBColor = RGBColor(230, 230, 230);

/// Width of a plot, in pixels.
const WIDTH: u32 = 1000;
/// Space left of the axes, for numbers and their description.
pub(super) const LEFT: u32 = 60;
/// Space around everything.
pub(super) const MARGIN: u32 = 14;

/// Where text begins, from the left.
pub(super) const INDENT: i32 = (LEFT + MARGIN) as i32 + 8;

/// The spikes of a population.
pub(crate) struct Spikes {
    /// Step and neuron of each spike.
    pub(crate) events: Vec<(usize, usize)>,
    /// True for inhibitory neurons.
    pub(crate) inhibitory: Vec<bool>,
}

/// A neuron's membrane potential.
pub(crate) struct Trace {
    /// The neuron.
    pub(crate) neuron: usize,
    /// True if it is inhibitory.
    pub(crate) inhibitory: bool,
    /// Potential relative to rest after each step, in mV.
    pub(crate) potential: Vec<f64>,
    /// Steps at which it spikes.
    pub(crate) spikes: Vec<usize>,
}

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Drawn<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The raster of input and output, and their population rates; `dt` is in ms.
///
/// # Errors
/// If drawing fails.
pub(crate) fn raster(title: &str, input: &Spikes, output: &Spikes, steps: usize, dt: f64) -> Result<String> {
    svg(870, title, |area| {
        legend(area, &[("excitatory", EXCITATORY), ("inhibitory", INHIBITORY), ("input rate (line, bottom)", MUTED)])?;
        let (_, body) = area.split_vertically(64);
        let (first, rest) = body.split_vertically(330);
        let (second, third) = rest.split_vertically(240);
        spikes_panel(&first, "Input neuron", input, steps, dt)?;
        spikes_panel(&second, "Output neuron", output, steps, dt)?;
        rates_panel(&third, input, output, steps, dt)
    })
}

/// The membrane potential of a few neurons; `threshold` is relative to rest, in mV; `dt` is in ms.
///
/// # Errors
/// If drawing fails.
pub(crate) fn membrane(title: &str, traces: &[Trace], threshold: f64, dt: f64) -> Result<String> {
    let height = 150 * traces.len() as u32;
    svg(64 + height + 48, title, |area| {
        legend(
            area,
            &[
                ("excitatory", EXCITATORY),
                ("inhibitory", INHIBITORY),
                ("threshold (dashed); ticks above it are spikes", INK),
            ],
        )?;
        let (_, body) = area.split_vertically(64);
        let values = || traces.iter().flat_map(|t| t.potential.iter().copied());
        let low = values().fold(0.0, f64::min);
        let top = values().fold(threshold, f64::max);
        let range = (low - 0.05 * (top - low))..(top + 0.45 * (top - low));
        let mut rest = body;
        for (i, trace) in traces.iter().enumerate() {
            let last = i + 1 == traces.len();
            let (panel, below) = rest.split_vertically(if last { 198 } else { 150 });
            membrane_panel(&panel, trace, range.clone(), threshold, dt, last)?;
            rest = below;
        }
        Ok(())
    })
}

/// An SVG with a title, drawn by `draw`.
pub(super) fn svg(height: u32, title: &str, draw: impl FnOnce(&Area<'_>) -> Drawn) -> Result<String> {
    let mut text = String::new();
    let all = || -> Drawn {
        let area = SVGBackend::with_string(&mut text, (WIDTH, height)).into_drawing_area();
        area.fill(&WHITE)?;
        area.draw(&Text::new(title, (INDENT, 14), font(20).style(FontStyle::Bold).color(&INK)))?;
        draw(&area)?;
        area.present()?;
        Ok(())
    };
    all().map_err(|e| Error::new(format!("cannot draw: {e}")))?;
    Ok(text)
}

pub(super) fn font(size: u32) -> FontDesc<'static> {
    ("sans-serif", size).into_font()
}

/// Coloured squares with names, side by side below the title.
fn legend(area: &Area<'_>, entries: &[(&str, RGBColor)]) -> Drawn {
    let mut x = INDENT;
    for (name, color) in entries {
        area.draw(&Rectangle::new([(x, 45), (x + 11, 56)], color.filled()))?;
        area.draw(&Text::new(*name, (x + 17, 43), font(14).color(&INK)))?;
        x += 17 + 8 * name.len() as i32 + 18;
    }
    Ok(())
}

/// The axes of a panel: time in ms below if `time` says so, `describe` at the left.
macro_rules! axes {
    ($area:expr, $x:expr, $y:expr, $describe:expr, $time:expr) => {{
        let mut chart = ChartBuilder::on($area)
            .margin_left(MARGIN)
            .margin_right(MARGIN + 8)
            .margin_top(8)
            .y_label_area_size(LEFT)
            .x_label_area_size(if $time { 46 } else { 8 })
            .margin_bottom(if $time { 6 } else { 0 })
            .build_cartesian_2d($x, $y)?;
        let rounded = |y: &f64| format!("{y:.0}");
        let times = |x: &f64| if $time { format!("{x:.0}") } else { String::new() };
        let mut mesh = chart.configure_mesh();
        mesh.disable_x_mesh().bold_line_style(GRID).light_line_style(TRANSPARENT).axis_style(INK.mix(0.6));
        mesh.label_style(font(13).color(&INK)).axis_desc_style(font(14).color(&INK));
        mesh.y_desc($describe).y_labels(5).x_labels(9).y_label_formatter(&rounded);
        mesh.x_label_formatter(&times);
        if $time {
            mesh.x_desc("Time (ms)");
        }
        mesh.draw()?;
        chart
    }};
}

fn color(inhibitory: bool) -> RGBColor {
    if inhibitory { INHIBITORY } else { EXCITATORY }
}

fn spikes_panel(area: &Area<'_>, describe: &str, spikes: &Spikes, steps: usize, dt: f64) -> Drawn {
    let neurons = spikes.inhibitory.len() as f64;
    let mut chart = axes!(area, 0.0..steps as f64 * dt, 0.0..neurons, describe, false);
    chart.draw_series(spikes.events.iter().map(|&(step, neuron)| {
        let (x, y) = (step as f64 * dt, neuron as f64);
        let inhibitory = spikes.inhibitory.get(neuron).copied().unwrap_or(false);
        PathElement::new(vec![(x, y + 0.05), (x, y + 0.95)], color(inhibitory).stroke_width(2))
    }))?;
    Ok(())
}

/// Spikes per second and neuron, in bins of about a fortieth of the run.
fn rates(spikes: &Spikes, inhibitory: Option<bool>, steps: usize, bin: usize, dt: f64) -> Vec<f64> {
    let counts = |neuron: usize| inhibitory.is_none_or(|only| spikes.inhibitory.get(neuron) == Some(&only));
    let neurons = (0..spikes.inhibitory.len()).filter(|&neuron| counts(neuron)).count().max(1);
    let mut rates = vec![0.0; steps.div_ceil(bin)];
    for &(step, _) in spikes.events.iter().filter(|(_, neuron)| counts(*neuron)) {
        let first = step / bin * bin;
        let seconds = (steps - first).min(bin) as f64 * dt / 1e3;
        rates[step / bin] += 1.0 / (seconds * neurons as f64);
    }
    rates
}

fn rates_panel(area: &Area<'_>, input: &Spikes, output: &Spikes, steps: usize, dt: f64) -> Drawn {
    let bin = (steps / 40).max(1);
    let of_input = rates(input, None, steps, bin, dt);
    let groups =
        [(false, rates(output, Some(false), steps, bin, dt)), (true, rates(output, Some(true), steps, bin, dt))];
    let all = of_input.iter().chain(groups.iter().flat_map(|(_, rates)| rates));
    let top = all.fold(1.0, |top: f64, &rate| top.max(rate)) * 1.25;
    let mut chart = axes!(area, 0.0..steps as f64 * dt, 0.0..top, "Rate (Hz)", true);
    let edge = |i: usize| (i * bin).min(steps) as f64 * dt;
    for (inhibitory, rates) in groups {
        // The two groups stand side by side in each bin.
        chart.draw_series(rates.iter().enumerate().map(|(i, &rate)| {
            let (left, right) = (edge(i), edge(i + 1));
            let (from, to) = if inhibitory { (0.5, 0.9) } else { (0.1, 0.5) };
            let at = |share: f64| left + share * (right - left);
            Rectangle::new([(at(from), 0.0), (at(to), rate)], color(inhibitory).mix(0.85).filled())
        }))?;
    }
    let stairs = of_input.iter().enumerate().flat_map(|(i, &rate)| [(edge(i), rate), (edge(i + 1), rate)]);
    chart.draw_series(LineSeries::new(stairs, MUTED.stroke_width(2)))?;
    let note = format!("population rate per neuron, in bins of {} ms", bin as f64 * dt);
    area.draw(&Text::new(note, (INDENT, 10), font(13).color(&INK)))?;
    Ok(())
}

fn membrane_panel(
    area: &Area<'_>,
    trace: &Trace,
    range: std::ops::Range<f64>,
    threshold: f64,
    dt: f64,
    last: bool,
) -> Drawn {
    let end = trace.potential.len() as f64 * dt;
    let height = range.end - range.start;
    let mut chart = axes!(area, 0.0..end, range.clone(), "V − rest (mV)", last);
    chart.draw_series(DashedLineSeries::new([(0.0, threshold), (end, threshold)], 6, 4, INK.stroke_width(1)))?;
    let color = color(trace.inhibitory);
    let points = trace.potential.iter().enumerate().map(|(step, &v)| (step as f64 * dt, v));
    chart.draw_series(LineSeries::new(points, color.stroke_width(1)))?;
    let (low, high) = (threshold + 0.05 * height, threshold + 0.15 * height);
    chart.draw_series(trace.spikes.iter().map(|&step| {
        let x = step as f64 * dt;
        PathElement::new(vec![(x, low), (x, high)], color.stroke_width(2))
    }))?;
    let kind = if trace.inhibitory { "inhibitory" } else { "excitatory" };
    let name = format!("neuron {} ({kind}), {} spikes", trace.neuron, trace.spikes.len());
    area.draw(&Text::new(name, (INDENT, 11), font(13).color(&INK)))?;
    Ok(())
}
