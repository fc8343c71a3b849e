//! The benchmark networks: what is built, what is fed to it, and who counts as a population.
//!
//! `spark-lif`, `spark-alif` and `spark-adex` are the networks of the Python Spark's benchmark: a Poisson spiker drives a pool that
//! also reads itself, every neuron from every one, with delays and Hebbian plasticity. `ab` is the CartPole brain. The `update-*`
//! are neurons without synapses, see [`super::somas`].

use super::somas;
use clap::ValueEnum;
use clap::builder::PossibleValue;
use spark::config::ConfigTree;
use spark::controller::{Blueprint, register_neuron_from_file};
use spark::error::{Error, Result};
use spark::model::ModelBuilder;
use spark::prelude::*;
use spark::scfg;

/// The networks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Network {
    /// A Poisson spiker and a pool of LIF neurons that reads it and itself: delays, Hebbian plasticity
    SparkLif,
    /// The same with ALIF neurons: exponential synapses, adaptive thresholds
    SparkAlif,
    /// The same with AdEx neurons
    SparkAdex,
    /// Spark's CartPole brain: four pools, three-factor quadruplet rule
    Ab,
    /// Refractory leaky integrate-and-fire somas alone
    UpdateLif,
    /// Adaptive exponential somas alone
    UpdateAdex,
    /// Hodgkin-Huxley somas alone
    UpdateHh,
}

/// What `spark bench` takes as its first argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Subject {
    /// A network.
    Network(Network),
    /// What the machine's memory and caches allow.
    Roofline,
}

impl ValueEnum for Subject {
    fn value_variants<'a>() -> &'a [Subject] {
        use Network::{Ab, SparkAdex, SparkAlif, SparkLif, UpdateAdex, UpdateHh, UpdateLif};
        const ALL: [Subject; 8] = [
            Subject::Network(SparkLif),
            Subject::Network(SparkAlif),
            Subject::Network(SparkAdex),
            Subject::Network(Ab),
            Subject::Network(UpdateLif),
            Subject::Network(UpdateAdex),
            Subject::Network(UpdateHh),
            Subject::Roofline,
        ];
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Subject::Network(network) => network.to_possible_value(),
            Subject::Roofline => {
                Some(PossibleValue::new("roofline").help("No network: what this machine's memory and caches allow"))
            }
        }
    }
}

/// What may be chosen of a network.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Settings {
    /// Neurons of the pool, or somas.
    pub(super) neurons: Option<usize>,
    /// Scale of the initial weights.
    pub(super) scale: Option<f64>,
    /// Rate of the Poisson spiker, in Hz.
    pub(super) input_rate: Option<f64>,
}

/// Neurons whose spikes are counted together.
#[derive(Clone, Debug)]
pub(super) struct Population {
    pub(super) name: String,
    /// The output that says who spikes.
    pub(super) output: String,
    /// How many synapses a neuron's spike arrives at.
    pub(super) out_degree: usize,
}

/// A network to run, and what its figures are counted by.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) tree: ConfigTree,
    pub(super) inputs: Vec<(&'static str, HostPayload)>,
    /// States to begin with, where these are not those of the configuration.
    pub(super) states: Vec<(&'static str, Array)>,
    pub(super) populations: Vec<Population>,
    pub(super) neurons: usize,
    pub(super) synapses: usize,
    /// Time step, in ms.
    pub(super) dt: f64,
    /// Scale of the initial weights, of pools.
    pub(super) scale: Option<f64>,
    /// Rate of the Poisson spiker in Hz, of pools.
    pub(super) input_rate: Option<f64>,
    /// Steps of a run: those of the peers' scripts.
    pub(super) steps: u32,
    /// Neurons that the tree uses by a name of their own: the name, a file's name, and what is in it.
    pub(super) registered: &'static [(&'static str, &'static str, &'static [u8])],
}

/// Where the weights of a pool are.
pub(super) const WEIGHTS: &str = "pool.synapses.kernel";
/// The rate at which the spiker of a pool fires, unless another is asked for.
const INPUT_RATE: f64 = 20.0;
/// The rate at a signal of 1.
const LARGEST_RATE: f64 = 100.0;

const AB: &[u8] = include_bytes!("../../../tests/golden/models/ab_brain.scfg");
const ALIF_MOD: &[u8] = include_bytes!("../../../tests/golden/models/alif_mod_neuron.scfg");
/// The neuron that the CartPole brain's file uses by this name.
const ALIF_MOD_NAME: &str = "ALIFModNeuron";

/// A number for each of several numbers of neurons; on straight lines between the logarithms elsewhere.
type Table = [(f64, f64)];

/// Scales of the weights with which a pool fires at about 10 Hz during the steps that are timed. Those of LIF and ALIF neurons up to
/// 2048 are the ones of the Python Spark's benchmark; ALIF and AdEx neurons beyond 4096 go on along the line.
const LIF_SCALES: &Table = &[(128.0, 540.0), (512.0, 165.0), (2048.0, 46.0), (4096.0, 24.0), (8192.0, 12.0)];
const ALIF_SCALES: &Table = &[(128.0, 160.0), (512.0, 45.0), (2048.0, 9.0), (4096.0, 4.65)];
const ADEX_SCALES: &Table =
    &[(128.0, 20.9), (256.0, 12.2), (512.0, 6.95), (1024.0, 3.95), (2048.0, 1.74), (4096.0, 0.9)];
/// Steps of a run of a pool: few for large pools, as in the peers' scripts.
const STEPS: &Table = &[(128.0, 1000.0), (512.0, 200.0), (2048.0, 20.0)];

/// `table` at `neurons`.
fn at(table: &Table, neurons: usize) -> f64 {
    let exact = table.iter().find(|(n, _)| *n == neurons as f64);
    if let Some((_, value)) = exact {
        return *value;
    }
    let x = (neurons as f64).ln();
    let points: Vec<(f64, f64)> = table.iter().map(|(n, value)| (n.ln(), value.ln())).collect();
    let pair = points.windows(2).find(|pair| x <= pair[1].0).unwrap_or(&points[points.len() - 2..]);
    let slope = (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0);
    (pair[0].1 + slope * (x - pair[0].0)).exp()
}

impl Network {
    /// Its name on the command line.
    pub(super) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_string())
    }

    /// True if it is a Poisson spiker and a pool.
    pub(super) fn is_pool(self) -> bool {
        matches!(self, Network::SparkLif | Network::SparkAlif | Network::SparkAdex)
    }

    /// The network as it is to be run.
    ///
    /// # Errors
    /// If a setting has a mistake, or the network has none of this kind.
    pub(super) fn case(self, settings: &Settings) -> Result<Case> {
        if settings.neurons.is_some_and(|n| n == 0 || n > 1 << 24) {
            return Err(Error::new("must be from 1 to 16777216").at("NEURONS"));
        }
        let only_pools = [("--scale", settings.scale.is_some()), ("--input-rate", settings.input_rate.is_some())];
        if let Some((option, _)) = only_pools.iter().find(|(_, given)| *given && !self.is_pool()) {
            let help = "leave it out, or choose spark-lif, spark-alif or spark-adex";
            return Err(Error::new(format!("`{}` has no such setting", self.name())).at(*option).help(help));
        }
        let case = match self {
            Network::SparkLif => pool("LIFNeuronConfig", LIF_SCALES, settings),
            Network::SparkAlif => pool("ALIFNeuronConfig", ALIF_SCALES, settings),
            Network::SparkAdex => pool("AdExNeuronConfig", ADEX_SCALES, settings),
            Network::Ab if settings.neurons.is_some() => {
                Err(Error::new("the CartPole brain has its own number of neurons").at("NEURONS").help("leave it out"))
            }
            Network::Ab => ab(),
            Network::UpdateLif => Ok(somas::lif(settings.neurons)),
            Network::UpdateAdex => Ok(somas::adex(settings.neurons)),
            Network::UpdateHh => Ok(somas::hh(settings.neurons)),
        };
        case.map(|case| Case { name: self.name(), ..case })
    }
}

impl Case {
    /// A builder of the model, with its inputs declared and every population among its outputs.
    pub(super) fn builder(&self) -> ModelBuilder {
        let inputs = self.inputs.iter();
        let builder = inputs.fold(Model::from_tree(self.tree.clone()), |builder, (name, payload)| {
            builder.input(*name, payload.value().dims())
        });
        let inner = self.populations.iter().filter(|population| population.output.contains('.'));
        inner.fold(builder, |builder, population| builder.record(&population.output))
    }
}

/// A Poisson spiker, and a pool that reads it and itself.
fn pool(neuron: &str, scales: &Table, settings: &Settings) -> Result<Case> {
    let neurons = settings.neurons.unwrap_or(512);
    let scale = settings.scale.unwrap_or_else(|| at(scales, neurons));
    if !(scale.is_finite() && scale > 0.0) {
        return Err(Error::new(format!("must be a positive number, found {scale}")).at("--scale"));
    }
    let rate = settings.input_rate.unwrap_or(INPUT_RATE);
    if !(rate > 0.0 && rate <= 1000.0) {
        return Err(Error::new(format!("must be above 0 and at most 1000 Hz, found {rate}")).at("--input-rate"));
    }
    let mut pool = ConfigTree::new(neuron).with("units", [neurons]).with("inhibitory_rate", 0.5);
    pool.set("synapses.kernel.scale", scale)?;
    let brain = Brain::builder()
        .input("signal")
        .module("spiker", PoissonSpikerConfig::default().with_max_freq(LARGEST_RATE).with_seed(1))
        .module("pool", pool.with_new_seeds(2))
        .connect("signal", "spiker.signal")
        .connect(["spiker.spikes", "pool.out_spikes"], "pool.in_spikes")
        .output("spikes", "pool.out_spikes")
        .build()?;
    Ok(Case {
        name: String::new(),
        tree: brain.to_tree(),
        inputs: vec![("signal", vec![(rate / LARGEST_RATE) as f32; neurons].into())],
        states: Vec::new(),
        populations: vec![Population { name: "pool".into(), output: "spikes".into(), out_degree: neurons }],
        neurons,
        synapses: 2 * neurons * neurons,
        dt: 1.0,
        scale: Some(scale),
        input_rate: Some(rate),
        steps: at(STEPS, neurons).round().clamp(20.0, 1000.0) as u32,
        registered: &[],
    })
}

/// Spark's CartPole brain, as its files say.
fn ab() -> Result<Case> {
    let folder = tempfile::tempdir().map_err(|e| Error::new(format!("no temporary folder: {e}")))?;
    let file = folder.path().join("alif_mod_neuron.scfg");
    std::fs::write(&file, ALIF_MOD).map_err(|e| Error::new(e.to_string()).in_file(&file))?;
    register_neuron_from_file(ALIF_MOD_NAME, file)?;
    let tree = scfg::parse(AB)?;
    let blueprint = Blueprint::new(tree.clone())?;
    let populations = populations(&blueprint)?;
    let modulation = |name| (name, vec![-1e-4f32].into());
    Ok(Case {
        name: String::new(),
        tree,
        inputs: vec![
            ("signal", vec![0.1f32, -0.2, 0.05, 0.3].into()),
            modulation("mod_a_ex"),
            modulation("mod_b_ex"),
            modulation("mod_a_in"),
            modulation("mod_b_in"),
        ],
        states: Vec::new(),
        populations,
        neurons: 640,
        synapses: 524_288,
        dt: 1.0,
        scale: None,
        input_rate: None,
        steps: 300,
        registered: &[(ALIF_MOD_NAME, "alif_mod_neuron.scfg", ALIF_MOD)],
    })
}

/// The pools of a brain; a spike arrives at every neuron of the pools that read it.
fn populations(brain: &Blueprint) -> Result<Vec<Population>> {
    let mut pools = Vec::new();
    for (specs, blueprint) in brain.modules() {
        if let Blueprint::Neuron(_, config, _) = blueprint? {
            pools.push((specs, config.units.0.iter().product::<usize>()));
        }
    }
    let reads = |reader: &ModuleSpecs, name: &str| {
        reader.inputs.values().flatten().filter(|source| source.origin == name && source.port == "out_spikes").count()
    };
    let population = |name: &str| Population {
        name: name.to_string(),
        output: format!("{name}.out_spikes"),
        out_degree: pools.iter().map(|(reader, units)| units * reads(reader, name)).sum(),
    };
    Ok(pools.iter().map(|(specs, _)| population(&specs.name)).collect())
}
