//! `spark` without a command: a shipped neuron, run and plotted.
//!
//! 48 leaky integrate-and-fire neurons with delayed plastic synapses (`examples/lif`) receive the spikes of 80 inputs for
//! 400 steps. Both files are part of the program, so it runs anywhere. Out: times and firing rates in print, and two SVG
//! plots.

use super::inputs::{self, Hints};
use super::plot::{self, Spikes, Trace};
use super::run::{dt_of, simulate};
use super::tensors::TensorFile;
use super::{ms, print};
use clap::Args;
use spark::atomic;
use spark::config::{ConfigTree, FieldType};
use spark::error::{Error, Result};
use spark::model::{Blueprint, Model};
use spark::scfg;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The shipped model.
const MODEL: &[u8] = include_bytes!("../../examples/lif/neuron_lif.scfg");
/// Its inputs.
const INPUT: &[u8] = include_bytes!("../../examples/lif/input.safetensors");

/// Names of the shipped model's ports and state.
const IN_SPIKES: &str = "in_spikes";
const OUT_SPIKES: &str = "out_spikes";
const POTENTIAL: &str = "soma.potential";

/// The arguments of `spark demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The folder of the plots
    #[arg(long, short, value_name = "FOLDER", default_value = "spark-output")]
    output: PathBuf,
}

impl Default for DemoArgs {
    fn default() -> DemoArgs {
        DemoArgs { output: "spark-output".into() }
    }
}

/// Runs the shipped example, prints what happened and draws it.
///
/// # Errors
/// If the plots cannot be written.
pub(crate) fn demo(args: &DemoArgs) -> Result<()> {
    let config = scfg::parse(MODEL)?;
    let file = TensorFile::parse(INPUT.to_vec())?;
    let blueprint = Blueprint::new(config.clone())?;
    let plan = inputs::plan(&file, &blueprint.inputs(), blueprint.units().as_deref(), &Hints::default())?;
    let mut model = plan.declare(Model::from_tree(config)).build()?;
    let (steps, dt) = (plan.steps, dt_of(&model));

    let mut input = Spikes { events: Vec::new(), inhibitory: Vec::new() };
    let feed = plan.feeds.iter().find(|feed| feed.port == IN_SPIKES).ok_or("the example has no input spikes")?;
    for step in 0..steps {
        let payload = feed.at(&file, step)?;
        input.add(step, &payload.value().to_bool());
        if step == 0 {
            input.inhibitory = payload.inhibition_mask().map_or_else(Vec::new, |mask| mask.to_bool());
        }
    }
    let mut output = Spikes { events: Vec::new(), inhibitory: Vec::new() };
    let mut potentials: Vec<Vec<f64>> = Vec::new();
    let took = simulate(&mut model, &plan, 0..steps, &file, Duration::ZERO, |model, outputs| {
        output.add(potentials.len(), &outputs.spikes(OUT_SPIKES)?);
        if potentials.is_empty() {
            let mask = outputs.get(OUT_SPIKES)?.inhibition_mask();
            output.inhibitory = mask.map_or_else(Vec::new, |mask| mask.to_bool());
        }
        potentials.push(model.state(POTENTIAL)?.to_f64());
        Ok(())
    })?;

    let mut text = format!(
        "{}: {} neurons, {} inputs, {steps} steps of {dt} ms\n",
        model.root().type_name(),
        output.inhibitory.len(),
        input.inhibitory.len()
    );
    text += &rates_text(&output, steps as f64 * dt / 1e3);
    let timings = model.timings();
    text += &format!("  build   {:8.2} ms\n", ms(timings.build));
    text += &format!("  compile {:8.2} ms (and {:.2} ms to trace a step)\n", ms(timings.compile), ms(timings.trace));
    text += &format!("  run     {:8.2} ms, {:.2} us per step\n", ms(took), ms(took) * 1e3 / steps as f64);

    let threshold = threshold(&blueprint).ok_or("the example's soma has no threshold")?;
    let traces = traces(&output, &potentials);
    let title = format!(
        "{}: spikes of {} inputs and {} neurons",
        model.root().type_name(),
        input.inhibitory.len(),
        output.inhibitory.len()
    );
    let raster = plot::raster(&title, &input, &output, steps, dt)?;
    let title = format!("{}: membrane potential of {} neurons", model.root().type_name(), traces.len());
    let membrane = plot::membrane(&title, &traces, threshold, dt)?;
    for (name, svg) in [("raster.svg", raster), ("membrane.svg", membrane)] {
        let path = save(&args.output, name, &svg)?;
        text += &format!("  wrote {}\n", path.display());
    }
    print(&text)
}

impl Spikes {
    fn add(&mut self, step: usize, spikes: &[bool]) {
        self.events.extend(spikes.iter().enumerate().filter(|(_, spike)| **spike).map(|(neuron, _)| (step, neuron)));
    }

    /// Number of neurons and of spikes, of the excitatory or the inhibitory ones.
    fn count(&self, inhibitory: bool) -> (usize, usize) {
        let neurons = self.inhibitory.iter().filter(|&&i| i == inhibitory).count();
        let of = |&&(_, neuron): &&(usize, usize)| self.inhibitory.get(neuron) == Some(&inhibitory);
        (neurons, self.events.iter().filter(of).count())
    }
}

fn rates_text(output: &Spikes, seconds: f64) -> String {
    let rate = |(neurons, spikes): (usize, usize)| spikes as f64 / (neurons.max(1) as f64 * seconds);
    let (excitatory, inhibitory) = (output.count(false), output.count(true));
    let all = (excitatory.0 + inhibitory.0, excitatory.1 + inhibitory.1);
    format!(
        "  {} spikes, {:.2} Hz (excitatory {:.2} Hz, inhibitory {:.2} Hz)\n",
        all.1,
        rate(all),
        rate(excitatory),
        rate(inhibitory)
    )
}

/// The threshold of the soma relative to rest, in mV.
fn threshold(blueprint: &Blueprint) -> Option<f64> {
    let soma = |tree: &ConfigTree| {
        let number = |name: &str| tree.get(name).and_then(|value| f64::from_value(value).ok());
        Some(number("threshold")? - number("potential_rest")?)
    };
    match blueprint {
        Blueprint::Component(_, tree) => soma(tree),
        Blueprint::Neuron(_, config, _) => {
            config.modules_specs.iter().find(|m| m.name == "soma").and_then(|m| soma(&m.config))
        }
        Blueprint::Brain(..) => None,
    }
}

/// Three excitatory neurons and an inhibitory one: those that spike the median number of times, and their like.
fn traces(output: &Spikes, potentials: &[Vec<f64>]) -> Vec<Trace> {
    let mut chosen: Vec<usize> = Vec::new();
    for (inhibitory, wanted) in [(false, 3), (true, 1)] {
        let mut group: Vec<usize> =
            (0..output.inhibitory.len()).filter(|&n| output.inhibitory[n] == inhibitory).collect();
        group.sort_by_key(|&n| output.events.iter().filter(|(_, neuron)| *neuron == n).count());
        // From the middle of the group to its most active neuron.
        let upper = &group[group.len() / 2..];
        let picked =
            (0..wanted.min(upper.len())).map(|i| upper[i * (upper.len() - 1) / wanted.max(2).min(upper.len())]);
        chosen.extend(picked);
    }
    let trace = |neuron: usize| Trace {
        neuron,
        inhibitory: output.inhibitory[neuron],
        potential: potentials.iter().map(|step| step[neuron]).collect(),
        spikes: output.events.iter().filter(|(_, n)| *n == neuron).map(|(step, _)| *step).collect(),
    };
    chosen.into_iter().map(trace).collect()
}

fn save(folder: &Path, name: &str, text: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    let cannot = |e| Error::new(format!("cannot write the plot: {e}")).in_file(&path);
    std::fs::create_dir_all(folder).map_err(cannot)?;
    atomic::write(&path, |out| out.write_all(text.as_bytes()))?;
    Ok(path)
}
