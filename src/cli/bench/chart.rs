//! Curves over logarithmic axes, as SVG text: the step's time over the rate or the number of neurons.

use crate::cli::plot::{Area, Drawn, GRID, INDENT, INK, LEFT, MARGIN, font, svg};
use plotters::prelude::*;
use spark::error::Result;

/// How a curve is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stroke {
    /// A line through filled circles: what was measured of Spark.
    Solid,
    /// A line through open circles.
    Dashed,
    /// A thin line: bounds.
    Dotted,
    /// Squares alone: another simulator.
    Squares,
}

/// A curve.
pub(super) struct Curve {
    pub(super) name: String,
    pub(super) color: RGBColor,
    pub(super) stroke: Stroke,
    pub(super) points: Vec<(f64, f64)>,
}

/// What stands at an axis.
pub(super) struct AxisText {
    pub(super) describe: &'static str,
    /// Ticks are at powers of this.
    pub(super) base: f64,
}

/// Height of a line of the legend, in pixels.
const LINE: i32 = 20;
/// Height of the axes.
const BODY: u32 = 460;

/// Curves with a legend above them. There must be a point with positive coordinates.
///
/// # Errors
/// If drawing fails.
pub(super) fn chart(title: &str, x: &AxisText, y: &AxisText, curves: &[Curve]) -> Result<String> {
    let rows = curves.len().div_ceil(2) as u32;
    let header = 44 + rows * LINE as u32;
    svg(header + BODY, title, |area| {
        legend(area, curves, rows as i32)?;
        let (_, body) = area.split_vertically(header);
        axes(&body, x, y, curves)
    })
}

/// Samples of the curves with names, in two columns below the title.
fn legend(area: &Area<'_>, curves: &[Curve], rows: i32) -> Drawn {
    for (i, curve) in (0..).zip(curves) {
        let (left, top) = (INDENT + i / rows * 460, 44 + i % rows * LINE);
        let (from, to) = ((left, top + 8), (left + 34, top + 8));
        match curve.stroke {
            Stroke::Solid => {
                area.draw(&PathElement::new([from, to], curve.color.stroke_width(2)))?;
                area.draw(&Circle::new((left + 17, top + 8), 4, curve.color.filled()))?;
            }
            Stroke::Dashed => {
                for x in [0, 12, 24] {
                    area.draw(&PathElement::new(
                        [(left + x, top + 8), (left + x + 8, top + 8)],
                        curve.color.stroke_width(2),
                    ))?;
                }
            }
            Stroke::Dotted => {
                for x in (0..34).step_by(6) {
                    area.draw(&Circle::new((left + x + 2, top + 8), 1, curve.color.filled()))?;
                }
            }
            Stroke::Squares => {
                area.draw(&Rectangle::new([(left + 12, top + 3), (left + 22, top + 13)], curve.color.filled()))?;
            }
        }
        area.draw(&Text::new(curve.name.clone(), (left + 42, top + 1), font(14).color(&INK)))?;
    }
    Ok(())
}

/// The range of positive values, a little wider.
fn range(values: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
    let positive = values.filter(|v| *v > 0.0);
    let (low, high) = positive.fold((f64::INFINITY, 0.0), |(low, high), v| (f64::min(low, v), f64::max(high, v)));
    if low > high { 0.1..1.0 } else { low / 1.3..high * 1.3 }
}

/// A number with as many digits as it needs.
fn short(value: &f64) -> String {
    let digits = if *value < 0.095 { 2 } else { usize::from(*value < 0.95) };
    format!("{value:.digits$}")
}

fn axes(area: &Area<'_>, x: &AxisText, y: &AxisText, curves: &[Curve]) -> Drawn {
    let points = || curves.iter().flat_map(|curve| curve.points.iter());
    let (xs, ys) = (range(points().map(|p| p.0)), range(points().map(|p| p.1)));
    let mut chart = ChartBuilder::on(area)
        .margin_left(MARGIN)
        .margin_right(MARGIN + 8)
        .margin_top(12)
        .margin_bottom(6)
        .y_label_area_size(LEFT + 16)
        .x_label_area_size(46)
        .build_cartesian_2d(xs.log_scale().base(x.base), ys.log_scale().base(y.base))?;
    let mut mesh = chart.configure_mesh();
    mesh.bold_line_style(GRID).light_line_style(TRANSPARENT).axis_style(INK.mix(0.6));
    mesh.label_style(font(13).color(&INK)).axis_desc_style(font(14).color(&INK));
    mesh.x_desc(x.describe).y_desc(y.describe).x_label_formatter(&short).y_label_formatter(&short);
    mesh.x_labels(9).y_labels(9).draw()?;
    for curve in curves {
        let points = || curve.points.iter().copied().filter(|(x, y)| *x > 0.0 && *y > 0.0);
        let color = curve.color;
        match curve.stroke {
            Stroke::Solid => {
                chart.draw_series(LineSeries::new(points(), color.stroke_width(2)))?;
                chart.draw_series(points().map(|at| Circle::new(at, 4, color.filled())))?;
            }
            Stroke::Dashed => {
                chart.draw_series(DashedLineSeries::new(points(), 8, 5, color.stroke_width(2)))?;
            }
            Stroke::Dotted => {
                let dot = move |at| Circle::new(at, 1, color.filled());
                chart.draw_series(DottedLineSeries::new(points(), 0, 6, dot))?;
            }
            Stroke::Squares => {
                chart.draw_series(
                    points().map(|at| EmptyElement::at(at) + Rectangle::new([(-5, -5), (5, 5)], color.filled())),
                )?;
            }
        }
    }
    Ok(())
}
