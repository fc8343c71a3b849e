//! The learning curves, drawn.

use super::environment::TIME_LIMIT;
use super::training::{LEARNED, Run, median};
use plotters::prelude::*;
use spark::prelude::*;

/// Brains that learn.
const LEARNING: RGBColor = RGBColor(31, 95, 168);
/// Brains that cannot.
const ABLATED: RGBColor = RGBColor(205, 70, 40);
/// Text, axes and the threshold.
const INK: RGBColor = RGBColor(60, 60, 60);

/// The average episode length of every run, thin, and their medians, thick, as SVG text.
///
/// # Errors
/// If drawing fails.
pub(crate) fn curves(runs: &[Run]) -> Result<String> {
    let mut text = String::new();
    draw(&mut text, runs).map_err(|e| Error::new(format!("cannot draw the learning curves: {e}")))?;
    Ok(text)
}

fn draw(text: &mut String, runs: &[Run]) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::with_string(text, (1000, 430)).into_drawing_area();
    area.fill(&WHITE)?;
    let episodes = runs.iter().map(|run| run.lengths.len()).max().unwrap_or(0).max(2) as f64;
    let mut chart = ChartBuilder::on(&area)
        .caption("CartPole-v1: steps the pole stays up", ("sans-serif", 20).into_font().color(&INK))
        .margin(14)
        .x_label_area_size(42)
        .y_label_area_size(58)
        .build_cartesian_2d(1.0..episodes, 0.0..TIME_LIMIT as f64)?;
    let mut mesh = chart.configure_mesh();
    mesh.disable_x_mesh().bold_line_style(RGBColor(230, 230, 230)).light_line_style(TRANSPARENT);
    mesh.axis_style(INK.mix(0.6)).label_style(("sans-serif", 13).into_font().color(&INK));
    mesh.x_label_formatter(&|episode| format!("{episode:.0}")).y_label_formatter(&|length| format!("{length:.0}"));
    mesh.x_desc("Episode").y_desc("Moving average of the length (0.8/0.2)").draw()?;
    let numbered = |averages: Vec<f64>| averages.into_iter().enumerate().map(|(i, average)| (i as f64 + 1.0, average));
    for (learns, color, name) in [(false, ABLATED, "third factor held at zero"), (true, LEARNING, "learning")] {
        let runs: Vec<&Run> = runs.iter().filter(|run| run.learns == learns).collect();
        for run in &runs {
            chart.draw_series(LineSeries::new(numbered(run.averages()), color.mix(0.4).stroke_width(1)))?;
        }
        if !runs.is_empty() {
            chart
                .draw_series(LineSeries::new(numbered(median(&runs)), color.stroke_width(3)))?
                .label(format!("{name}: {} brains, and their median", runs.len()))
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color.stroke_width(3)));
        }
    }
    chart
        .draw_series(DashedLineSeries::new([(1.0, LEARNED), (episodes, LEARNED)], 6, 4, INK.stroke_width(1)))?
        .label(format!("learned: {LEARNED}"))
        .legend(|(x, y)| PathElement::new([(x, y), (x + 16, y)], INK));
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .label_font(("sans-serif", 14).into_font().color(&INK))
        .background_style(WHITE.mix(0.85))
        .draw()?;
    area.present()?;
    Ok(())
}
