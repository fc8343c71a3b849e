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
    let ink = |size: u32| ("sans-serif", size).into_font().color(&INK);
    area.draw(&Text::new("CartPole-v1: steps the pole stays up", (72, 14), ink(20)))?;
    // The legend stands in the header, where it covers no data.
    let (_, body) = area.split_vertically(66);
    let mut left = 72;
    let mut legend = |name: String, color: RGBColor, width: u32| {
        area.draw(&PathElement::new([(left, 52), (left + 18, 52)], color.stroke_width(width)))?;
        area.draw(&Text::new(name.as_str(), (left + 25, 45), ink(14)))?;
        left += 25 + 8 * name.len() as i32 + 18;
        std::result::Result::<(), Box<dyn std::error::Error>>::Ok(())
    };

    let episodes = runs.iter().map(|run| run.lengths.len()).max().unwrap_or(0).max(2) as f64;
    let mut chart = ChartBuilder::on(&body)
        .margin(14)
        .margin_top(0)
        .x_label_area_size(42)
        .y_label_area_size(58)
        .build_cartesian_2d(1.0..episodes, 0.0..TIME_LIMIT as f64)?;
    let mut mesh = chart.configure_mesh();
    mesh.disable_x_mesh().bold_line_style(RGBColor(230, 230, 230)).light_line_style(TRANSPARENT);
    mesh.axis_style(INK.mix(0.6)).label_style(ink(13));
    mesh.x_label_formatter(&|episode| format!("{episode:.0}")).y_label_formatter(&|length| format!("{length:.0}"));
    mesh.x_desc("Episode").y_desc("Moving average of the length (0.8/0.2)").draw()?;

    let numbered = |averages: Vec<f64>| averages.into_iter().enumerate().map(|(i, average)| (i as f64 + 1.0, average));
    for (learns, color, name) in [(true, LEARNING, "learning"), (false, ABLATED, "third factor held at zero")] {
        let runs: Vec<&Run> = runs.iter().filter(|run| run.learns == learns).collect();
        for run in &runs {
            chart.draw_series(LineSeries::new(numbered(run.averages()), color.mix(0.4).stroke_width(1)))?;
        }
        if !runs.is_empty() {
            chart.draw_series(LineSeries::new(numbered(median(&runs)), color.stroke_width(3)))?;
            legend(format!("{name}: {} brains, median thick", runs.len()), color, 3)?;
        }
    }
    let threshold = [(1.0, LEARNED), (episodes, LEARNED)];
    chart.draw_series(DashedLineSeries::new(threshold, 6, 4, INK.stroke_width(1)))?;
    legend(format!("learned (dashed): above {LEARNED}"), INK, 1)?;
    area.present()?;
    Ok(())
}
