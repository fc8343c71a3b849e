//! The phases of theta neurons, drawn.

use super::theta::ThetaSomaConfig;
use plotters::prelude::*;
use spark::prelude::*;
use std::f64::consts::PI;

const CURRENTS: [f32; 3] = [90.0, 150.0, 300.0];
const DT: f64 = 0.1;
const STEPS: usize = 1500;

/// Draws the phases of neurons with constant currents as an SVG file.
///
/// # Errors
/// If the model has a mistake, or the file cannot be written.
pub fn run() -> Result<()> {
    let mut model = Model::component(ThetaSomaConfig::default().with_dt(DT)).input("current", [3]).build()?;
    let mut phases = Vec::new();
    for _ in 0..STEPS {
        model.step(&[("current", CURRENTS.as_slice().into())])?;
        phases.push(model.state("phase")?.to_f64());
    }
    let path = "spark-output/theta.svg";
    std::fs::create_dir_all("spark-output")
        .map_err(|e| e.to_string())
        .and_then(|()| draw(path, &phases).map_err(|e| e.to_string()))
        .map_err(|e| Error::new(format!("cannot write {path}: {e}")))?;
    println!("the phases are in {path}");
    Ok(())
}

fn draw(path: &str, phases: &[Vec<f64>]) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::new(path, (900, 340)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("Theta neurons", ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(38)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..STEPS as f64 * DT, -PI..PI)?;
    chart.configure_mesh().disable_mesh().x_desc("Time (ms)").y_desc("Phase (rad)").draw()?;
    let colors = [RGBColor(150, 150, 150), RGBColor(31, 95, 168), RGBColor(205, 70, 40)];
    for (unit, (current, color)) in CURRENTS.iter().zip(colors).enumerate() {
        let points = phases.iter().enumerate().map(|(step, phase)| (step as f64 * DT, phase[unit]));
        chart
            .draw_series(LineSeries::new(points, &color))?
            .label(format!("{current} pA"))
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color));
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.9)).border_style(BLACK.mix(0.3)).draw()?;
    area.present()?;
    Ok(())
}
