//! A brain of a feed-forward and a recurrent pool: a signal becomes spikes, the first pool hears only these, the second hears
//! the first, itself and an inhibitory pool, and an integrator reads it out. Draws who spikes when and prints rates.
//!
//! `cargo run --release --example recurrent_brain`

use plotters::prelude::{BLACK, ChartBuilder, Circle, Color, IntoDrawingArea, RGBColor, SVGBackend, WHITE};
use spark::config::ConfigTree;
use spark::controller::BrainConfig;
use spark::prelude::*;

const SIGNALS: usize = 40;
const STEPS: usize = 1000;
/// Colours of the pools.
const COLORS: [RGBColor; 3] = [RGBColor(150, 150, 150), RGBColor(31, 95, 168), RGBColor(205, 70, 40)];
/// Pools: name, neurons, share of inhibitory ones.
const POOLS: [(&str, usize, f64); 3] = [("feedforward", 60, 0.0), ("recurrent", 80, 0.0), ("inhibitory", 20, 1.0)];

/// A pool without plasticity whose weights are drawn from 0 to `scale` pA.
fn pool((_, units, inhibitory_rate): (&str, usize, f64), neuron: &str, scale: f64) -> Result<ConfigTree> {
    let mut pool = ConfigTree::new(neuron).with("units", [units]).with("inhibitory_rate", inhibitory_rate);
    pool.set("synapses.kernel", SparseUniform::default().with_scale(scale).with_density(0.3))?;
    pool.set("hebbian_rule.eta", 0.0)?;
    Ok(pool)
}

fn brain() -> Result<BrainConfig> {
    Brain::builder()
        .seed(11)
        .input("signal")
        .module("spiker", PoissonSpikerConfig::default().with_max_freq(60.0))
        .module(POOLS[0].0, pool(POOLS[0], "LIFNeuronConfig", 1100.0)?)
        .module(POOLS[1].0, pool(POOLS[1], "ALIFNeuronConfig", 260.0)?)
        .module(POOLS[2].0, pool(POOLS[2], "LIFNeuronConfig", 700.0)?)
        .module("integrator", ExponentialIntegratorConfig::new(2_usize))
        .connect("signal", "spiker.signal")
        .connect("spiker.spikes", "feedforward.in_spikes")
        // Several sources of one port: the spikes of the first pool, its own of the step before, and inhibition.
        .connect(["feedforward.out_spikes", "recurrent.out_spikes", "inhibitory.out_spikes"], "recurrent.in_spikes")
        .connect("recurrent.out_spikes", "inhibitory.in_spikes")
        .connect("recurrent.out_spikes", "integrator.spikes")
        .output("feedforward", "feedforward.out_spikes")
        .output("recurrent", "recurrent.out_spikes")
        .output("inhibitory", "inhibitory.out_spikes")
        .output("action", "integrator.signal")
        .build()
}

/// Runs the brain on a signal that comes and goes.
///
/// # Errors
/// If the model has a mistake, or the plot cannot be written.
pub(crate) fn main() -> Result<()> {
    let mut model = Model::component(brain()?).input("signal", [SIGNALS]).build()?;
    let mut spikes = POOLS.map(|_| Vec::new());
    let mut action = Vec::new();
    for step in 0..STEPS {
        let level = if (step / 250) % 2 == 0 { 0.9 } else { 0.1 };
        let outputs = model.step(&[("signal", vec![level as f32; SIGNALS].into())])?;
        for ((name, ..), events) in POOLS.iter().zip(&mut spikes) {
            let fired = outputs.spikes(name)?;
            events.extend(fired.iter().enumerate().filter(|(_, fired)| **fired).map(|(unit, _)| (step, unit)));
        }
        action = outputs.get("action")?.value().to_f64();
    }
    for ((name, units, _), events) in POOLS.iter().zip(&spikes) {
        let rate = |on: bool| {
            let count = events.iter().filter(|(step, _)| ((step / 250) % 2 == 0) == on).count();
            count as f64 / *units as f64 / (STEPS as f64 / 2.0 * 1e-3)
        };
        println!("{name:<12} {:>6.1} Hz with the signal, {:>6.1} Hz without", rate(true), rate(false));
    }
    println!("action at the end: {action:.3?}");
    let sizes = POOLS.map(|(name, units, _)| (name, units));
    let path = "spark-output/recurrent_brain.svg";
    std::fs::create_dir_all("spark-output")
        .map_err(|e| e.to_string())
        .and_then(|()| raster(path, &sizes, &spikes).map_err(|e| e.to_string()))
        .map_err(|e| Error::new(format!("cannot write {path}: {e}")))?;
    println!("who spikes when: {path}");
    Ok(())
}

/// Draws the spikes (step and neuron) of pools (name and size): one dot per spike, one colour per pool.
fn raster(
    path: &str,
    pools: &[(&str, usize)],
    spikes: &[Vec<(usize, usize)>],
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::new(path, (900, 460)).into_drawing_area();
    area.fill(&WHITE)?;
    let total: usize = pools.iter().map(|(_, size)| size).sum();
    let mut chart = ChartBuilder::on(&area)
        .caption("Spikes of three pools", ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(38)
        .y_label_area_size(52)
        .build_cartesian_2d(0..STEPS, 0..total)?;
    chart.configure_mesh().disable_mesh().x_desc("Time (ms)").y_desc("Neuron").draw()?;
    let mut below = 0;
    for (((name, size), events), color) in pools.iter().zip(spikes).zip(COLORS) {
        let dots = events.iter().map(|(step, unit)| Circle::new((*step, below + unit), 1, color.filled()));
        let legend = move |(x, y)| Circle::new((x + 8, y), 3, color.filled());
        chart.draw_series(dots)?.label(*name).legend(legend);
        below += size;
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.9)).border_style(BLACK.mix(0.3)).draw()?;
    area.present()?;
    Ok(())
}
